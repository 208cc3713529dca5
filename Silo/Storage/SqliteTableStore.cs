using System.Collections.Concurrent;
using Grains.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Silo.Storage;

/// <summary>
/// Rows in SQLite, for silos of one machine: a file per table in one folder, which several processes may share.
/// </summary>
/// <remarks>
/// <para>Commits are durable when they answer (<c>synchronous=FULL</c>). Those that wait at the same time share a transaction and its
/// flush; each keeps its own outcome.</para>
/// <para>While another process holds a file for longer than the busy time-out (default 10 s), and when the disk is full or fails, commits
/// are answered
/// <see cref="CommitOutcome.Unknown"/> with the cause, and the writer goes on with the next. Reads that fail throw what SQLite says.</para>
/// </remarks>
public sealed class SqliteTableStore : ITableStore, IFileRemains, IStorageUsage, IAsyncDisposable
{
    /// <summary>How long the emptying of a log waits for those who read.</summary>
    private static readonly TimeSpan CleanTimeout = TimeSpan.FromSeconds(2);

    internal const string Extension = ".db";

    private readonly string _folder;
    private readonly TimeSpan _busyTimeout;
    private readonly ILogger _logger;
    private readonly int? _mostPages;
    private readonly ConcurrentDictionary<string, Lazy<Table>> _tables = new(StringComparer.Ordinal);
    private volatile bool _disposed;

    private SqliteTableStore(string folder, TimeSpan busyTimeout, ILogger logger, int? mostPages)
    {
        _folder = folder;
        _busyTimeout = busyTimeout;
        _logger = logger;
        _mostPages = mostPages;
    }

    /// <summary>Transactions written so far, over all tables: how far commits shared them, for benchmarks.</summary>
    internal long Transactions => _tables.Values.Sum(table => table.IsValueCreated ? table.Value.Writer.Transactions : 0);

    /// <summary>The tables that have had a commit, at whatever time.</summary>
    internal IEnumerable<string> Written() =>
        _tables.Where(table => table.Value.IsValueCreated && table.Value.Value.IsWritten).Select(table => table.Key);

    /// <summary>Whether the table has a file.</summary>
    internal bool Has(string table) => File.Exists(PathOf(table));

    internal string PathOf(string table) => Path.Combine(_folder, table + Extension);

    /// <summary>Opens the folder, makes it if need be, and opens every table in it, so that what cannot be used is known at once.</summary>
    /// <exception cref="StorageRefusedException">The folder cannot be written, or a file in it is damaged or foreign.</exception>
    /// <exception cref="NewerDataException">A file is of a newer version.</exception>
    public static SqliteTableStore Open(string folder, TimeSpan? busyTimeout = null, ILogger<SqliteTableStore>? logger = null) =>
        Open(folder, busyTimeout, logger, mostPages: null);

    /// <summary>With a bound on a file's pages, at which SQLite says what it says when the disk is full.</summary>
    internal static SqliteTableStore Open(string folder, TimeSpan? busyTimeout, ILogger? logger, int? mostPages)
    {
        var store = new SqliteTableStore(folder, busyTimeout ?? TimeSpan.FromSeconds(10), logger ?? NullLogger.Instance, mostPages);
        try
        {
            MakeWritable(folder);
            foreach (var file in Directory.EnumerateFiles(folder, "*" + Extension))
            {
                store.Find(Path.GetFileNameWithoutExtension(file));
            }

            return store;
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException)
        {
            store.Close();
            throw new StorageRefusedException(
                $"The data folder \"{folder}\" cannot be written ({error.Message}); make it writable for this user, or choose "
                    + $"another with Storage:Path.",
                error
            );
        }
        catch
        {
            store.Close();
            throw;
        }
    }

    public ValueTask<TableRow?> Get(string table, string partition, string key, CancellationToken cancel = default)
    {
        StoreLimits.CheckTable(table);
        StoreLimits.CheckKey(partition, "partition key");
        StoreLimits.CheckKey(key, "row key");
        return Find(table).Readers.Get(partition, key, cancel);
    }

    public ValueTask<IReadOnlyList<TableRow>> Scan(
        string table,
        string partition,
        KeyRange range,
        int take,
        CancellationToken cancel = default
    )
    {
        StoreLimits.CheckTable(table);
        StoreLimits.CheckKey(partition, "partition key");
        StoreLimits.CheckRange(range, take);
        return Find(table).Readers.Scan(partition, range, take, cancel);
    }

