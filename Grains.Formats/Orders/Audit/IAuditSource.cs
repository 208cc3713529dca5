namespace Grains.Orders.Audit;

/// <summary>An entry as it is stored.</summary>
/// <param name="Index">From the row's key.</param>
/// <param name="Entry">The row's payload: the leaf's data.</param>
/// <param name="Personal">The payload of the row with salt and personal part; null when there is none, or none any more.</param>
public readonly record struct StoredEntry(long Index, ReadOnlyMemory<byte> Entry, ReadOnlyMemory<byte>? Personal = null);

/// <summary>
/// Where a verifier reads what is stored. Nothing that it gives is trusted. It may grow meanwhile: a verification ends where the frontier
/// was when it began.
/// </summary>
public interface IAuditSource
{
    /// <summary>The partitions that there are.</summary>
    ValueTask<IReadOnlyCollection<int>> Partitions(CancellationToken cancel = default);

    /// <summary>The frontier from the partition's cursor row (<see cref="MerkleTree.ToBytes"/>); null when there is none.</summary>
    ValueTask<ReadOnlyMemory<byte>?> Frontier(int partition, CancellationToken cancel = default);

    /// <summary>The partition's entries in the order of their keys.</summary>
    IAsyncEnumerable<StoredEntry> Entries(int partition, CancellationToken cancel = default);

    ITileSource Tiles(int partition);
}
