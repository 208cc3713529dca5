using System.Collections.Concurrent;
using System.Globalization;
using Grains.Storage;

namespace Silo.Storage;

/// <summary>
/// Reads of one table's file: at most <see cref="Most"/> at once, each on a connection of its own; more callers wait.
/// A read runs on its caller's thread, for it takes microseconds, and ends within its call: no snapshot is held from one call to the next,
/// so the log can always be emptied.
/// </summary>
internal sealed class SqliteReaders(string path, TimeSpan busyTimeout) : IDisposable
{
    private const int Most = 8;
    private const int CacheKibibytes = 2 * 1024;

    private readonly ConcurrentStack<Reader> _idle = new();
    private readonly SemaphoreSlim _free = new(Most, Most);
    private volatile bool _disposed;

    public ValueTask<TableRow?> Get(string partition, string key, CancellationToken cancel)
    {
        if (!_free.Wait(0, cancel))
        {
            return GetLater(partition, key, cancel);
        }

        return ValueTask.FromResult(GetNow(partition, key));
    }

    public ValueTask<IReadOnlyList<TableRow>> Scan(string partition, KeyRange range, int take, CancellationToken cancel)
    {
        if (!_free.Wait(0, cancel))
        {
            return ScanLater(partition, range, take, cancel);
        }

        return ValueTask.FromResult<IReadOnlyList<TableRow>>(ScanNow(partition, range, take));
    }

    public void Dispose()
    {
        _disposed = true;
        while (_idle.TryPop(out var reader))
        {
            reader.Dispose();
        }
    }

    private async ValueTask<TableRow?> GetLater(string partition, string key, CancellationToken cancel)
    {
        await _free.WaitAsync(cancel);
        return GetNow(partition, key);
    }

    private async ValueTask<IReadOnlyList<TableRow>> ScanLater(string partition, KeyRange range, int take, CancellationToken cancel)
    {
        await _free.WaitAsync(cancel);
        return ScanNow(partition, range, take);
    }

    private TableRow? GetNow(string partition, string key)
    {
        Reader? reader = null;
        try
        {
            return (reader = Rent()).Get(partition, key);
        }
        finally
        {
            GiveBack(reader);
        }
    }

    private List<TableRow> ScanNow(string partition, KeyRange range, int take)
    {
        Reader? reader = null;
        try
        {
            return (reader = Rent()).Scan(partition, range, take);
        }
        finally
        {
            GiveBack(reader);
        }
    }

    private Reader Rent()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _idle.TryPop(out var reader) ? reader : new Reader(SqliteConnectionToFile.Open(path, busyTimeout, CacheKibibytes));
    }

    private void GiveBack(Reader? reader)
    {
        if (reader is not null)
        {
            _idle.Push(reader);
            if (_disposed && _idle.TryPop(out var left))
            {
                left.Dispose();
            }
        }

        _free.Release();
    }

    private sealed class Reader(SqliteConnectionToFile connection) : IDisposable
    {
        private readonly SqliteStatement _get = connection.Prepare(
            "SELECT etag, payload FROM rows WHERE partition = (SELECT id FROM partitions WHERE name = ?1) AND key = ?2"
        );

        private readonly SqliteStatement _scan = connection.Prepare(
            "SELECT key, etag, payload FROM rows WHERE partition = (SELECT id FROM partitions WHERE name = ?1) AND key >= ?2 "
                + "AND key < ?3 ORDER BY key LIMIT ?4"
        );

        public TableRow? Get(string partition, string key)
        {
            try
            {
                return _get.Bind(1, partition).Bind(2, key).Step() ? new(key, _get.Bytes(1), ETag(_get.Number(0))) : null;
            }
            finally
            {
                _get.Reset();
            }
        }

        public List<TableRow> Scan(string partition, KeyRange range, int take)
        {
            var rows = new List<TableRow>();
            try
            {
                _scan.Bind(1, partition).Bind(2, range.From).Bind(3, range.To).Bind(4, take);
                while (_scan.Step())
                {
                    rows.Add(new(_scan.Text(0), _scan.Bytes(2), ETag(_scan.Number(1))));
                }

                return rows;
            }
            finally
            {
                _scan.Reset();
            }
        }

        public void Dispose() => connection.Dispose();

        private static string ETag(long number) => number.ToString(CultureInfo.InvariantCulture);
    }
}
