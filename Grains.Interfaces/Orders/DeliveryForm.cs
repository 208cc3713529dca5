using System.Collections.Immutable;

namespace Grains.Interfaces.Orders;

/// <summary>What became of telling somebody of a change.</summary>
public enum DeliveryStatus
{
    /// <summary>It is tried, or will be.</summary>
    Waiting,

    /// <summary>The other side took it.</summary>
    Delivered,

    /// <summary>Nobody was to be told.</summary>
    Suppressed,

    /// <summary>Given up: it lies among the dead letters, and can be replayed.</summary>
    Dead,

    /// <summary>Given up, and removed from the dead letters.</summary>
    Discarded,
}

/// <summary>A change of an order on its way to one subscriber that has a channel. Nothing in it is personal.</summary>
/// <param name="Type">What happened: <c>order.paid</c>.</param>
/// <param name="Reason">Of the last outcome, in a word or two; null while nothing was tried.</param>
/// <param name="Attempts">That were made.</param>
/// <param name="At">When it came to its status; null while it waits.</param>
/// <param name="Next">When it is tried next; null when it is at it, stands behind an earlier change of its order, or is done with.</param>
/// <param name="Tries">The last few, the oldest first.</param>
[GenerateSerializer, Immutable, Alias("orders.Delivery")]
public sealed record Delivery(
    [property: Id(0)] string Subscriber,
    [property: Id(1)] long Version,
    [property: Id(2)] string Type,
    [property: Id(3)] DeliveryStatus Status,
    [property: Id(4)] string? Reason,
    [property: Id(5)] int Attempts,
    [property: Id(6)] DateTimeOffset? At,
    [property: Id(7)] DateTimeOffset? Next,
    [property: Id(8)] ImmutableArray<HandlingTry> Tries
);

/// <summary>All that is known of an order's deliveries.</summary>
/// <param name="Behind">Subscribers that have yet to take changes of the order's partition: the order's last ones may be among
/// them.</param>
[GenerateSerializer, Immutable, Alias("orders.OrderDeliveries")]
public sealed record OrderDeliveries([property: Id(0)] ImmutableArray<Delivery> All, [property: Id(1)] ImmutableArray<string> Behind);

/// <summary>A delivery as programs read it.</summary>
public sealed record DeliveryForm(
    string Subscriber,
    long Version,
    string Change,
    string Status,
    string? Reason,
    int Attempts,
    DateTimeOffset? At,
    DateTimeOffset? Next,
    ImmutableArray<HandlingTryForm> Tries
)
{
    public static DeliveryForm Of(Delivery delivery) =>
        new(
            delivery.Subscriber,
            delivery.Version,
            delivery.Type,
            Word(delivery.Status),
            delivery.Reason,
            delivery.Attempts,
            delivery.At,
            delivery.Next,
            [.. delivery.Tries.Select(tried => new HandlingTryForm(tried.At, tried.What, tried.Answer))]
        );

    public static string Word(DeliveryStatus status) =>
        status switch
        {
            DeliveryStatus.Waiting => "waiting",
            DeliveryStatus.Delivered => "delivered",
            DeliveryStatus.Suppressed => "suppressed",
            DeliveryStatus.Dead => "dead",
            DeliveryStatus.Discarded => "discarded",
            _ => throw new ArgumentOutOfRangeException(nameof(status), status, "No status of a delivery."),
        };
}

/// <param name="Behind">Subscribers that have yet to take changes of the order's partition.</param>
public sealed record DeliveryListForm(string OrderId, ImmutableArray<DeliveryForm> Deliveries, ImmutableArray<string> Behind)
{
    public static DeliveryListForm Of(string order, OrderDeliveries deliveries) =>
        new(order, [.. deliveries.All.Select(DeliveryForm.Of)], deliveries.Behind);
}
