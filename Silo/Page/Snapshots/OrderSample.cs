using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Grains.Orders.Audit;

namespace Silo.Page.Snapshots;

/// <summary>One order as its view shows it: all null when there is none.</summary>
/// <param name="Timeline">As REST and the console show it.</param>
/// <param name="Proof">What the audit proves; null while it has nothing of the order.</param>
public sealed record OrderSample(Order? Order, OrderTimeline? Timeline, OrderProof? Proof);

/// <summary>What the audit has of an order, checked in this process against a head that was signed for it.</summary>
/// <param name="Wrong">The first thing that does not hold, a sentence; null when all does.</param>
/// <param name="Entries">By their places in the partition's tree.</param>
/// <param name="Size">Entries of the tree whose root was signed.</param>
/// <param name="SignedAt">When the head was signed.</param>
/// <param name="KeyId">Of the public key that the signature was checked with.</param>
public sealed record OrderProof(string? Wrong, ImmutableSortedSet<long> Entries, long Size, DateTimeOffset SignedAt, string KeyId)
{
    /// <summary>Null when the audit has nothing of the order yet.</summary>
    public static async Task<OrderProof?> Read(OrderDesk desk, OrderId order, CancellationToken cancel)
    {
        if (await desk.Audit.Proof(order, cancel) is not { } json)
        {
            return null;
        }

        var receipt = AuditReceipt.FromJson(json);
        var wrong = receipt.Check([AuditPublicKey.FromPem(await desk.AuditHeads.PublicKey(cancel))]);
        return new(
            wrong,
            [.. receipt.Entries.Select(entry => entry.Proof.Index)],
            receipt.Head.Head.Of(order.Partition)?.Size ?? 0,
            receipt.Head.Head.At,
            receipt.Head.KeyId
        );
    }
}

/// <summary>
/// Reads one order for all who look at it. The audit signs a head for each proof, so it is asked for one only when it has more of the order
/// than was proven.
/// </summary>
public sealed class OrderReader(OrderDesk desk, string text)
{
    private static readonly OrderSample None = new(null, null, null);

    private OrderProof? _proof;
    private int _proven;

    public async Task<OrderSample> Read(CancellationToken cancel)
    {
        if (
            !OrderId.TryParse(text, out var id)
            || id.Partition >= await desk.Partitions(cancel)
            || await desk.Order(id).Show(cancel) is not { } order
            || await desk.Subscribers.Timeline(id, cancel) is not { } timeline
        )
        {
            return None;
        }

        var recorded = timeline.Entries.Count(entry => entry.AuditIndex is not null);
        if (recorded != _proven)
        {
            (_proof, _proven) = (await OrderProof.Read(desk, id, cancel), recorded);
        }

        return new(order, timeline, _proof);
    }
}
