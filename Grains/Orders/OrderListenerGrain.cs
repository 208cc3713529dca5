using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Grains.Orders.Consumers;
using Microsoft.Extensions.Logging;
using Orleans.Streams;
using Orleans.Streams.Core;

namespace Grains.Orders;

/// <summary>
/// Hears what a partition's feed announces, and passes it on to each subscriber's grain. It keeps nothing, and waits for nobody.
/// </summary>
[ImplicitStreamSubscription(OrderStreams.Changes)]
[GrainType("orderlistener")]
public sealed class OrderListenerGrain(SubscriberCatalog catalog, ILogger<OrderListenerGrain> logger)
    : Grain,
        IOrderListenerGrain,
        IStreamSubscriptionObserver
{
    private ImmutableArray<string> _listed = [];
    private ISubscriberGrain[] _subscribers = [];

    public Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory) =>
        handleFactory
            .Create<OrdersChanged>()
            .ResumeAsync(events =>
            {
                foreach (var changed in events)
                {
                    foreach (var subscriber in Subscribers(changed.Item.Subscribers))
                    {
                        this.Observe(subscriber.Tell(changed.Item), logger);
                    }
                }

                return Task.CompletedTask;
            });

    /// <summary>Those of this program, and those that are listed with the feed as of that event.</summary>
    private ISubscriberGrain[] Subscribers(ImmutableArray<string> listed)
    {
        if (_subscribers.Length == 0 || !listed.AsSpan().SequenceEqual(_listed.AsSpan()))
        {
            var partition = (int)this.GetPrimaryKeyLong();
            _listed = listed;
            _subscribers =
            [
                .. catalog
                    .Names.Union(listed.Where(name => SubscriberKey.IsName(name) && catalog.Find(name) is not null))
                    .Select(name => GrainFactory.GetGrain<ISubscriberGrain>(new SubscriberKey(name, partition).ToString())),
            ];
        }

        return _subscribers;
    }
}
