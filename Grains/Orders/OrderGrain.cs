using Grains.Interfaces.Orders;
using Grains.Orders.Lifecycle;
using Grains.Orders.Rows;
using Grains.Orders.Tracing;
using Grains.Storage;
using Microsoft.Extensions.Logging;
using Orleans.Placement;

namespace Grains.Orders;

/// <summary>One order: <see cref="OrderLifecycle"/> decides, the feed of its partition stores and announces.</summary>
/// <remarks>
/// What it has in memory is the last it heard of, and nothing rests on it: the feed takes a step only for the version that the order has.
/// When that is another (the order cancelled itself,
/// another activation was faster), the step is decided again on what it is now. When the feed's commit was lost on its way, the same step
/// is asked again under the same id.
/// Over 150 lines, because placing and taking a step each tell apart what is decided, repeated, moved and lost on its way.
/// </remarks>
[PreferLocalPlacement]
[CollectionAgeLimit(Minutes = 2)]
[GrainType("order")]
public sealed partial class OrderGrain(ITableStore store, TimeProvider clock, ILogger<OrderGrain> logger) : Grain, IOrderGrain
{
    /// <summary>Decisions on one step: the first, one on a newer version, one after a feed that ended.</summary>
    private const int Attempts = 4;

    private readonly HashSet<StepId> _inFlight = [];
    private Task _turn = Task.CompletedTask;
    private Order? _order;

    private OrderId Id => new(this.GetPrimaryKeyString());

    /// <summary>
    /// The order's id is made from who asks and the key, and so is the id of a step under the same key: what was placed under it cannot be
    /// paid under it.
    /// </summary>
    private StepId StepOfId => new(Id.Value[3..]);

    public async Task<OrderReply> Place(PlaceOrder order, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        if (OrderCheck.Check(order, now) is { IsEmpty: false } faults)
        {
            if (await Show(cancel) is not { } there)
            {
                this.Observe(Feed.Count(OrderRefusal.Invalid), logger);
                return new(
                    null,
                    OrderRefusal.Invalid,
                    faults.Length == 1 ? faults[0].Detail : $"{faults.Length} things are wrong.",
                    faults,
                    Repeated: false
                );
            }

            if (!OrderCheck.Check(order, DateTimeOffset.MinValue).IsEmpty)
            {
                return Refused(there, OrderStep.Place, OrderRefusal.KeyReused); // What is there was not wrong, so this is something else.
            }
        }

        var placed = OrderLifecycle.Place(Id, order, now);
        return await Once(StepOfId, OrderStep.Place, OrderHash.Of(placed), order.Deadline, _ => (placed, OrderRefusal.None), seen: _ => 0);
    }

    public async Task<OrderReply> Take(StepRequest request, CancellationToken cancel)
    {
        if (request.Step == OrderStep.Place)
        {
            throw new ArgumentException("An order is placed with Place; a step is taken of one that is there.", nameof(request));
        }

        if (_order is null && (_order = await Show(cancel)) is null)
        {
            return Refused(null, request.Step, OrderRefusal.NotFound);
        }

        return await Once(
            request.Id,
            request.Step,
            request.Step.ToString(),
            request.Deadline,
            order =>
            {
                if (!request.IsFor(order!.Version))
                {
                    return (order, OrderRefusal.Stale);
                }

                var decision = OrderLifecycle.Decide(order!, request.Step, clock.GetUtcNow());
                return (decision.Changed ?? order!, decision.Refusal);
            },
            seen: order => order!.Version
        );
    }

    public async Task<Order?> Show(CancellationToken cancel)
    {
        var row = await store.Get(OrderTable.Name, OrderTable.Partition(Id.Partition), OrderTable.Order(Id), cancel);
        return row is null ? null : OrderJson.Read<OrderRow>(row.Payload).Order;
    }

