using Grains.Interfaces.Orders;
using Grains.Orders.Subscribers;
using Orleans.Streams;
using Orleans.Streams.Core;

namespace Grains.Orders;

/// <summary>Hears what a partition's feed announces, and passes it on to each subscriber's grain. It keeps nothing, and waits for nobody.</summary>
[ImplicitStreamSubscription(OrderStreams.Changes)]
public sealed class OrderListenerGrain(SubscriberCatalog catalog) : Grain, IOrderListenerGrain, IStreamSubscriptionObserver
{
    private ISubscriberGrain[] _subscribers = [];

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        var partition = (int)this.GetPrimaryKeyLong();
        _subscribers = [.. catalog.Names.Select(name => GrainFactory.GetGrain<ISubscriberGrain>(new SubscriberKey(name, partition).ToString()))];
        return Task.CompletedTask;
    }

    public Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory) => handleFactory.Create<OrdersChanged>().ResumeAsync(events =>
    {
        foreach (var changed in events)
        {
            foreach (var subscriber in _subscribers)
            {
                _ = subscriber.Tell(changed.Item);
            }
        }

        return Task.CompletedTask;
    });
}
