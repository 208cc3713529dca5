using System.Collections.Immutable;

namespace Grains.Interfaces.Orders;

/// <summary>
/// The orders' audit as it is stored, for whoever checks it: what is read here is material, and the signed head is what it is held against.
/// The key is always 0.
/// </summary>
[Alias("orders.IAuditGrain")]
public interface IAuditGrain : IGrainWithIntegerKey
{
    /// <summary>The name under which the audit subscribes to changes of orders.</summary>
    const string Subscriber = "audit";

    /// <summary>Of each partition, size and frontier of its tree as the cursor's row has it; null where nothing was recorded yet.</summary>
    [Alias("Frontiers")]
    Task<ImmutableArray<byte[]?>> Frontiers(CancellationToken cancel = default);

    /// <summary>
    /// Entries from an index on, in order: at most <paramref name="take"/> (1 to <see cref="MaxTake"/>) and about <see cref="MaxBytes"/>.
    /// None: there are no more.
    /// </summary>
    [Alias("Entries")]
    Task<ImmutableArray<AuditLine>> Entries(int partition, long from, int take, CancellationToken cancel = default);

    /// <summary>A tile of the tree; null when there is none.</summary>
    [Alias("Tile")]
    Task<byte[]?> Tile(int partition, int level, long index, CancellationToken cancel = default);

    /// <summary>
    /// Inclusion proofs of all entries about an order, with a head signed now, as JSON (<c>orders-audit-proof/1</c>); null when there are
    /// none.
    /// </summary>
    [Alias("Proof")]
    Task<string?> Proof(OrderId order, CancellationToken cancel = default);

    /// <summary>The entries about an order in their order, at most <see cref="MaxEntriesOfOrder"/>: the latest ones.</summary>
    [Alias("EntriesOf")]
    Task<ImmutableArray<AuditLine>> EntriesOf(OrderId order, CancellationToken cancel = default);

    /// <summary>
    /// Proves, as JSON (<c>orders-audit-consistency/1</c>), that what an older head signs for is the beginning of what a newer one signs
    /// for.
    /// Neither is believed: whoever checks the proof checks the signatures.
    /// </summary>
    /// <param name="older">A head as JSON, of at most <see cref="MaxHeadLength"/> characters.</param>
    /// <param name="newer">The same; null: a head that is signed now.</param>
    [Alias("Consistency")]
    Task<AuditDocument> Consistency(string older, string? newer, CancellationToken cancel = default);

    /// <summary>
    /// Orders as their rows are, in the order of their ids, and beside them what the audit has of each: at most <paramref name="take"/> (1
    /// to <see cref="MaxOrders"/>).
    /// </summary>
    [Alias("Orders")]
    Task<ImmutableArray<AuditedOrderLine>> Orders(int partition, OrderId? after, int take, CancellationToken cancel = default);

    const int MaxTake = 1000;

    const int MaxBytes = 512 * 1024;

    const int MaxOrders = 100;

    const int MaxEntriesOfOrder = 2000;

    /// <summary>A head over 4,096 partitions has about 600 KB.</summary>
    const int MaxHeadLength = 2 * 1024 * 1024;
}

/// <summary>Signs what the audit is: size and root of every partition under one head. The key is always 0.</summary>
[Alias("orders.IAuditHeadGrain")]
public interface IAuditHeadGrain : IGrainWithIntegerKey
{
    /// <summary>The last head as JSON (<c>orders-audit-head/1</c>), made now if anything was recorded since it was.</summary>
    [Alias("Head")]
    Task<string> Head(CancellationToken cancel = default);

    /// <summary>Kept heads, the newest first: 1 to <see cref="MaxHeads"/>.</summary>
    [Alias("Heads")]
    Task<ImmutableArray<string>> Heads(int take, CancellationToken cancel = default);

    /// <summary>The public key in PEM.</summary>
    [Alias("PublicKey")]
    Task<string> PublicKey(CancellationToken cancel = default);

    /// <summary>
    /// A checkpoint of each partition's tree as it is under the head that is signed now, in the form of C2SP's tlog-checkpoint: signed
    /// notes, by
    /// partition.
    /// </summary>
    [Alias("Checkpoints")]
    Task<ImmutableArray<string>> Checkpoints(CancellationToken cancel = default);

    /// <summary>Makes a head when it is time. Called every few seconds.</summary>
    [Alias("Wake")]
    Task Wake(CancellationToken cancel = default);

    /// <summary>Heads that are kept; the oldest go first.</summary>
    const int MaxHeads = 1500;
}

/// <param name="Text">Null when there is none.</param>
/// <param name="Error">Why there is none: a sentence.</param>
[GenerateSerializer, Immutable, Alias("orders.AuditDocument")]
public sealed record AuditDocument([property: Id(0)] string? Text, [property: Id(1)] string? Error = null);

/// <param name="Entry">The leaf's data.</param>
/// <param name="Personal">Salt and personal part; null when there is none, or none any more.</param>
[GenerateSerializer, Immutable, Alias("orders.AuditLine")]
public sealed record AuditLine([property: Id(0)] long Index, [property: Id(1)] byte[] Entry, [property: Id(2)] byte[]? Personal);

/// <param name="Hash">Of the order's lines, in hexadecimal digits, as its entries have it.</param>
/// <param name="Versions">The versions that the audit has, in its order.</param>
/// <param name="Last">The entry of the last version; null when there is none.</param>
[GenerateSerializer, Immutable, Alias("orders.AuditedOrderLine")]
public sealed record AuditedOrderLine(
    [property: Id(0)] OrderId Order,
    [property: Id(1)] long Version,
    [property: Id(2)] string Status,
    [property: Id(3)] string Currency,
    [property: Id(4)] long Total,
    [property: Id(5)] string Hash,
    [property: Id(6)] ImmutableArray<long> Versions,
    [property: Id(7)] byte[]? Last
);
