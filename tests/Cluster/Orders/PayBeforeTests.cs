using Grains.Interfaces.Orders;
using Xunit;

namespace Cluster.Orders;

public sealed class PayBeforeTests(OrderCluster cluster) : IClassFixture<OrderCluster>
{
    [Fact]
    public async Task AnOrderThatIsNotPaidInTimeCancelsItself()
    {
        var due = cluster.Clock.GetUtcNow().AddSeconds(30);
        var order = await cluster.Placed(OrderCluster.Asked(payBefore: due));
        Assert.Equal(["c", "d", "o", "s"], await cluster.RowsOf(order.Id));
        cluster.Clock.PassTo(due.AddTicks(-1));
        Assert.Equal(OrderStatus.Placed, (await cluster.Desk.Order(order.Id).Show())!.Status);

        await cluster.Clock.PassUntil("the order to cancel itself", () => Is(OrderStatus.Cancelled, order), latest: due.AddSeconds(1));

        var cancelled = (await cluster.Desk.Order(order.Id).Show())!;
        Assert.Equal((2, Order.NotPaidInTime), (cancelled.Version, cancelled.Reason));
        Assert.InRange(cancelled.UpdatedAt, due, due.AddSeconds(1));
        Assert.Equal(["c", "o", "s"], await cluster.RowsOf(order.Id));
    }

    [Fact]
    public async Task AnOrderThatWasPaidDoesNot()
    {
        var due = cluster.Clock.GetUtcNow().AddSeconds(10);
        var order = await cluster.Placed(OrderCluster.Asked(payBefore: due));
        await cluster.Take(order.Id, OrderStep.Pay);
        var other = await cluster.Placed(OrderCluster.Asked(payBefore: due));

        await cluster.Clock.PassUntil("the other order to cancel itself", () => Is(OrderStatus.Cancelled, other));

        Assert.Equal(OrderStatus.Paid, (await cluster.Desk.Order(order.Id).Show())!.Status);
        Assert.Equal(["c", "o", "s"], await cluster.RowsOf(order.Id));
    }

    [Fact]
    public async Task AStepAfterThatIsDecidedOnTheOrderAsItIsByThen()
    {
        var order = await cluster.Placed(OrderCluster.Asked(payBefore: cluster.Clock.GetUtcNow().AddSeconds(5)));
        // So that its grain has it in memory, as it was.
        Assert.Equal(OrderRefusal.WrongState, (await cluster.Take(order.Id, OrderStep.Ship)).Refusal);
        await cluster.Clock.PassUntil("the order to cancel itself", () => Is(OrderStatus.Cancelled, order));

        var refused = await cluster.Take(order.Id, OrderStep.Cancel);

        Assert.Equal((OrderRefusal.WrongState, 2, OrderStatus.Cancelled), (refused.Refusal, refused.Order!.Version, refused.Order.Status));
    }

    [Fact]
    public async Task WhoPaysTooLateIsToldSo()
    {
        var order = await cluster.Placed(OrderCluster.Asked(payBefore: cluster.Clock.GetUtcNow().AddSeconds(5)));
        cluster.Clock.Pass(TimeSpan.FromSeconds(5));
        var reply = await cluster.Take(order.Id, OrderStep.Pay);
        // It may have cancelled itself already; either way it is not paid.
        Assert.Contains(reply.Refusal, new[] { OrderRefusal.TooLate, OrderRefusal.WrongState });
        await cluster.Clock.PassUntil("the order to cancel itself", () => Is(OrderStatus.Cancelled, order));
    }

    [Fact]
    public async Task TwoHundredAndFiftyOrdersCancelThemselvesAtOnce()
    {
        var due = cluster.Clock.GetUtcNow().AddSeconds(10);
        var orders = await Task.WhenAll(Enumerable.Range(0, 250).Select(_ => cluster.Placed(OrderCluster.Asked("many", due))));
        await cluster.Clock.PassUntil("two hundred orders to cancel themselves", async () =>
            (await cluster.Desk.List.List(new("many", OrderStatus.Cancelled, 200, null))).Orders.Length == 200
        );
        await cluster.Clock.PassUntil("the rest of them to cancel themselves", async () =>
            (await cluster.Desk.List.List(new("many", OrderStatus.Placed, 1, null))).Orders.IsEmpty
        );
        Assert.All(orders, order => Assert.Equal(due, order.PayBefore));
    }

    private async Task<bool> Is(OrderStatus status, Order order) => (await cluster.Desk.Order(order.Id).Show())!.Status == status;
}

/// <summary>A silo that stops in order. It has a cluster of its own, for it stops the only silo.</summary>
public sealed class RestartTests(OrderCluster cluster) : IClassFixture<OrderCluster>
{
    [Fact]
    public async Task WhatWasDueWhileNobodyWasThereIsDoneByTheNextSilo()
    {
        var key = cluster.NewKey();
        var asked = OrderCluster.Asked(payBefore: cluster.Clock.GetUtcNow().AddSeconds(30));
        var order = (await cluster.Desk.Place(key, asked)).Order!;
        var paid = await cluster.Placed();
        await cluster.Take(paid.Id, OrderStep.Pay);
        await cluster.Feed(paid.Id.Partition).Register("audit", from: 1);
        await cluster.Restart();
        cluster.Clock.Pass(TimeSpan.FromSeconds(30));

        await cluster.Clock.PassUntil("the order to cancel itself", async () =>
            (await cluster.Desk.Order(order.Id).Show())!.Status == OrderStatus.Cancelled
        );

        Assert.True((await cluster.Desk.Place(key, asked)).Repeated);
        Assert.Equal(["order.placed", "order.cancelled"], (await cluster.ChangesOf(order.Id)).Select(change => change.Type));
        Assert.Equal(3, (await cluster.Take(paid.Id, OrderStep.Ship)).Order!.Version);
        Assert.Equal(
            [("audit", 1L)],
            (await cluster.Feed(paid.Id.Partition).Subscribers()).Select(subscriber => (subscriber.Name, subscriber.Cursor))
        );
    }
}
