using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using Grains.Interfaces.Orders;
using Grains.Orders.Audit;
using Grains.Orders.Consumers;
using Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Silo.Orders;

namespace Cluster.Orders;

/// <summary>Orders with two subscribers: one that counts, and one that does with an order what its customer's name says.</summary>
public sealed class SubscriberCluster : OrderCluster
{
    /// <summary>What the obedient one was given, as often as it was.</summary>
    public ConcurrentQueue<(OrderId Order, long Version, int Attempt)> Given { get; } = new();

    /// <summary>Customers whose changes are not refused any more.</summary>
    public ConcurrentDictionary<string, bool> Mended { get; } = new();

    public ISubscriberGrain Subscriber(string name, int partition) =>
        Grains.GetGrain<ISubscriberGrain>(new SubscriberKey(name, partition).ToString());

    protected override void AddSubscribers(IServiceCollection services)
    {
        services.AddOrderSubscriber(AuditSubscriber.Rules, (_, partition) => new AuditSubscriber(partition));
        services.AddOrderSubscriber(new() { Name = "counter", FromStart = true }, (_, _) => new CountingSubscriber());
        services.AddOrderSubscriber(
            new()
            {
                Name = "obedient",
                FromStart = true,
                AtOnce = 4,
                Backoff = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)],
            },
            (provider, _) => new ObedientSubscriber(this, provider.GetRequiredService<TimeProvider>())
        );
    }

    /// <summary>
    /// The example of a subscriber: it counts changes by what happened. That is all that a further one takes, beside its registration
    /// above.
    /// </summary>
    private sealed class CountingSubscriber : IOrderProjector
    {
        private ImmutableSortedDictionary<string, int> _counts = ImmutableSortedDictionary<string, int>.Empty;

        public ValueTask Open(ISubscriberStore store, ReadOnlyMemory<byte> state, CancellationToken cancel)
        {
            _counts = state.IsEmpty
                ? _counts
                : System.Text.Json.JsonSerializer.Deserialize<ImmutableSortedDictionary<string, int>>(state.Span)!;
            return ValueTask.CompletedTask;
        }

        public ValueTask<DeliveryResult> Handle(Handling handling, CancellationToken cancel)
        {
            var row = RowChange.Put(
                string.Create(CultureInfo.InvariantCulture, $"seen.{handling.Change.OrderId}.{handling.Change.Version}"),
                ReadOnlyMemory<byte>.Empty
            );
            return new(
                DeliveryResult.Done([row], () =>
                    _counts = _counts.SetItem(handling.Change.Type, _counts.GetValueOrDefault(handling.Change.Type) + 1)
                )
            );
        }

        public void Seal(CommitBuilder commit) { }

        public ReadOnlyMemory<byte> State => System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(_counts);
    }

    private sealed class ObedientSubscriber(SubscriberCluster cluster, TimeProvider clock) : IOrderSubscriber
    {
        public async ValueTask<DeliveryResult> Handle(Handling handling, CancellationToken cancel)
        {
            var (change, attempt) = (handling.Change, handling.Attempt);
            cluster.Given.Enqueue((change.OrderId, change.Version, attempt));
            var customer = change.Order.Customer;
            if (cluster.Mended.ContainsKey(customer))
            {
                return DeliveryResult.Done();
            }

            switch (customer.Split('-')[0])
            {
                case "throws":
                    throw new InvalidOperationException("It always throws.");
                case "fails":
                    return DeliveryResult.Failed("no address", "The order has none.");
                case "slow":
                    await Task.Delay(TimeSpan.FromSeconds(5), clock, cancel);
                    return DeliveryResult.Done();
                case "hangs":
                    await Task.Delay(Timeout.InfiniteTimeSpan, clock, CancellationToken.None);
                    return DeliveryResult.Done();
                default:
                    return DeliveryResult.Done();
            }
        }
    }
}
