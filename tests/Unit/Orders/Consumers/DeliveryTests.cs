using Grains.Interfaces.Orders;
using Grains.Orders.Consumers;
using Grains.Orders.Rows;
using Xunit;

namespace Unit.Orders.Consumers;

/// <summary>A desk whose subscriber has a channel.</summary>
public sealed class DeliveryTests
{
    private static readonly DeliveryResult Delivered = DeliveryResult.Delivered("http-204", "Answered 204.");
    private static readonly DeliveryResult NotNow = DeliveryResult.Deferred(
        "circuit-open",
        "It failed too often.",
        TimeSpan.FromSeconds(15)
    );

    private readonly SchedulerInMemory _it = new(
        new()
        {
            Name = "webhook-a",
            Channel = "webhooks",
            KeepsOrder = false,
            AtOnce = 2,
            Backoff = [TimeSpan.FromSeconds(5)],
        }
    );

    [Fact]
    public void WhatBecameOfADeliveryIsKeptUnderItsOrderAndVersion()
    {
        _it.Take("a");
        _it.HandleAll(Delivered);
        _it.Commit();

        var row = Row("a");
        Assert.Equal(
            (DeliveryStatus.Delivered, "http-204", "Answered 204.", 1, Given.Start),
            (row.Status, row.Reason, row.Detail, row.Attempts, row.At)
        );
        Assert.Equal(["http-204: Answered 204."], row.History.Select(tried => tried.What));
        Assert.Equal((1, 1, 0), (_it.Head.In, _it.Head.Done, _it.Head.NotWanted));
    }

    [Fact]
    public void FailedTriesAreInItsHistory()
    {
        _it.Take("a");
        _it.HandleAll(DeliveryResult.Later("http-503", "Answered 503."));
        _it.Commit();
        _it.Clock.Advance(TimeSpan.FromSeconds(5));
        _it.HandleAll(Delivered);
        _it.Commit();

        Assert.Equal(["http-503: Answered 503.", "http-204: Answered 204."], Row("a").History.Select(tried => tried.What));
        Assert.Equal(2, Row("a").Attempts);
    }

    [Fact]
    public void AnOutcomeIsToldToTheAuditInTheSameCommit()
    {
        var it = new SchedulerInMemory(new() { Name = "mail", Channel = "mail" }, hasNoteTaker: true);
        it.Take("a", "b", "c");
        var begun = it.Begin();
        it.Scheduler.Finish(begun[0], DeliveryResult.Delivered("250", "Taken."));
        it.Scheduler.Finish(begun[1], DeliveryResult.Suppressed("no-address", "The order has none."));
        it.Scheduler.Finish(begun[2], DeliveryResult.Failed("550", "No such mailbox."));
        it.Commit();

        var notes = it
            .Rows.Where(row => row.Key.StartsWith("n.", StringComparison.Ordinal))
            .Select(row => OrderJson.Read<OrderNote>(row.Value));
        Assert.Equal(
            [
                (1L, "mail.delivered", "order.placed, attempt 1: 250"),
                (2L, "mail.suppressed", "order.placed, attempt 1: no-address"),
                (3L, "mail.dead", "order.placed, attempt 1: 550"),
            ],
            notes.Select(note => (note.Number, note.Type, note.Detail))
        );
        Assert.Equal("no-address", Assert.Single(it.Head.Suppressed).Key);
    }

    [Fact]
    public void AsManyOutcomesWaitForTheAuditAsMayAndThenTheCursorStands()
    {
        var it = new SchedulerInMemory(
            new()
            {
                Name = "mail",
                Channel = "mail",
                AtOnce = 100,
            },
            hasNoteTaker: true
        );
        it.Scheduler.Told = -DeliveryScheduler.MaxUntold + 1; // As if but one were to be told.
        it.Take("a", "b");
        it.HandleAll(Delivered);
        it.Commit();
        Assert.Equal(2, it.Head.Cursor);
        Assert.Equal("10,000 outcomes wait for the audit, more may not", it.Scheduler.Halt);

        it.Scheduler.Told++;
        it.Commit();
        Assert.Equal(3, it.Head.Cursor);
    }

