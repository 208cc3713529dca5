using System.Collections.Immutable;

namespace Grains.Interfaces.Orders;

/// <summary>The states of an order; the arrows between them are in <c>OrderLifecycle</c>.</summary>
public enum OrderStatus
{
    Placed,
    Paid,
    Shipped,
    Completed,
    Cancelled,
    Refunded,
}

/// <summary>What can be asked of an order.</summary>
public enum OrderStep
{
    Place,
    Pay,
    Ship,
    Complete,
    Cancel,
    Refund,
}

/// <param name="Price">Of one piece, in the currency's minor unit (cents).</param>
[GenerateSerializer, Immutable, Alias("orders.OrderLine")]
public readonly record struct OrderLine([property: Id(0)] string Sku, [property: Id(1)] int Quantity, [property: Id(2)] long Price);

/// <summary>An order as it was at one version. At most <see cref="MaxBytes"/> of JSON.</summary>
[GenerateSerializer, Immutable, Alias("orders.Order")]
public sealed record Order
{
    public const int MaxBytes = 16 * 1024;

    [Id(0)]
    public required OrderId Id { get; init; }

    /// <summary>1 when it is placed, and one more with each step that changed it.</summary>
    [Id(1)]
    public required long Version { get; init; }

    [Id(2)]
    public required OrderStatus Status { get; init; }

    [Id(3)]
    public required string Customer { get; init; }

    /// <summary>ISO 4217: three letters.</summary>
    [Id(4)]
    public required string Currency { get; init; }

    [Id(5)]
    public required ImmutableArray<OrderLine> Lines { get; init; }

    /// <summary>Of all lines, in the currency's minor unit.</summary>
    [Id(6)]
    public required long Total { get; init; }

    [Id(7)]
    public string? Notes { get; init; }

    [Id(8)]
    public string? Email { get; init; }

    /// <summary>BCP 47.</summary>
    [Id(9)]
    public string? Language { get; init; }

    /// <summary>While it is placed only: it cancels itself then.</summary>
    [Id(10)]
    public DateTimeOffset? PayBefore { get; init; }

    [Id(11)]
    public required DateTimeOffset PlacedAt { get; init; }

    /// <summary>When it came to this version.</summary>
    [Id(12)]
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Why it came to this version, where nobody asked for it: <see cref="NotPaidInTime"/>.</summary>
    [Id(13)]
    public string? Reason { get; init; }

    public const string NotPaidInTime = "not-paid-in-time";

    /// <summary>Without what may be personal: an order finds its way into logs.</summary>
    public override string ToString() => $"{Id} v{Version} {Status}";
}

/// <summary>
/// A change of one order as the feed has it. An order's changes have contiguous versions from 1; a partition's have contiguous revisions
/// from 1.
/// </summary>
/// <param name="Order">As it was after the change.</param>
/// <param name="PreviousStatus">Null for an order that was placed.</param>
/// <param name="PreviousAt">When the previous version came to be.</param>
[GenerateSerializer, Immutable, Alias("orders.OrderChange")]
public sealed record OrderChange(
    [property: Id(0)] long Revision,
    [property: Id(1)] Order Order,
    [property: Id(2)] OrderStatus? PreviousStatus,
    [property: Id(3)] DateTimeOffset? PreviousAt
)
{
    /// <summary>The request that asked for it, as W3C's traceparent; null where that is not traced.</summary>
    [Id(4)]
    public string? Trace { get; init; }

    public OrderId OrderId => Order.Id;

    public long Version => Order.Version;

    /// <summary>What happened: <c>order.placed</c>, <c>order.paid</c>…</summary>
    public string Type => OrderForm.ChangeType(Order.Status);

    public DateTimeOffset At => Order.UpdatedAt;

    /// <summary>The order as it was before; null for one that was placed. A step changes nothing but what is set here.</summary>
    public Order? Previous =>
        PreviousStatus is { } status && PreviousAt is { } at
            ? Order with
            {
                Version = Order.Version - 1,
                Status = status,
                UpdatedAt = at,
                Reason = null,
            }
            : null;
}
