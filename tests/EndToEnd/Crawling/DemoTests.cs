using Xunit;

namespace EndToEnd.Crawling;

/// <summary>The README's first command.</summary>
public sealed class DemoTests
{
    [Fact]
    public async Task TheDemoKillsItsSiloAndEndsOnBooksThatBalance()
    {
        await using var demo = ConsoleProcess.Start("demo");
        var code = await demo.Ended();

        Assert.True(code == ExitCode.Done, demo.Said);
        Assert.Contains(demo.Output, line => line.Contains("kill -9", StringComparison.Ordinal));
        Assert.Contains(demo.Output, line => line.Contains("Everything adds up.", StringComparison.Ordinal));
        Assert.Contains("-- --help", demo.Output.Last(line => line.Length > 0), StringComparison.Ordinal);
        Assert.Empty(demo.Errors);
    }
}
