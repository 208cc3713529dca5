using Grains.Interfaces.Orders;
using Grains.Orders.Rows;
using Grains.Storage;

namespace Grains.Orders.Audit;

/// <summary>Reads the audit of all partitions from its rows.</summary>
public sealed class StoredAudit(ITableStore store, int partitions) : IAuditSource
{
    private const int RowsAtOnce = 4;

    public ValueTask<IReadOnlyCollection<int>> Partitions(CancellationToken cancel = default) => new([.. Enumerable.Range(0, partitions)]);

    public async ValueTask<ReadOnlyMemory<byte>?> Frontier(int partition, CancellationToken cancel = default)
    {
        var row = await store.Get(SubscriberTable.Name, Place(partition), PartitionWriter.HeadKey, cancel);
        return row is not null && OrderJson.Read<SubscriberHeadRow>(row.Payload).State is { } state
            ? new ReadOnlyMemory<byte>(state)
            : (ReadOnlyMemory<byte>?)null;
    }

    public async ValueTask<PartitionRoot> Root(int partition, CancellationToken cancel)
    {
        var tree = await Frontier(partition, cancel) is { } frontier ? MerkleTree.FromBytes(frontier.Span) : new();
        return new(partition, tree.Size, tree.Root);
    }

    public async IAsyncEnumerable<StoredEntry> Entries(
        int partition,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel = default
    )
    {
        await foreach (var entry in EntriesFrom(partition, 0, cancel))
        {
            yield return entry;
        }
    }

    public async IAsyncEnumerable<StoredEntry> EntriesFrom(
        int partition,
        long from,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel
    )
    {
        for (var range = AuditRows.EntriesFrom(from); ; )
        {
            var rows = await store.Scan(SubscriberTable.Name, Place(partition), range, RowsAtOnce, cancel);
            foreach (var row in rows)
            {
                var entries = AuditRows.Read(row.Payload);
                var personal = await store.Get(
                    SubscriberTable.Name,
                    Place(partition),
                    AuditRows.Personal(AuditRows.LastIndex(row.Key)),
                    cancel
                )
                    is { } parts
                    ? AuditRows.Read(parts.Payload)
                    : [];
                var first = AuditRows.LastIndex(row.Key) - entries.Length + 1;
                for (var i = 0; i < entries.Length; i++)
                {
                    if (first + i >= from)
                    {
                        yield return new(
                            first + i,
                            entries[i] ?? [],
                            i < personal.Length && personal[i] is { } part ? part : (ReadOnlyMemory<byte>?)null
                        );
                    }
                }
            }

            if (rows.Count < RowsAtOnce)
            {
                yield break;
            }

            range = range.After(rows[^1].Key);
        }
    }

    public ITileSource Tiles(int partition) => new TileRows(store, Place(partition));

    /// <summary>The entries about an order, at most <see cref="AuditReceipt.MaxEntries"/>.</summary>
    public async Task<List<StoredEntry>> Of(OrderId order, CancellationToken cancel)
    {
        var entries = new List<StoredEntry>();
        for (var range = AuditRows.OfOrder(order); entries.Count < AuditReceipt.MaxEntries; )
        {
            var keys = await store.Scan(SubscriberTable.Name, Place(order.Partition), range, StoreLimits.MaxScan, cancel);
            foreach (var key in keys)
            {
                await foreach (var entry in EntriesFrom(order.Partition, AuditRows.IndexIn(key.Key), cancel))
                {
                    entries.Add(entry);
                    break;
                }
            }

            if (keys.Count < StoreLimits.MaxScan)
            {
                break;
            }

            range = range.After(keys[^1].Key);
        }

        return entries;
    }

    private static string Place(int partition) => SubscriberTable.Partition(new(AuditSubscriber.Name, partition));

    private sealed class TileRows(ITableStore store, string partition) : ITileSource
    {
        public async ValueTask<ReadOnlyMemory<byte>?> Read(TileId tile, CancellationToken cancel = default) =>
            (await store.Get(SubscriberTable.Name, partition, tile.Key, cancel))?.Payload;
    }
}
