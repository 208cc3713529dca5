using System.Collections.Immutable;
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

    /// <summary>Of an order's entries those under a head, each with its proof.</summary>
    /// <param name="size">Entries of the order's partition that the head covers.</param>
    public async Task<ImmutableArray<ProvenEntry>> Prove(
        OrderId order,
        IReadOnlyList<StoredEntry> entries,
        long size,
        CancellationToken cancel
    )
    {
        var tiles = new TileReader(Tiles(order.Partition));
        var proven = ImmutableArray.CreateBuilder<ProvenEntry>();
        foreach (var entry in entries.Where(entry => entry.Index < size))
        {
            proven.Add(
                new(
                    entry.Entry,
                    await tiles.Inclusion(entry.Index, size, cancel),
                    entry.Personal is { } personal ? SaltedPersonal.Decode(personal.Span) : null
                )
            );
        }

        return proven.ToImmutable();
    }

    /// <summary>For each partition of the older head the proof that its tree is the beginning of the newer head's.</summary>
    /// <exception cref="InvalidDataException">The heads are of no such log, or a tile is missing: what is wrong, in a sentence.</exception>
    public async Task<ImmutableArray<PartitionConsistency>> Consistency(AuditHead older, AuditHead newer, CancellationToken cancel)
    {
        var proofs = ImmutableArray.CreateBuilder<PartitionConsistency>();
        foreach (var before in older.Roots)
        {
            if (before.Partition >= partitions || newer.Of(before.Partition) is not { } after)
            {
                throw new InvalidDataException(
                    $"Partition {before.Partition} of the older head is not under the newer one, or not in this audit."
                );
            }

            if (after.Size < before.Size)
            {
                throw new InvalidDataException(
                    $"Partition {before.Partition} has {before.Size} entries under the older head and {after.Size} under the newer one: "
                        + "exchange them."
                );
            }

            var tiles = new TileReader(Tiles(before.Partition));
            proofs.Add(new(before.Partition, await tiles.Consistency(before.Size, after.Size, cancel)));
        }

        return proofs.ToImmutable();
    }

    private static string Place(int partition) => SubscriberTable.Partition(new(AuditSubscriber.Name, partition));

    private sealed class TileRows(ITableStore store, string partition) : ITileSource
    {
        public async ValueTask<ReadOnlyMemory<byte>?> Read(TileId tile, CancellationToken cancel = default) =>
            (await store.Get(SubscriberTable.Name, partition, tile.Key, cancel))?.Payload;
    }
}
