using Doubles;
using Grains.Interfaces.Orders;
using Grains.Orders.Watch;
using Xunit;

namespace Cluster.Orders;

/// <summary>
/// Watches in a silo: events that are lost, a feed that moves, and changes that are not kept any more. The test moves the clock.
/// </summary>
public sealed class WatchTests(OrderCluster cluster) : IClassFixture<OrderCluster>
{
    private readonly List<WatchedOrder> _seen = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private IOrderWatchGrain Watch => cluster.Grains.GetGrain<IOrderWatchGrain>(0);

    [Fact]
    public async Task AChangeIsSeenOnceFromNowOn()
    {
        await cluster.Placed();
        var cursor = await Now();

        var order = await cluster.Placed();
        await cluster.Take(order.Id, OrderStep.Pay);
        await See(cursor, 2);

        Assert.Equal(
            [(order.Id, 1, "order.placed"), (order.Id, 2, "order.paid")],
            _seen.Select(seen => (seen.Change.OrderId, seen.Change.Version, seen.Change.Type))
        );
        Assert.Equal(OrderStatus.Placed, _seen[1].Change.Previous!.Status);
    }

    [Fact]
    public async Task EventsThatAreLostCostTimeAndNoChange()
    {
        var cursor = await Now();
        await See(cursor, 0);
        cluster.Lost.Next(10);
        var orders = new List<OrderId>();
        for (var i = 0; i < 10; i++)
        {
            orders.Add((await cluster.Placed()).Id);
        }

        var lost = cluster.Lost.Count;
        cluster.Lost.Next(0);
        await See(cursor, 10);

        Assert.True(lost > 0, "No event was lost.");
        Assert.Equal(orders.Order(ById), _seen.Select(seen => seen.Change.OrderId).Order(ById));
    }

    [Fact]
    public async Task AFeedThatGoesToAnotherActivationGoesOnWhereItWas()
    {
        var cursor = await Now();
        var orders = new List<OrderId>();
        for (var i = 0; i < 12; i++)
        {
            var order = (await cluster.Placed()).Id;
            orders.Add(order);
            await cluster.Deactivate(cluster.Feed(order.Partition));
        }

        await See(cursor, 12);

        Assert.Equal(orders.Order(ById), _seen.Select(seen => seen.Change.OrderId).Order(ById));
        Assert.All(_seen.GroupBy(seen => seen.Change.OrderId.Partition), changes =>
            Assert.Equal(changes.Select(seen => seen.Change.Revision).Order(), changes.Select(seen => seen.Change.Revision))
        );
    }

    [Fact]
    public async Task TwoActivationsOfOneFeedShowNothingThatWasNotCommittedAndNothingTwice()
    {
        var cursor = await Now();
        var order = await cluster.Placed();
        // A second owner of the partition takes the fence; the first one's next commit fails, and its caller asks again.
        await Grains.Orders.Feed.FeedPartition.Open(cluster.Store, cluster.Clock, order.Id.Partition, _ => { }, _ => { });
        var paid = await Again(() => cluster.Take(order.Id, OrderStep.Pay, cluster.NewKey()));
        await See(cursor, 2);

        Assert.Equal(2, paid.Order!.Version);
        Assert.Equal([1, 2], _seen.Select(seen => seen.Change.Version));
    }

    [Fact]
    public async Task OneOrdersWatchHasItsChangesAlone()
    {
        var order = await cluster.Placed();
        await cluster.Placed();
        await cluster.Take(order.Id, OrderStep.Cancel);

        await See("start", 2, order.Id.Value);

        Assert.Equal([1, 2], _seen.Select(seen => seen.Change.Version));
    }

    [Fact]
    public async Task WhatIsCompactedWhileItIsWatchedIsAnErrorThatNamesTheLowest()
    {
        var order = await cluster.Placed();
        var partition = order.Id.Partition;
        await See("start", 1, order.Id.Value);
        var old = _seen[0].Cursor;
        await cluster.Take(order.Id, OrderStep.Pay);
        cluster.Clock.Pass(OrderCluster.Kept + TimeSpan.FromDays(1));
        var kept = await cluster.Take(order.Id, OrderStep.Ship);
        // To its end, which takes several commits: only what came after that time is kept.
        await cluster.Clock.PassUntil("all to go but the last change", async () =>
            await cluster.Feed(partition).Head() is var now && now.Lowest == now.Head
        );
        var head = await cluster.Feed(partition).Head();
        // The hub of whoever watched forgets what is not kept some time after the last one left: on its own thread, so somebody may come
        // before it does, and then it begins to wait anew.
        var forgets = PartitionHub.Linger + TimeSpan.FromSeconds(1);
        cluster.Clock.Pass(forgets);

        WatchPage? refused = null;
        await VirtualClock.StandUntil("the watch to be refused", async () =>
        {
            refused = await Watch.Read(new(old, order.Id.Value, 1, TimeSpan.Zero), Cancel);
            if (refused.Refusal == WatchRefusal.Compacted)
            {
                return true;
            }

            cluster.Clock.Pass(forgets);
            return false;
        });

        Assert.Equal(OrderRefusal.None, kept.Refusal);
        Assert.Contains(
            $"partition {partition} is next, and the lowest that is kept is {head.Lowest} (Orders:KeepChanges)",
            refused!.Detail,
            StringComparison.Ordinal
        );
        _seen.Clear();
        await See(refused.Lowest!, 1, order.Id.Value);
        Assert.Equal((3, "order.shipped"), (_seen[0].Change.Version, _seen[0].Change.Type));
    }

    private static Comparer<OrderId> ById => Comparer<OrderId>.Create((one, other) => string.CompareOrdinal(one.Value, other.Value));

    private async Task<string> Now()
    {
        var page = await Watch.Read(new(null, null, 1, TimeSpan.Zero), Cancel);
        Assert.Empty(page.Changes);
        return page.Cursor!;
    }

    /// <summary>Reads on until so many were seen, while time passes.</summary>
    private async Task See(string cursor, int count, string? order = null)
    {
        await cluster.Clock.PassUntil($"{count} changes to be seen", async () =>
        {
            var page = await Watch.Read(new(cursor, order, 500, TimeSpan.Zero), Cancel);
            Assert.True(page.Refusal == WatchRefusal.None, page.Detail);
            _seen.AddRange(page.Changes);
            cursor = page.Cursor!;
            return _seen.Count >= count;
        });
        Assert.Equal(count, _seen.Count);
    }

    private static async Task<OrderReply> Again(Func<Task<OrderReply>> ask)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await ask();
            }
            catch (Exception lost) when (attempt < 5 && lost is not Xunit.Sdk.IAssertionException)
            {
                // The activation that was left behind ends; the next one has what is committed.
            }
        }
    }
}
