using System.Globalization;
using Grains.Storage;

namespace Doubles.Storage;

/// <summary>
/// Rows in memory: keeps every promise of <see cref="ITableStore"/> except that rows last. Several grains or silos of one test may share
/// it.
/// </summary>
public sealed class TableStoreInMemory : ITableStore, IStorageUsage
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Table, string Partition), SortedList<string, TableRow>> _partitions = [];
    private long _commits;

    public ValueTask<TableRow?> Get(string table, string partition, string key, CancellationToken cancel = default)
    {
        StoreLimits.CheckTable(table);
        StoreLimits.CheckKey(partition, "partition key");
        StoreLimits.CheckKey(key, "row key");
        cancel.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return ValueTask.FromResult(_partitions.GetValueOrDefault((table, partition))?.GetValueOrDefault(key));
        }
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
        cancel.ThrowIfCancellationRequested();
        lock (_gate)
        {
            IEnumerable<TableRow> rows = _partitions.GetValueOrDefault((table, partition))?.Values ?? [];
            return ValueTask.FromResult<IReadOnlyList<TableRow>>([.. rows.Where(row => range.Contains(row.Key)).Take(take)]);
        }
    }

    public Task<CommitResult> Commit(string table, string partition, IReadOnlyList<RowChange> changes, CancellationToken cancel = default)
    {
        StoreLimits.CheckCommit(table, partition, changes);
        if (cancel.IsCancellationRequested)
        {
            return Task.FromCanceled<CommitResult>(cancel);
        }

        lock (_gate)
        {
            if (!_partitions.TryGetValue((table, partition), out var rows))
            {
                _partitions[(table, partition)] = rows = new(StringComparer.Ordinal);
            }

            foreach (var change in changes)
            {
                var stored = rows.GetValueOrDefault(change.Key)?.ETag;
                var asExpected = change.Kind switch
                {
                    RowChangeKind.Insert => stored is null,
                    RowChangeKind.Replace => stored is not null && stored == change.ETag,
                    RowChangeKind.Delete => stored is null || change.ETag is null || stored == change.ETag,
                    _ => true,
                };
                if (!asExpected)
                {
                    return Task.FromResult(CommitResult.Conflict(change.Key));
                }
            }

            var etag = (++_commits).ToString(CultureInfo.InvariantCulture);
            var etags = new string?[changes.Count];
            for (var index = 0; index < changes.Count; index++)
            {
                var change = changes[index];
                if (change.Kind == RowChangeKind.Delete)
                {
                    rows.Remove(change.Key);
                    continue;
                }

                etags[index] = etag;
                rows[change.Key] = new(change.Key, change.Payload.ToArray(), etag);
            }

            return Task.FromResult(CommitResult.Committed(etags));
        }
    }

    public ValueTask<IReadOnlyList<StorageShare>> Measure(CancellationToken cancel = default)
    {
        lock (_gate)
        {
            return ValueTask.FromResult<IReadOnlyList<StorageShare>>([
                .. _partitions
                    .GroupBy(partition => partition.Key.Table, partition => partition.Value.Values.Sum(row => (long)row.Payload.Length))
                    .Select(table => new StorageShare(table.Key, table.Sum()))
                    .OrderByDescending(share => share.Bytes)
                    .ThenBy(share => share.Name, StringComparer.Ordinal),
            ]);
        }
    }
}
