using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Grains.Orders.Audit;
using Grains.Storage;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;

namespace Grains.Orders;

/// <summary>Reads the audit's rows. It keeps nothing.</summary>
[StatelessWorker]
[GrainType("audit")]
public sealed class AuditGrain(ITableStore store, IOptions<OrdersOptions> options) : Grain, IAuditGrain
{
    private readonly StoredAudit _audit = new(store, options.Value.Partitions);

    public async Task<ImmutableArray<byte[]?>> Frontiers(CancellationToken cancel)
    {
        var frontiers = await Task.WhenAll(
            Enumerable.Range(0, options.Value.Partitions).Select(partition => _audit.Frontier(partition, cancel).AsTask())
        );
        return [.. frontiers.Select(frontier => frontier?.ToArray())];
    }

    public async Task<ImmutableArray<AuditLine>> Entries(int partition, long from, int take, CancellationToken cancel)
    {
        Check(partition, from, take, IAuditGrain.MaxTake);
        var lines = ImmutableArray.CreateBuilder<AuditLine>();
        var bytes = 0;
        await foreach (var entry in _audit.EntriesFrom(partition, from, cancel))
        {
            lines.Add(new(entry.Index, entry.Entry.ToArray(), entry.Personal?.ToArray()));
            bytes += entry.Entry.Length + (entry.Personal?.Length ?? 0);
            if (lines.Count == take || bytes >= IAuditGrain.MaxBytes)
            {
                break;
            }
        }

        return lines.ToImmutable();
    }

    public async Task<byte[]?> Tile(int partition, int level, long index, CancellationToken cancel)
    {
        Check(partition, index, 1, 1);
        return (await _audit.Tiles(partition).Read(new(level, index), cancel))?.ToArray();
    }

    public async Task<string?> Proof(OrderId order, CancellationToken cancel)
    {
        Check(order.Partition, 0, 1, 1);
        var entries = await _audit.Of(order, cancel);
        if (entries.Count == 0)
        {
            return null;
        }

        var head = SignedAuditHead.FromJson(await GrainFactory.GetGrain<IAuditHeadGrain>(0).Head(cancel));
        var size = head.Head.Of(order.Partition)!.Value.Size;
        var proven = await _audit.Prove(order, entries, size, cancel);
        var key = await GrainFactory.GetGrain<IAuditHeadGrain>(0).PublicKey(cancel);
        return new AuditReceipt(head, proven, key).ToJson();
    }

    public async Task<ImmutableArray<AuditLine>> EntriesOf(OrderId order, CancellationToken cancel)
    {
        Check(order.Partition, 0, 1, 1);
        var entries = await _audit.Of(order, cancel);
        return
        [
            .. entries.TakeLast(IAuditGrain.MaxEntriesOfOrder).Select(entry => new AuditLine(entry.Index, entry.Entry.ToArray(), null)),
        ];
    }

    public async Task<AuditDocument> Consistency(string older, string? newer, CancellationToken cancel)
    {
        if (older.Length > IAuditGrain.MaxHeadLength || newer?.Length > IAuditGrain.MaxHeadLength)
        {
            return new(Text: null, $"A head has at most {IAuditGrain.MaxHeadLength} characters.");
        }

        try
        {
            var heads = GrainFactory.GetGrain<IAuditHeadGrain>(0);
            var first = SignedAuditHead.FromJson(older);
            var second = SignedAuditHead.FromJson(newer ?? await heads.Head(cancel));
            var proofs = await _audit.Consistency(first.Head, second.Head, cancel);
            return new(new AuditConsistency(first, second, proofs, await heads.PublicKey(cancel)).ToJson());
        }
        catch (Exception e) when (e is FormatException or InvalidDataException)
        {
            return new(Text: null, e.Message);
        }
    }

    public Task<ImmutableArray<AuditedOrderLine>> Orders(int partition, OrderId? after, int take, CancellationToken cancel)
    {
        Check(partition, 0, take, IAuditGrain.MaxOrders);
        return new AuditedOrders(store, _audit).Read(partition, after, take, cancel);
    }

    private void Check(int partition, long from, int take, int most)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(partition);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(partition, options.Value.Partitions);
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfLessThan(take, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(take, most);
    }
}
