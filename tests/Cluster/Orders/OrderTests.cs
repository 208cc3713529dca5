using Doubles;
using Doubles.Storage;
using Grains.Interfaces.Orders;
using Grains.Orders.Feed;
using Grains.Orders.Rows;
using Grains.Storage;
using Xunit;

namespace Cluster.Orders;

public sealed class OrderTests(OrderCluster cluster) : IClassFixture<OrderCluster>
{
    [Fact]
    public async Task AnOrderGoesItsWay()
    {
        var order = await cluster.Placed();
        foreach (var step in new[] { OrderStep.Pay, OrderStep.Ship, OrderStep.Complete, OrderStep.Refund })
        {
            Assert.Equal(OrderRefusal.None, (await cluster.Take(order.Id, step)).Refusal);
        }

        var shown = (await cluster.Desk.Order(order.Id).Show())!;
        Assert.Equal((5, OrderStatus.Refunded, 900), (shown.Version, shown.Status, shown.Total));
        Assert.Equal(
            [
                ("order.placed", 1L, null),
                ("order.paid", 2, OrderStatus.Placed),
                ("order.shipped", 3, OrderStatus.Paid),
                ("order.completed", 4, OrderStatus.Shipped),
                ("order.refunded", 5, OrderStatus.Completed),
            ],
            (await cluster.ChangesOf(order.Id)).Select(change => (change.Type, change.Version, change.PreviousStatus))
        );
        Assert.Equal(["c", "o", "s"], await cluster.RowsOf(order.Id));
    }

