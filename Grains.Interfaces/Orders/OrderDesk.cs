namespace Grains.Interfaces.Orders;

/// <summary>
/// Where orders are placed and found from outside the cluster: it knows how many partitions there are, and so which id a key stands for.
/// </summary>
public sealed class OrderDesk(IGrainFactory grains)
{
    private int _partitions;

    public IOrderListGrain List => grains.GetGrain<IOrderListGrain>(0);

    public IOrderGrain Order(OrderId id) => grains.GetGrain<IOrderGrain>(id.Value);

    public IOrderWatchGrain Watch => grains.GetGrain<IOrderWatchGrain>(0);

    public IOrderFeedGrain Feed(int partition) => grains.GetGrain<IOrderFeedGrain>(partition);

    public ISubscriberListGrain Subscribers => grains.GetGrain<ISubscriberListGrain>(0);

    public IOrderMailGrain Mail => grains.GetGrain<IOrderMailGrain>(0);

    public IWebhookListGrain Webhooks => grains.GetGrain<IWebhookListGrain>(0);

    /// <param name="id">A <see cref="WebhookId"/>.</param>
    public IWebhookEndpointGrain Webhook(string id) => grains.GetGrain<IWebhookEndpointGrain>(id);

    public IAuditGrain Audit => grains.GetGrain<IAuditGrain>(0);

    public IAuditHeadGrain AuditHeads => grains.GetGrain<IAuditHeadGrain>(0);

    /// <summary>Asked of the cluster once: it never changes.</summary>
    public async ValueTask<int> Partitions(CancellationToken cancel = default) =>
        _partitions > 0 ? _partitions : _partitions = await List.Partitions(cancel);

    /// <inheritdoc cref="IOrderGrain.Place"/>
    public async Task<OrderReply> Place(IdempotencyKey key, PlaceOrder order, CancellationToken cancel = default) =>
        await Order(key.OrderId(await Partitions(cancel))).Place(order, cancel);

    /// <summary>How far a subscriber is in each partition.</summary>
    public async Task<IReadOnlyList<SubscriberState>> Subscriber(string name, CancellationToken cancel = default)
    {
        var heads = await Task.WhenAll(Enumerable.Range(0, await Partitions(cancel)).Select(partition => Feed(partition).Head(cancel)));
        var states = await Task.WhenAll(
            heads.Select((_, partition) => grains.GetGrain<ISubscriberGrain>(new SubscriberKey(name, partition).ToString()).Show(cancel))
        );
        return [.. states.Select(state => state with { Head = heads[state.Partition].Head })];
    }
}
