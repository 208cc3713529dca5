using CsCheck;
using Grains.Interfaces.Orders;
using Grains.Orders.Feed;
using Grains.Orders.Lifecycle;
using Grains.Orders.Rows;
using Xunit;

namespace Unit.Orders.Feed;

public sealed class OrderFeedTests
{
    private readonly FeedInMemory _feed = new();

    [Fact]
    public async Task OneCommitHoldsStateChangeIndexesAndHead()
    {
        var reply = _feed.Place("a", Given.Asked(payBefore: Given.Start.AddHours(1)));
        Assert.False(reply.IsCompleted);
        Assert.True(_feed.Commit());

        var order = (await reply).Order!;
        Assert.Equal(
            [
                OrderTable.CustomerPrefix("ann") + OrderTable.Place(order),
                OrderTable.Due(order.PayBefore!.Value, order.Id),
                "h",
                OrderTable.Order(order.Id),
                "r.0000000000000001",
                OrderTable.StatusPrefix(OrderStatus.Placed) + OrderTable.Place(order),
            ],
            _feed.Rows.Keys
        );
        Assert.Equal((FeedOutcome.Kept, 1, Given.Start.AddHours(1)), ((await reply).Outcome, _feed.Head.Revision, _feed.Feed.NextDue));
        Assert.Equal(
            [(1, "order.placed", null)],
            _feed.Announced.Single().Changes.Select(change => (change.Revision, change.Type, change.Previous))
        );
    }

    [Fact]
    public async Task TheSameIdGetsTheFirstAnswerAlsoAfterARestart()
    {
        var first = _feed.Place("a");
        var whileItWaits = _feed.Place("a");
        Assert.False(whileItWaits.IsCompleted);
        _feed.Commit();
        var paid = Pay("a", "pay-1");
        _feed.Commit();
        _feed.Restart();

        Assert.Equal((FeedOutcome.Repeated, 1), ((await whileItWaits).Outcome, (await whileItWaits).Order!.Version));
        var again = await _feed.Place("a");
        Assert.Equal(
            (FeedOutcome.Repeated, 1, OrderStatus.Placed, Given.Start),
            (again.Outcome, again.Order!.Version, again.Order.Status, again.Order.UpdatedAt)
        );
        Assert.Equal((await paid).Order!.Version, (await Pay("a", "pay-1")).Order!.Version);
        Assert.Equal(1, (await first).Order!.Version);
        Assert.Equal((2, 2), (_feed.Head.In, _feed.Head.Done));
    }

    [Fact]
    public async Task AnotherPayloadUnderTheSameIdIsRefused()
    {
        _ = _feed.Place("a");
        _feed.Commit();

        var other = await _feed.Keep(
            Given.Id("a"),
            Given.Id("a").Value[3..],
            OrderStep.Place,
            _ => Given.Placed("a"),
            seen: 0,
            mark: "another"
        );

        Assert.Equal((FeedOutcome.Refused, OrderRefusal.KeyReused), (other.Outcome, other.Refusal));
    }

    [Fact]
    public async Task ARefusalIsKeptUnderItsIdAndChangesNothing()
    {
        _ = _feed.Place("a");
        _feed.Commit();
        var refused = _feed.Keep(Given.Id("a"), "ship-1", OrderStep.Ship, order => order!, OrderRefusal.WrongState);
        _feed.Commit();
        _ = Pay("a", "pay-1");
        _feed.Commit();
        _feed.Restart();

        // Shipping would be right by now; the first answer stands.
        var again = await _feed.Keep(Given.Id("a"), "ship-1", OrderStep.Ship, order =>
            Given.Placed("a") with
            {
                Version = 3,
                Status = OrderStatus.Shipped,
            }
        );
        Assert.Equal(
            (FeedOutcome.Repeated, OrderRefusal.WrongState, 1, OrderStatus.Placed),
            (again.Outcome, again.Refusal, again.Order!.Version, again.Order.Status)
        );
        Assert.Equal((FeedOutcome.Kept, OrderRefusal.WrongState), ((await refused).Outcome, (await refused).Refusal));
        Assert.Equal([1L, 2L], _feed.Changes.Select(change => change.Version));
        Assert.Equal((3, 2, 1), (_feed.Head.In, _feed.Head.Done, _feed.Head.Refused["wrong-state"]));
    }

