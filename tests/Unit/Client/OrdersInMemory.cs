using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Grains.Orders.Lifecycle;

namespace Unit.Client;

/// <summary>Orders without a store: the real rules, and the first answer again under the same id.</summary>
internal sealed class OrdersInMemory : IOrderListGrain
{
    private readonly List<OrderId> _ids = [];
    private readonly Dictionary<OrderId, Order> _orders = [];
    private readonly Dictionary<(OrderId, string), OrderReply> _answers = [];

    /// <summary>What every step is answered with, as long as it is set.</summary>
    public OrderReply? Answer { get; set; }

    public DateTimeOffset Now { get; set; } = ConsoleInMemory.Start;

    public List<PlaceOrder> Asked { get; } = [];

    public List<StepRequest> Steps { get; } = [];

    /// <summary>In the order in which they were placed.</summary>
    public IEnumerable<Order> All => _ids.Select(id => _orders[id]);

    public IOrderGrain Order(OrderId id) => new OneOrder(id, this);

    public Task<int> Partitions(CancellationToken cancel = default) => Task.FromResult(8);

    public Task<OrderPage> List(OrderQuery query, CancellationToken cancel = default)
    {
        var found = All.Reverse()
            .Where(order =>
                (query.Customer is null || order.Customer == query.Customer) && (query.Status is null || order.Status == query.Status)
            )
            .ToList();
        if (query.After is not null && found.All(order => order.Id.Value != query.After))
        {
            return Task.FromResult(new OrderPage([], null, $"\"after\" is wrong: \"{query.After}\"."));
        }

        var page = found
            .SkipWhile(order => query.After is not null && order.Id.Value != query.After)
            .Skip(query.After is null ? 0 : 1)
            .Take(query.Take)
            .ToImmutableArray();
        return Task.FromResult(new OrderPage(page, page.Length == query.Take && page[^1] != found[^1] ? page[^1].Id.Value : null, null));
    }

    private sealed class OneOrder(OrderId id, OrdersInMemory orders) : IOrderGrain
    {
        public Task<OrderReply> Place(PlaceOrder order, CancellationToken cancel = default)
        {
            orders.Asked.Add(order);
            if (orders.Answer is { } answer)
            {
                return Task.FromResult(answer);
            }

            if (OrderCheck.Check(order, orders.Now) is { IsEmpty: false } faults)
            {
                return Task.FromResult(new OrderReply(null, OrderRefusal.Invalid, "Wrong.", faults, Repeated: false));
            }

            return Once("place " + OrderHash.Of(OrderLifecycle.Place(id, order, default)), "place", () =>
            {
                orders._ids.Add(id);
                return Changed(OrderLifecycle.Place(id, order, orders.Now));
            });
        }

        public Task<OrderReply> Take(StepRequest request, CancellationToken cancel = default)
        {
            orders.Steps.Add(request);
            return orders.Answer is { } answer ? Task.FromResult(answer) : Once(request.Id + " " + request.Step, request.Id.Value, () =>
                {
                    if (!orders._orders.TryGetValue(id, out var order))
                    {
                        return Refused(null, request.Step, OrderRefusal.NotFound);
                    }

                    if (!request.IsFor(order.Version))
                    {
                        return Refused(order, request.Step, OrderRefusal.Stale);
                    }

                    var decision = OrderLifecycle.Decide(order, request.Step, orders.Now);
                    return decision.Changed is { } changed ? Changed(changed) : Refused(order, request.Step, decision.Refusal);
                });
        }

        public Task<Order?> Show(CancellationToken cancel = default) => Task.FromResult(orders._orders.GetValueOrDefault(id));

        private Task<OrderReply> Once(string what, string key, Func<OrderReply> act)
        {
            if (orders._answers.TryGetValue((id, what), out var first))
            {
                return Task.FromResult(first with { Repeated = true });
            }

            if (orders._answers.Keys.Any(known => known.Item1 == id && known.Item2.StartsWith(key + " ", StringComparison.Ordinal)))
            {
                return Task.FromResult(Refused(orders._orders[id], OrderStep.Place, OrderRefusal.KeyReused));
            }

            return Task.FromResult(orders._answers[(id, what)] = act());
        }

        private OrderReply Changed(Order order)
        {
            orders._orders[id] = order;
            return new(order, OrderRefusal.None, null, [], Repeated: false);
        }

        private OrderReply Refused(Order? order, OrderStep step, OrderRefusal refusal) =>
            new(order, refusal, OrderLifecycle.Explain(id, order, step, refusal), [], Repeated: false);
    }
}
