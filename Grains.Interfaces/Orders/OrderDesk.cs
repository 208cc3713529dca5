namespace Grains.Interfaces.Orders;

/// <summary>Where orders are placed and found from outside the cluster: it knows how many partitions there are, and so which id a key stands for.</summary>
public sealed class OrderDesk(IGrainFactory grains)
{
    private int _partitions;

    public IOrderListGrain List => grains.GetGrain<IOrderListGrain>(0);

    public IOrderGrain Order(OrderId id) => grains.GetGrain<IOrderGrain>(id.Value);

    public IOrderWatchGrain Watch => grains.GetGrain<IOrderWatchGrain>(0);

    public IOrderFeedGrain Feed(int partition) => grains.GetGrain<IOrderFeedGrain>(partition);

    public ISubscriberListGrain Subscribers => grains.GetGrain<ISubscriberListGrain>(0);

    public IOrderMailGrain Mail => grains.GetGrain<IOrderMailGrain>(0);

    public IAuditGrain Audit => grains.GetGrain<IAuditGrain>(0);

    public IAuditHeadGrain AuditHeads => grains.GetGrain<IAuditHeadGrain>(0);

    /// <summary>Asked of the cluster once: it never changes.</summary>
    public async ValueTask<int> Partitions(CancellationToken cancel = default) => _partitions > 0 ? _partitions : _partitions = await List.Partitions(cancel);

    /// <inheritdoc cref="IOrderGrain.Place"/>
    public async Task<OrderReply> Place(IdempotencyKey key, PlaceOrder order, CancellationToken cancel = default) =>
        await Order(key.OrderId(await Partitions(cancel))).Place(order, cancel);
}
