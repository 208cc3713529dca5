using System.Diagnostics;
using Client;
using Xunit;

namespace EndToEnd.Crawling;

/// <summary>The README's first command.</summary>
public sealed class DemoTests
{
    [Fact]
    public async Task TheDemoKillsItsSiloAndEndsOnBooksThatBalanceWithinAMinute()
    {
        var promised = await Promised.Here(TimeSpan.FromMinutes(1));
        var since = Stopwatch.GetTimestamp();
        await using var demo = ConsoleProcess.Start("demo");
        var code = await demo.Exit.WaitAsync(TimeSpan.FromMinutes(4), TestContext.Current.CancellationToken);

        Assert.True(code == ExitCode.Done, demo.Said);
        Assert.True(Stopwatch.GetElapsedTime(since) < promised, $"It took {Stopwatch.GetElapsedTime(since)}.{Environment.NewLine}{demo.Said}");
        Assert.Contains(demo.Output, line => line.Contains("kill -9", StringComparison.Ordinal));
        Assert.Contains(demo.Output, line => line.Contains("Everything adds up.", StringComparison.Ordinal));
        Assert.Contains("-- --help", demo.Output.Last(line => line.Length > 0), StringComparison.Ordinal);
        Assert.Empty(demo.Errors);
    }
}
