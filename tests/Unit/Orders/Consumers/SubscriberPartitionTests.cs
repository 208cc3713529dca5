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
            it.Desk.Finish(item, DeliveryResult.Done());
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
            it.Desk.Finish(item, DeliveryResult.Failed("no", "No."));
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
            it.Desk.Take([new(1, Given.Placed(), null, null)]);
            it.Desk.Finish(it.Desk.Begin()!, DeliveryResult.Failed("no", "No."));
            await Commit(it);

            var gate = _store.HoldCommits();
            var first = it.Replay(1, null, "ann", Cancel);
            await gate.Arrived;
            var second = it.Replay(1, null, "bob", Cancel);
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

    private async Task<long> NumberOfAReplaysNote()
    {
        var it = await Open(hasNoteTaker: true);
        it.Desk.Take([new(1, Given.Placed(), null, null)]);
        it.Desk.Finish(it.Desk.Begin()!, DeliveryResult.Failed("no", "No."));
        await Commit(it);
        Assert.Equal(1, await it.Replay(1, null, "ann", Cancel));
        return Assert.Single(await it.NextNotes()).Number;
    }

    private Task<SubscriberPartition> Open(bool hasNoteTaker = false) =>
        SubscriberPartition.Open(
            _store,
            new(_rules, _ => this),
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
        it.Desk.Take([new(1, Given.Placed(), null, null)]);
        it.Desk.Finish(it.Desk.Begin()!, DeliveryResult.Later("not yet", "Not yet."));
        await Commit(it);
        _clock.Advance(TimeSpan.FromSeconds(1));
        return it.Desk.Begin()!;
    }

    private static Task Commit(SubscriberPartition it)
    {
        it.Desk.IsHandedIn = true;
        return it.Writer.Commit(it.Desk);
    }

    private async Task<IReadOnlyList<TableRow>> Rows(string prefix) =>
        await _store.Scan(SubscriberTable.Name, SubscriberTable.Partition(Key), KeyRange.Prefix(prefix), 10, Cancel);
}
