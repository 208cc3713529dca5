using Doubles;
using Doubles.Storage;
using Grains.Interfaces.Orders;
using Grains.Orders.Consumers;
using Grains.Orders.Rows;
using Grains.Storage;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Unit.Orders.Consumers;

/// <summary>What is asked of a subscriber's partition while its commits are on their way.</summary>
public sealed class SubscriberPartitionTests : IOrderSubscriber
{
    private static readonly SubscriberKey Key = new("it", 0);

    private readonly SubscriberRules _rules = new()
    {
        Name = "it",
        FromStart = true,
        KeepsOrder = false,
        Backoff = [TimeSpan.FromSeconds(1)],
    };
    private readonly FakeTimeProvider _clock = new(Given.Start);
    private readonly FlakyTableStore _store = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask<DeliveryResult> Handle(Handling handling, CancellationToken cancel) => throw new NotSupportedException();

    [Fact]
    public Task AnErasureDoesNotBringBackARowThatIsLeftMeanwhile() =>
        Turns.Run(async () =>
        {
            var it = await Open();
            var item = await Waiting(it);
            var gate = _store.HoldCommits();
            var before = it.Writer.CommitHead();
            await gate.Arrived;
            var erasing = it.Erase([item.OrderId], Cancel);
            it.Scheduler.Finish(item, DeliveryResult.Done());
            var done = Commit(it);
            gate.Open();
            await Task.WhenAll(before, erasing, done);

            Assert.Empty(await Rows(SubscriberTable.WaitingPrefix));
            Assert.Equal((1, 1, 0), (it.Committed.In, it.Committed.Done, it.Committed.Waiting));
        });

    [Fact]
    public Task ADeadLetterThatIsBeingWrittenIsErasedToo() =>
        Turns.Run(async () =>
        {
            var it = await Open();
            var item = await Waiting(it);
            var gate = _store.HoldCommits();
            it.Scheduler.Finish(item, DeliveryResult.Failed("no", "No."));
            var done = Commit(it);
            await gate.Arrived;
            var erasing = it.Erase([item.OrderId], Cancel);
            gate.Open();
            await Task.WhenAll(erasing, done);

            var dead = Assert.Single(await Rows(SubscriberTable.DeadPrefix));
            Assert.True(Erasure.IsDone(OrderJson.Read<KeptChangeRow>(dead.Payload).Order));
            await Open();
        });

    [Fact]
    public Task TwoWhoReplayADeadLetterAtOnceReplayItOnce() =>
        Turns.Run(async () =>
        {
            var it = await Open();
            it.Scheduler.Take([new(1, Given.Placed(), null, null)]);
            it.Scheduler.Finish(it.Scheduler.Begin()!, DeliveryResult.Failed("no", "No."));
            await Commit(it);

            var gate = _store.HoldCommits();
            var first = it.DeadLetters.Replay(1, null, "ann", Cancel);
            await gate.Arrived;
            var second = it.DeadLetters.Replay(1, null, "bob", Cancel);
            gate.Open();

            Assert.Equal((1, 0), (await first, await second));
            Assert.Single(await Rows(SubscriberTable.WaitingPrefix));
            Assert.Equal((1, 1, 0), (it.Committed.In, it.Committed.Waiting, it.Committed.AllDead));
        });

    [Fact]
    public Task OneThatWasRemovedAndComesBackNumbersItsNotesOn() =>
        Turns.Run(async () =>
        {
            var before = await NumberOfAReplaysNote();
            foreach (var row in await Rows(""))
            {
                await _store.Commit(SubscriberTable.Name, SubscriberTable.Partition(Key), [RowChange.Delete(row.Key)], Cancel);
            }

            _clock.Advance(TimeSpan.FromTicks(2));
            Assert.True(await NumberOfAReplaysNote() > before);
        });

    [Fact]
    public Task WhatWasDeliveredIsMadeOnceMoreAndCountedAsOneMore() =>
        Turns.Run(async () =>
        {
            var it = await Delivered(new OrderChange(1, Given.Placed(), null, null));
            var resent = await it.Deliveries.Resend(new(Given.Id(), null, null), "ann", Kept, Cancel);
            Assert.Equal(new ResentPart(1, 0, null), resent);
            Assert.Equal((2, 1, 1), (it.Committed.In, it.Committed.Done, it.Committed.Waiting));

            // What is under way is not made a third time.
            Assert.Equal(0, (await it.Deliveries.Resend(new(Given.Id(), null, null), "bob", Kept, Cancel)).Count);
            var item = it.Scheduler.Begin()!;
            it.Scheduler.Finish(item, DeliveryResult.Delivered("http-200", "Answered 200.").With("ok"));
            await Commit(it);

            var delivery = Assert.Single(await it.Deliveries.Of(Given.Id(), Cancel));
            Assert.Equal(
                ["http-204: Answered 204.", "resent: by ann", "http-200: Answered 200."],
                delivery.Tries.Select(tried => tried.What)
            );
            Assert.Equal("ok", delivery.Tries[^1].Answer);
            Assert.Equal((2, 2, 0), (it.Committed.In, it.Committed.Done, it.Committed.Waiting));
        });

