using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Grains.Orders.Rows;
using Grains.Storage;

namespace Grains.Orders.Audit;

/// <summary>Orders as the store has them, beside what the audit has of them: for whoever compares the two.</summary>
internal sealed class AuditedOrders(ITableStore store, StoredAudit audit)
{
    /// <summary>Orders of a partition in order of their ids, after <paramref name="after"/>; null: from the first on.</summary>
    public async Task<ImmutableArray<AuditedOrderLine>> Read(int partition, OrderId? after, int take, CancellationToken cancel)
    {
        var range = KeyRange.Prefix(OrderTable.OrderPrefix);
        var rows = await store.Scan(
            OrderTable.Name,
            OrderTable.Partition(partition),
            after is { } id ? range.After(OrderTable.Order(id)) : range,
            take,
            cancel
        );
        return [.. await Task.WhenAll(rows.Select(row => Line(OrderJson.Read<OrderRow>(row.Payload).Order, cancel)))];
    }

    private async Task<AuditedOrderLine> Line(Order order, CancellationToken cancel)
    {
        var audited = AuditSubscriber.AuditedOf(order);
        var (versions, last) = (ImmutableArray.CreateBuilder<long>(), (byte[]?)null);
        foreach (var entry in await audit.Of(order.Id, cancel))
        {
            try
            {
                if (AuditEntry.Decode(entry.Entry.Span) is { Kind: AuditEntryKind.OrderChange } read)
                {
                    versions.Add(read.Version);
                    last = entry.Entry.ToArray();
                }
            }
            catch (FormatException)
            {
                versions.Add(-1); // Unreadable: no version of it.
            }
        }

        return new(
            order.Id,
            order.Version,
            audited.Status,
            audited.Currency,
            audited.Total,
            audited.LinesHash.ToString(),
            versions.ToImmutable(),
            last
        );
    }
}