    [Fact]
    public async Task FiftyCreatesAtOnceUnderOneKeyAreOneOrder()
    {
        var (key, asked) = (cluster.NewKey(), OrderCluster.Asked());
        var replies = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => cluster.Desk.Place(key, asked)));

        Assert.All(replies, reply => Assert.True(reply.Refusal is OrderRefusal.None or OrderRefusal.InFlight, reply.Detail));
        var order = Assert.Single(replies, reply => reply is { Refusal: OrderRefusal.None, Repeated: false }).Order!;
        Assert.All(replies.Where(reply => reply.Refusal == OrderRefusal.None), reply =>
            Assert.Equal((order.Id, 1), (reply.Order!.Id, reply.Order.Version))
        );
        Assert.Single(await cluster.ChangesOf(order.Id));

        // Once it is done nobody is told any more that it is being done, however many ask at once.
        var again = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => cluster.Desk.Place(key, asked)));
        Assert.All(again, reply => Assert.Equal((OrderRefusal.None, true, order.Id), (reply.Refusal, reply.Repeated, reply.Order?.Id)));
        Assert.Single(await cluster.ChangesOf(order.Id));
    }

    [Fact]
    public async Task ACreateThatIsBeingDoneIsToldAndNotWaitedFor()
    {
        var (key, asked) = (cluster.NewKey(), OrderCluster.Asked());
        await cluster.Placed(); // So that feeds are awake, and only what follows waits.
        await cluster.Feed(key.OrderId(OrderCluster.Partitions).Partition).Head();
        Task<OrderReply> first;
        using (var gate = cluster.Store.HoldCommits())
        {
            first = cluster.Desk.Place(key, asked);
            await gate.Arrived;
            Assert.Equal(OrderRefusal.InFlight, (await cluster.Desk.Place(key, asked)).Refusal);
        }

        Assert.Equal(OrderRefusal.None, (await first).Refusal);
        Assert.True((await cluster.Desk.Place(key, asked)).Repeated);
    }

    [Theory]
    [InlineData(CommitFailure.UnknownApplied)]
    [InlineData(CommitFailure.UnknownNotApplied)]
    [InlineData(CommitFailure.Conflict)]
    [InlineData(CommitFailure.Throw)]
    public async Task ACommitWhoseAnswerIsLostIsOneOrderAllTheSame(CommitFailure failure)
    {
        var key = cluster.NewKey();
        var id = key.OrderId(OrderCluster.Partitions);
        var failed = 0;
        cluster.Store.FailCommitsWhen(
            (_, _, changes) => changes.Any(change => change.Key == OrderTable.Order(id)) && failed++ == 0 ? failure : null
        );

        var reply = await cluster.Desk.Place(key, OrderCluster.Asked());

        cluster.Store.FailCommitsWhen((_, _, _) => null);
        Assert.Equal(
            (OrderRefusal.None, 1, failure == CommitFailure.UnknownApplied),
            (reply.Refusal, reply.Order!.Version, reply.Repeated)
        );
        Assert.Single(await cluster.ChangesOf(id));
        Assert.True((await cluster.Account()).Balances);
    }

    [Fact]
    public async Task OfTwoActivationsOfAFeedOneLosesAndNothingIsLost()
    {
        var order = await cluster.Placed();
        var other = await FeedPartition.Open(cluster.Store, cluster.Clock, order.Id.Partition, _ => { }, _ => { });

        // The first one finds out when it commits; its successor takes the step.
        Assert.Equal(
            (OrderRefusal.None, 2),
            (await cluster.Take(order.Id, OrderStep.Pay)) is var paid ? (paid.Refusal, paid.Order!.Version) : default
        );
        await Assert.ThrowsAsync<PartitionLostException>(() => other.Writer.CommitHead());
        Assert.Equal([1L, 2L], (await cluster.ChangesOf(order.Id)).Select(change => change.Version));
    }

    [Fact]
    public async Task AStepAlreadyTakenAnswersAsItDidBeforeItsVersionIsLookedAt()
    {
        var (order, key) = (await cluster.Placed(), cluster.NewKey());
        Assert.Equal(
            (OrderRefusal.None, 2),
            (await cluster.Take(order.Id, OrderStep.Pay, key, expected: 1)) is var paid ? (paid.Refusal, paid.Order!.Version) : default
        );
        await cluster.Take(order.Id, OrderStep.Ship);

        var again = await cluster.Take(order.Id, OrderStep.Pay, key, expected: 1);

        Assert.Equal(
            (OrderRefusal.None, true, 2, OrderStatus.Paid),
            (again.Refusal, again.Repeated, again.Order!.Version, again.Order.Status)
        );
        Assert.Equal(
            (OrderRefusal.Stale, 3),
            (await cluster.Take(order.Id, OrderStep.Complete, expected: 2)) is var stale ? (stale.Refusal, stale.Order!.Version) : default
        );
        Assert.Equal(OrderRefusal.KeyReused, (await cluster.Take(order.Id, OrderStep.Ship, key)).Refusal);
    }

    [Fact]
    public async Task WhatWasPlacedUnderAKeyCannotBePaidUnderIt()
    {
        var key = cluster.NewKey();
        var order = (await cluster.Desk.Place(key, OrderCluster.Asked())).Order!;
        Assert.Equal(OrderRefusal.KeyReused, (await cluster.Take(order.Id, OrderStep.Pay, key)).Refusal);
    }

    [Fact]
    public async Task AnotherOrderUnderTheSameKeyIsRefusedWhateverDiffers()
    {
        var key = cluster.NewKey();
        await cluster.Desk.Place(key, OrderCluster.Asked("ann"));
        Assert.Equal(OrderRefusal.KeyReused, (await cluster.Desk.Place(key, OrderCluster.Asked("bob"))).Refusal);
        Assert.Equal(OrderRefusal.KeyReused, (await cluster.Desk.Place(key, OrderCluster.Asked("ann") with { Currency = "?" })).Refusal);
    }

    [Fact]
    public async Task ACreateIsRepeatedAlsoWhenItsTimeToPayIsOver()
    {
        var (key, asked) = (cluster.NewKey(), OrderCluster.Asked(payBefore: cluster.Clock.GetUtcNow().AddSeconds(1)));
        await cluster.Desk.Place(key, asked);
        cluster.Clock.Pass(TimeSpan.FromSeconds(5));

        var again = await cluster.Desk.Place(key, asked);

        Assert.Equal((OrderRefusal.None, true, OrderStatus.Placed), (again.Refusal, again.Repeated, again.Order!.Status));
        Assert.Equal(OrderRefusal.Invalid, (await cluster.Desk.Place(cluster.NewKey(), asked)).Refusal);
    }

    [Fact]
    public async Task AStepThatComesAfterItsDeadlineIsNotTaken()
    {
        var (order, key) = (await cluster.Placed(), cluster.NewKey());
        var late = await cluster.Take(order.Id, OrderStep.Pay, key, deadline: cluster.Guards.GetUtcNow().AddTicks(-1));

        Assert.Equal(OrderRefusal.Expired, late.Refusal);
        Assert.Equal(OrderStatus.Placed, (await cluster.Desk.Order(order.Id).Show())!.Status);
        // It was not begun, so the same may be asked again.
        Assert.Equal(OrderRefusal.None, (await cluster.Take(order.Id, OrderStep.Pay, key)).Refusal);
    }

    [Fact]
    public async Task AStepOfNoOrderIsRefusedAndCounted()
    {
        var before = await cluster.Account();
        var reply = await cluster.Take(cluster.NewKey().OrderId(OrderCluster.Partitions), OrderStep.Pay);
        Assert.Equal((OrderRefusal.NotFound, null), (reply.Refusal, reply.Order));
        await VirtualClock.StandUntil("the refusal to be counted", async () =>
            (await cluster.Account()).Refused.GetValueOrDefault("not-found") == before.Refused.GetValueOrDefault("not-found") + 1
        );
    }

    [Fact]
    public async Task StepsOfTwoAtOnceAreTakenOneAfterTheOther()
    {
        var order = await cluster.Placed();
        var replies = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(i => cluster.Take(order.Id, i % 2 == 0 ? OrderStep.Pay : OrderStep.Cancel))
        );

        var done = replies.Where(reply => reply.Refusal == OrderRefusal.None).Select(reply => reply.Order!.Version).Order().ToList();
        Assert.Equal(Enumerable.Range(2, done.Count).Select(version => (long)version), done);
        Assert.Equal(done.Count + 1, (await cluster.ChangesOf(order.Id)).Count);
        Assert.True((await cluster.Account()).Balances);
    }

    [Fact]
    public async Task AnOrderThatEndsItsActivationGoesOn()
    {
        var order = await cluster.Placed();
        await cluster.Deactivate(cluster.Desk.Order(order.Id));
        await cluster.Deactivate(cluster.Feed(order.Id.Partition));
        Assert.Equal(2, (await cluster.Take(order.Id, OrderStep.Pay)).Order!.Version);
    }

    [Fact]
    public async Task TheBooksBalanceAndCountEachStepOnce()
    {
        var before = await cluster.Account();
        var (order, key) = (await cluster.Placed(), cluster.NewKey());
        await cluster.Take(order.Id, OrderStep.Ship, key);
        await cluster.Take(order.Id, OrderStep.Ship, key);
        await cluster.Take(order.Id, OrderStep.Pay);

        var account = await cluster.Account();

        Assert.True(account.Balances, account.ToString());
        Assert.Equal(
            (3, 2, 1),
            (
                account.In - before.In,
                account.Done - before.Done,
                account.Refused["wrong-state"] - before.Refused.GetValueOrDefault("wrong-state")
            )
        );
    }
}
