using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace EndToEnd;

public sealed partial class ConsoleProcessTests : IDisposable
{
    private readonly SiloPlace _place = new();
    private readonly string _folder = Unique.Folder("console");

    public void Dispose()
    {
        _place.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task ADemoThatIsInterruptedTakesItsSiloAndItsFolderAlong()
    {
        var demo = await ConsoleProcess.Run(_folder, ["demo"], interruptAfter: "● crawl");

        Assert.Equal((1, "Stopped before it was done.\n"), (demo.Code, demo.Error));
        var silo = int.Parse(SiloProcessId().Match(demo.Output).Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        Assert.Throws<ArgumentException>(() => Process.GetProcessById(silo));
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public async Task OneLiveGatewayAmongDeadOnesSuffices()
    {
        await using var silo = await SiloProcess.StartReady(_place);

        foreach (
            var gateways in (string[][])
                [
                    [Dead(), $"{_place.Gateway}"],
                    [$"{_place.Gateway}", Dead()],
                ]
        )
        {
            var list = await ConsoleProcess.Run(
                _folder,
                ["crawl", "list", .. gateways.SelectMany(gateway => (string[])["--gateway", gateway])]
            );

            Assert.Equal(
                (0, "No crawl is kept. Start one with: crawl start https://example.org/\n", ""),
                (list.Code, list.Output, list.Error)
            );
        }
    }

    [Fact]
    public async Task WithoutASiloTheExitCodeIsThreeAndTheSentenceSaysHowToStartOne()
    {
        var gateway = Dead();

        var list = await ConsoleProcess.Run(_folder, ["crawl", "list", "--gateway", gateway]);

        Assert.Equal(
            (3, "", $"No silo of cluster \"dev\" was reached at {gateway}. Start one with: dotnet run -c Release --project Silo\n"),
            (list.Code, list.Output, list.Error)
        );
    }

    /// <summary>An address on which nobody listens.</summary>
    private static string Dead() => $"127.0.0.1:{Unique.Port()}";

    [GeneratedRegex("process ([0-9]+), ready")]
    private static partial Regex SiloProcessId();
}
