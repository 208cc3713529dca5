namespace Grains.Storage;

/// <summary>
/// Durable rows in ordered partitions, in the shape of Azure Tables. A row is (table, partition, key) → payload and etag.
/// Everything durable in the cluster except immutable objects (<see cref="IBlobStore"/>) goes through here.
/// </summary>
/// <remarks>
/// <para>Keys are compared by byte. A partition has one writer, which fences itself by replacing a head row in each commit;
/// the store does not merge different callers' commits into one outcome.</para>
/// <para>What breaks a limit (<see cref="StoreLimits"/>) is an <see cref="ArgumentException"/> before anything is sent, the same in every
/// implementation.</para>
/// </remarks>
public interface ITableStore
{
    /// <summary>The row, or null when there is none.</summary>
    ValueTask<TableRow?> Get(string table, string partition, string key, CancellationToken cancel = default);

    /// <summary>
    /// The rows of a partition whose keys are in <paramref name="range"/>, in order of their bytes, at most <paramref name="take"/>
    /// (1 to <see cref="StoreLimits.MaxScan"/>). Fewer than <paramref name="take"/> rows means that there are no more.
    /// To go on: <see cref="KeyRange.After"/> the last key.
    /// </summary>
    ValueTask<IReadOnlyList<TableRow>> Scan(string table, string partition, KeyRange range, int take, CancellationToken cancel = default);

    /// <summary>
    /// All of the changes or none: 1 to <see cref="StoreLimits.MaxCommitRows"/> distinct rows of one partition,
    /// <see cref="StoreLimits.MaxCommitBytes"/> at most. When it answers <see cref="CommitOutcome.Committed"/>, the rows survive <c>kill
    /// -9</c> and a power cut.
    /// </summary>
    /// <remarks>A time-out or a lost connection is the answer <see cref="CommitOutcome.Unknown"/>, not an exception.
    /// Once a commit is sent, cancelling stops the wait and not the commit: the answer is then <see cref="CommitOutcome.Unknown"/>
    /// too.</remarks>
    Task<CommitResult> Commit(string table, string partition, IReadOnlyList<RowChange> changes, CancellationToken cancel = default);
}
