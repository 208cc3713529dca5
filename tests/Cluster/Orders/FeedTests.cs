using System.Collections.Concurrent;
using Doubles;
using Grains.Interfaces.Orders;
using Orleans.Streams;
using Orleans.Streams.Core;
using Xunit;

namespace Cluster.Orders;

[Alias("Cluster.IChangesListener")]
public interface IChangesListener : IGrainWithIntegerKey;

/// <summary>Somebody who wants to know what changed.</summary>
[ImplicitStreamSubscription(OrderStreams.Changes)]
public sealed class ChangesListener : Grain, IChangesListener, IStreamSubscriptionObserver
{
    public static ConcurrentDictionary<OrderId, ConcurrentQueue<OrderChange>> Heard { get; } = new();

    public Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory) =>
        handleFactory
            .Create<OrdersChanged>()
            .ResumeAsync(events =>
            {
                foreach (var change in events.SelectMany(changed => changed.Item.Changes))
                {
                    Heard.GetOrAdd(change.OrderId, _ => new()).Enqueue(change);
                }

                return Task.CompletedTask;
            });
}

public sealed class FeedTests(OrderCluster cluster) : IClassFixture<OrderCluster>
{
    [Fact]
    public async Task WhatChangedIsAnnouncedOnceItIsDurable()
    {
        var order = await cluster.Placed();
        await cluster.Take(order.Id, OrderStep.Pay);
        await VirtualClock.StandUntil("both changes to be announced", () =>
            ChangesListener.Heard.TryGetValue(order.Id, out var heard) && heard.Count == 2
        );

        Assert.Equal(["order.placed", "order.paid"], ChangesListener.Heard[order.Id].Select(change => change.Type));
        Assert.Equal(
            (await cluster.ChangesOf(order.Id)).Select(change => change.Revision),
            ChangesListener.Heard[order.Id].Select(change => change.Revision)
        );
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1000)]
    public async Task ChangesAreReadInOrderFromTheTailAndFromTheRowsAlike(int take)
    {
        await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => cluster.Placed()));
        for (var partition = 0; partition < OrderCluster.Partitions; partition++)
        {
            var fromTail = await cluster.Changes(partition, take: take);
            await cluster.Deactivate(cluster.Feed(partition));
            var fromRows = await cluster.Changes(partition, take: take);

            var head = (await cluster.Feed(partition).Head()).Head;
            Assert.Equal(Enumerable.Range(1, (int)head).Select(revision => (long)revision), fromTail.Select(change => change.Revision));
            Assert.Equal(
                fromTail.Select(change => (change.Revision, change.OrderId, change.Version, change.Type, change.At)),
                fromRows.Select(change => (change.Revision, change.OrderId, change.Version, change.Type, change.At))
            );
        }
    }

    [Fact]
    public async Task AboveTheHeadThereIsNothing()
    {
        var order = await cluster.Placed();
        var head = (await cluster.Feed(order.Id.Partition).Head()).Head;
        Assert.Equal(
            (0, head, head + 5, false),
            (await cluster.Feed(order.Id.Partition).Read(head + 5, 10)) is var read
                ? (read.Changes.Length, read.Head, read.Next, read.IsCompacted)
                : default
        );
    }

    [Fact]
    public async Task AnAnswerHasNoMoreThanHalfAMegabyteOrSo()
    {
        var asked = OrderCluster.Asked() with { Notes = new('n', 15_000) };
        var orders = await Task.WhenAll(Enumerable.Range(0, 300).Select(_ => cluster.Placed(asked)));
        var partition = orders.CountBy(order => order.Id.Partition).MaxBy(pair => pair.Value).Key;
        var last = (await cluster.Changes(partition, take: 1000))[^1].Revision;
        Assert.InRange((await cluster.Feed(partition).Read(last - 50, 1000)).Changes.Length, 25, 40);
    }

    [Fact]
    public async Task ListsHaveEachOrderOnceTheNewestFirst()
    {
        var placed = new List<OrderId>();
        for (var i = 0; i < 23; i++)
        {
            cluster.Clock.Pass(TimeSpan.FromMilliseconds(1));
            placed.Add((await cluster.Placed(OrderCluster.Asked("lister"))).Id);
        }

        await cluster.Take(placed[3], OrderStep.Pay);
        await cluster.Take(placed[20], OrderStep.Pay);

        Assert.Equal(Enumerable.Reverse(placed), await Listed("lister", null));
        Assert.Equal([placed[20], placed[3]], await Listed("lister", OrderStatus.Paid));
        Assert.Equal(21, (await Listed("lister", OrderStatus.Placed)).Count);
        Assert.Empty(await Listed("nobody", null));
        Assert.Null((await cluster.Desk.List.List(new("lister", null, 23, null))).After);
        Assert.NotNull((await cluster.Desk.List.List(new("lister", null, 22, null))).After);
        Assert.Superset(placed.ToHashSet(), (await Listed(null, null)).ToHashSet());
        Assert.Contains(placed[20], await Listed(null, OrderStatus.Paid));
    }

    [Fact]
    public async Task AListSaysWhatIsWrongWithItsQuestion()
    {
        Assert.Equal("\"take\" is 1 to 200; this is 0.", (await cluster.Desk.List.List(new(null, null, 0, null))).Error);
        Assert.Equal(
            "\"after\" is what an answer before gave; this is \"x\".",
            (await cluster.Desk.List.List(new(null, null, 5, "x"))).Error
        );
    }

    private async Task<List<OrderId>> Listed(string? customer, OrderStatus? status)
    {
        var ids = new List<OrderId>();
        string? after = null;
        do
        {
            var page = await cluster.Desk.List.List(new(customer, status, 7, after));
            ids.AddRange(page.Orders.Select(order => order.Id));
            after = page.After;
        } while (after is not null);
        Assert.Equal(ids.Count, ids.Distinct().Count());
        return ids;
    }
}