    [Fact]
    public Task ASendingAgainOutlivesACrash() =>
        Turns.Run(async () =>
        {
            var it = await Delivered(new OrderChange(1, Given.Placed(), null, null));
            await it.Deliveries.Resend(new(Given.Id(), null, null), "ann", Kept, Cancel);
            var next = await Open(channel: "webhooks");
            Assert.Equal(1, next.Scheduler.Begin()!.Revision);
        });

    [Fact]
    public Task OnlyWhatWasDeliveredSinceThenIsMadeOnceMore() =>
        Turns.Run(async () =>
        {
            var it = await Delivered(new OrderChange(1, Given.Placed("a"), null, null));
            _clock.Advance(TimeSpan.FromHours(1));
            var since = _clock.GetUtcNow();
            Deliver(it, new OrderChange(2, Given.Placed("b"), null, null));
            await Commit(it);

            Assert.Equal(1, (await it.Deliveries.Resend(new(null, null, since), "ann", Kept, Cancel)).Count);
            Assert.Equal(2, it.Scheduler.Begin()!.Revision);
            Assert.Null(it.Scheduler.Begin());
        });

    [Fact]
    public Task AChangeThatIsNotKeptAnyMoreIsCountedAsGone() =>
        Turns.Run(async () =>
        {
            var it = await Delivered(new OrderChange(1, Given.Placed(), null, null));
            var resent = await it.Deliveries.Resend(new(Given.Id(), null, null), "ann", _ => Task.FromResult<OrderChange?>(null), Cancel);
            Assert.Equal(new ResentPart(0, 1, null), resent);
        });

    [Fact]
    public Task WhenAsManyWaitAsMayItSaysWhereToGoOn() =>
        Turns.Run(async () =>
        {
            var it = await Open(channel: "webhooks");
            for (var revision = 1; revision <= DeliveryScheduler.MaxWaiting + 20; revision++)
            {
                Deliver(it, new OrderChange(revision, Given.Placed($"o{revision}"), null, null));
                if (revision % 20 == 0)
                {
                    await Commit(it);
                    _clock.Advance(TimeSpan.FromSeconds(1));
                }
            }

            var part = new ResendPart(null, null, Given.Start, _clock.GetUtcNow().AddTicks(1));
            var first = await it.Deliveries.Resend(part, "ann", Kept, Cancel);
            Assert.True(first.Next is not null && first.Count is > 0 and <= DeliveryScheduler.MaxWaiting);
            while (it.Scheduler.Begin() is { } item)
            {
                it.Scheduler.Finish(item, DeliveryResult.Delivered("http-204", "Answered 204."));
            }

            _clock.Advance(TimeSpan.FromSeconds(1));
            await Commit(it);
            var second = await it.Deliveries.Resend(part with { Since = first.Next }, "ann", Kept, Cancel);
            Assert.Null(second.Next);
            Assert.Equal(DeliveryScheduler.MaxWaiting + 20, first.Count + second.Count);
        });

    private static Task<OrderChange?> Kept(long revision) =>
        Task.FromResult<OrderChange?>(new(revision, revision == 1 ? Given.Placed() : Given.Placed($"o{revision}"), null, null));

    private async Task<SubscriberPartition> Delivered(OrderChange change)
    {
        var it = await Open(channel: "webhooks");
        Deliver(it, change);
        await Commit(it);
        return it;
    }

    private static void Deliver(SubscriberPartition it, OrderChange change)
    {
        it.Scheduler.Take([change]);
        it.Scheduler.Finish(it.Scheduler.Begin()!, DeliveryResult.Delivered("http-204", "Answered 204."));
    }

    private async Task<long> NumberOfAReplaysNote()
    {
        var it = await Open(hasNoteTaker: true);
        it.Scheduler.Take([new(1, Given.Placed(), null, null)]);
        it.Scheduler.Finish(it.Scheduler.Begin()!, DeliveryResult.Failed("no", "No."));
        await Commit(it);
        Assert.Equal(1, await it.DeadLetters.Replay(1, null, "ann", Cancel));
        return Assert.Single(await it.NextNotes()).Number;
    }

    private Task<SubscriberPartition> Open(bool hasNoteTaker = false, string? channel = null) =>
        SubscriberPartition.Open(
            _store,
            new(_rules with { Channel = channel, AtOnce = 100 }, _ => this),
            Key,
            hasNoteTaker,
            from => Task.FromResult(from ?? 1),
            _clock,
            () => 0,
            Cancel
        );

    /// <summary>It waits in a row, and is being tried again.</summary>
    private async Task<ChangeItem> Waiting(SubscriberPartition it)
    {
        it.Scheduler.Take([new(1, Given.Placed(), null, null)]);
        it.Scheduler.Finish(it.Scheduler.Begin()!, DeliveryResult.Later("not yet", "Not yet."));
        await Commit(it);
        _clock.Advance(TimeSpan.FromSeconds(1));
        return it.Scheduler.Begin()!;
    }

    private static Task Commit(SubscriberPartition it)
    {
        it.Scheduler.IsHandedIn = true;
        return it.Writer.Commit(it.Scheduler);
    }

    private async Task<IReadOnlyList<TableRow>> Rows(string prefix) =>
        await _store.Scan(SubscriberTable.Name, SubscriberTable.Partition(Key), KeyRange.Prefix(prefix), 10, Cancel);
}