    [Fact]
    public async Task AStaleStepIsToldTheOrderAsItIsWhenThatIsDurable()
    {
        _ = _feed.Place("a");
        var stale = _feed.Keep(Given.Id("a"), "pay-1", OrderStep.Pay, _ => Given.Placed("a") with { Version = 8 }, seen: 7);
        Assert.False(stale.IsCompleted);
        _feed.Commit();

        Assert.Equal((FeedOutcome.Moved, 1), ((await stale).Outcome, (await stale).Order!.Version));
        Assert.Equal(1, _feed.Head.In);
    }

    [Fact]
    public async Task AStepAfterItsDeadlineIsNotBegun()
    {
        var late = await _feed.Keep(Given.Id("a"), "a", OrderStep.Place, _ => Given.Placed("a"), deadline: Given.Start.AddTicks(-1));
        Assert.Equal((FeedOutcome.Refused, OrderRefusal.Expired), (late.Outcome, late.Refusal));
        Assert.True(_feed.Feed.HasUntold);
        _feed.Commit();
        Assert.Equal((1, 0, 1), (_feed.Head.In, _feed.Head.Done, _feed.Head.Refused["expired"]));
        Assert.Empty(_feed.Orders);
    }

    [Fact]
    public async Task TwoStepsOfOneOrderGoIntoTwoCommits()
    {
        _ = _feed.Place("a");
        var paid = Pay("a", "pay-1");
        Assert.False(_feed.Commit());
        Assert.False(paid.IsCompleted);
        Assert.Equal((2, 1, 1), (_feed.Head.In, _feed.Head.Done, _feed.Head.Waiting));
        Assert.True(_feed.Commit());
        Assert.Equal(2, (await paid).Order!.Version);
    }

    [Fact]
    public void ACommitHoldsAsManyOrdersAsHaveRoom()
    {
        for (var i = 0; i < 60; i++)
        {
            _ = _feed.Place($"{i}");
        }

        Assert.False(_feed.Commit());
        Assert.Equal(32, _feed.Head.Revision);
        Assert.True(_feed.Commit());
        Assert.Equal(Enumerable.Range(1, 60).Select(i => (long)i), _feed.Changes.Select(change => change.Revision));
        Assert.Equal([32, 28], _feed.Announced.Select(commit => commit.Changes.Length));
    }

    [Fact]
    public void LargeOrdersAreFewerInACommitAndTheirEventHasOnlyRevisions()
    {
        for (var i = 0; i < 40; i++)
        {
            _ = _feed.Place($"{i}", Given.Asked() with { Notes = new('n', 15_000) });
        }

        Assert.False(_feed.Commit());
        Assert.InRange(
            _feed.With(OrderTable.ChangesPrefix).Single().Value.Length,
            OrderFeed.MaxChangesBytes - 20_000,
            OrderFeed.MaxChangesBytes
        );
        Assert.Empty(Announcements.Of(0, _feed.Announced[0], []).Changes);
        Assert.Equal(
            (1, _feed.Head.Revision),
            (Announcements.Of(0, _feed.Announced[0], []).First, Announcements.Of(0, _feed.Announced[0], []).Last)
        );
    }

    [Fact]
    public async Task WhatIsTooMuchIsRefusedAsBusyAndCounted()
    {
        for (var i = 0; i < OrderFeed.MaxWaiting; i++)
        {
            _ = _feed.Place($"{i}");
        }

        Assert.Equal(OrderRefusal.Busy, (await _feed.Place("one more")).Refusal);
        while (!_feed.Commit()) { }

        Assert.Equal(
            (OrderFeed.MaxWaiting + 1, OrderFeed.MaxWaiting, 1, 0),
            (_feed.Head.In, _feed.Head.Done, _feed.Head.Refused["busy"], _feed.Head.Waiting)
        );
    }