    public Task<CommitResult> Commit(string table, string partition, IReadOnlyList<RowChange> changes, CancellationToken cancel = default)
    {
        StoreLimits.CheckCommit(table, partition, changes);
        return Find(table).Writer.Commit(partition, changes, cancel);
    }

    /// <remarks>A table without a file has nothing to clean.</remarks>
    public async Task<bool> Clean(string table, CancellationToken cancel = default)
    {
        StoreLimits.CheckTable(table);
        if (!Has(table))
        {
            return true;
        }

        Find(table);

        // On a connection of its own: the writer goes on, and waits only while the log is cut.
        return await Task.Run(
            () =>
            {
                using var connection = SqliteConnectionToFile.Open(PathOf(table), CleanTimeout, cacheKibibytes: 256);
                return connection.TruncateLog();
            },
            cancel
        );
    }

    /// <summary>The sizes of the tables' files with their logs.</summary>
    public ValueTask<IReadOnlyList<StorageShare>> Measure(CancellationToken cancel = default)
    {
        var shares = new List<StorageShare>();
        foreach (var file in new DirectoryInfo(_folder).EnumerateFiles("*" + Extension))
        {
            if (DirectoryBlobStore.LengthOf(file) is { } bytes)
            {
                var log = DirectoryBlobStore.LengthOf(new FileInfo(file.FullName + "-wal"));
                shares.Add(new(Path.GetFileNameWithoutExtension(file.Name), bytes + (log ?? 0)));
            }
        }

        shares.Sort(static (one, other) => (other.Bytes, one.Name).CompareTo((one.Bytes, other.Name)));
        return ValueTask.FromResult<IReadOnlyList<StorageShare>>(shares);
    }

    /// <summary>
    /// Finishes the commits that wait, then closes the files. Calls after that throw <see cref="ObjectDisposedException"/>.
    /// </summary>
    public async ValueTask DisposeAsync() => await Task.Run(Close);

    private static void MakeWritable(string folder)
    {
        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder);
            OperatingSystemCalls.FlushFolder(Path.GetDirectoryName(Path.GetFullPath(folder)) ?? folder);
        }

        // A folder that only can be read would be noticed at the first commit; people want to know at the start.
        var probe = Path.Combine(folder, $".writable-{Guid.NewGuid():N}");
        File.Create(probe).Dispose();
        File.Delete(probe);
    }

    private Table Find(string table)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var file = _tables.GetOrAdd(
            table,
            static (name, store) =>
                new(() => Table.Open(Path.Combine(store._folder, name + Extension), store._busyTimeout, store._logger, store._mostPages)),
            this
        );
        try
        {
            return file.Value;
        }
        catch
        {
            // Lazy would answer with this failure for ever; the next call tries again.
            _tables.TryRemove(new(table, file));
            throw;
        }
    }

    private void Close()
    {
        _disposed = true;
        foreach (var file in _tables.Values)
        {
            if (file.IsValueCreated)
            {
                file.Value.Dispose();
            }
        }

        _tables.Clear();
    }

    private sealed record Table(SqliteWriter Writer, SqliteReaders Readers, bool WasWritten) : IDisposable
    {
        private const int WriterCacheKibibytes = 32 * 1024;

        public bool IsWritten => WasWritten || Writer.HasCommitted;

        public static Table Open(string path, TimeSpan busyTimeout, ILogger logger, int? mostPages)
        {
            var connection = SqliteConnectionToFile.OpenOrMake(path, busyTimeout, WriterCacheKibibytes);
            if (mostPages is not null)
            {
                connection.Execute($"PRAGMA max_page_count = {mostPages}");
            }

            var wasWritten = connection.Number("SELECT commits FROM head") > 0;
            var isUnhurried = TableGroups.IsUnhurried(Path.GetFileNameWithoutExtension(path));
            return new(
                new SqliteWriter(path, connection, busyTimeout, logger, isUnhurried),
                new SqliteReaders(path, busyTimeout),
                wasWritten
            );
        }

        public void Dispose()
        {
            Writer.Dispose();
            Readers.Dispose();
        }
    }
}
