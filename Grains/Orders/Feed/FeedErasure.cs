using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using Grains.Interfaces.Orders;
using Grains.Orders.Rows;
using Grains.Storage;

namespace Grains.Orders.Feed;

/// <summary>
/// Takes what is personal of one customer's orders out of a feed's partition: memory first, so that no later commit brings it back, then
/// the orders' rows, then the changes'.
/// </summary>
internal sealed class FeedErasure(OwnedPartition rows, OrderFeed feed, FeedHeadRow head, Func<OrderId, ValueTask<OrderEntry>> entryOf)
{
    private const int OrdersInCommit = 20;

    /// <summary>Rows of changes that are read at once: each may have 400 KB.</summary>
    private const int RowsAtOnce = 4;

    public async Task<FeedErased> Erase(string customer, CancellationToken cancel)
    {
        var ids = new HashSet<OrderId>();
        await foreach (var place in rows.ScanAll(KeyRange.Prefix(OrderTable.CustomerPrefix(customer)), cancel: cancel))
        {
            ids.Add(OrderTable.IdIn(place.Key));
        }

        foreach (var some in ids.Chunk(OrdersInCommit))
        {
            await EraseOrders(some);
        }

        feed.Tail.Replace(change => ids.Contains(change.OrderId) ? change with { Order = Erasure.Of(change.Order) } : change);
        var last = feed.Committed.Revision;
        return new([.. ids], ids.Count == 0 ? 0 : await EraseChanges(customer, ids, last, cancel), last);
    }

    /// <summary>The index by customer, when all else is done: until then it is how the orders are found.</summary>
    public async Task Forget(string customer, ImmutableArray<OrderId> orders)
    {
        var prefix = OrderTable.CustomerPrefix(customer);
        foreach (var some in orders.Chunk(StoreLimits.MaxCommitRows / 2))
        {
            var keys = new List<string>();
            foreach (var id in some)
            {
                if ((await entryOf(id)).Order is { } order && Erasure.IsDone(order))
                {
                    keys.Add(prefix + OrderTable.Place(order));
                }
            }

            await rows.Commit(keys.ConvertAll(key => RowChange.Delete(key)));
        }
    }

    private async Task EraseOrders(OrderId[] ids)
    {
        var entries = new List<OrderEntry>();
        foreach (var id in ids)
        {
            var entry = await entryOf(id);
            if (entry.Order is null)
            {
                continue;
            }

            entry.Waiting++; // It stays in memory until its row is written.
            feed.Orders.Keep(entry);
            entry.Erase();
            entries.Add(entry);
        }

        // What was decided before has the data still: the rows below come after it.
        await Task.WhenAll(entries.Select(entry => entry.Durable));
        await rows.Commit(new OrderRows(entries));
        foreach (var entry in entries)
        {
            if (--entry.Waiting == 0)
            {
                feed.Orders.Keep(entry);
            }
        }
    }

    private async Task<int> EraseChanges(string customer, HashSet<OrderId> ids, long last, CancellationToken cancel)
    {
        var sought = JsonEncodedText.Encode(customer, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes.ToArray();
        var count = 0;
        await foreach (var row in rows.ScanAll(KeyRange.Prefix(OrderTable.ChangesPrefix), RowsAtOnce, cancel))
        {
            if (OrderTable.LastRevision(row.Key) <= last && row.Payload.Span.IndexOf(sought) >= 0)
            {
                var changes = OrderJson.Read<ChangesRow>(row.Payload).Changes;
                count += changes.Count(change => ids.Contains(change.Order.Id));
                var erased = changes.Select(change =>
                    ids.Contains(change.Order.Id) ? change with { Order = Erasure.Of(change.Order) } : change
                );
                await rows.Commit(new ChangesOf(row.Key, OrderJson.Write(new ChangesRow([.. erased])), head));
            }
        }

        return count;
    }

    private sealed class OrderRows(List<OrderEntry> entries) : IPartitionWork
    {
        public bool Fill(CommitBuilder commit)
        {
            if (!commit.HasRoom(OrdersInCommit, OrdersInCommit * Order.MaxBytes * 2))
            {
                return false;
            }

            foreach (var entry in entries)
            {
                // A step that waits was decided without the data, and writes the row itself.
                if (entry.Waiting == 1 && !commit.Has(OrderTable.Order(entry.Id)))
                {
                    commit.Add(RowChange.Put(OrderTable.Order(entry.Id), OrderJson.Write(new OrderRow(entry.Order!, entry.Steps))));
                }
            }

            return true;
        }
    }

    private sealed class ChangesOf(string key, byte[] row, FeedHeadRow head) : IPartitionWork
    {
        public bool Fill(CommitBuilder commit)
        {
            if (OrderTable.LastRevision(key) < head.Lowest)
            {
                return true; // Compacted meanwhile.
            }

            if (!commit.HasRoom(1, row.Length) || commit.Has(key))
            {
                return false;
            }

            commit.Add(RowChange.Put(key, row));
            return true;
        }
    }
}
