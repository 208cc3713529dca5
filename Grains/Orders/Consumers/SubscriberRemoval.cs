using Grains.Interfaces.Orders;
using Grains.Orders.Rows;
using Grains.Storage;

namespace Grains.Orders.Consumers;

/// <summary>Removes the rows of a subscriber whose activation takes nothing any more: nobody writes there.</summary>
/// <param name="audit">Is told what it has yet to be told before the rows go; null: there is no audit.</param>
internal sealed class SubscriberRemoval(ITableStore store, SubscriberKey key, ISubscriberGrain? audit)
{
    private readonly string _partition = SubscriberTable.Partition(key);

    /// <summary>The head goes last, so that a removal that ends halfway is found again.</summary>
    /// <exception cref="InvalidOperationException">Some rows are left: ask again.</exception>
    public async Task Run(CancellationToken cancel)
    {
        await TellRest(cancel);
        var changes = new List<RowChange>();
        await foreach (var row in store.ScanAll(SubscriberTable.Name, _partition, KeyRange.All, StoreLimits.MaxCommitRows, cancel))
        {
            if (row.Key != PartitionWriter.HeadKey)
            {
                changes.Add(RowChange.Delete(row.Key));
            }

            if (changes.Count == StoreLimits.MaxCommitRows)
            {
                await Delete(changes, cancel);
                changes.Clear();
            }
        }

        await Delete(changes, cancel);
        await Delete([RowChange.Delete(PartitionWriter.HeadKey)], cancel);
    }

    /// <summary>What the audit has been told already it knows by the numbers.</summary>
    private async Task TellRest(CancellationToken cancel)
    {
        if (audit is null)
        {
            return;
        }

        var notes = new List<OrderNote>();
        var range = KeyRange.Prefix(SubscriberTable.NotePrefix);
        await foreach (var row in store.ScanAll(SubscriberTable.Name, _partition, range, DeliveryResult.MaxRows, cancel))
        {
            notes.Add(OrderJson.Read<OrderNote>(row.Payload));
            if (notes.Count == DeliveryResult.MaxRows)
            {
                await audit.Record(key.ToString(), [.. notes], cancel);
                notes.Clear();
            }
        }

        if (notes.Count > 0)
        {
            await audit.Record(key.ToString(), [.. notes], cancel);
        }
    }

    private async Task Delete(List<RowChange> changes, CancellationToken cancel)
    {
        if (
            changes.Count > 0
            && await store.Commit(SubscriberTable.Name, _partition, changes, cancel) is { Outcome: not CommitOutcome.Committed } failed
        )
        {
            throw new InvalidOperationException($"What is kept of {key} could not be removed whole; ask again.", failed.Cause);
        }
    }
}
