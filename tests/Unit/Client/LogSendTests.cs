using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Grains.Interfaces.Logs;
using Unit.Storage;
using Xunit;

namespace Unit.Client;

public sealed class LogSendTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ConsoleInMemory _console = new();

    private SendInMemory Log => _console.Cluster.Sent;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task EveryLineOfAFileIsSentOnceAndTheLastNeedsNoEnd()
    {
        var file = File("app.log", "one\ntwo\nthree");
        var printed = await Send(file);

        Assert.Equal((ExitCode.Done, "app.log: 3 records stored.\n"), (printed.Code, printed.Output));
        Assert.Equal(["one", "two", "three"], Log.Lines);
        var sent = Assert.Single(Log.Stored);
        Assert.Equal(("shop", "app.log", LineFormat.Text), (sent.Service, sent.FileName, sent.Format));
    }

    [Fact]
    public async Task AFileThatWasSentIsNotSentAgainAndWhatWasAddedIs()
    {
        var file = File("app.log", "one\ntwo\n");
        await Send(file);
        Assert.Equal("app.log: nothing new from byte 8 on.\n", (await Send(file)).Output);
        await System.IO.File.AppendAllTextAsync(file, "three\n", TestContext.Current.CancellationToken);

        Assert.Equal("app.log: 1 record stored from byte 8 on.\n", (await Send(file)).Output);
        Assert.Equal(["one", "three", "two"], Log.Lines.Order());
        Assert.Equal("app.log: 3 records stored.\n", (await Send(file, "--from-start")).Output);
    }

    [Fact]
    public async Task WhatWasOnItsWayWhenTheConsoleWasStoppedGoesAgainUnderTheSameIds()
    {
        var file = File(
            "big.log",
            string.Concat(
                Enumerable
                    .Range(0, 60_000)
                    .Select(line =>
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"line {line:00000000} with some text that makes it longer than it has to be\n"
                        )
                    )
            )
        );
        using var stop = new CancellationTokenSource();
        _console.CtrlC = stop.Token;
        Log.Answer = (call, lines) =>
        {
            if (call < 3)
            {
                return null;
            }

            // The silo has stored it, and the console is gone before the answer.
            stop.Cancel();
            return call == 3 ? Store(lines) : new(SendOutcome.Unavailable, 0, 0, []);
        };
        Assert.Equal(ExitCode.Failed, (await Send(file)).Code);

        _console.CtrlC = default;
        Log.Answer = (_, _) => null;
        Assert.Equal(ExitCode.Done, (await Send(file)).Code);
        Assert.Equal(60_000, Log.Lines.Length);
        Assert.Equal(60_000, Log.Lines.Distinct().Count());

        SendReply? Store(SendLines lines)
        {
            Log.Answer = (_, _) => null;
            Log.Send(lines).GetAwaiter().GetResult();
            Log.Answer = (_, _) => new(SendOutcome.Unavailable, 0, 0, []);
            return new(SendOutcome.Unavailable, 0, 0, []);
        }
    }

    [Fact]
    public async Task ASiloThatIsFullIsAskedAgainWithTheSameLines()
    {
        var ids = new List<LogRequestId>();
        Log.Answer = (call, lines) =>
        {
            ids.Add(lines.Id);
            return call < 3 ? new(call == 1 ? SendOutcome.Full : SendOutcome.Unavailable, 0, 0, []) : null;
        };
        var sending = Send(File("app.log", "one\n"));
        for (var wait = 0; wait < 2; wait++)
        {
            await _console.Clock.Armed(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
            _console.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(ExitCode.Done, (await sending).Code);
        Assert.Equal(3, ids.Count);
        Assert.Single(ids.Distinct());
    }

    [Fact]
    public async Task AFileOfJsonIsSentAsJsonAndLinesThatAreNoneAreToldByTheirNumber()
    {
        Log.Answer = (_, _) => new(SendOutcome.Stored, 1, 1, [new(2, "The line is no JSON object.")]);
        var printed = await Send(File("app.ndjson", "{\"message\":\"one\"}\nbroken\n"));

        Assert.Equal(ExitCode.Failed, printed.Code);
        Assert.Equal("app.ndjson: 1 record stored, 1 line refused.\n", printed.Output);
        Assert.Contains("app.ndjson, line 2 from byte 0 on: The line is no JSON object.", printed.Error);
    }

    [Fact]
    public async Task ProgramsGetTheFiguresAsJson()
    {
        var printed = await Send(File("app.log", "one\ntwo\n"), "--json");
        var file = JsonDocument.Parse(printed.Output).RootElement;

        Assert.Equal(
            ("app.log", 2, 0, 8),
            (
                file.GetProperty("file").GetString(),
                file.GetProperty("stored").GetInt32(),
                file.GetProperty("refused").GetInt32(),
                file.GetProperty("bytes").GetInt32()
            )
        );
    }

    [Fact]
    public async Task AnotherFileUnderTheSameNameBeginsAtItsStart()
    {
        var file = File("app.log", "old one\nold two\n");
        await Send(file);
        File("app.log", "new one\nnew two, which is longer than before\n");

        Assert.Equal("app.log: 2 records stored.\n", (await Send(file)).Output);
        Assert.Equal(4, Log.Lines.Length);
    }

    [Fact]
    public async Task AFileThatIsNotThereIsNamed()
    {
        var printed = await Send(Path.Combine(_folder.Path, "none.log"));

        Assert.Equal(ExitCode.WrongUsage, printed.Code);
        Assert.Equal($"There is no file \"{Path.Combine(_folder.Path, "none.log")}\".\n", printed.Error);
        Assert.Equal(ExitCode.WrongUsage, (await Send(_folder.Path)).Code);
        Assert.Equal(ExitCode.WrongUsage, (await Send("-", "--follow")).Code);
    }

    [Theory]
    [InlineData("app.log.1")]
    [InlineData("app.log-20261130")]
    [InlineData("app-2026-11-30.log")]
    [InlineData("app.log.old")]
    public async Task TheTailOfAFileThatWasRenamedWhileNobodySentIsNotLost(string rotated)
    {
        var file = File("app.log", "one\ntwo\n");
        await Send(file);
        await System.IO.File.AppendAllTextAsync(file, "three\nfour, without an end", Cancel);
        System.IO.File.Move(file, Beside(rotated));
        File("app.log", "one\nanother\n");

        var printed = await Send(file);

        Assert.Equal(
            (ExitCode.Done, $"{rotated}: 2 records stored from byte 8 on.\napp.log: 2 records stored.\n", ""),
            (printed.Code, printed.Output, printed.Error)
        );
        Assert.Equal(["another", "four, without an end", "one", "one", "three", "two"], Log.Lines.Order(StringComparer.Ordinal));
        Assert.Equal("app.log: nothing new from byte 12 on.\n", (await Send(file)).Output);
    }

    [Fact]
    public async Task TheTailOfAFileThatWasPackedAndHasNoOtherCopyIsNotLost()
    {
        var file = File("app.log", "one\ntwo\n");
        await Send(file);
        Pack("app.log.1.gz", "one\ntwo\nthree\n");
        File("app.log", "four\n");

        var printed = await Send(file);

        Assert.Equal(
            (ExitCode.Done, "app.log.1.gz: 1 record stored from byte 8 on.\napp.log: 1 record stored.\n"),
            (printed.Code, printed.Output)
        );
        Assert.Equal(["four", "one", "three", "two"], Log.Lines.Order());
    }

    [Fact]
    public async Task OfSeveralRotationsAtOnceEachFileIsSentOnceInTheirOrder()
    {
        var file = File("app.log", "one\n");
        await Send(file);
        Pack("app.log.3.gz", "one\ntwo\n");
        File("app.log.2", "three\n");
        Pack("app.log.2.gz", "three\n");
        File("app.log.1", "four\n");
        File("app.log.4", "before all that\n");
        File("app.log", "five\n");

        Assert.Equal(
            "app.log.3.gz: 1 record stored from byte 4 on.\napp.log.2: 1 record stored.\napp.log.1: 1 record stored.\napp.log: "
                + "1 record stored.\n",
            (await Send(file)).Output
        );
        Assert.Equal(["five", "four", "one", "three", "two"], Log.Lines.Order());
        Assert.Equal("app.log: nothing new from byte 5 on.\n", (await Send(file)).Output);
    }

    [Fact]
    public async Task AFileThatWasCopiedAndCutIsSentToItsEndFromTheCopy()
    {
        var file = File("app.log", "started\none\n");
        await Send(file);
        File("app.log.1", "started\none\ntwo\n");
        // Cut, and longer at once than it was; it begins as it did before.
        File("app.log", "started\nand more than there was\n");

        Assert.Equal("app.log.1: 1 record stored from byte 12 on.\napp.log: 2 records stored.\n", (await Send(file)).Output);
    }

    [Theory]
    [InlineData("one\ntwo\n", "x\n")]
    [InlineData("one\ntwo\n", "abc\ndef\n")]
    [InlineData("one\ntwo\n", "one\nTWO\nthree\n")]
    public async Task AFileThatWasReplacedAndIsNowhereIsSentFromItsStartAndThatSomethingMayBeMissingIsSaid(string before, string now)
    {
        var file = File("app.log", before);
        await Send(file);
        File("app.log", now);

        var printed = await Send(file);

        Assert.Equal(
            (ExitCode.Done, $"app.log: {now.Count(sign => sign == '\n')} record{(now.Length > 2 ? "s" : "")} stored.\n"),
            (printed.Code, printed.Output)
        );
        Assert.Equal(
            $"\"{file}\" is not the file any more that was sent up to byte 8, and that one is not beside it: if anything was "
                + $"written to it after that, it was not sent.\n",
            printed.Error
        );
    }

    [Fact]
    public async Task OfALongFileThatBeginsAsBeforeTheLastBytesThatWereSentDecide()
    {
        var header = string.Concat(Enumerable.Range(0, 100).Select(line => $"# header {line:000000}\n"));
        var file = File("app.log", header + "one\n");
        await Send(file);
        File("app.log", header + "two\nthree\n");

        Assert.Equal("app.log: 102 records stored.\n", (await Send(file)).Output);
    }

    [Fact]
    public async Task AFileThatWasEmptyWhenItWasMetAndIsRenamedIsFoundByWhatTheSystemSaysOfIt()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux is asked for it.");
        var file = File("app.log", "");
        await Send(file);
        await System.IO.File.AppendAllTextAsync(file, "one\n", Cancel);
        System.IO.File.Move(file, Beside("app.log.1"));
        File("app.log", "two\n");

        Assert.Equal("app.log.1: 1 record stored.\napp.log: 1 record stored.\n", (await Send(file)).Output);
    }

    [Fact]
    public async Task AFileThatBeginsLikeTheOneThatWasRenamedIsNotTakenForIt()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux is asked which is which.");
        var file = File("app.log", "started\n");
        await Send(file);
        await System.IO.File.AppendAllTextAsync(file, "one\n", Cancel);
        System.IO.File.Move(file, Beside("app.log.1"));
        File("app.log", "started\ntwo\n");

        Assert.Equal("app.log.1: 1 record stored from byte 8 on.\napp.log: 2 records stored.\n", (await Send(file)).Output);
    }

    [Fact]
    public async Task AFileThatNobodyCanUnpackIsNamedAndTheVerbFails()
    {
        var file = File("app.log", "one\n");
        await Send(file);
        System.IO.File.Move(file, Beside("app.log.2"));
        File("app.log.1.xz", "?");
        File("app.log", "three\n");

        var printed = await Send(file);

        Assert.Equal((ExitCode.Failed, "app.log: 1 record stored.\n"), (printed.Code, printed.Output));
        Assert.StartsWith("\"app.log.1.xz\" was written after what was sent of", printed.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ALineWithoutAnEndThatIsFinishedLaterIsSentAgainWhole()
    {
        var file = File("app.log", "one\ntw");
        await Send(file);
        await System.IO.File.AppendAllTextAsync(file, "o and a half\nthree\n", Cancel);

        Assert.Equal("app.log: 2 records stored from byte 6 on.\n", (await Send(file)).Output);
        Assert.Equal(["one", "three", "tw", "two and a half"], Log.Lines.Order());
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public async Task ALineWhoseEndAloneComesLaterIsNotSentAgain(string end)
    {
        var file = File("app.log", "one\ntwo");
        await Send(file);
        await System.IO.File.AppendAllTextAsync(file, end, Cancel);
        Assert.Contains("nothing new", (await Send(file)).Output, StringComparison.Ordinal);
        await System.IO.File.AppendAllTextAsync(file, "three\n", Cancel);

        Assert.Contains("1 record stored", (await Send(file)).Output, StringComparison.Ordinal);
        Assert.Equal(["one", "three", "two"], Log.Lines.Order());
    }

    [Theory]
    [InlineData("utf-8", true)]
    [InlineData("utf-16", true)]
    [InlineData("utf-16", false)]
    [InlineData("utf-16BE", true)]
    [InlineData("utf-16BE", false)]
    [InlineData("utf-32", true)]
    [InlineData("utf-32BE", true)]
    public async Task ByteOrderMarksAndWideCharactersAreRead(string encoding, bool withMark)
    {
        var text = Encoding.GetEncoding(encoding);
        var file = Beside("app.log");
        await System.IO.File.WriteAllBytesAsync(
            file,
            [.. withMark ? text.GetPreamble() : [], .. text.GetBytes("one\nzwei größer 🙂 ਊ Ċ\n")],
            Cancel
        );
        Assert.Equal("app.log: 2 records stored.\n", (await Send(file)).Output);
        await System.IO.File.WriteAllBytesAsync(
            file,
            [.. await System.IO.File.ReadAllBytesAsync(file, Cancel), .. text.GetBytes("three")],
            Cancel
        );

        Assert.Contains("1 record stored from byte", (await Send(file)).Output, StringComparison.Ordinal);
        Assert.Equal(["one", "three", "zwei größer 🙂 ਊ Ċ"], Log.Lines.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task AMarkBeforeJsonHidesNothing()
    {
        await System.IO.File.WriteAllBytesAsync(
            Beside("app.ndjson"),
            [.. Encoding.UTF8.GetPreamble(), .. "{\"message\":\"one\"}\n"u8],
            Cancel
        );
        await Send(Beside("app.ndjson"));

        Assert.Equal(
            (LineFormat.Ndjson, "{\"message\":\"one\"}\n"),
            (Log.Stored.Single().Format, Encoding.UTF8.GetString(Log.Stored.Single().Bytes.Span))
        );
    }

    [Fact]
    public async Task HalfACharacterAtTheEndIsKeptBackAndTold()
    {
        var file = Beside("app.log");
        await System.IO.File.WriteAllBytesAsync(file, [0xff, 0xfe, .. Encoding.Unicode.GetBytes("one\n"), 0x61], Cancel);

        var printed = await Send(file);

        Assert.Equal(
            (ExitCode.Failed, "1 byte at the end of \"app.log\" are no whole character, and were not sent.\n"),
            (printed.Code, printed.Error)
        );
    }

    [Fact]
    public async Task APackedFileIsSentLikeAnyOther()
    {
        Pack("app.log.7.gz", "one\ntwo\n");
        Assert.Equal("app.log.7.gz: 2 records stored.\n", (await Send(Beside("app.log.7.gz"))).Output);
        Assert.Equal("app.log.7.gz: nothing new from byte 8 on.\n", (await Send(Beside("app.log.7.gz"))).Output);
    }

    [Fact]
    public async Task WhatAVersionBeforeKeptOfAFileIsUnderstood()
    {
        var file = File("app.log", "one\ntwo\n");
        await Send(file);
        var state = Assert.Single(Directory.GetFiles(Path.Combine(_folder.Path, "state")));
        var kept = System.Text.Json.Nodes.JsonNode.Parse(await System.IO.File.ReadAllTextAsync(state, Cancel))!.AsObject();
        foreach (var added in (string[])["ending", "endingLength", "fileId", "readAt", "openLine"])
        {
            Assert.True(kept.Remove(added));
        }

        await System.IO.File.WriteAllTextAsync(state, kept.ToJsonString(), Cancel);
        await System.IO.File.AppendAllTextAsync(file, "three\n", Cancel);

        Assert.Equal("app.log: 1 record stored from byte 8 on.\n", (await Send(file)).Output);
    }

    [Fact]
    public async Task AStateThatCannotBeKeptIsASentence()
    {
        File("state", "no folder");

        var printed = await Send(File("app.log", "one\n"));

        Assert.Equal(ExitCode.Failed, printed.Code);
        Assert.StartsWith($"How far \"{Beside("app.log")}\" was sent cannot be kept in", printed.Error, StringComparison.Ordinal);
        Assert.Empty(Log.Lines);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Beside(string name) => Path.Combine(_folder.Path, name);

    private void Pack(string name, string content)
    {
        using var packed = new GZipStream(System.IO.File.Create(Beside(name)), CompressionLevel.Fastest);
        packed.Write(Encoding.UTF8.GetBytes(content));
    }

    private Task<Printed> Send(string file, params string[] options) =>
        _console.Run([
            "logs",
            "send",
            file,
            "--service",
            "shop",
            "--state",
            Path.Combine(_folder.Path, "state"),
            "--zone",
            "UTC",
            .. options,
        ]);

    private string File(string name, string content)
    {
        var path = Path.Combine(_folder.Path, name);
        System.IO.File.WriteAllText(path, content);
        return path;
    }
}
