using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Grains.Storage;
using Microsoft.Data.Sqlite;
using Silo.Storage;

namespace Benchmarks;

/// <summary>
/// Rows a second of <see cref="SqliteTableStore"/> beside bare SQLite: one thread, prepared statements of Microsoft.Data.Sqlite, the same
/// tables and settings,
/// the same rows, as many rows to a transaction as there are callers' commits waiting at most (callers × rows of a commit; the store's own
/// transactions hold about half of that, because the other half arrives while one is flushed).
/// </summary>
/// <remarks>The two alternate, and each round starts with empty files. The mark: half of bare SQLite at least, by the medians.
/// A caller is a loop that commits and waits for its answer. A commit of four rows is what an owner of a partition does: a head that is
/// replaced by etag, and new rows beside it.</remarks>
internal static class StoreBenchmark
{
    private const string Head = "head";
    private const int PayloadBytes = 600;
    private const double Mark = 0.5;

    public static Command Command()
    {
        var rounds = new Option<int>("--rounds") { Description = "Rounds of each case; medians are shown.", DefaultValueFactory = _ => 5 };
        var seconds = new Option<double>("--seconds")
        {
            Description = "Seconds that each side of a round takes.",
            DefaultValueFactory = _ => 1,
        };
        var folder = new Option<string?>("--folder")
        {
            Description = "Where the files are made; they are removed afterwards. The system's temporary folder by default.",
        };
        var only = new Option<int?>("--callers") { Description = "Only the cases with so many callers." };
        var command = new Command("store", "Rows a second of the embedded table store beside bare SQLite.")
        {
            rounds,
            seconds,
            folder,
            only,
        };
        command.SetAction(
            async (result, _) =>
                FigureTable.Print(
                    await Measure(
                        result.GetValue(rounds),
                        TimeSpan.FromSeconds(result.GetValue(seconds)),
                        result.GetValue(folder) ?? Path.GetTempPath(),
                        result.GetValue(only)
                    )
                )
        );
        return command;
    }

