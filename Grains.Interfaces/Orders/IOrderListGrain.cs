using System.Collections.Immutable;

namespace Grains.Interfaces.Orders;

/// <summary>The orders of the cluster as a whole, read from the store. The key is always 0.</summary>
[Alias("orders.IOrderListGrain")]
public interface IOrderListGrain : IGrainWithIntegerKey
{
    /// <summary>How many partitions there are; it never changes while the data lives.</summary>
    [Alias("Partitions")]
    Task<int> Partitions(CancellationToken cancel = default);

    /// <summary>Orders by customer, by status, by both or all, the newest first.</summary>
    [Alias("List")]
    Task<OrderPage> List(OrderQuery query, CancellationToken cancel = default);

    const int MaxTake = 200;
}

/// <param name="Take">1 to <see cref="IOrderListGrain.MaxTake"/>.</param>
/// <param name="After">The cursor of the page before; null: from the newest.</param>
[GenerateSerializer, Immutable, Alias("orders.OrderQuery")]
public sealed record OrderQuery(
    [property: Id(0)] string? Customer,
    [property: Id(1)] OrderStatus? Status,
    [property: Id(2)] int Take,
    [property: Id(3)] string? After
);

/// <param name="Orders">The newest first. It may be fewer than were asked for while there are more.</param>
/// <param name="After">To go on; null when there are no more.</param>
/// <param name="Error">What is wrong with the query: a sentence. There are no orders then.</param>
[GenerateSerializer, Immutable, Alias("orders.OrderPage")]
public sealed record OrderPage(
    [property: Id(0)] ImmutableArray<Order> Orders,
    [property: Id(1)] string? After,
    [property: Id(2)] string? Error
);
