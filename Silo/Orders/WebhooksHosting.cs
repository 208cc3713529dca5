using Grains;
using Grains.Interfaces.Orders;
using Grains.Orders;
using Grains.Orders.Deliveries.Webhooks;
using Microsoft.Extensions.Options;
using Silo.Cluster;
using Silo.Settings;

namespace Silo.Orders;

/// <summary>What webhooks need of the silo.</summary>
public static class WebhooksHosting
{
    internal static void AddWebhooks(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSettings<WebhooksOptions>(configuration);
        services.AddSingleton<IWebhookSender>(provider => new HttpWebhookSender(
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<IOptions<WebhooksOptions>>().Value.Ranges,
            guards: provider.GetRequiredKeyedService<TimeProvider>(Clocks.Guards)
        ));
        services.AddWebhookSubscribers();
        services.AddWakeUp("webhooks", (grains, cancel) => grains.GetGrain<IWebhookListGrain>(0).Wake(cancel));
    }

    /// <summary>A subscriber for each endpoint. The grains are looked up with each call: they are made of the catalog, too.</summary>
    internal static IServiceCollection AddWebhookSubscribers(this IServiceCollection services) =>
        services.AddSingleton(provider =>
            WebhookSubscriber.Family(
                provider.GetRequiredService<IOptions<WebhooksOptions>>().Value.Waits,
                id => provider.GetRequiredService<IGrainFactory>().GetGrain<IWebhookEndpointGrain>(id),
                failure => failure is TimeoutException or OrleansException or IOException
            )
        );
}
