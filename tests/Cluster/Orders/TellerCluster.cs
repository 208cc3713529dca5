using System.Collections.Concurrent;
using Grains.Interfaces.Orders;
using Grains.Orders.Audit;
using Grains.Orders.Consumers;
using Grains.Orders.Rows;
using Microsoft.Extensions.DependencyInjection;
using Silo.Orders;

namespace Cluster.Orders;

/// <summary>Orders with a subscriber that has a channel, and does with an order what its customer's name says.</summary>
public sealed class TellerCluster : OrderCluster
{
    public const string Teller = "teller";

    /// <summary>What was told: customers as they stood in the order.</summary>
    public ConcurrentQueue<(OrderId Order, string Customer)> Told { get; } = new();

    /// <summary>Customers that can be told now.</summary>
    public ConcurrentDictionary<string, bool> Mended { get; } = new();

    /// <summary>Nobody is there for what was erased either.</summary>
    public bool StaysAway { get; set; }

    /// <summary>There are guests: false once they are gone, so that nobody opens them anew.</summary>
    public bool HasGuests { get; set; } = true;

    public ISubscriberGrain Grain(int partition) => Grains.GetGrain<ISubscriberGrain>(new SubscriberKey(Teller, partition).ToString());

    protected override void AddSubscribers(IServiceCollection services)
    {
        services.AddOrderSubscriber(AuditSubscriber.Rules, (_, partition) => new AuditSubscriber(partition));
        services.AddOrderSubscriber(
            new()
            {
                Name = Teller,
                Channel = "voice",
                FromStart = true,
                KeepsOrder = false,
                Backoff = [TimeSpan.FromSeconds(5)],
            },
            (_, _) => new TellingSubscriber(this)
        );
        services.AddSingleton(
            new SubscriberFamily("guest", "voice", name =>
                new(new() { Name = name, Channel = "voice" }, _ => new TellingSubscriber(this))
                {
                    IsThere = _ => Task.FromResult(HasGuests),
                }
            )
        );
    }

    private sealed class TellingSubscriber(TellerCluster cluster) : IOrderSubscriber
    {
        public ValueTask<DeliveryResult> Handle(Handling handling, CancellationToken cancel)
        {
            var (order, does) = (handling.Change.Order, handling.Change.Order.Customer);
            return new(
                does switch
                {
                    _ when does.StartsWith("deaf", StringComparison.Ordinal) && !cluster.Mended.ContainsKey(does) => DeliveryResult.Failed(
                        "deaf",
                        "Nobody heard."
                    ),
                    _ when IsAway(does) => DeliveryResult.Deferred("away", "Nobody is there.", TimeSpan.FromSeconds(30)),
                    _ when does.StartsWith("asleep", StringComparison.Ordinal) && handling.Attempt == 1 => DeliveryResult.Later(
                        "asleep",
                        "It was asleep."
                    ),
                    "monk" => DeliveryResult.Suppressed("silence", "It wants to hear nothing."),
                    "stranger" => DeliveryResult.Filtered(),
                    _ => Tell(order),
                }
            );
        }

        private bool IsAway(string customer) =>
            (customer.StartsWith("away", StringComparison.Ordinal) && !cluster.Mended.ContainsKey(customer))
            || (cluster.StaysAway && customer == Erasure.Customer);

        private DeliveryResult Tell(Order order)
        {
            cluster.Told.Enqueue((order.Id, order.Customer));
            return DeliveryResult.Delivered("heard", "It was heard.");
        }
    }
}
