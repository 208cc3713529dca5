using Grains.Books;
using Grains.Interfaces.Orders;
using Grains.Orders;
using Grains.Orders.Audit;
using Grains.Orders.Consumers;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Silo.Cluster;

namespace Silo.Orders;

/// <summary>Who wants to know of orders' changes.</summary>
public static class SubscribersHosting
{
    /// <summary>A subscriber: one object is made for each partition.</summary>
    public static IServiceCollection AddOrderSubscriber(
        this IServiceCollection services,
        SubscriberRules rules,
        Func<IServiceProvider, int, IOrderSubscriber> make
    ) => services.AddSingleton(provider => new SubscriberEntry(rules, partition => make(provider, partition)));

    internal static IServiceCollection AddOrderSubscribers(this IServiceCollection services)
    {
        services.AddSingleton<SubscriberCatalog>();
        services.TryAddSingleton<Func<double>>(Random.Shared.NextDouble);
        services.AddOrderSubscriber(AuditSubscriber.Rules, (_, partition) => new AuditSubscriber(partition));
        services.AddSingleton<IAccountSource, SubscriberAccounts>();
        services.AddWakeUp("audit heads", (grains, cancel) => grains.GetGrain<IAuditHeadGrain>(0).Wake(cancel));
        return services.AddWakeUp("order subscribers", (grains, cancel) => grains.GetGrain<ISubscriberListGrain>(0).Wake(cancel));
    }
}
