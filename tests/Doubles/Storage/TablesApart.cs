using Grains.Storage;

namespace Doubles.Storage;

/// <summary>Gives a test tables of its own in a store that many share: each table's name is written with a beginning before it.</summary>
public sealed class TablesApart(ITableStore inner, string beginning) : ITableStore
{
    public ValueTask<TableRow?> Get(string table, string partition, string key, CancellationToken cancel = default) =>
        inner.Get(beginning + table, partition, key, cancel);

    public ValueTask<IReadOnlyList<TableRow>> Scan(
        string table,
        string partition,
        KeyRange range,
        int take,
        CancellationToken cancel = default
    ) => inner.Scan(beginning + table, partition, range, take, cancel);

    public Task<CommitResult> Commit(
        string table,
        string partition,
        IReadOnlyList<RowChange> changes,
        CancellationToken cancel = default
    ) => inner.Commit(beginning + table, partition, changes, cancel);
}
