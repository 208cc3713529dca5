using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Grains.Orders.Audit;
using Grains.Orders.Rows;

namespace Silo.Page.Snapshots;

/// <summary>One order as its view shows it.</summary>
/// <param name="Order">Null when there is none.</param>
/// <param name="Timeline">What happened, the oldest first.</param>
/// <param name="Behind">Subscribers that have yet to take changes of the order's partition.</param>
/// <param name="Proof">What the audit proves; null while it has nothing of the order.</param>
public sealed record OrderSample(Order? Order, ImmutableArray<TimelineEntry> Timeline, ImmutableArray<string> Behind, OrderProof? Proof);

/// <summary>What the audit has of an order, checked in this process against the signed head.</summary>
/// <param name="Wrong">The first thing that does not hold, a sentence; null when all does.</param>
/// <param name="SignedAt">When the head was signed.</param>
public sealed record OrderProof(int Entries, string? Wrong, DateTimeOffset SignedAt);

public enum TimelineKind
{
    Change,
    Good,
    Bad,
    Quiet,
}

/// <param name="What">A word or two: <c>order.paid</c>, or who was told.</param>
/// <param name="Detail">A sentence, of any origin; null when there is nothing more to say.</param>
public sealed record TimelineEntry(DateTimeOffset At, TimelineKind Kind, string What, string? Detail);

/// <summary>One order's history, put together from what the audit has and from what became of telling others.</summary>
public static class OrderTimeline
{
    public static async Task<OrderSample> Read(OrderDesk desk, string text, CancellationToken cancel)
    {
        if (
            !OrderId.TryParse(text, out var id)
            || id.Partition >= await desk.Partitions(cancel)
            || await desk.Order(id).Show(cancel) is not { } order
        )
        {
            return new(null, [], [], null);
        }

        var deliveries = await desk.Subscribers.Deliveries(id, cancel);
        var receipt = await desk.Audit.Proof(id, cancel) is { } proof ? AuditReceipt.FromJson(proof) : null;
        var wrong = receipt?.Check([AuditPublicKey.FromPem(await desk.AuditHeads.PublicKey(cancel))]);
        return new(
            order,
            Of(order, deliveries, receipt),
            deliveries.Behind,
            receipt is null ? null : new(receipt.Entries.Length, wrong, receipt.Head.Head.At)
        );
    }

    public static ImmutableArray<TimelineEntry> Of(Order order, OrderDeliveries deliveries, AuditReceipt? receipt)
    {
        var recorded = receipt is null ? [] : receipt.Entries.Select(entry => AuditEntry.Decode(entry.Entry.Span)).ToArray();
        var changes = recorded
            .Where(entry => entry.Kind == AuditEntryKind.OrderChange)
            .Select(entry => new TimelineEntry(entry.At, TimelineKind.Change, entry.Type, $"Version {entry.Version}, in the audit."))
            .ToList();
        if (!recorded.Any(entry => entry.Kind == AuditEntryKind.OrderChange && entry.Version == order.Version))
        {
            changes.Add(
                new(
                    order.UpdatedAt,
                    TimelineKind.Change,
                    OrderForm.ChangeType(order.Status),
                    $"Version {order.Version}, not in the audit yet."
                )
            );
        }

        // What became of a delivery is told by the tries, as long as those are kept.
        var kept = deliveries.All.Select(delivery => delivery.Version).ToHashSet();
        var others = recorded
            .Where(entry =>
                entry.Kind != AuditEntryKind.OrderChange && !(entry.Kind == AuditEntryKind.DeliveryOutcome && kept.Contains(entry.Version))
            )
            .Select(entry => new TimelineEntry(entry.At, TimelineKind.Quiet, entry.Type, $"Of version {entry.Version}, in the audit."));
        return
        [
            .. changes
                .Concat(others)
                .Concat(deliveries.All.SelectMany(Of))
                .OrderBy(entry => entry.At)
                .ThenBy(entry => entry.Kind != TimelineKind.Change),
        ];
    }

    private static IEnumerable<TimelineEntry> Of(Delivery delivery)
    {
        var to = $"{delivery.Subscriber}: {delivery.Type}";
        foreach (var tried in delivery.Tries)
        {
            yield return new(tried.At, TimelineKind.Quiet, $"{to}, a try", tried.What);
        }

        if (delivery.At is { } at)
        {
            yield return new(
                at,
                delivery.Status switch
                {
                    DeliveryStatus.Delivered => TimelineKind.Good,
                    DeliveryStatus.Dead or DeliveryStatus.Discarded => TimelineKind.Bad,
                    _ => TimelineKind.Quiet,
                },
                $"{to}, {DeliveryForm.Word(delivery.Status)}",
                $"{delivery.Reason ?? ""} after {delivery.Attempts} tries".Trim()
            );
        }
        else if (delivery.Next is { } next)
        {
            yield return new(next, TimelineKind.Quiet, $"{to}, waits", "It is tried again then.");
        }
    }
}
