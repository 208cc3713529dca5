namespace Grains.Storage;

/// <summary>
/// A partition and its one owner: read the head (<see cref="Read"/>), decide from it what the head is to be, fence with the first commit
/// (<see cref="Fence"/>), then read the rest and commit through <see cref="Writer"/>.
/// </summary>
/// <remarks>
/// After <see cref="Fence"/> an earlier owner can commit no more, so what is read from then on is what there is. Not thread-safe: it
/// belongs to a grain and
/// runs on its scheduler.
/// </remarks>
public sealed class OwnedPartition
{
    private readonly ITableStore _store;
    private readonly string? _headETag;
    private PartitionWriter? _writer;

    private OwnedPartition(ITableStore store, string table, string partition, TableRow? head)
    {
        _store = store;
        _headETag = head?.ETag;
        Table = table;
        Name = partition;
        Head = head?.Payload;
    }

    public string Table { get; }

    public string Name { get; }

    /// <summary>The head row's payload as the owner before left it; null: nobody has owned the partition yet.</summary>
    public ReadOnlyMemory<byte>? Head { get; }

    /// <summary>Makes the commits.</summary>
    /// <exception cref="InvalidOperationException">The partition is not fenced yet.</exception>
    public PartitionWriter Writer =>
        _writer ?? throw new InvalidOperationException($"{Table}/{Name} is not fenced: nothing can be committed to it yet.");

    /// <summary>Why nothing can be committed any more: the owner ends. Null while it can.</summary>
    public PartitionLostException? Lost => _writer?.Lost;

    /// <summary>Reads the head row. Whoever owns the partition can still commit.</summary>
    public static async Task<OwnedPartition> Read(ITableStore store, string table, string partition, CancellationToken cancel = default) =>
        new(store, table, partition, await store.Get(table, partition, PartitionWriter.HeadKey, cancel));

    /// <summary>Names what commits are made with: the first one replaces the head that was read, and so ends the owner before.</summary>
    /// <param name="head">The head row's payload as it should be after the commit that is being filled.</param>
    /// <param name="committed">Called after each commit, before anybody who waits for it goes on.</param>
    /// <exception cref="InvalidOperationException">It was called before.</exception>
    public PartitionWriter Own(Func<byte[]> head, Action? committed = null) =>
        _writer = _writer is null
            ? new(_store, Table, Name, head, _headETag, committed ?? (static () => { }))
            : throw new InvalidOperationException($"{Table}/{Name} has an owner already.");

    /// <summary>Commits the head alone. When it returns, an earlier owner can commit no more.</summary>
    /// <exception cref="PartitionLostException">Another owner was faster, or the store gave no certain answer.</exception>
    public Task Fence() => Writer.CommitHead();

    public ValueTask<TableRow?> Get(string key, CancellationToken cancel = default) => _store.Get(Table, Name, key, cancel);

    public ValueTask<IReadOnlyList<TableRow>> Scan(KeyRange range, int take, CancellationToken cancel = default) =>
        _store.Scan(Table, Name, range, take, cancel);

    /// <inheritdoc cref="TableScan.ScanAll"/>
    public IAsyncEnumerable<TableRow> ScanAll(KeyRange range, int page = StoreLimits.MaxScan, CancellationToken cancel = default) =>
        _store.ScanAll(Table, Name, range, page, cancel);

    /// <summary>Durable when it answers.</summary>
    /// <exception cref="PartitionLostException">Nothing is committed any more: the owner ends.</exception>
    public Task Commit(IPartitionWork work) => Writer.Commit(work);

    /// <summary>Commits rows together, at most as many as one commit holds.</summary>
    /// <inheritdoc cref="Commit(IPartitionWork)"/>
    public Task Commit(IReadOnlyList<RowChange> rows) => Writer.Commit(new RowWork(rows));
}
