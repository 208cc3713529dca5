using Xunit;

namespace EndToEnd.Crawling;

/// <summary>The README's first command.</summary>
public sealed class DemoTests : IDisposable
{
    private readonly string _folder = Unique.Folder("demo");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task TheDemoKillsItsSiloEndsOnBooksThatBalanceAndLeavesNothingBehind()
    {
        var demo = await ConsoleProcess.Run(_folder, ["demo"]);

        Assert.Equal((ExitCode.Done, ""), (demo.Code, demo.Error));
        Assert.Contains("kill -9", demo.Output, StringComparison.Ordinal);
        Assert.Contains("Everything adds up.", demo.Output, StringComparison.Ordinal);
        Assert.Contains("-- --help", demo.Output.TrimEnd().Split('\n')[^1], StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }
}
