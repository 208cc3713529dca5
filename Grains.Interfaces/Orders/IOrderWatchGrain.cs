using System.Collections.Immutable;

namespace Grains.Interfaces.Orders;

/// <summary>
/// Watches over the grains' port, for the console: each silo answers its own clients. The key is always 0; it keeps nothing.
/// </summary>
/// <remarks>
/// A watch is a chain of long reads and no open stream: each call carries the whole position, so whatever ends one of them (a silo that was
/// killed, one that stands still, a cut
/// connection) costs one call, which is asked again of any silo, and there is nothing that could run out, be left open or be taken up
/// wrongly.
/// An <c>IAsyncEnumerable</c> would need the same cursor, and the same loop around it, for the day it ends.
/// </remarks>
[Alias("orders.IOrderWatchGrain")]
public interface IOrderWatchGrain : IGrainWithIntegerKey
{
    /// <summary>
    /// What comes after a cursor: at once if there is some, else when there is, else nothing after <see cref="WatchRead.Wait"/>. Ask on
    /// from <see cref="WatchPage.Cursor"/>.
    /// </summary>
    [Alias("Read")]
    Task<WatchPage> Read(WatchRead read, CancellationToken cancel = default);

    /// <summary>Changes in one answer at most.</summary>
    const int MaxTake = 500;

    /// <summary>Well below the time after which a call counts as lost.</summary>
    static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(10);
}

/// <param name="From">A cursor; <c>start</c> for the oldest change that is kept; null for now: the answer comes at once then, so that
/// whoever asks has a cursor.</param>
/// <param name="Order">An order's id; null for all.</param>
/// <param name="Take">1 to <see cref="IOrderWatchGrain.MaxTake"/>.</param>
/// <param name="Wait">At most <see cref="IOrderWatchGrain.MaxWait"/>.</param>
[GenerateSerializer, Immutable, Alias("orders.WatchRead")]
public sealed record WatchRead(
    [property: Id(0)] string? From,
    [property: Id(1)] string? Order,
    [property: Id(2)] int Take,
    [property: Id(3)] TimeSpan Wait
);

public enum WatchRefusal
{
    None,

    /// <summary>What is asked for is not what a watch takes: a broken cursor, another cluster's, no order's id.</summary>
    Invalid,

    /// <summary>What comes after the cursor is not kept any more.</summary>
    Compacted,

    /// <summary>Too many watch: ask again.</summary>
    Full,
}

/// <param name="Changes">In order, without gaps or repeats.</param>
/// <param name="Cursor">To go on after them; all below it was given. Null with a refusal.</param>
/// <param name="Detail">Of a refusal: a sentence.</param>
/// <param name="Lowest">When it was compacted: the cursor to go on from without what is missing.</param>
[GenerateSerializer, Immutable, Alias("orders.WatchPage")]
public sealed record WatchPage(
    [property: Id(0)] ImmutableArray<WatchedOrder> Changes,
    [property: Id(1)] string? Cursor,
    [property: Id(2)] WatchRefusal Refusal = WatchRefusal.None,
    [property: Id(3)] string? Detail = null,
    [property: Id(4)] string? Lowest = null
);

/// <param name="Cursor">To go on after this change.</param>
[GenerateSerializer, Immutable, Alias("orders.WatchedOrder")]
public readonly record struct WatchedOrder([property: Id(0)] string Cursor, [property: Id(1)] OrderChange Change);
