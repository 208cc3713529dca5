using Doubles;
using Doubles.Orders;
using Grains.Interfaces.Orders;
using Grains.Orders.Watch;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Unit.Orders.Watch;

/// <summary>Watchers over hubs, over a feed in memory; the test moves the clock.</summary>
public sealed class WatcherTests : IDisposable
{
    private const int Partitions = 3;
    private const int All = 500;

    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(10);

    private readonly TestClock _clock = new(Given.Start);
    private readonly ChangesInMemory _feed = new(Partitions);
    private readonly OrderWatches _watches;

    public WatcherTests() => _watches = new(_feed, _clock, NullLogger<OrderWatches>.Instance);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _watches.Dispose();

    [Fact]
    public async Task FromNowNothingComesThatWasBefore()
    {
        _feed.Commit(Id(0, 1));
        using var watcher = await Open(null);
        await HubsHaveBegun(watcher);

        _feed.Commit(Id(0, 2));

        Assert.Equal([(0, 2, 1)], await Take(watcher, 1));
    }

    [Fact]
    public async Task FromTheStartEverythingThatIsKeptComes()
    {
        _feed.Commit(Id(0, 1));
        _feed.Commit(Id(2, 1));
        _feed.Commit(Id(0, 1));
        using var watcher = await Open("start");

        Assert.Equal([(0, 1, 1), (0, 2, 2), (2, 1, 1)], (await Take(watcher, 3)).Order());
    }

    [Fact]
    public async Task WhatWasCompactedBeforeTheStartIsNotMissed()
    {
        Many(0, 9);
        _feed.Compact(0, 6);
        using var watcher = await Open("start");

        Assert.Equal([6, 7, 8, 9], (await Take(watcher, 4)).Select(told => told.Revision));
    }

    [Fact]
    public async Task WhatIsAnnouncedComesWithoutAnotherReadOfTheFeed()
    {
        using var watcher = await Begun();
        var reads = _feed.Reads.Count;

        _feed.Commit(Id(0, 2));

        Assert.Equal([(0, 2, 1)], await Take(watcher, 1));
        Assert.Equal(reads, _feed.Reads.Count);
    }

