using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Doubles.Logs;
using Grains.Interfaces.Logs;
using Grains.Logs.Reading;
using Grains.Logs.Records;
using Grains.Logs.Segments;
using Microsoft.Extensions.Options;
using Silo.Storage;

namespace Benchmarks.Logs;

/// <summary>
/// How long questions take over ten million records of one day in merged segments of a directory: a trace id, a substring within one hour,
/// severities per minute of the day.
/// Each in the process that asks, as a silo does it, and with nothing kept between two questions but what the operating system keeps of
/// files.
/// </summary>
internal static class LogQueriesBenchmark
{
    private const double TraceMark = 150;
    private const int RecordsPerTrace = 8;

    private static readonly DateTimeOffset Day = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly string[] Services = ["checkout", "cart", "catalogue", "payment", "shipping", "search", "mail", "frontend"];

    public static Command Command()
    {
        var records = new Option<int>("--records") { Description = "Records of the day.", DefaultValueFactory = _ => 10_000_000 };
        var rounds = new Option<int>("--rounds")
        {
            Description = "Rounds of each question; medians are shown.",
            DefaultValueFactory = _ => 7,
        };
        var command = new Command("log-queries", "How long questions take over ten million stored log records.") { records, rounds };
        command.SetAction(
            async (result, cancel) => FigureTable.Print(await Measure(result.GetValue(records), result.GetValue(rounds), cancel))
        );
        return command;
    }

    public static async Task<IReadOnlyList<Figure>> Measure(int records, int rounds, CancellationToken cancel)
    {
        var folder = Directory.CreateTempSubdirectory("log-queries-").FullName;
        try
        {
            using var blobs = DirectoryBlobStore.Open(folder);
            var shelf = new SegmentShelf(blobs);
            var traces = await Fill(shelf, records, cancel);
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{records:n0} records of a day, {shelf.All.Count} segments, "
                        + $"{shelf.All.Sum(segment => segment.Bytes) / 1e6:n0} MB of "
                        + $"{shelf.All.Sum(segment => segment.RawBytes) / 1e6:n0} MB."
                )
            );

            var options = Options.Create(new LogReadingOptions());
            using var places = new QueryPlaces(options.Value.Queries, QueryPlaces.UsualPatience, TimeProvider.System);
            using var cache = new SegmentCache(blobs, Path.Combine(folder, "cache"), options.Value.CacheBytes);
            var unreadable = new UnreadableSegments(TimeProvider.System);
            var search = new LogSearch(shelf, cache, unreadable, places, options, TimeProvider.System);
            var stats = new LogStats(shelf, cache, unreadable, places, options, TimeProvider.System);
            var noon = Day.AddHours(12);
            List<Figure> figures = [];
            await Ask("a trace id", rounds, round =>
                Find(search, new($"trace:{traces[round * 131 % traces.Length]}", null, null, 1000, false), RecordsPerTrace, cancel)
            );
            await Ask("a trace id that is not there", rounds, round =>
                Find(search, new($"trace:{round + 1:x32}", null, null, 1000, false), 0, cancel)
            );
            await Ask("the newest 100", rounds, _ => Find(search, new("", null, null, 100, false), 100, cancel));
            await Ask("a rare substring in one hour", rounds, _ =>
                Find(search, new("\"gave up after\"", noon, noon.AddHours(1), 1000, false), null, cancel)
            );
            await Ask("a substring that is not there, all day", rounds, _ =>
                Find(search, new("\"no such words\"", null, null, 1000, false), 0, cancel)
            );
            await Ask("severities per minute, all day", rounds, async _ =>
            {
                var reply = await stats.Count(new("", Day, Day.AddDays(1), 1440), cancel);
                return reply.Cells.Sum(cell => cell.Records) == records
                    ? reply.End
                    : throw new InvalidOperationException(
                        $"{reply.Cells.Sum(cell => cell.Records)} of {records} records were counted: {reply.End}"
                    );
            });
            figures[0] = figures[0] with { AtMost = TraceMark };
            return figures;

