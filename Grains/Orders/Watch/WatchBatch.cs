using System.Collections.Immutable;
using Grains.Interfaces.Orders;

namespace Grains.Orders.Watch;

/// <summary>A change as one watcher gets it.</summary>
/// <param name="Cursor">To go on after it.</param>
public readonly record struct WatchItem(string Cursor, WatchedChange Change);

/// <param name="Items">In order. None: there was nothing for a while, and all below the cursor was given.</param>
/// <param name="Cursor">To go on after all of them.</param>
/// <param name="Compacted">The watch ends, because what comes next is not kept any more.</param>
public sealed record WatchBatch(ImmutableArray<WatchItem> Items, string Cursor, WatchCompacted? Compacted = null)
{
    private byte[]? _written;
    private byte[]? _writtenWithPrevious;

    /// <summary>Others may get it too (<see cref="SharedBatches"/>).</summary>
    public bool IsShared { get; init; }

    /// <summary>It as its door writes it: written once for all who get it, or twice when two come at the same time.</summary>
    public byte[] Written(bool previous, Func<WatchBatch, bool, byte[]> write) =>
        previous ? _writtenWithPrevious ??= write(this, true) : _written ??= write(this, false);
}

/// <param name="Detail">A sentence that names the lowest that is kept.</param>
/// <param name="Lowest">The cursor to go on from without what is missing.</param>
public sealed record WatchCompacted(string Detail, string Lowest);

/// <param name="Watcher">Null when it was refused.</param>
/// <param name="Detail">Of a refusal: a sentence.</param>
/// <param name="Lowest">When it was compacted: the cursor to go on from without what is missing.</param>
public sealed record WatchOpening(Watcher? Watcher, WatchRefusal Refusal = WatchRefusal.None, string? Detail = null, string? Lowest = null)
{
    public static WatchOpening Compacted(WatchCompacted compacted) => new(null, WatchRefusal.Compacted, compacted.Detail, compacted.Lowest);
}
