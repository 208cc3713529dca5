using System.Text.RegularExpressions;
using Xunit;

namespace EndToEnd.Storage;

/// <summary>
/// The disk is told to keep what was written before the caller is told that it is kept. A kill does not show this, for the system keeps
/// what a process wrote; so the
/// system calls are traced. Needs <c>strace</c>: without it the cases are skipped on a developer's machine, and fail where <c>CI</c> is
/// set.
/// </summary>
public sealed partial class FlushBeforeAnswerTests : IDisposable
{
    private const int Commits = 20;

    private readonly string _folder = Unique.Folder("store");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task TheLogIsFlushedBeforeACommitIsAcknowledged()
    {
        var calls = await Trace("rows", _folder, "1", $"{Commits}");

        var acknowledged = 0;
        var written = 0;
        var flushed = 0;
        foreach (var call in calls)
        {
            if (call is { Name: "pwrite64" or "write" } && call.Arguments.Contains("ledger.db-wal>", StringComparison.Ordinal))
            {
                // What is written while a flush runs is not counted as flushed by it: one caller waits for its answer before it goes on.
                written++;
                flushed = 0;
            }
            else if (
                call is { Name: "fsync" or "fdatasync", Succeeded: true }
                && call.Arguments.Contains("ledger.db-wal>", StringComparison.Ordinal)
            )
            {
                flushed++;
            }
            else if (IsAck(call))
            {
                Assert.True(written > 0, $"Acknowledgement {acknowledged + 1} came without a write: {call}");
                Assert.True(flushed > 0, $"Acknowledgement {acknowledged + 1} came before the flush: {call}");
                acknowledged++;
                written = 0;
                flushed = 0;
            }
        }

        Assert.Equal(Commits, acknowledged);
    }

    [Fact]
    public async Task ABlobIsFlushedThenNamedThenItsFolderFlushedBeforeItIsAcknowledged()
    {
        var calls = await Trace("blobs", _folder, $"{Commits}");

        var acknowledged = 0;
        var steps = new List<string>();
        foreach (var call in calls)
        {
            if (call is { Name: "write" or "pwrite64" or "pwritev" } && call.Arguments.Contains("/writing/", StringComparison.Ordinal))
            {
                steps.Add("write");
            }
            else if (
                call is { Name: "fsync" or "fdatasync", Succeeded: true }
                && call.Arguments.Contains("/writing/", StringComparison.Ordinal)
            )
            {
                steps.Add("flush the file");
            }
            else if (
                call is { Name: "link" or "linkat", Succeeded: true }
                && call.Arguments.Contains("/objects/traced+/", StringComparison.Ordinal)
            )
            {
                steps.Add("name");
            }
            else if (call is { Name: "fsync", Succeeded: true } && call.Arguments.EndsWith("/objects/traced+>", StringComparison.Ordinal))
            {
                steps.Add("flush the folder");
            }
            else if (IsAck(call))
            {
                Assert.Equal(["write", "flush the file", "name", "flush the folder"], steps);
                acknowledged++;
                steps.Clear();
            }
        }

        Assert.Equal(Commits, acknowledged);
    }

    private static bool IsAck(SystemCall call) => call.Name == "write" && call.Arguments.Contains("\"ack ", StringComparison.Ordinal);

    /// <summary>The calls of a writer in the order in which they ended, except writes, which count from when they began.</summary>
    private async Task<IReadOnlyList<SystemCall>> Trace(params string[] arguments)
    {
        var strace = (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, "strace"))
            .FirstOrDefault(File.Exists);
        if (strace is null && Environment.GetEnvironmentVariable("CI") is null or "")
        {
            Assert.Skip("strace is not installed: that the flush comes before the answer was not shown.");
        }

        Assert.True(
            strace is not null,
            "strace is not installed; continuous integration needs it to show that the flush comes before the answer."
        );
        var file = Path.Combine(_folder, "trace.txt");
        using (
            var writer = StoreWriterProcess.Start(
                [strace, "-f", "-y", "-s", "40", "-o", file, "-e", "trace=write,pwrite64,pwritev,fsync,fdatasync,link,linkat"],
                arguments
            )
        )
        {
            var lines = 0;
            while (await writer.ReadLine(Cancel) is not null)
            {
                lines++;
            }

            Assert.Equal(0, await writer.Exit(Cancel));
            Assert.Equal(Commits, lines);
        }

        var calls = new List<SystemCall>();
        var begun = new Dictionary<string, SystemCall>(StringComparer.Ordinal);
        foreach (var line in await File.ReadAllLinesAsync(file, Cancel))
        {
            if (Resumed().Match(line) is { Success: true } end)
            {
                if (begun.Remove(end.Groups["thread"].Value, out var call) && !call.IsWrite)
                {
                    calls.Add(call with { Succeeded = end.Groups["result"].Value == "0" });
                }
            }
            else if (Begun().Match(line) is { Success: true } start)
            {
                var call = new SystemCall(start.Groups["name"].Value, start.Groups["arguments"].Value, Succeeded: false);
                begun[start.Groups["thread"].Value] = call;
                if (call.IsWrite)
                {
                    calls.Add(call);
                }
            }
            else if (Whole().Match(line) is { Success: true } whole)
            {
                calls.Add(new(whole.Groups["name"].Value, whole.Groups["arguments"].Value, whole.Groups["result"].Value == "0"));
            }
        }

        return calls;
    }

    [GeneratedRegex(@"^(?<thread>\d+)\s+(?<name>\w+)\((?<arguments>.*)\)\s+= (?<result>-?\d+)")]
    private static partial Regex Whole();

    [GeneratedRegex(@"^(?<thread>\d+)\s+(?<name>\w+)\((?<arguments>.*) <unfinished \.\.\.>$")]
    private static partial Regex Begun();

    [GeneratedRegex(@"^(?<thread>\d+)\s+<\.\.\. \w+ resumed>.*= (?<result>-?\d+)")]
    private static partial Regex Resumed();

    private sealed record SystemCall(string Name, string Arguments, bool Succeeded)
    {
        public bool IsWrite => Name is "write" or "pwrite64" or "pwritev";
    }
}