    /// <summary>
    /// One after the other; a step that is being taken is not waited for under the same id. One that was taken before is: they all get the
    /// first answer.
    /// </summary>
    private async Task<OrderReply> Once(
        StepId id,
        OrderStep step,
        string mark,
        DateTimeOffset? deadline,
        Func<Order?, (Order Order, OrderRefusal Refusal)> decide,
        Func<Order?, long> seen
    )
    {
        var isFirst = _inFlight.Add(id);
        if (!isFirst && !await IsKept(id))
        {
            return Refused(_order, step, OrderRefusal.InFlight);
        }

        var (before, done, isPlaced) = (_turn, new TaskCompletionSource(), false);
        _turn = done.Task;
        try
        {
            await before;
            var reply = await Decide(id, step, mark, deadline, decide, seen);
            isPlaced = step == OrderStep.Place && reply is { Refusal: OrderRefusal.None, Repeated: false };
            return reply;
        }
        finally
        {
            if (isFirst)
            {
                _inFlight.Remove(id);
            }

            done.SetResult();
            if (isPlaced && _inFlight.Count == 0)
            {
                // Thousands are placed in a second, and the next step of each is far away. Not for a repeat: where many come at once, each
                // would send the next one on to another activation.
                DeactivateOnIdle();
            }
        }
    }

    /// <summary>Looked at only when two ask under one id at a time: whether both of them repeat what is durable already.</summary>
    private async Task<bool> IsKept(StepId id) =>
        await store.Get(OrderTable.Name, OrderTable.Partition(Id.Partition), OrderTable.Order(Id)) is { } row
        && OrderJson.Read<OrderRow>(row.Payload).Steps.Any(step => step.Id == id.Value);

    private async Task<OrderReply> Decide(
        StepId id,
        OrderStep step,
        string mark,
        DateTimeOffset? deadline,
        Func<Order?, (Order Order, OrderRefusal Refusal)> decide,
        Func<Order?, long> seen
    )
    {
        for (var attempt = 1; ; attempt++)
        {
            var (order, refusal) = decide(_order);
            FeedReply kept;
            try
            {
                kept = await Feed.Keep(new(id, step, mark, seen(_order), order, refusal, deadline) { Trace = OrdersTracing.Current });
            }
            catch (PartitionLostException) when (attempt < Attempts)
            {
                continue; // Whether it was kept, its successor knows by the step's id.
            }

            switch (kept.Outcome)
            {
                case FeedOutcome.Moved when attempt < Attempts && kept.Order is not null:
                    _order = kept.Order;
                    continue;
                case FeedOutcome.Kept when refusal == OrderRefusal.None:
                    _order = kept.Order;
                    LogChanged(Id, order.Version, order.Status);
                    return new(kept.Order, OrderRefusal.None, Detail: null, [], Repeated: false);
                case FeedOutcome.Repeated when kept.Refusal == OrderRefusal.None:
                    return new(kept.Order, OrderRefusal.None, Detail: null, [], Repeated: true);
                case FeedOutcome.Kept or FeedOutcome.Repeated or FeedOutcome.Refused:
                    return Answer(kept.Order, step, kept.Refusal, kept.Outcome == FeedOutcome.Repeated);
                default:
                    throw new InvalidOperationException($"The order {Id} moved on {Attempts} times while one step was decided; ask again.");
            }
        }
    }

    /// <summary>Refused here, without a trace but in the books.</summary>
    private OrderReply Refused(Order? order, OrderStep step, OrderRefusal refusal)
    {
        this.Observe(Feed.Count(refusal), logger);
        return Answer(order, step, refusal, repeated: false);
    }

    private OrderReply Answer(Order? order, OrderStep step, OrderRefusal refusal, bool repeated)
    {
        LogRefused(Id, step, refusal);
        return new(order, refusal, OrderLifecycle.Explain(Id, order, step, refusal), [], repeated);
    }

    private IOrderFeedGrain Feed => GrainFactory.GetGrain<IOrderFeedGrain>(Id.Partition);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Order {OrderId} is at version {Version}: {Status}")]
    private partial void LogChanged(OrderId orderId, long version, OrderStatus status);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Order {OrderId} refused {Step}: {Refusal}")]
    private partial void LogRefused(OrderId orderId, OrderStep step, OrderRefusal refusal);
}
