using System.Collections.Immutable;

namespace Grains.Interfaces.Orders;

/// <summary>Names of the orders' streams. Memory streams: an event that is lost costs time, never work.</summary>
public static class OrderStreams
{
    public const string Provider = "orders";

    /// <summary>
    /// Carries <see cref="OrdersChanged"/> after the changes are durable; the key is the number of a partition. At most once: read the feed
    /// where revisions are missing.
    /// </summary>
    public const string Changes = "orders.changes";
}

/// <summary>Changes of one partition, in order. Below 200 KB in all.</summary>
/// <param name="First">Revision of the first.</param>
/// <param name="Last">Revision of the last.</param>
/// <param name="Changes">All of them; none where they are too large for an event: read them from the feed then.</param>
[GenerateSerializer, Immutable, Alias("orders.OrdersChanged")]
public sealed record OrdersChanged(
    [property: Id(0)] int Partition,
    [property: Id(1)] long First,
    [property: Id(2)] long Last,
    [property: Id(3)] ImmutableArray<OrderChange> Changes
)
{
    /// <summary>Who is listed with the feed: one that was listed just now hears at once.</summary>
    [Id(4)]
    public ImmutableArray<string> Subscribers { get; init; } = [];
}
