using System.Collections.Immutable;
using System.Text;
using Grains.Interfaces.Keys;
using Unit.Logs;
using Xunit;

namespace Unit.Client;

/// <summary>What cannot be written is told and fails the verb; only a reader that has gone ends it quietly.</summary>
public sealed class OutputTests : IDisposable
{
    private const int NoSpace = 28;
    private const int BrokenPipe = 32;
    private const int TooLarge = 27;
    private const int OverQuota = 122;

    private readonly ConsoleInMemory _console = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("output-").FullName;

    /// <summary>Every verb that only looks, and the help.</summary>
    public static TheoryData<string> Verbs =>
        new(
            "--help",
            "crawl --help",
            "--version",
            "crawl list",
            "crawl list --json",
            "crawl show shop",
            "crawl show shop --json",
            "crawl export shop",
            "crawl export shop --format csv",
            "crawl explain shop http://a.example/",
            "logs query",
            "logs query --json",
            "logs sql x",
            "logs sql x --csv",
            "logs sql x --json",
            "logs rules list",
            "orders list",
            "keys list",
            "keys list --json",
            "ledger",
            "ledger --json"
        );

    public OutputTests() =>
        _console.Cluster.Accounts.Add(new("crawling", "urls", 0, 0, ImmutableSortedDictionary<string, long>.Empty, 0, 1, "It waits."));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task AFullDiskIsASentenceAndExitCodeOne(string verb)
    {
        var (code, error) = await Run(verb, FailsWith(new IOException("No space left on device", NoSpace)));

        Assert.Equal(ExitCode.Failed, code);
        Assert.Contains("The output cannot be written: No space left on device", error, StringComparison.Ordinal);
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task AReaderThatHasGoneIsNoFailure(string verb) =>
        Assert.Equal((ExitCode.Done, ""), await Run(verb, FailsWith(new IOException("Broken pipe", BrokenPipe))));

    [Theory]
    [InlineData("File too large", TooLarge)]
    [InlineData("Disk quota exceeded", OverQuota)]
    [InlineData("Input/output error", 5)]
    public async Task EveryOtherFailureOfTheOutputIsTold(string what, int number)
    {
        var (code, error) = await Run("crawl list --json", FailsWith(new IOException(what, number)));

        Assert.Equal((ExitCode.Failed, $$"""{"error":"The output cannot be written: {{what}}"}""" + "\n"), (code, error));
    }

    [Fact]
    public async Task AnOutputThatIsClosedIsTold() =>
        Assert.Equal(
            (ExitCode.Failed, "The output cannot be written: Access to the path is denied.\n"),
            await Run("crawl list", FailsWith(new UnauthorizedAccessException("Access to the path is denied.")))
        );

    [Fact]
    public async Task WhatIsBufferedToTheEndAndCannotBeWrittenIsToldToo()
    {
        using var output = new FullAtFlush();

        var (code, error) = await Run("--help", output);

        Assert.Equal((ExitCode.Failed, "The output cannot be written: No space left on device\n"), (code, error));
    }

    [Fact]
    public async Task AnErrorOutputThatCannotBeWrittenFailsTheVerbAndDoesNotEndIt()
    {
        Prepare();
        using var output = new StringWriter { NewLine = "\n" };

        var code = await Run("keys add reports --role reader", output, FailsWith(new IOException("No space left on device", NoSpace)));

        Assert.Equal((ExitCode.Failed, "secret-of-reports\n"), (code, output.ToString()));
    }

    [Fact]
    public async Task AFolderInPlaceOfAFileIsToldBeforeAnythingIsRead()
    {
        var crawl = Prepare();

        var printed = await _console.Run("crawl", "export", "shop", "--out", _folder);

        Assert.Equal((ExitCode.WrongUsage, $"\"{_folder}\" is a folder; name a file in it.\n"), (printed.Code, printed.Error));
        Assert.Empty(crawl.Controls);
    }

    [Fact]
    public async Task ADeviceIsWrittenToAndNotReplaced()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/dev/full is Linux's.");
        Prepare();

        var printed = await _console.Run("crawl", "export", "shop", "--out", "/dev/full");

        Assert.Equal(ExitCode.Failed, printed.Code);
        Assert.StartsWith("\"/dev/full\" cannot be written: No space left on device", printed.Error, StringComparison.Ordinal);
        Assert.False(FileStatus.Of("/dev/full")!.Value.IsRegular);
    }

    [Fact]
    public async Task OfASymbolicLinkTheFileIsReplacedAndTheLinkStays()
    {
        Prepare();
        var (file, link) = (Path.Combine(_folder, "pages.jsonl"), Path.Combine(_folder, "latest.jsonl"));
        await File.WriteAllTextAsync(file, "as it was", TestContext.Current.CancellationToken);
        File.CreateSymbolicLink(link, file);

        Assert.Equal(ExitCode.Done, (await _console.Run("crawl", "export", "shop", "--out", link)).Code);

        Assert.Equal(file, new FileInfo(link).LinkTarget);
        Assert.StartsWith(
            """{"url":""",
            await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken),
            StringComparison.Ordinal
        );
    }

    private CrawlInMemory Prepare()
    {
        var crawl = _console.Keep(ConsoleInMemory.Crawl());
        crawl.ExportPages.Add([
            new("http://a.example/", 200, 1, null, "text/html", "a", 1, "sha256:00ff", 5, ConsoleInMemory.Start, 42, 2, null, false, null),
        ]);
        crawl.Explanation = new("http://a.example/", "fetched", []);
        _console.Cluster.KnownKeys.Keys.Add(new("ci", ApiRole.Reader, ConsoleInMemory.Start));
        _console.Cluster.Logs.Found.Add(
            new(LogValue.Block([new LogValue(1, 1, 9, "", "shop", "", "", "one", "", "", "")]), LogsInMemory.End())
        );
        _console.Cluster.Logs.Rows = new(["a"], ["Varchar"], ["""["b"]"""], LogsInMemory.End());
        return crawl;
    }

    private async Task<(int Code, string Error)> Run(string verb, TextWriter output)
    {
        Prepare();
        using var error = new StringWriter { NewLine = "\n" };
        return (await Run(verb, output, error), error.ToString());
    }

    private Task<int> Run(string verb, TextWriter output, TextWriter error) => _console.RunInto(output, error, verb.Split(' '));

    private static FailingWriter FailsWith(Exception failure) => new(failure);

    private sealed class FailingWriter(Exception failure) : StringWriter
    {
        public override void Write(ReadOnlySpan<char> buffer) => throw failure;
    }

    /// <summary>Takes everything into a buffer, as a writer does, and meets the full disk when that is emptied.</summary>
    private sealed class FullAtFlush : StringWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void Flush() => throw new IOException("No space left on device", NoSpace);
    }
}