    [Fact]
    public async Task AnAnnouncementThatIsLostCostsHalfASecondAndOneReadForAll()
    {
        using var watcher = await Begun();
        Watcher[] others = [.. await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Open(watcher.Cursor)))];
        var reads = _feed.Reads.Count(read => read.Partition == 0);
        _feed.CommitInSilence(Id(0, 2));
        Task<WatchBatch>[] waiting = [.. others.Append(watcher).Select(one => one.Next(All, Quiet, Cancel))];

        _clock.Advance(PartitionHub.Look - TimeSpan.FromTicks(1));
        Assert.Equal(reads, _feed.Reads.Count(read => read.Partition == 0));
        _clock.Advance(TimeSpan.FromTicks(1));

        Assert.All(await Task.WhenAll(waiting), batch => Assert.Equal([(0, 2, 1)], batch.Items.Select(Told)));
        Assert.Equal(reads + 1, _feed.Reads.Count(read => read.Partition == 0));
        Assert.All(others, one => one.Dispose());
    }

    [Fact]
    public async Task ARevisionThatIsMissingIsReadAtOnce()
    {
        using var watcher = await Begun();
        _feed.CommitInSilence(Id(0, 2));
        _feed.Commit(Id(0, 3));

        Assert.Equal([(0, 2, 1), (0, 3, 1)], await Take(watcher, 2));
    }

    [Fact]
    public async Task AnAnnouncementWithoutChangesIsRead()
    {
        using var watcher = await Begun();
        _feed.CommitInSilence(Id(0, 2));
        _feed.Announce(0, 2, 2, empty: true);

        Assert.Equal([(0, 2, 1)], await Take(watcher, 1));
    }

    [Fact]
    public async Task AnAnnouncementThatComesTwiceOrLateChangesNothing()
    {
        using var watcher = await Begun();
        _feed.Commit(Id(0, 2));
        _feed.Commit(Id(0, 3));
        _feed.Announce(0, 2, 3);
        _feed.Announce(0, 1, 2);

        Assert.Equal([2, 3], (await Take(watcher, 2)).Select(told => told.Revision));
        Assert.Empty((await Idle(watcher)).Items);
    }

    [Fact]
    public async Task ACursorGoesOnAfterEachChange()
    {
        Many(0, 7);
        Many(1, 5);
        using var watcher = await Open("start");
        var told = (await TakeItems(watcher, 12)).ToArray();

        for (var i = 0; i < told.Length; i++)
        {
            using var again = await Open(told[i].Cursor);
            Assert.Equal(told.Skip(i + 1).Select(Told).Order(), (await Take(again, told.Length - i - 1)).Order());
        }
    }

    [Fact]
    public async Task ASlowWatcherReadsTheFeedFromItsOwnPlaceAndMissesNothing()
    {
        using var slow = await Begun();
        Many(0, 3 * RecentChanges.MaxChanges, from: 2);
        var reads = _feed.Reads.Count;

        Assert.Equal(
            Enumerable.Range(2, 3 * RecentChanges.MaxChanges).Select(number => (long)number),
            (await Take(slow, 3 * RecentChanges.MaxChanges)).Select(told => told.Revision)
        );
        Assert.Equal((0, 2), _feed.Reads[reads]);
        // The last thousand came from the hub again.
        Assert.True(_feed.Reads[^1].From < 2 + (2 * RecentChanges.MaxChanges) + All);
    }

    [Fact]
    public async Task AWatcherThatReadsFarBehindKeepsNobodyElseWaiting()
    {
        using var fast = await Begun();
        Many(1, 2 * RecentChanges.MaxChanges);
        await Take(fast, 2 * RecentChanges.MaxChanges);
        var (reached, gate) = (new TaskCompletionSource(), new TaskCompletionSource());
        _feed.OnRead = (partition, from) =>
        {
            if (from != 1)
            {
                return Task.CompletedTask;
            }

            reached.TrySetResult();
            return gate.Task;
        };
        using var slow = await Open("start");
        var waiting = slow.Next(All, Quiet, Cancel);
        await reached.Task;

        _feed.Commit(Id(2, 1));
        Assert.Equal([(2, 1, 1)], await Take(fast, 1));
        Assert.False(waiting.IsCompleted);
        gate.SetResult();
        await waiting;
    }

    [Fact]
    public async Task OneOrdersWatchGetsItsChangesAlone()
    {
        using var watcher = await Open(null, Id(1, 7));
        await HubsHaveBegun(watcher, Id(1, 7));
        Many(0, 3);
        Many(1, 3);
        _feed.Commit(Id(1, 7));
        _feed.Commit(Id(1, 8));
        _feed.Commit(Id(1, 7));

        Assert.Equal([(1, 4, 1), (1, 6, 2)], await Take(watcher, 2));
    }

    [Fact]
    public async Task OneOrdersWatchFromFarBackPassesTheOthersBy()
    {
        _feed.Commit(Id(1, 7));
        Many(1, 3000, from: 2);
        _feed.Commit(Id(1, 7));
        using var watcher = await Open("start", Id(1, 7));

        Assert.Equal([(1, 1, 1), (1, 3002, 2)], await Take(watcher, 2));
    }

    [Fact]
    public async Task ACursorOfAllDoesForOneOrderAndNotTheOtherWayRound()
    {
        _feed.Commit(Id(1, 7));
        using var all = await Open("start");
        var cursor = (await TakeItems(all, 1))[0].Cursor;
        _feed.Commit(Id(1, 7));

        using var one = await Open(cursor, Id(1, 7));
        var its = (await TakeItems(one, 1))[0];
        Assert.Equal((1, 2, 2), Told(its));

        var refused = await _watches.Open(its.Cursor, null, Cancel);
        Assert.Equal(
            (WatchRefusal.Invalid, "The cursor is of a watch of one order, and does for that order only."),
            (refused.Refusal, refused.Detail)
        );
    }

    [Fact]
    public async Task ANoticeAfterAQuietTimePromisesThatAllBelowWasGiven()
    {
        using var watcher = await Begun();
        var waiting = watcher.Next(All, Quiet, Cancel);
        _clock.Advance(Quiet - TimeSpan.FromSeconds(1));
        Assert.False(waiting.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(1));
        var notice = await waiting;

        Assert.Empty(notice.Items);
        Assert.True(WatchCursor.TryRead(notice.Cursor, Partitions, out var cursor, out _));
        Assert.Equal([2, 1, 1], cursor.Next);
    }

    [Fact]
    public async Task ACursorThatWasCompactedIsRefusedWithTheLowestThatIsKept()
    {
        Many(1, 9);
        using var watcher = await Open("start");
        var cursor = (await TakeItems(watcher, 9))[2].Cursor;
        _feed.Compact(1, 6);

        // Asked with fresh hubs: those that have it in memory still give it.
        using var later = new OrderWatches(_feed, _clock, NullLogger<OrderWatches>.Instance);
        var refused = await later.Open(cursor, null, Cancel);

        Assert.Equal(WatchRefusal.Compacted, refused.Refusal);
        Assert.StartsWith(
            "What comes after this cursor is not kept any more: change 4 of partition 1 is next, and the lowest that is kept is "
                + "6 (Orders:KeepChanges). Without what is missing it goes on from w1",
            refused.Detail,
            StringComparison.Ordinal
        );
        using var on = (await later.Open(refused.Lowest, null, Cancel)).Watcher!;
        Assert.Equal([6, 7, 8, 9], (await Take(on, 4)).Select(told => told.Revision));
    }

    [Fact]
    public async Task AWatchThatIsOvertakenByCompactionEndsWithWhatItHasAndThenAnError()
    {
        using var watcher = await Begun();
        _feed.Commit(Id(2, 1));
        Many(0, 2 * RecentChanges.MaxChanges, from: 2);
        _feed.Compact(0, 100);

        var first = await watcher.Next(All, Quiet, Cancel);
        Assert.Equal([(2, 1, 1)], first.Items.Select(Told));
        Assert.Null(first.Compacted);
        var ended = await watcher.Next(All, Quiet, Cancel);
        Assert.Empty(ended.Items);
        Assert.Contains(
            "change 2 of partition 0 is next, and the lowest that is kept is 100",
            ended.Compacted!.Detail,
            StringComparison.Ordinal
        );
        using var on = await Open(ended.Compacted.Lowest);
        Assert.Equal((0, 100, 1), Told((await on.Next(1, Quiet, Cancel)).Items[0]));
    }

    [Fact]
    public async Task ACursorAboveTheHeadIsOfAnotherClusterWhenItStaysSo()
    {
        var other = WatchCursor.Write(Partitions, null, [1, 18, 1]);
        var second = TimeSpan.FromSeconds(1);
        await _clock.Armed(second, Cancel); // The pulse.
        var opening = _watches.Open(other, null, Cancel);
        for (var look = 1; look < 5; look++)
        {
            await _clock.Armed(second, Cancel);
            Assert.False(opening.IsCompleted);
            _clock.Advance(second);
        }

        var refused = await opening;
        Assert.Equal(
            (WatchRefusal.Invalid, "The cursor is of another cluster: it has seen change 17 of partition 1, and the last one here is 0."),
            (refused.Refusal, refused.Detail)
        );
    }

    [Fact]
    public async Task WhatIsNoOrdersIdIsRefused()
    {
        var refused = await _watches.Open(null, "99-00000000000000000000000000", Cancel);
        Assert.Equal(
            (WatchRefusal.Invalid, "There is no order \"99-00000000000000000000000000\", and there can be none of this id."),
            (refused.Refusal, refused.Detail)
        );
    }

    [Fact]
    public async Task AFeedThatFailsIsAskedAgainAndNothingIsMissing()
    {
        using var watcher = await Begun();
        var cursor = watcher.Cursor;
        _feed.Failure = new TimeoutException("The silo stood still.");
        Many(0, 2 * RecentChanges.MaxChanges, from: 2, announced: false);
        var waiting = watcher.Next(All, TimeSpan.FromMinutes(1), Cancel);
        await Armed(PartitionHub.Look, Partitions); // The hubs' own.
        for (var failures = 0; failures < 3; failures++)
        {
            _clock.Advance(PartitionHub.Look);
            await Armed(PartitionHub.Look, Partitions); // Each hub has failed, and waits.
        }

        Assert.False(waiting.IsCompleted);
        _feed.Failure = null;
        _clock.Advance(PartitionHub.Look);
        var told = new List<long>();
        while (told.Count < 2 * RecentChanges.MaxChanges)
        {
            told.AddRange((await waiting).Items.Select(item => item.Change.Change.Revision));
            waiting = watcher.Next(All, TimeSpan.FromMinutes(1), Cancel);
        }

        Assert.Equal(Enumerable.Range(2, 2 * RecentChanges.MaxChanges).Select(number => (long)number), told);
        Assert.NotEqual(cursor, watcher.Cursor);
    }

    [Fact]
    public async Task AHubThatNobodyWatchesStopsAndForgets()
    {
        var watcher = await Begun();
        watcher.Dispose();
        watcher.Dispose();
        Assert.Equal(0, _watches.Count);
        _clock.Advance(PartitionHub.Linger);
        await _clock.TimersLeft(1); // A hub that has stopped has let go of its own; the pulse's is there for all.

        // Whoever comes now begins with a new look at the head.
        _feed.CommitInSilence(Id(0, 2));
        using var another = await Open(watcher.Cursor);
        Assert.Equal([(0, 2, 1)], await Take(another, 1));
    }

    [Fact]
    public async Task AnAnswerHasNoMoreThanIsAskedForAndNoneIsLeftOut()
    {
        using var watcher = await Begun();
        Many(0, 50, from: 2);
        Many(1, 50);
        var told = new List<(int, long, long)>();
        while (told.Count < 100)
        {
            var batch = await watcher.Next(7, Quiet, Cancel);
            Assert.InRange(batch.Items.Length, 1, 7);
            told.AddRange(batch.Items.Select(Told));
        }

        Assert.Equal(
            Enumerable.Range(2, 50).Select(number => (long)number),
            told.Where(change => change.Item1 == 0).Select(change => change.Item2)
        );
        Assert.Equal(
            Enumerable.Range(1, 50).Select(number => (long)number),
            told.Where(change => change.Item1 == 1).Select(change => change.Item2)
        );
    }

    [Fact]
    public async Task NoMoreWatchesAreOpenedThanThereMayBe()
    {
        var open = new List<Watcher>();
        for (var i = 0; i < OrderWatches.MaxWatchers; i++)
        {
            open.Add(await Open(null));
        }

        var refused = await _watches.Open(null, null, Cancel);
        Assert.Equal(
            (WatchRefusal.Full, "10,000 watches are open in this process, which is all that there may be. Come again later."),
            (refused.Refusal, refused.Detail)
        );
        open[0].Dispose();
        open[0] = await Open(null);
        open.ForEach(watcher => watcher.Dispose());
        Assert.Equal(0, _watches.Count);
    }

    [Fact]
    public async Task WhoStandsAtTheSamePlaceGetsTheSameAnswerAndNobodyMakesItAgain()
    {
        using var watcher = await Begun();
        using var other = await Open(watcher.Cursor);
        _feed.Commit(Id(0, 2));
        _feed.Commit(Id(1, 1));

        var first = await watcher.Next(All, Quiet, Cancel);
        var second = await other.Next(All, Quiet, Cancel);

        Assert.True(first.IsShared);
        Assert.Same(first, second);
        Assert.Equal(watcher.Cursor, other.Cursor);
    }

    [Fact]
    public async Task WhoStoodApartComesTogetherAndMissesNothing()
    {
        using var watcher = await Begun();
        using var behind = await Open(watcher.Cursor);
        _feed.Commit(Id(0, 2));
        await Take(watcher, 1);
        _feed.Commit(Id(2, 1));
        _feed.Commit(Id(0, 3));

        Assert.Equal([(0, 3, 1), (2, 1, 1)], (await Take(watcher, 2)).Order());
        Assert.Equal([(0, 2, 1), (0, 3, 1), (2, 1, 1)], (await Take(behind, 3)).Order());
        Assert.Equal(watcher.Cursor, behind.Cursor);
    }

    [Fact]
    public async Task AnAnswerOfMoreThanIsAskedForIsNotShared()
    {
        using var watcher = await Begun();
        using var other = await Open(watcher.Cursor);
        Many(0, 9, from: 2);
        await Take(watcher, 9);

        Assert.Equal([2, 3, 4], (await other.Next(3, Quiet, Cancel)).Items.Select(item => Told(item).Revision));
    }

    [Fact]
    public async Task WhoAsksForFewDoesNotCutTheAnswersOfOthers()
    {
        using var few = await Begun();
        using var other = await Open(few.Cursor);
        Many(0, 9, from: 2);

        Assert.Single((await few.Next(1, Quiet, Cancel)).Items);
        Assert.Equal(9, (await other.Next(All, Quiet, Cancel)).Items.Length);
    }

    [Fact]
    public async Task AWatchOfOneOrderSharesNothing()
    {
        using var watcher = await Begun();
        using var ofOne = await Open(null, Id(0, 1));
        _feed.Commit(Id(0, 2));
        _feed.Commit(Id(0, 1));

        await Take(watcher, 2);
        var batch = await ofOne.Next(All, Quiet, Cancel);

        Assert.False(batch.IsShared);
        Assert.Equal([(0, 3, 2)], batch.Items.Select(Told));
    }

    private static OrderId Id(int partition, int number) => ChangesInMemory.Id(partition, number);

    private static (int Partition, long Revision, long Version) Told(WatchItem item) =>
        (item.Change.Change.OrderId.Partition, item.Change.Change.Revision, item.Change.Change.Version);

    private async Task<Watcher> Open(string? from, OrderId? order = null)
    {
        var opening = await _watches.Open(from, order?.Value, Cancel);
        Assert.True(opening.Watcher is not null, opening.Detail);
        return opening.Watcher;
    }

    /// <summary>A watcher that was given the first change of partition 0, so that the hubs run.</summary>
    private async Task<Watcher> Begun()
    {
        var watcher = await Open(null);
        await HubsHaveBegun(watcher);
        _feed.Commit(Id(0, 1));
        Assert.Equal([(0, 1, 1)], await Take(watcher, 1));
        return watcher;
    }

    /// <summary>What is announced while a hub begins may be lost to it until its next look, and here no time passes.</summary>
    private async Task HubsHaveBegun(Watcher watcher, OrderId? order = null)
    {
        // A hub that has begun says so by taking a cursor for known: nobody asks the feed. One that has not yet will beat when it has.
        while (true)
        {
            var (beat, heads) = (_watches.Beat, _feed.Heads);
            using var again = await Open(watcher.Cursor, order);
            if (_feed.Heads == heads)
            {
                return;
            }

            await beat.WaitAsync(Cancel);
        }
    }

    /// <summary>So many orders are placed, the first of them under the revision <paramref name="from"/>.</summary>
    private void Many(int partition, int count, int from = 1, bool announced = true)
    {
        for (var i = 0; i < count; i++)
        {
            var id = Id(partition, 1000 + i);
            Assert.Equal(from + i, (announced ? _feed.Commit(id) : _feed.CommitInSilence(id)).Revision);
        }
    }

    private async Task<List<(int Partition, long Revision, long Version)>> Take(Watcher watcher, int count) =>
        [.. (await TakeItems(watcher, count)).Select(Told)];

    private static async Task<List<WatchItem>> TakeItems(Watcher watcher, int count)
    {
        var items = new List<WatchItem>();
        while (items.Count < count)
        {
            items.AddRange((await watcher.Next(All, Quiet, Cancel)).Items);
        }

        Assert.Equal(count, items.Count);
        return items;
    }

    /// <summary>What comes while nothing is committed and the quiet time passes.</summary>
    private Task<WatchBatch> Idle(Watcher watcher)
    {
        var waiting = watcher.Next(All, Quiet, Cancel);
        _clock.Advance(Quiet);
        return waiting;
    }

    /// <summary>So many timers are set to go off in <paramref name="due"/>.</summary>
    private async Task Armed(TimeSpan due, int timers)
    {
        for (; timers > 0; timers--)
        {
            await _clock.Armed(due, Cancel);
        }
    }
}
