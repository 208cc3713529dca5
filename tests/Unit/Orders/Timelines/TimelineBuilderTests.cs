using System.Text;
using Grains.Interfaces.Orders;
using Grains.Orders.Audit;
using Grains.Orders.Rows;
using Grains.Orders.Timelines;
using Xunit;

namespace Unit.Orders.Timelines;

public sealed class TimelineBuilderTests
{
    private static readonly DateTimeOffset Start = Given.Start;

    private static readonly Order Paid = Given.Placed() with { Version = 2, Status = OrderStatus.Paid, UpdatedAt = Start.AddSeconds(10) };

    [Fact]
    public void ChangesTriesAndOutcomesStandInTheOrderOfTheirTimes()
    {
        var delivered = Delivered(
            "webhook-a",
            1,
            Start.AddSeconds(3),
            ("http-500: Answered 500.", 1, "out of order"),
            ("http-204: Answered 204.", 2, null)
        );
        var timeline = Build(Paid, [delivered], Change(7, 1, Start), Change(9, 2, Start.AddSeconds(10)));

        Assert.Equal(
            [
                (OrderTimelineKind.Change, "order.placed", null, 7L),
                (OrderTimelineKind.Try, "order.placed", "out of order", null),
                (OrderTimelineKind.Try, "order.placed", null, null),
                (OrderTimelineKind.Delivery, "webhook-a.delivered", null, null),
                (OrderTimelineKind.Change, "order.paid", null, (long?)9),
            ],
            timeline.Entries.Select(entry => (entry.Kind, entry.What, entry.Answer, entry.AuditIndex))
        );
        Assert.Empty(timeline.Behind);
    }

    [Fact]
    public void AnOutcomeIsJoinedWithItsEntryOfTheAudit()
    {
        var delivered = Delivered("mail", 1, Start.AddSeconds(3), ("smtp-250: Taken.", 3, null));
        var timeline = Build(
            Paid,
            [delivered],
            Change(0, 1, Start),
            Change(1, 2, Start.AddSeconds(10)),
            Note(2, AuditEntryKind.DeliveryOutcome, "mail.delivered", Start.AddSeconds(3), "order.placed, attempt 1: smtp-250")
        );
        var outcome = Assert.Single(timeline.Entries, entry => entry.Kind == OrderTimelineKind.Delivery);
        Assert.Equal((2L, 1L, "mail"), (outcome.AuditIndex, outcome.Version, outcome.Subscriber));
    }

    [Fact]
    public void AnOutcomeOfWhichOnlyTheAuditIsKeptIsThereToo()
    {
        var timeline = Build(
            Paid,
            [],
            Change(0, 1, Start),
            Change(1, 2, Start.AddSeconds(10)),
            Note(2, AuditEntryKind.DeliveryOutcome, "mail.dead", Start.AddSeconds(3), "order.placed, attempt 12: smtp-550"),
            Note(3, AuditEntryKind.Replay, "mail.replayed", Start.AddSeconds(4), "by ann; smtp-550"),
            Note(4, AuditEntryKind.Erase, "order.erased", Start.AddSeconds(20), "")
        );
        Assert.Equal(
            [
                (OrderTimelineKind.Delivery, "mail.dead", "mail"),
                (OrderTimelineKind.Audit, "mail.replayed", "mail"),
                (OrderTimelineKind.Audit, "order.erased", null),
            ],
            timeline
                .Entries.Where(entry => entry.Kind != OrderTimelineKind.Change)
                .Select(entry => (entry.Kind, entry.What, entry.Subscriber))
        );
    }

    [Fact]
    public void ChangesThatTheAuditDoesNotHaveYetComeFromTheOrderAndTheAuditIsBehind()
    {
        var timeline = Build(Paid, []);
        Assert.Equal([("order.placed", 1L), ("order.paid", 2L)], timeline.Entries.Select(entry => (entry.What, entry.Version)));
        Assert.Equal(["audit"], timeline.Behind);
    }

    [Fact]
    public void WhatWaitsComesLastWithItsNextTry()
    {
        var waiting = new Delivery("webhook-a", 2, "order.paid", DeliveryStatus.Waiting, "http-503", 1, null, Start.AddHours(1), []);
        var last = Build(Paid, [waiting]).Entries[^1];
        Assert.Equal(
            (OrderTimelineKind.Waiting, Start.AddHours(1), "webhook-a.waiting", "Try 2 comes next."),
            (last.Kind, last.At, last.What, last.Detail)
        );
    }

    [Fact]
    public void WhoAskedForASendingAgainIsNoTry()
    {
        var delivered = Delivered(
            "webhook-a",
            1,
            Start.AddSeconds(3),
            ("http-204: Answered 204.", 1, null),
            ("resent: by ann", 2, null),
            ("replayed", 2, null),
            ("http-204: Answered 204.", 3, null)
        );
        Assert.Equal(2, Build(Paid, [delivered]).Entries.Count(entry => entry.Kind == OrderTimelineKind.Try));
    }

    [Fact]
    public void OfMoreEntriesThanAreShownTheOldestAreLeftOutAndCounted()
    {
        var many = Enumerable
            .Range(0, OrderTimeline.MaxEntries + 5)
            .Select(i => Note(i, AuditEntryKind.Replay, "mail.replayed", Start.AddSeconds(100 + i), "by ann"))
            .ToArray();
        var timeline = Build(Paid, [], many);
        Assert.Equal((OrderTimeline.MaxEntries, 7L), (timeline.Entries.Length, timeline.LeftOut));
        Assert.Equal(Start.AddSeconds(100 + OrderTimeline.MaxEntries + 4), timeline.Entries[^1].At);
    }

    private static OrderTimeline Build(Order order, Delivery[] deliveries, params AuditedEntry[] audited) =>
        TimelineBuilder.Build(order, new([.. deliveries], []), audited, hasAudit: true, Start.AddMinutes(1));

    private static Delivery Delivered(
        string subscriber,
        long version,
        DateTimeOffset at,
        params (string What, int Second, string? Answer)[] tries
    ) =>
        new(
            subscriber,
            version,
            "order.placed",
            DeliveryStatus.Delivered,
            "http-204",
            tries.Length,
            at,
            null,
            [.. tries.Select(tried => new HandlingTry(Start.AddSeconds(tried.Second), tried.What) { Answer = tried.Answer })]
        );

    private static AuditedEntry Change(long index, long version, DateTimeOffset at) =>
        new(
            index,
            AuditEntry.OfOrder(
                0,
                index,
                index + 1,
                Given.Id().Value,
                version,
                version == 1 ? "order.placed" : "order.paid",
                at,
                AuditSubscriber.AuditedOf(Given.Placed()),
                null
            )
        );

    private static AuditedEntry Note(long index, AuditEntryKind kind, string type, DateTimeOffset at, string detail) =>
        new(
            index,
            new()
            {
                Kind = kind,
                Partition = 0,
                Index = index,
                Revision = 0,
                OrderId = Given.Id().Value,
                Version = 0,
                Type = type,
                At = at,
                Payload = Encoding.UTF8.GetBytes(detail),
            }
        );
}
