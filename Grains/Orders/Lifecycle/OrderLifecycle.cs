using Grains.Interfaces.Orders;

namespace Grains.Orders.Lifecycle;

/// <summary>What a step does to an order: either it becomes <see cref="Changed"/>, or it is refused.</summary>
public readonly record struct OrderDecision(Order? Changed, OrderRefusal Refusal);

/// <summary>
/// The rules of an order's life:
/// <code>
///            Pay            Ship             Complete
/// Placed ─────────▶ Paid ─────────▶ Shipped ─────────▶ Completed
///    │               │ │               │                   │
///    │ Cancel        │ └────────┐      │ Refund            │ Refund
///    ▼               ▼ Cancel   ▼      ▼                   ▼
/// Cancelled ◀────────┘        Refunded ◀───────────────────┘
/// </code>
/// Cancelled and Refunded are final. An order with <see cref="Order.PayBefore"/> cannot be paid from then on, and cancels itself.
/// </summary>
public static class OrderLifecycle
{
    /// <summary>The first version of an order that was checked (<see cref="OrderCheck"/>).</summary>
    public static Order Place(OrderId id, PlaceOrder order, DateTimeOffset now) =>
        new()
        {
            Id = id,
            Version = 1,
            Status = OrderStatus.Placed,
            Customer = order.Customer,
            Currency = order.Currency,
            Lines = order.Lines,
            Total = OrderCheck.Total(order.Lines),
            Notes = order.Notes,
            Email = order.Email,
            Language = order.Language,
            PayBefore = order.PayBefore?.ToUniversalTime(),
            PlacedAt = now,
            UpdatedAt = now,
        };

    /// <summary>What becomes of an order that is there. Placing makes one, and is no step of this table.</summary>
    public static OrderDecision Decide(Order order, OrderStep step, DateTimeOffset now)
    {
        if (Target(order.Status, step) is not { } target)
        {
            return new(null, OrderRefusal.WrongState);
        }

        return step == OrderStep.Pay && IsOverdue(order, now)
            ? new(null, OrderRefusal.TooLate)
            : new(Move(order, target, now), OrderRefusal.None);
    }

    /// <summary>It should have been paid by now.</summary>
    public static bool IsOverdue(Order order, DateTimeOffset now) =>
        order is { Status: OrderStatus.Placed, PayBefore: { } due } && due <= now;

    /// <summary>The order after it cancelled itself.</summary>
    public static Order GiveUp(Order order, DateTimeOffset now) =>
        Move(order, OrderStatus.Cancelled, now) with
        {
            Reason = Order.NotPaidInTime,
        };

    /// <summary>Where a step leads from a status; null where the status does not allow it.</summary>
    public static OrderStatus? Target(OrderStatus status, OrderStep step) =>
        (status, step) switch
        {
            (OrderStatus.Placed, OrderStep.Pay) => OrderStatus.Paid,
            (OrderStatus.Paid, OrderStep.Ship) => OrderStatus.Shipped,
            (OrderStatus.Shipped, OrderStep.Complete) => OrderStatus.Completed,
            (OrderStatus.Placed or OrderStatus.Paid, OrderStep.Cancel) => OrderStatus.Cancelled,
            (OrderStatus.Paid or OrderStatus.Shipped or OrderStatus.Completed, OrderStep.Refund) => OrderStatus.Refunded,
            _ => null,
        };

    /// <summary>Why a step was refused, in a sentence.</summary>
    /// <param name="order">As it is or was; null when there is none.</param>
    public static string Explain(OrderId id, Order? order, OrderStep step, OrderRefusal refusal) =>
        refusal switch
        {
            OrderRefusal.NotFound => $"There is no order \"{id}\".",
            OrderRefusal.WrongState when step == OrderStep.Place => $"The order {id} is there already.",
            OrderRefusal.WrongState => $"The order {id} is {Word(order!.Status)}; {From(step)}.",
            OrderRefusal.TooLate => $"The order {id} was to be paid before {order!.PayBefore:yyyy-MM-dd HH:mm:ss'Z'}, and cancels itself.",
            OrderRefusal.Stale => $"The order {id} is at version {order!.Version}, and the step is meant for another. Look at it again.",
            OrderRefusal.KeyReused => "Something else was asked for under this key before. Choose a new key, or ask the same.",
            OrderRefusal.InFlight => "The same is being done at this moment under this key. Ask again for its answer.",
            OrderRefusal.Expired => "This came after its deadline, and was not begun. Ask again.",
            OrderRefusal.Busy => "Too many steps wait for the store. Ask again in a second.",
            _ => throw new ArgumentOutOfRangeException(nameof(refusal), refusal, "This refusal has a sentence of its own."),
        };

    private static Order Move(Order order, OrderStatus target, DateTimeOffset now) =>
        order with
        {
            Version = order.Version + 1,
            Status = target,
            // A clock that was set back does not turn the order's history round.
            UpdatedAt = now > order.UpdatedAt ? now : order.UpdatedAt,
            Reason = null,
        };

    private static string From(OrderStep step) =>
        step switch
        {
            OrderStep.Pay => "only a placed one can be paid",
            OrderStep.Ship => "only a paid one can be shipped",
            OrderStep.Complete => "only a shipped one can be completed",
            OrderStep.Cancel => "only a placed or paid one can be cancelled",
            OrderStep.Refund => "only a paid, shipped or completed one can be refunded",
            _ => throw new ArgumentOutOfRangeException(nameof(step), step, "Not a step of an order that is there."),
        };

    private static string Word(OrderStatus status) => status.ToString().ToLowerInvariant();
}
