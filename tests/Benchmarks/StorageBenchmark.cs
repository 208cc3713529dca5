using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Doubles.Azurite;
using Grains.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Silo.Storage;

namespace Benchmarks;

/// <summary>
/// Commits and rows a second of every table store through <see cref="ITableStore"/>, one by one and in hundreds, in one run: a table for
/// <c>Silo/Storage/README.md</c>.
/// </summary>
/// <remarks>Azurite is an emulator in Node on the same cores, which looks through a whole table for each scan and keeps it in memory: its
/// figures say that the
/// adapter works and what it costs here, and nothing of Azure Storage. There is no mark.</remarks>
internal static class StorageBenchmark
{
    private const int PayloadBytes = 600;

    public static Command Command()
    {
        var seconds = new Option<double>("--seconds") { Description = "Seconds of each case.", DefaultValueFactory = _ => 3 };
        var folder = new Option<string?>("--folder")
        {
            Description = "Where the embedded database is made; it is removed afterwards. The system's temporary folder by default.",
        };
        var command = new Command("storage", "Commits and rows a second on SQLite and on Azurite, one by one and in hundreds.")
        {
            seconds,
            folder,
        };
        command.SetAction(
            (result, cancel) => Run(TimeSpan.FromSeconds(result.GetValue(seconds)), result.GetValue(folder) ?? Path.GetTempPath(), cancel)
        );
        return command;
    }

    private static async Task<int> Run(TimeSpan duration, string parent, CancellationToken cancel)
    {
        Console.WriteLine(
            $"Rows of {PayloadBytes} bytes, inserted; {duration.TotalSeconds:0.#} s a case, after one of a tenth of that; "
                + $"{Environment.ProcessorCount} cores."
        );
        Console.WriteLine();
        Console.WriteLine("| store | callers | rows a commit | commits/s | rows/s | median ms | ms CPU a commit, here |");
        Console.WriteLine("|---|--:|--:|--:|--:|--:|--:|");
        var folder = Directory.CreateDirectory(Path.Combine(parent, "storage-" + Guid.NewGuid().ToString("N"))).FullName;
        try
        {
            await using var sqlite = SqliteTableStore.Open(folder);
            await using var azurite = await AzuriteProcess.Start(cancel);
            var azure = new AzureTableStore(
                AzureAccount.Of(azurite.ConnectionString).Tables,
                AzureBounds.Usual,
                TimeProvider.System,
                Random.Shared.NextDouble,
                NullLogger<AzureTableStore>.Instance
            );
            foreach (var (name, store) in new (string, ITableStore)[] { ("SQLite", sqlite), ("Azurite", azure) })
            {
                foreach (var (callers, rows) in new[] { (1, 1), (1, 100), (16, 1), (16, 100) })
                {
                    var table = $"c{callers}r{rows}";
                    await Measure(store, table, callers, rows, duration / 10, start: 0);
                    var (commits, elapsed, median, cpu) = await Measure(store, table, callers, rows, duration, start: 1_000_000);
                    Console.WriteLine(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"| {name} | {callers} | {rows} | {commits / elapsed.TotalSeconds:#,0} | "
                                + $"{commits * rows / elapsed.TotalSeconds:#,0} | {median.TotalMilliseconds:0.0} | "
                                + $"{cpu.TotalMilliseconds / commits:0.00} |"
                        )
                    );
                }
            }

            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<(long Commits, TimeSpan Elapsed, TimeSpan Median, TimeSpan Cpu)> Measure(
        ITableStore store,
        string table,
        int callers,
        int rows,
        TimeSpan duration,
        int start
    )
    {
        var payload = new byte[PayloadBytes];
        new Random(1).NextBytes(payload);
        var cpu = Environment.CpuUsage.TotalTime;
        var began = Stopwatch.GetTimestamp();
        var times = await Task.WhenAll(
            Enumerable
                .Range(0, callers)
                .Select(caller =>
                    Task.Run(async () =>
                    {
                        var mine = new List<TimeSpan>();
                        for (var commit = start; Stopwatch.GetElapsedTime(began) < duration; commit++)
                        {
                            var changes = new RowChange[rows];
                            for (var row = 0; row < rows; row++)
                            {
                                changes[row] = RowChange.Insert(
                                    string.Create(CultureInfo.InvariantCulture, $"u.{commit:d9}.{row:d3}"),
                                    payload
                                );
                            }

                            var sent = Stopwatch.GetTimestamp();
                            var result = await store.Commit(
                                table,
                                string.Create(CultureInfo.InvariantCulture, $"caller-{caller:d3}"),
                                changes
                            );
                            if (result.Outcome != CommitOutcome.Committed)
                            {
                                throw new InvalidOperationException($"A commit was answered {result.Outcome}.", result.Cause);
                            }

                            mine.Add(Stopwatch.GetElapsedTime(sent));
                        }

                        return mine;
                    })
                )
        );
        var elapsed = Stopwatch.GetElapsedTime(began);
        var all = times.SelectMany(mine => mine).Order().ToArray();
        return (all.Length, elapsed, all[all.Length / 2], Environment.CpuUsage.TotalTime - cpu);
    }
}
