using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Benchmarks.Crawling;
using Benchmarks.Logs;
using Benchmarks.Orders;

namespace Benchmarks;

/// <summary><c>all</c>: every benchmark that has a mark or is told, one after the other, and one table of what they measured.</summary>
internal sealed class AllBenchmarks(int rounds, bool isQuick, string? published)
{
    private const int Placers = 256;

    public static Command Command()
    {
        var rounds = new Option<int>("--rounds") { Description = "Rounds of each; medians are shown.", DefaultValueFactory = _ => 3 };
        var quick = new Option<bool>("--quick") { Description = "Smaller sizes, and only those that the marks of speed are about." };
        var only = new Option<string[]>("--only")
        {
            Description = "Only these: --only crawl watch",
            DefaultValueFactory = _ => [],
            AllowMultipleArgumentsPerToken = true,
        };
        var output = new Option<string?>("--out") { Description = "A file for the table, in Markdown." };
        var against = new Option<string?>("--against")
        {
            Description =
                "A file with a table written before: tells ratios that are worse by more than 10 %, and ends with 1 for these only.",
        };
        var published = new Option<string?>("--published")
        {
            Description = "The folder of a silo that infra/publish.sh made: the crawl is measured with it too.",
        };
        var command = new Command("all", "All benchmarks, each beside its baseline, and one table with the marks that are kept.")
        {
            rounds,
            quick,
            only,
            output,
            against,
            published,
        };
        command.SetAction(
            (result, cancel) =>
                new AllBenchmarks(result.GetValue(rounds), result.GetValue(quick), result.GetValue(published)).Run(
                    result.GetValue(only)!,
                    result.GetValue(output),
                    result.GetValue(against),
                    cancel
                )
        );
        return command;
    }

    private int Pages => isQuick ? 5_000 : 20_000;

    private TimeSpan Span => TimeSpan.FromSeconds(isQuick ? 3 : 5);

    private async Task<int> Run(string[] only, string? output, string? against, CancellationToken cancel)
    {
        var chosen = Benchmarks(only, cancel)
            .Where(one => only.Length > 0 ? only.Contains(one.Name, StringComparer.Ordinal) : one.IsQuick || !isQuick)
            .ToList();
        if (only.Except(chosen.Select(one => one.Name), StringComparer.Ordinal).ToList() is { Count: > 0 } unknown)
        {
            Console.Error.WriteLine($"There is no benchmark {string.Join(", ", unknown)} among all.");
            return 2;
        }

        var began = Stopwatch.GetTimestamp();
        List<Figure> figures = [];
        List<string> failed = [];
        var told = "";
        foreach (var (name, _, measure) in chosen)
        {
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"== {name} ({chosen.FindIndex(one => one.Name == name) + 1} of {chosen.Count}, after "
                        + $"{Stopwatch.GetElapsedTime(began).TotalMinutes:0.0} minutes)"
                )
            );
            try
            {
                figures.AddRange(await measure());
            }
            catch (Exception reason) when (!cancel.IsCancellationRequested)
            {
                // The others' figures are worth having: a run takes long.
                failed.Add(name);
                Console.Error.WriteLine($"{name} failed: {reason}");
            }

            told = await Circumstances.Tell($"{rounds} rounds{(isQuick ? ", --quick" : "")}", Stopwatch.GetElapsedTime(began), failed);
            if (output is not null)
            {
                await File.WriteAllTextAsync(output, $"{told}\n{FigureTable.Write(figures)}", cancel);
            }
        }

        Console.WriteLine();
        Console.Write(told);
        var code = FigureTable.Print(figures);
        if (against is null || failed.Count > 0)
        {
            return Math.Max(code, failed.Count);
        }

        var losses = FigureTable.Losses(figures, await File.ReadAllTextAsync(against, cancel)).ToList();
        losses.ForEach(Console.WriteLine);
        return losses.Count > 0 ? 1 : 0;
    }

    private List<(string Name, bool IsQuick, Func<Task<IReadOnlyList<Figure>>> Measure)> Benchmarks(
        string[] only,
        CancellationToken cancel
    ) =>
        [
            ("crawl", true, () => CrawlBenchmark.Measure(Pages, rounds, parallel: 64, published: null)),
            .. published is null
                ? []
                : (List<(string, bool, Func<Task<IReadOnlyList<Figure>>>)>)
                    [("crawl-published", true, () => CrawlBenchmark.Measure(Pages, rounds, parallel: 64, published))],
            ("frontier", true, () => Task.FromResult(FrontierBenchmark.Measure(rounds, isQuick ? 200_000 : 1_000_000))),
            ("politeness", true, () =>
                (
                    isQuick
                        ? new PolitenessBenchmark(1_000, TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(60))
                        : new PolitenessBenchmark(20_000, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(240))
                ).Measure(cancel)
            ),
            .. isQuick || only.Contains("scale", StringComparer.Ordinal)
                ? (List<(string, bool, Func<Task<IReadOnlyList<Figure>>>)>)
                    [
                        ("scale", true, () =>
                            new ScaleBenchmark(isQuick ? 50_000 : 1_000_000, TimeSpan.FromSeconds(isQuick ? 8 : 20)).Measure()
                        ),
                    ]
                : [],
            ("logs", true, () =>
                new LogsBenchmark(Span * 2, TimeSpan.FromSeconds(isQuick ? 15 : 40), senders: 64, settings: []).Measure(rounds)
            ),
            ("orders", true, () => OrdersBenchmark.Measure(rounds, Span, Placers)),
            ("notify", true, () => NotifyBenchmark.Measure(rounds, isQuick ? rounds : 5, load: 0.5, rate: null, Span, placers: 64)),
            ("watch", true, () => WatchBenchmark.Measure(watchers: 1000, rate: 200, Span * 2, rounds)),
            ("cluster", true, () => ClusterBenchmark.Measure(rounds, Span, Placers)),
            ("store", false, () => StoreBenchmark.Measure(rounds, TimeSpan.FromSeconds(1), Path.GetTempPath(), only: null)),
            ("calls", false, () => CallsBenchmark.Measure(cancel)),
            ("start", false, () => new StartBenchmark(rounds).Measure()),
            ("idle", false, () => new IdleBenchmark(rounds, TimeSpan.FromSeconds(20)).Measure(cancel)),
            ("log-queries", false, () => LogQueriesBenchmark.Measure(10_000_000, 7, cancel)),
        ];
}
