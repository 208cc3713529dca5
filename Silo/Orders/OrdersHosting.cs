using Grains.Books;
using Grains.Interfaces.Orders;
using Grains.Orders;
using Grains.Orders.Watch;
using Silo.Cluster;
using Silo.Endpoints;
using Silo.Http;
using Silo.Settings;
using Silo.Storage;

namespace Silo.Orders;

/// <summary>What orders need of the silo.</summary>
public static class OrdersHosting
{
    public static void AddOrders(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddRestJson(OrdersJson.Default);
        AddWatches(services);
        services.AddSingleton(provider =>
            ActivatorUtilities.CreateInstance<DeliveryMetrics>(
                provider,
                (CancellationToken cancel) => provider.GetRequiredService<IGrainFactory>().GetGrain<ISubscriberListGrain>(0).List(cancel),
                (CancellationToken cancel) => provider.GetRequiredService<IGrainFactory>().GetGrain<IWebhookListGrain>(0).List(cancel)
            )
        );
        if (builder.IsFront())
        {
            return; // It keeps no orders: it asks grains.
        }

        services.AddSettings<OrdersOptions>(builder.Configuration);
        services.AddStoredCount<OrdersOptions>($"{OrdersOptions.Section}:{nameof(OrdersOptions.Partitions)}", orders => orders.Partitions);
        services.AddSingleton<OrdersMetrics>();
        services.AddSingleton<IAccountSource, OrdersAccounts>();
        services.AddWakeUp("orders", Wake);
        services.AddOrderSubscribers();
        services.AddHealthChecks().AddCheck<SubscribersGoOn>("orders");
        services.AddMail(builder.Configuration);
        services.AddWebhooks(builder.Configuration);
        builder.UseOrleans(silo => silo.AddFastStreams(OrderStreams.Provider));
    }

    /// <summary>In a front too: it watches for those who come to its doors.</summary>
    internal static void AddWatches(IServiceCollection services)
    {
        services.AddSingleton<OrderDesk>();
        services.AddSingleton<IOrderChanges, GrainOrderChanges>();
        services.AddSingleton<OrderWatches>();
    }

    /// <summary>There are a few partitions, always the same ones: each is woken, whether anything is known to be due or not.</summary>
    internal static async Task Wake(IGrainFactory grains, CancellationToken cancel)
    {
        var partitions = await grains.GetGrain<IOrderListGrain>(0).Partitions(cancel);
        await Task.WhenAll(Enumerable.Range(0, partitions).Select(partition => grains.GetGrain<IOrderFeedGrain>(partition).Wake(cancel)));
    }
}