            async Task Ask(string what, int times, Func<int, Task<QueryEnd>> ask) =>
                figures.Add(new("log-queries", $"{what}, ms", await Took(what, times, ask)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<List<double>> Took(string what, int rounds, Func<int, Task<QueryEnd>> ask)
    {
        var took = new List<double>();
        QueryEnd? end = null;
        for (var round = 0; round <= rounds; round++)
        {
            var began = Stopwatch.GetTimestamp();
            end = await ask(round);
            took.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        var first = took[0];
        took.RemoveAt(0);
        took.Sort();
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{what, -40} {took[took.Count / 2], 8:0} ms   (first {first:0}, most {took[^1]:0}; {end!.SegmentsRead} of "
                    + $"{end.Segments} segments, {end.Outcome})"
            )
        );
        return took;
    }

    private static async Task<QueryEnd> Find(LogSearch search, SearchLogs ask, int? expected, CancellationToken cancel)
    {
        var found = 0;
        QueryEnd? end = null;
        await foreach (var page in search.Find(ask, cancel))
        {
            found += page.Records.Count;
            end = page.End;
        }

        return expected is null || found == expected
            ? end!
            : throw new InvalidOperationException($"{found} records were found for {ask}, {expected} are there: {end}");
    }

    /// <summary>Records of a trace lie within a second, in several services. A segment is what a merge makes of 24 MiB.</summary>
    private static async Task<string[]> Fill(SegmentShelf shelf, int records, CancellationToken cancel)
    {
        const int PerSegment = 80_000;
        var chance = new Random(1);
        var traces = new List<string>();
        var trace = new byte[RecordsPerTrace * 4][];
        var step = (ulong)(TimeSpan.TicksPerDay * 100 / records);
        using var builder = new LogBlockBuilder();
        for (var at = 0; at < records; at++)
        {
            // Four traces go on at once; each ends after eight records.
            if (at % (RecordsPerTrace * 4) == 0)
            {
                for (var next = 0; next < 4; next++)
                {
                    chance.NextBytes(trace[next] = new byte[16]);
                    if (at % 10_000 == 0)
                    {
                        traces.Add(Convert.ToHexStringLower(trace[next]));
                    }
                }
            }

            Add(builder, chance, LogForm.Nanoseconds(Day) + ((ulong)at * step), trace[at % 4]);
            if (builder.Count == PerSegment || at == records - 1)
            {
                cancel.ThrowIfCancellationRequested();
                var block = builder.Build();
                await shelf.Keep(SegmentWriter.Write([block], SegmentMerge.Level), isMerged: true);
                LogBlockBuilder.Return(block);
                builder.Clear();
            }
        }

        return [.. traces];
    }

    private static void Add(LogBlockBuilder builder, Random chance, ulong time, byte[] trace)
    {
        Span<byte> span = stackalloc byte[8];
        chance.NextBytes(span);
        var dice = chance.Next(1000);
        var severity =
            dice < 800 ? 9
            : dice < 950 ? 5
            : dice < 990 ? 13
            : 17;
        builder.Begin(time, time + (ulong)chance.Next(100_000, 3_000_000), severity, trace, span);
        builder.AddText(LogSeverity.Name((byte)severity).ToUpperInvariant());
        builder.AddText(Services[chance.Next(Services.Length)]);
        builder.AddText($"node-{chance.Next(8)}");
        builder.AddText("");
        builder.AddText(
            dice == 999
                ? $"request {chance.Next(1_000_000)} gave up after {chance.Next(1000, 30_000)} ms"
                : $"order {chance.Next(1_000_000)} of customer {chance.Next(50_000)} went from state placed to state paid in "
                    + $"{chance.Next(900)} ms"
        );
        builder.AddText(
            $$"""{"user.id":{{chance.Next(50_000)}},"http.route":"/orders/{id}","http.response.status_code":{{(dice == 999 ? 500 : 200)}}}"""
        );
        builder.End();
    }
}
