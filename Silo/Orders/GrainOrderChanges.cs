using System.Collections.Concurrent;
using Grains.Interfaces.Orders;
using Grains.Orders.Watch;

namespace Silo.Orders;

/// <summary>The feed's grains, and as a listener what they announce. In a silo and in a front alike.</summary>
public sealed class GrainOrderChanges(OrderDesk desk, IGrainFactory grains) : IOrderChanges, IOrderListener
{
    private readonly ConcurrentDictionary<int, Action<OrdersChanged>> _heard = new();
    private readonly Lock _gate = new();
    private IOrderListener? _self;

    public async Task<int> Partitions(CancellationToken cancel) => await desk.Partitions(cancel);

    public Task<OrderChanges> Read(int partition, long from, int take, CancellationToken cancel) =>
        desk.Feed(partition).Read(from, take, cancel);

    public Task<FeedHead> Head(int partition, CancellationToken cancel) => desk.Feed(partition).Head(cancel);

    public Task Listen(int partition, Action<OrdersChanged> heard, CancellationToken cancel)
    {
        _heard[partition] = heard;
        lock (_gate)
        {
            _self ??= grains.CreateObjectReference<IOrderListener>(this);
        }

        return grains.GetGrain<IOrderRelayGrain>(partition).Listen(_self, cancel);
    }

    public Task Changed(OrdersChanged changed)
    {
        if (_heard.TryGetValue(changed.Partition, out var heard))
        {
            heard(changed);
        }

        return Task.CompletedTask;
    }
}