    public static async Task<IReadOnlyList<Figure>> Measure(int rounds, TimeSpan duration, string folder, int? only)
    {
        Console.WriteLine(
            $"Rows of {PayloadBytes} bytes, {rounds} rounds of {duration.TotalSeconds:0.#} s a side, medians. Flushed at each transaction."
        );
        Console.WriteLine(
            "callers  rows/commit  bare rows/s  store rows/s  ratio  bare µs CPU/commit  store µs CPU/commit  commits/transaction"
        );
        List<Figure> figures = [];
        foreach (var (callers, rows) in new[] { (1, 1), (1, 4), (16, 1), (16, 4), (64, 4), (256, 1), (256, 4) })
        {
            if (only is not null && callers != only)
            {
                continue;
            }

            var bare = new List<Measured>();
            var store = new List<Measured>();
            for (var round = 0; round < rounds; round++)
            {
                bare.Add(InFolder(folder, path => Bare(path, callers, rows, duration)));
                store.Add(await InFolder(folder, path => Store(path, callers, rows, duration)));
            }

            var ratio = Median(store, m => m.RowsPerSecond) / Median(bare, m => m.RowsPerSecond);
            figures.Add(
                new(
                    "store",
                    $"rows/s, {callers} callers, {rows} rows a commit, beside bare SQLite",
                    store.Select(m => m.RowsPerSecond),
                    bare.Select(m => m.RowsPerSecond)
                )
                {
                    AtLeast = Mark,
                }
            );
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{callers, 7}  {rows, 11}  {Median(bare, m => m.RowsPerSecond), 11:0}  "
                        + $"{Median(store, m => m.RowsPerSecond), 12:0}  {ratio, 5:0.00}  "
                        + $"{Median(bare, m => m.CpuPerCommit), 18:0.0}  {Median(store, m => m.CpuPerCommit), 19:0.0}  "
                        + $"{Median(store, m => m.CommitsPerTransaction), 19:0.0}"
                )
            );
        }

        return figures;
    }

    /// <summary>One thread that writes as many rows to a transaction as the store's callers could have waiting.</summary>
    private static Measured Bare(string folder, int callers, int rows, TimeSpan duration)
    {
        using var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = Path.Combine(folder, "bare.db"), Pooling = false }.ToString()
        );
        connection.Open();
        Execute(
            connection,
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 8000"
        );
        Execute(
            connection,
            "CREATE TABLE rows (id INTEGER PRIMARY KEY, partition INTEGER NOT NULL, key TEXT NOT NULL, etag INTEGER NOT NULL, "
                + "payload BLOB NOT NULL, UNIQUE (partition, key))"
        );
        var payload = Payload();
        using var insert = connection.CreateCommand();
        insert.CommandText =
            "INSERT INTO rows (partition, key, etag, payload) VALUES ($partition, $key, $etag, $payload) ON CONFLICT "
            + "(partition, key) DO UPDATE SET etag = $etag, payload = $payload";
        var partition = insert.Parameters.Add("$partition", SqliteType.Integer);
        var key = insert.Parameters.Add("$key", SqliteType.Text);
        var etag = insert.Parameters.Add("$etag", SqliteType.Integer);
        insert.Parameters.Add("$payload", SqliteType.Blob).Value = payload;
        using var begin = connection.CreateCommand();
        begin.CommandText = "BEGIN IMMEDIATE";
        using var commit = connection.CreateCommand();
        commit.CommandText = "COMMIT";
        begin.Prepare();
        insert.Prepare();
        commit.Prepare();

        var meter = Meter.Start();
        long commits = 0;
        while (meter.Elapsed < duration)
        {
            begin.ExecuteNonQuery();
            for (var caller = 0; caller < callers; caller++)
            {
                partition.Value = caller;
                for (var row = 0; row < rows; row++)
                {
                    key.Value = rows > 1 && row == 0 ? Head : Key(caller, commits, row);
                    etag.Value = commits;
                    insert.ExecuteNonQuery();
                }

                commits++;
            }

            commit.ExecuteNonQuery();
        }

        return meter.Stop(commits, rows, callers);
    }

    private static async Task<Measured> Store(string folder, int callers, int rows, TimeSpan duration)
    {
        await using var store = SqliteTableStore.Open(folder);
        var payload = Payload();
        var heads = new string[callers];
        for (var caller = 0; caller < callers; caller++)
        {
            heads[caller] = (await store.Commit("bench", Partition(caller), [RowChange.Insert(Head, payload)])).ETags[0]!;
        }

        var meter = Meter.Start();
        var before = store.Transactions;
        var counts = await Task.WhenAll(
            Enumerable
                .Range(0, callers)
                .Select(caller =>
                    Task.Run(async () =>
                    {
                        var commits = 0L;
                        var partition = Partition(caller);
                        while (meter.Elapsed < duration)
                        {
                            var changes = new RowChange[rows];
                            for (var row = 0; row < rows; row++)
                            {
                                changes[row] =
                                    rows > 1 && row == 0
                                        ? RowChange.Replace(Head, payload, heads[caller])
                                        : RowChange.Insert(Key(caller, commits, row), payload);
                            }

                            var result = await store.Commit("bench", partition, changes);
                            if (result.Outcome != CommitOutcome.Committed)
                            {
                                throw new InvalidOperationException($"A commit was answered {result.Outcome}.", result.Cause);
                            }

                            heads[caller] = result.ETags[0]!;
                            commits++;
                        }

                        return commits;
                    })
                )
        );
        var total = counts.Sum();
        return meter.Stop(total, rows, total / (double)(store.Transactions - before));
    }

    private static string Partition(int caller) =>
        string.Create(CultureInfo.InvariantCulture, $"0123456789abcdef.host-{caller:d5}.example");

    /// <summary>Sixty characters whose order is not the order they come in, as those of hashes are.</summary>
    private static string Key(int caller, long commit, int row)
    {
        var scattered = (ulong)((commit * 101) + row + 1) * 0x9E3779B97F4A7C15UL;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"u.{scattered:x16}{scattered ^ (ulong)caller:x16}{commit:d16}{caller:d5}{row:d5}"
        );
    }

    private static byte[] Payload()
    {
        var payload = new byte[PayloadBytes];
        new Random(1).NextBytes(payload);
        return payload;
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static T InFolder<T>(string parent, Func<string, T> measure)
    {
        var folder = Directory.CreateDirectory(Path.Combine(parent, "store-" + Guid.NewGuid().ToString("N"))).FullName;
        try
        {
            return measure(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<T> InFolder<T>(string parent, Func<string, Task<T>> measure)
    {
        var folder = Directory.CreateDirectory(Path.Combine(parent, "store-" + Guid.NewGuid().ToString("N"))).FullName;
        try
        {
            return await measure(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static double Median(List<Measured> measures, Func<Measured, double> value) => Rounds.Median(measures.Select(value));

    private readonly record struct Measured(double RowsPerSecond, double CpuPerCommit, double CommitsPerTransaction);

    private readonly record struct Meter(long Began, TimeSpan Cpu)
    {
        public TimeSpan Elapsed => Stopwatch.GetElapsedTime(Began);

        public static Meter Start()
        {
            GC.Collect();
            return new(Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        }

        public Measured Stop(long commits, int rows, double commitsPerTransaction) =>
            new(
                commits * rows / Elapsed.TotalSeconds,
                (Environment.CpuUsage.TotalTime - Cpu).TotalMicroseconds / commits,
                commitsPerTransaction
            );
    }
}
