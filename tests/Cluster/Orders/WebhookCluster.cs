using Doubles.Orders;
using Grains.Interfaces.Orders;
using Grains.Orders;
using Grains.Orders.Deliveries.Webhooks;
using Microsoft.Extensions.DependencyInjection;
using Silo.Orders;

namespace Cluster.Orders;

/// <summary>Orders with webhooks as they are wired in production, but for what sends: that writes down what it is given.</summary>
public sealed class WebhookCluster : OrderCluster
{
    /// <summary>Requests a second, when the pace is full: a sixteenth, five, after a start or a return.</summary>
    public const double PerSecond = 80;

    public const int MaxInFlight = 4;

    public WebhookCluster()
    {
        Sender = new(Clock);
    }

    public RecordingWebhookSender Sender { get; }

    public IWebhookListGrain Webhooks => Grains.GetGrain<IWebhookListGrain>(0);

    public IWebhookEndpointGrain Webhook(string id) => Grains.GetGrain<IWebhookEndpointGrain>(id);

    public ISubscriberGrain Subscriber(string id, int partition) =>
        Grains.GetGrain<ISubscriberGrain>(new SubscriberKey(WebhookForm.SubscriberOf(id), partition).ToString());

    protected override void AddSubscribers(IServiceCollection services)
    {
        services.Configure<WebhooksOptions>(webhooks => (webhooks.PerSecond, webhooks.MaxInFlight) = (PerSecond, MaxInFlight));
        services.AddSingleton<IWebhookSender>(Sender);
        services.AddWebhookSubscribers();
    }
}