    [Fact]
    public void WhatIsNothingForItIsNoNotification()
    {
        _it.Take("a");
        _it.HandleAll(DeliveryResult.Filtered());
        _it.Commit();
        Assert.Equal((1, 1, 1), (_it.Head.In, _it.Head.Done, _it.Head.NotWanted));
        Assert.DoesNotContain(_it.Rows.Keys, key => key.StartsWith("v.", StringComparison.Ordinal));
    }

    [Fact]
    public void WhileItCanNotBeAskedNothingIsBegunAndNothingIsWritten()
    {
        _it.Take("a", "b", "c");
        foreach (var item in _it.Begin())
        {
            _it.Scheduler.Finish(item, NotNow);
        }

        Assert.Empty(_it.Begin());
        Assert.False(_it.Scheduler.WantsCommit);
        Assert.Equal(Given.Start.AddSeconds(15), _it.Scheduler.NextTime);
        Assert.StartsWith("not before", _it.Scheduler.Halt, StringComparison.Ordinal);

        _it.Clock.Advance(TimeSpan.FromSeconds(15));
        var again = _it.Begin();
        Assert.Equal([(1, 1), (2, 1)], again.Select(item => (item.Revision, item.Attempts)));
        Assert.Equal(Given.Start.AddSeconds(15) + DeliveryScheduler.Grace, _it.Scheduler.NextTime);
    }

    [Fact]
    public void AClockThatGoesBackDoesNotLengthenTheWait()
    {
        _it.Take("a");
        _it.Scheduler.Finish(_it.Begin()[0], NotNow);
        _it.Clock.AdjustTime(Given.Start - TimeSpan.FromHours(1));
        Assert.Single(_it.Begin());
    }

    [Fact]
    public void OneThatIsBegunAndPassedAndCanNotBeAskedThenGoesOnWaitingInItsRow()
    {
        _it.Take("a");
        var item = _it.Begin()[0];
        _it.Clock.Advance(DeliveryScheduler.Grace);
        _it.Commit();
        _it.Scheduler.Finish(item, NotNow);
        Assert.False(_it.Scheduler.WantsCommit);
        Assert.EndsWith("circuit-open: It failed too often.", _it.Scheduler.Halt, StringComparison.Ordinal);
        _it.Clock.Advance(TimeSpan.FromSeconds(15));
        Assert.Null(_it.Scheduler.Halt);
        _it.HandleAll(Delivered);
        _it.Commit();
        Assert.Equal((1, 1, 0), (_it.Head.In, _it.Head.Done, _it.Head.Waiting));
    }

    [Fact]
    public void AChangeThatComesAfterItsOrderWasErasedIsErasedAsItComes()
    {
        var change = _it.Next("a");
        _it.Scheduler.Erase(new HashSet<OrderId> { change.OrderId });
        _it.Scheduler.Take([change]);
        Assert.True(Erasure.IsDone(_it.Begin()[0].Change.Order));
    }

    [Fact]
    public void TheDeliveriesOfACommitAreNamedByOneRowForWhenTheyAreNotKeptAnyMore()
    {
        _it.Take("a", "b");
        _it.HandleAll(Delivered);
        _it.Commit();
        var keys = OrderJson.Read<IReadOnlyList<string>>(
            Assert.Single(_it.Rows, row => row.Key.StartsWith("x.", StringComparison.Ordinal)).Value
        );
        Assert.Equal(_it.Rows.Keys.Where(key => key.StartsWith("v.", StringComparison.Ordinal)), keys.Order(StringComparer.Ordinal));
    }

    private DeliveryRow Row(string key) => OrderJson.Read<DeliveryRow>(_it.Rows[SubscriberTable.Delivery(Given.Placed(key).Id, 1)]);
}
