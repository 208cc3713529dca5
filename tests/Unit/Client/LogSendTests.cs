using System.Globalization;
using System.Text.Json;
using Client;
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
        var file = File("big.log", string.Concat(Enumerable.Range(0, 60_000).Select(line => string.Create(CultureInfo.InvariantCulture, $"line {line:00000000} with some text that makes it longer than it has to be\n"))));
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
        var file = JsonDocument.Parse(printed.Output).RootElement.GetProperty("files")[0];

        Assert.Equal(("app.log", 2, 0, 8), (file.GetProperty("file").GetString(), file.GetProperty("stored").GetInt32(), file.GetProperty("refused").GetInt32(), file.GetProperty("bytes").GetInt32()));
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
        Assert.Equal($"There is no file «{Path.Combine(_folder.Path, "none.log")}».\n", printed.Error);
        Assert.Equal(ExitCode.WrongUsage, (await Send(_folder.Path)).Code);
        Assert.Equal(ExitCode.WrongUsage, (await Send("-", "--follow")).Code);
    }

    private Task<Printed> Send(string file, params string[] options) =>
        _console.Run(["logs", "send", file, "--service", "shop", "--state", Path.Combine(_folder.Path, "state"), "--zone", "UTC", .. options]);

    private string File(string name, string content)
    {
        var path = Path.Combine(_folder.Path, name);
        System.IO.File.WriteAllText(path, content);
        return path;
    }
}
