using System.Diagnostics;
using Client;
using Xunit;

namespace EndToEnd.Crawling;

/// <summary>The README's first command.</summary>
public sealed class DemoTests
{
    private static readonly TimeSpan Promised = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task TheDemoKillsItsSiloAndEndsOnBooksThatBalanceWithinAMinute()
    {
        var since = Stopwatch.GetTimestamp();
        await using var demo = ConsoleProcess.Start("demo");
        var code = await demo.Exit.WaitAsync(TimeSpan.FromMinutes(4), TestContext.Current.CancellationToken);

        Assert.True(code == ExitCode.Done, demo.Said);
        Assert.True(Stopwatch.GetElapsedTime(since) < Promised, $"It took {Stopwatch.GetElapsedTime(since)}.{Environment.NewLine}{demo.Said}");
        Assert.Contains(demo.Output, line => line.Contains("kill -9", StringComparison.Ordinal));
        Assert.Contains(demo.Output, line => line.Contains("Everything adds up.", StringComparison.Ordinal));
        Assert.Contains("-- --help", demo.Output.Last(line => line.Length > 0), StringComparison.Ordinal);
        Assert.Empty(demo.Errors);
    }

    [Fact]
    public async Task ForProgramsItEndsWithItsVerdict()
    {
        await using var demo = ConsoleProcess.Start("demo", "--json");
        var code = await demo.Exit.WaitAsync(TimeSpan.FromMinutes(4), TestContext.Current.CancellationToken);

        Assert.True(code == ExitCode.Done, demo.Said);
        var verdict = demo.Last;
        Assert.True(verdict.GetProperty("ok").GetBoolean());
        Assert.Equal(1, verdict.GetProperty("kills").GetInt32());
        Assert.Equal(verdict.GetProperty("pagesOnSite").GetInt32(), verdict.GetProperty("pages").GetInt32());
        Assert.True(Assert.Single(verdict.GetProperty("ledger").EnumerateArray().ToArray()).GetProperty("balances").GetBoolean());
    }
}
