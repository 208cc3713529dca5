using Grains.Interfaces.Orders;

namespace Grains.Orders.Watch;

/// <summary>The feed as the hubs of a process see it. Any of it may fail, and is asked again.</summary>
public interface IOrderChanges
{
    Task<int> Partitions(CancellationToken cancel);

    /// <inheritdoc cref="IOrderFeedGrain.Read"/>
    Task<OrderChanges> Read(int partition, long from, int take, CancellationToken cancel);

    /// <inheritdoc cref="IOrderFeedGrain.Head"/>
    Task<FeedHead> Head(int partition, CancellationToken cancel);

    /// <summary>
    /// For a minute from now <paramref name="heard"/> is told what is announced of the partition, as far as it is not lost. Asked again and
    /// again it goes on.
    /// </summary>
    Task Listen(int partition, Action<OrdersChanged> heard, CancellationToken cancel);
}
