using Grains.Interfaces.Orders;
using Grains.Orders.Watch;
using Orleans.Concurrency;

namespace Grains.Orders;

/// <summary>Long reads for the clients of this silo, from its <see cref="OrderWatches"/>.</summary>
/// <remarks>Reentrant, because a read that waits would keep the others waiting: it has no state that two of them could share.</remarks>
[StatelessWorker, Reentrant]
[GrainType("orderwatch")]
public sealed class OrderWatchGrain(OrderWatches watches) : Grain, IOrderWatchGrain
{
    public async Task<WatchPage> Read(WatchRead read, CancellationToken cancel)
    {
        if (read.Take is < 1 or > IOrderWatchGrain.MaxTake || read.Wait < TimeSpan.Zero || read.Wait > IOrderWatchGrain.MaxWait)
        {
            throw new ArgumentException(
                $"A read takes 1 to {IOrderWatchGrain.MaxTake} changes and waits {IOrderWatchGrain.MaxWait} at most; this is "
                    + $"{read.Take} and {read.Wait}.",
                nameof(read)
            );
        }

        var opening = await watches.Open(read.From, read.Order, cancel);
        using var watcher = opening.Watcher;
        if (watcher is null)
        {
            return new([], null, opening.Refusal, opening.Detail, opening.Lowest);
        }

        if (read.From is null)
        {
            return new([], watcher.Cursor);
        }

        var batch = await watcher.Next(read.Take, read.Wait, cancel);
        return batch.Compacted is { } compacted
            ? new([], null, WatchRefusal.Compacted, compacted.Detail, compacted.Lowest)
            : new([.. batch.Items.Select(item => new WatchedOrder(item.Cursor, item.Change.Change))], batch.Cursor);
    }
}
