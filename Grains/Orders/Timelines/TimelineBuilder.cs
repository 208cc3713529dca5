using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Grains.Interfaces.Orders;
using Grains.Orders.Audit;
using Grains.Orders.Rows;

namespace Grains.Orders.Timelines;

/// <summary>An entry of the audit with its place in the partition's tree.</summary>
public readonly record struct AuditedEntry(long Index, AuditEntry Entry);

/// <summary>Puts one order's changes, tries, outcomes and audit entries into the order of their times.</summary>
/// <remarks>
/// Changes are those that the audit has, and the order's own first and last version where it does not have them yet. An outcome is joined
/// with its entry of
/// the audit by subscriber, status and time, which are written by one commit.
/// </remarks>
public static class TimelineBuilder
{
    /// <summary>
    /// What a history's line begins with when somebody asked for something: no try, and told by the audit. Of an erased order nothing else
    /// is left of
    /// the line.
    /// </summary>
    private static readonly ImmutableArray<string> Asked = ["replayed", "resent", "discarded"];

    /// <param name="hasAudit">There is an audit: it is named among those that are behind while it does not have the last version.</param>
    public static OrderTimeline Build(
        Order order,
        OrderDeliveries deliveries,
        IReadOnlyCollection<AuditedEntry> audited,
        bool hasAudit,
        DateTimeOffset now
    )
    {
        var changes = audited.Where(entry => entry.Entry.Kind == AuditEntryKind.OrderChange).ToList();
        var notes = audited.Where(entry => entry.Entry.Kind != AuditEntryKind.OrderChange).ToDictionary(entry => entry.Index);
        var entries = new List<OrderTimelineEntry>();
        entries.AddRange(changes.Select(Change));
        entries.AddRange(Missing(order, [.. changes.Select(entry => entry.Entry.Version)]));
        foreach (var delivery in deliveries.All)
        {
            entries.AddRange(Tries(delivery));
            entries.Add(delivery.Status == DeliveryStatus.Waiting ? Waiting(delivery, now) : Outcome(delivery, notes));
        }

        entries.AddRange(notes.Values.Select(Note));
        var isBehind = hasAudit && changes.TrueForAll(entry => entry.Entry.Version < order.Version);
        var behind = isBehind ? deliveries.Behind.Add(AuditSubscriber.Name) : deliveries.Behind;
        var sorted = entries.OrderBy(entry => entry.At).ThenBy(entry => entry.Kind).ThenBy(entry => entry.Version).ToList();
        return new(order.Id, [.. sorted.TakeLast(OrderTimeline.MaxEntries)], behind)
        {
            LeftOut = Math.Max(0, sorted.Count - OrderTimeline.MaxEntries),
        };
    }

    private static OrderTimelineEntry Change(AuditedEntry audited) =>
        new(audited.Entry.At, OrderTimelineKind.Change, audited.Entry.Version, audited.Entry.Type, null, null, null, audited.Index);

    /// <summary>The order's own row is ahead of the audit for a moment.</summary>
    private static IEnumerable<OrderTimelineEntry> Missing(Order order, HashSet<long> known)
    {
        if (!known.Contains(1))
        {
            var placed = OrderForm.ChangeType(OrderStatus.Placed);
            yield return new(order.PlacedAt, OrderTimelineKind.Change, 1, placed, null, null, null, null);
        }

        if (order.Version > 1 && !known.Contains(order.Version))
        {
            var last = OrderForm.ChangeType(order.Status);
            yield return new(order.UpdatedAt, OrderTimelineKind.Change, order.Version, last, null, null, null, null);
        }
    }

    private static IEnumerable<OrderTimelineEntry> Tries(Delivery delivery) =>
        delivery.Status == DeliveryStatus.Suppressed
            ? []
            : delivery
                .Tries.Where(tried => !Asked.Contains(tried.What.Split(':')[0]))
                .Select(tried => new OrderTimelineEntry(
                    tried.At,
                    OrderTimelineKind.Try,
                    delivery.Version,
                    delivery.Type,
                    delivery.Subscriber,
                    tried.What,
                    tried.Answer,
                    null
                ));

    private static OrderTimelineEntry Waiting(Delivery delivery, DateTimeOffset now) =>
        new(
            delivery.Next > now ? delivery.Next.Value : now,
            OrderTimelineKind.Waiting,
            delivery.Version,
            $"{delivery.Subscriber}.waiting",
            delivery.Subscriber,
            delivery.Next is null
                ? "It is being tried, or comes after an earlier change of the order."
                : string.Create(CultureInfo.InvariantCulture, $"Try {delivery.Attempts + 1} comes next."),
            null,
            null
        );

    /// <summary>Takes the audit's entry of the outcome out of <paramref name="notes"/>, where it is there.</summary>
    private static OrderTimelineEntry Outcome(Delivery delivery, Dictionary<long, AuditedEntry> notes)
    {
        var what = $"{delivery.Subscriber}.{DeliveryForm.Word(delivery.Status)}";
        var at = delivery.At ?? default;
        var entry = notes.Values.FirstOrDefault(note => note.Entry.Type == what && note.Entry.At == at);
        long? index = entry.Entry is null ? null : entry.Index;
        if (index is { } known)
        {
            notes.Remove(known);
        }

        return new(at, OrderTimelineKind.Delivery, delivery.Version, what, delivery.Subscriber, delivery.Reason, null, index);
    }

    /// <summary>An outcome whose delivery is not kept any more, or something else that the audit recorded.</summary>
    private static OrderTimelineEntry Note(AuditedEntry audited)
    {
        var entry = audited.Entry;
        var isDelivery = entry.Kind == AuditEntryKind.DeliveryOutcome;
        var dot = entry.Type.LastIndexOf('.');
        return new(
            entry.At,
            isDelivery ? OrderTimelineKind.Delivery : OrderTimelineKind.Audit,
            entry.Version,
            entry.Type,
            entry.Kind is AuditEntryKind.DeliveryOutcome or AuditEntryKind.Replay && dot > 0 ? entry.Type[..dot] : null,
            entry.Payload.Length > 0 ? Encoding.UTF8.GetString(entry.Payload.Span) : null,
            null,
            audited.Index
        );
    }
}
