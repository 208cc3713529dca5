using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Grains.Orders.Rows;
using Grains.Storage;

namespace Grains.Orders.Consumers;

/// <summary>Takes what is personal of some orders out of all that a subscriber keeps in one partition: memory first, then rows.</summary>
internal sealed class SubscriberErasure(SubscriberPartition partition)
{
    private const int ChangesInCommit = 20;

    /// <summary>Durable when it answers. One at a time: whoever calls sees to it.</summary>
    public async Task Run(ImmutableArray<OrderId> orders, CancellationToken cancel)
    {
        var ids = orders.ToHashSet();
        var inRows = partition.Scheduler.Erase(ids);
        await partition.Writer.CommitHead(); // What was filled into a commit before has the data still: it is read once it is there.
        foreach (var some in inRows.Chunk(ChangesInCommit))
        {
            await partition.Commit(new RewriteWork(partition, some));
        }

        await partition.Commit(await DeadLetters(ids, cancel));
        if (partition.Channel is not null)
        {
            foreach (var order in orders)
            {
                await partition.Commit(await Deliveries(order, cancel));
            }
        }

        if (partition.Subscriber is IErasingSubscriber subscriber)
        {
            await partition.Commit(await subscriber.Erase(ids, partition.Clock.GetUtcNow(), cancel));
        }
    }

    private async Task<List<RowChange>> DeadLetters(HashSet<OrderId> ids, CancellationToken cancel)
    {
        var rows = new List<RowChange>();
        await foreach (var row in partition.ScanAll(KeyRange.Prefix(SubscriberTable.DeadPrefix), cancel))
        {
            if (OrderJson.Read<KeptChangeRow>(row.Payload) is var letter && ids.Contains(letter.Order.Id))
            {
                rows.Add(RowChange.Put(row.Key, OrderJson.Write(Erasure.Of(letter))));
            }
        }

        return rows;
    }

    private async Task<List<RowChange>> Deliveries(OrderId order, CancellationToken cancel)
    {
        var rows = new List<RowChange>();

        // One that is under way writes its row itself when it is done, without its free text.
        var underWay = partition.Scheduler.Of(order).Select(item => item.Change.Version).ToHashSet();
        await foreach (var row in partition.ScanAll(SubscriberTable.DeliveriesOf(order), cancel))
        {
            if (OrderJson.Read<DeliveryRow>(row.Payload) is var delivery && !underWay.Contains(delivery.Version))
            {
                rows.Add(RowChange.Put(row.Key, OrderJson.Write(Erasure.Of(delivery))));
            }
        }

        return rows;
    }

    /// <summary>Changes that wait, written as they are in memory when the commit is filled.</summary>
    private sealed class RewriteWork(SubscriberPartition partition, ChangeItem[] items) : IPartitionWork
    {
        public bool Fill(CommitBuilder commit)
        {
            if (!partition.Scheduler.HasRoom(commit, items.Length, items.Length * Order.MaxBytes * 2))
            {
                return false;
            }

            foreach (var item in items)
            {
                partition.Scheduler.Rewrite(item, commit);
            }

            return true;
        }
    }
}
