using System.Collections.Immutable;
using Grains.Interfaces.Orders;

namespace Unit.Client;

/// <summary>An audit that knows the orders in memory, and has recorded nothing of them.</summary>
internal sealed class AuditInMemory(OrdersInMemory orders) : IAuditGrain
{
    public Task<ImmutableArray<AuditedOrderLine>> Orders(int partition, OrderId? after, int take, CancellationToken cancel = default) =>
        Task.FromResult(
            orders
                .All.Select(order => order.Id)
                .Where(id => id.Partition == partition && string.CompareOrdinal(id.Value, after?.Value ?? "") > 0)
                .OrderBy(id => id.Value, StringComparer.Ordinal)
                .Take(take)
                .Select(id => new AuditedOrderLine(id, 1, "Placed", "EUR", 1, "", [], Last: null))
                .ToImmutableArray()
        );

    public Task<ImmutableArray<byte[]?>> Frontiers(CancellationToken cancel = default) => throw new NotSupportedException();

    public Task<ImmutableArray<AuditLine>> Entries(int partition, long from, int take, CancellationToken cancel = default) =>
        throw new NotSupportedException();

    public Task<byte[]?> Tile(int partition, int level, long index, CancellationToken cancel = default) =>
        throw new NotSupportedException();

    public Task<string?> Proof(OrderId order, CancellationToken cancel = default) => throw new NotSupportedException();

    public Task<ImmutableArray<AuditLine>> EntriesOf(OrderId order, CancellationToken cancel = default) =>
        throw new NotSupportedException();

    public Task<AuditDocument> Consistency(string older, string? newer, CancellationToken cancel = default) =>
        throw new NotSupportedException();
}