    [Fact]
    public async Task WhenTheOwnerEndsWhoeverWaitsIsTold()
    {
        var lost = _feed.Place("a");
        _feed.Restart();
        await Assert.ThrowsAsync<InvalidOperationException>(() => lost);
        Assert.Equal(FeedOutcome.Kept, await Committed(_feed.Place("a")));
    }

    [Fact]
    public void ASubscribersCursorIsWrittenWithWhateverIsCommittedNext()
    {
        Assert.Equal(1, _feed.Feed.Register("audit", from: null));
        _ = _feed.Place("a");
        _feed.Commit();
        _feed.Feed.Advance("audit", 2);
        _feed.Feed.Advance("audit", 1);
        _feed.Feed.Advance("audit", 9);
        _feed.Feed.Advance("nobody", 2);
        Assert.True(_feed.Feed.HasUntold);
        _feed.Commit();

        Assert.False(_feed.Feed.HasUntold);
        Assert.Equal(
            [("u.audit", 2L)],
            _feed.With(OrderTable.SubscriberPrefix).Select(row => (row.Key, OrderJson.Read<SubscriberRow>(row.Value).Cursor))
        );
        Assert.Equal((2, 2), (_feed.Feed.Unread, _feed.Feed.Register("audit", 1)));
        Assert.True(_feed.Feed.Remove("audit"));
        Assert.False(_feed.Feed.Remove("audit"));
        _feed.Commit();
        Assert.Empty(_feed.With(OrderTable.SubscriberPrefix));
    }

    [Fact]
    public async Task OnlyTheLastRefusalsOfAnOrderAreKept()
    {
        _ = _feed.Place("a");
        _feed.Commit();
        for (var i = 0; i <= OrderEntry.MaxRefusals; i++)
        {
            _ = await Committed(_feed.Keep(Given.Id("a"), $"ship-{i}", OrderStep.Ship, order => order!, OrderRefusal.WrongState));
        }

        Assert.Equal(
            ["Place", .. Enumerable.Repeat("Ship", OrderEntry.MaxRefusals)],
            _feed.Orders.Single().Steps.Select(step => step.Mark)
        );
        Assert.Equal("ship-1", _feed.Orders.Single().Steps[1].Id);
    }

    /// <summary>Random steps, commits and restarts beside a model of an order that is a status and a version.</summary>
    [Fact]
    public void RandomStepsAgreeWithAPlainModel() =>
        Gen.Select(Gen.Int[0, 3], Gen.Enum<OrderStep>(), Gen.Int[0, 5], Gen.Int[0, 9])
            .List[1, 80]
            .Sample(
                commands =>
                {
                    var feed = new FeedInMemory();
                    Dictionary<int, (OrderStatus Status, long Version)> model = [];
                    Dictionary<string, long> answers = [];
                    var number = 0;
                    foreach (var (order, step, id, what) in commands)
                    {
                        feed.Clock.Advance(TimeSpan.FromSeconds(1));
                        if (what == 0)
                        {
                            // What did not come into this commit was answered to nobody, and did not happen.
                            feed.Commit();
                            feed.Restart();
                            model = Stored(feed);
                            answers.Clear();
                            continue;
                        }

                        if (what <= 3)
                        {
                            while (!feed.Commit()) { }
                        }

                        var now = feed.Clock.GetUtcNow();
                        var isRepeat = id == 0 && answers.ContainsKey($"{order}-{step}-{number - 1}");
                        var name =
                            step == OrderStep.Place
                                ? Given.Id($"{order}").Value[3..]
                                : $"{order}-{step}-{(isRepeat ? number - 1 : number++)}";
                        if (step == OrderStep.Place)
                        {
                            _ = feed.Place($"{order}", Given.Asked(payBefore: order % 2 == 0 ? Given.Start.AddDays(1) : null));
                            model.TryAdd(order, (OrderStatus.Placed, 1));
                        }
                        else if (model.TryGetValue(order, out var known) && !isRepeat)
                        {
                            var target = OrderLifecycle.Target(known.Status, step);
                            _ = feed.Keep(
                                Given.Id($"{order}"),
                                name,
                                step,
                                seen => OrderLifecycle.Decide(seen!, step, now).Changed ?? seen!,
                                target is null ? OrderRefusal.WrongState : OrderRefusal.None
                            );
                            model[order] = target is { } status ? (status, known.Version + 1) : known;
                            answers[name] = model[order].Version;
                        }
                        else if (isRepeat)
                        {
                            var again = feed.Keep(Given.Id($"{order}"), name, step, seen => seen!, OrderRefusal.WrongState);
                            while (!feed.Commit()) { }

                            Assert.Equal((FeedOutcome.Repeated, answers[name]), (again.Result.Outcome, again.Result.Order!.Version));
                        }

                        if (what == 9)
                        {
                            while (!feed.Commit()) { }

                            feed.Restart();
                        }
                    }

                    while (!feed.Commit()) { }

                    Agree(feed, model);
                },
                iter: 300
            );

