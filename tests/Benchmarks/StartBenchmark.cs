using System.CommandLine;
using System.Diagnostics;
using Doubles;

namespace Benchmarks;

/// <summary>
/// How long whoever starts something waits for it: a silo in an empty folder, a silo after <c>kill -9</c>, one of two that were killed, the
/// demo. The baseline of the same run is the silo's
/// <c>--help</c>, which loads the program and starts nothing.
/// </summary>
internal sealed class StartBenchmark(int rounds)
{
    private static readonly TimeSpan FirstMark = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AgainMark = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan DemoMark = TimeSpan.FromMinutes(1);

    public static Command Command()
    {
        var rounds = new Option<int>("--rounds") { Description = "Rounds; medians are shown.", DefaultValueFactory = _ => 3 };
        var command = new Command(
            "start",
            "Seconds until a silo is ready: at first, after kill -9, as one of two that were killed; and those of the demo."
        )
        {
            rounds,
        };
        command.SetAction(async (result, _) => FigureTable.Print(await new StartBenchmark(result.GetValue(rounds)).Measure()));
        return command;
    }

    public async Task<IReadOnlyList<Figure>> Measure()
    {
        Console.WriteLine($"Starts, {rounds} rounds.");
        List<double> help = [],
            first = [],
            again = [],
            oneOfTwo = [],
            demo = [];
        for (var round = 0; round < rounds; round++)
        {
            help.Add(await Seconds("Silo.dll", "--help"));
            await Starts(first, again, oneOfTwo);
            demo.Add(await Seconds("Client.dll", "demo", "--json"));
        }

        return
        [
            new("start", "s to the silo's --help", help),
            new("start", "s to the first start", first) { AtMost = FirstMark.TotalSeconds },
            new("start", "s after kill -9", again) { AtMost = AgainMark.TotalSeconds },
            new("start", "s for one of two that were killed", oneOfTwo) { AtMost = AgainMark.TotalSeconds },
            new("start", "s of the demo", demo) { AtMost = DemoMark.TotalSeconds },
        ];
    }

    private static async Task Starts(List<double> first, List<double> again, List<double> oneOfTwo)
    {
        var folder = Unique.Folder("start-benchmark");
        try
        {
            using (await Timed(first, folder)) { }

            // A silo that is disposed of was killed.
            using (await Timed(again, folder))
            using (await SiloChild.Start(folder)) { }

            using (await Timed(oneOfTwo, folder)) { }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<SiloChild> Timed(List<double> seconds, string folder)
    {
        var since = Stopwatch.GetTimestamp();
        var silo = await SiloChild.Start(folder);
        seconds.Add(Stopwatch.GetElapsedTime(since).TotalSeconds);
        return silo;
    }

    /// <summary>How long a program takes that ends by itself.</summary>
    private static async Task<double> Seconds(string program, params string[] args)
    {
        var since = Stopwatch.GetTimestamp();
        using var process = Process.Start(
            new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, program), .. args]) { RedirectStandardOutput = true }
        ) ?? throw new InvalidOperationException($"{program} was not started.");
        await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? Stopwatch.GetElapsedTime(since).TotalSeconds
            : throw new InvalidOperationException($"{program} ended with code {process.ExitCode}.");
    }
}