/// <summary>Changes that grow old. It has a cluster of its own, for it moves the clock by years.</summary>
public sealed class CompactionTests(OrderCluster cluster) : IClassFixture<OrderCluster>
{
    [Fact]
    public async Task OldChangesGoButNotThoseThatASubscriberHasYetToRead()
    {
        var order = await cluster.Placed();
        var feed = cluster.Feed(order.Id.Partition);
        await cluster.Take(order.Id, OrderStep.Pay);
        await cluster.Take(order.Id, OrderStep.Ship);
        Assert.Equal(2, await feed.Register("slow", from: 2));
        cluster.Clock.Pass(OrderCluster.Kept + TimeSpan.FromDays(1));
        await cluster.Clock.PassUntil("the change before the slow one's cursor to go", async () => (await feed.Head()).Lowest == 2);
        Assert.Equal((true, 2), (await feed.Read(1, 10)) is var gone ? (gone.IsCompacted, gone.Next) : default);
        Assert.Equal([2L, 3L], (await feed.Read(2, 10)).Changes.Select(change => change.Revision));

        await feed.Advance("slow", 4);
        await VirtualClock.StandUntil("the cursor of the slow one", async () => (await feed.Subscribers()).Single().Cursor == 4);
        cluster.Clock.Pass(OrderCluster.Kept + TimeSpan.FromDays(1));
        await cluster.Clock.PassUntil("all changes to go", async () => (await feed.Head()).Lowest == 4);
        Assert.Equal((3, 4), (await feed.Head()) is var head ? (head.Head, head.Lowest) : default);
        Assert.True(await feed.Remove("slow"));

        await cluster.Take(order.Id, OrderStep.Complete);
        await cluster.Deactivate(feed);
        Assert.Equal((4, 4, 5), (await feed.Read(4, 10)) is var read ? (read.Changes.Single().Revision, read.Lowest, read.Next) : default);
        Assert.Equal(4, await feed.Register("late", from: 1));
        Assert.Equal(4, (await cluster.Desk.Order(order.Id).Show())!.Version);
    }
}