    private static Dictionary<int, (OrderStatus Status, long Version)> Stored(FeedInMemory feed) =>
        Enumerable
            .Range(0, 4)
            .Select(i => (i, feed.Orders.FirstOrDefault(row => row.Order.Id == Given.Id($"{i}"))))
            .Where(pair => pair.Item2 is not null)
            .ToDictionary(pair => pair.i, pair => (pair.Item2!.Order.Status, pair.Item2.Order.Version));

    private static void Agree(FeedInMemory feed, Dictionary<int, (OrderStatus Status, long Version)> model)
    {
        Assert.Equal(model.OrderBy(pair => pair.Key), Stored(feed).OrderBy(pair => pair.Key));
        var changes = feed.Changes;
        Assert.Equal(Enumerable.Range(1, changes.Count).Select(i => (long)i), changes.Select(change => change.Revision));
        Assert.Equal(changes.Count, feed.Head.Revision);
        Assert.Equal(feed.Head.In, feed.Head.Done + feed.Head.Refused.Values.Sum() + feed.Head.Waiting);
        foreach (var row in feed.Orders)
        {
            var own = changes.Where(change => change.OrderId == row.Order.Id).ToList();
            Assert.Equal(Enumerable.Range(1, own.Count).Select(i => (long)i), own.Select(change => change.Version));
            Assert.Equal(OrderJson.Write(row.Order), OrderJson.Write(own[^1].Order));
            Assert.All(own.Skip(1).Zip(own), pair =>
                Assert.Equal(OrderJson.Write(pair.Second.Order with { Reason = null }), OrderJson.Write(pair.First.Previous!))
            );
        }

        Assert.Equal(
            feed.Orders.Select(row => "s." + row.Order.Status.ToString().ToLowerInvariant() + "." + OrderTable.Place(row.Order))
                .Order(StringComparer.Ordinal),
            feed.With("s.").Select(row => row.Key)
        );
        Assert.Equal(
            feed.Orders.Select(row => OrderTable.CustomerPrefix("ann") + OrderTable.Place(row.Order)).Order(StringComparer.Ordinal),
            feed.With("c.").Select(row => row.Key)
        );
        Assert.Equal(
            feed.Orders.Where(row => row.Order is { Status: OrderStatus.Placed, PayBefore: not null })
                .Select(row => OrderTable.Due(row.Order.PayBefore!.Value, row.Order.Id))
                .Order(StringComparer.Ordinal),
            feed.With(OrderTable.DuePrefix).Select(row => row.Key)
        );
    }

    private Task<FeedReply> Pay(string key, string step) =>
        _feed.Keep(Given.Id(key), step, OrderStep.Pay, order =>
            OrderLifecycle.Decide(order!, OrderStep.Pay, _feed.Clock.GetUtcNow()).Changed!
        );

    private async Task<FeedOutcome> Committed(Task<FeedReply> reply)
    {
        _feed.Commit();
        return (await reply).Outcome;
    }
}
