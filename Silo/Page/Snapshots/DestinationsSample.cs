using System.Collections.Immutable;
using Grains.Interfaces.Orders;

namespace Silo.Page.Snapshots;

/// <summary>Where changes of orders go, as the view of destinations shows it.</summary>
/// <param name="Subscribers">Every subscriber, over all partitions.</param>
public sealed record DestinationsSample(ImmutableArray<WebhookEndpoint> Endpoints, ImmutableArray<SubscriberForm> Subscribers)
{
    public static async Task<DestinationsSample> Read(OrderDesk desk, CancellationToken cancel)
    {
        var endpoints = desk.Webhooks.List(cancel);
        var subscribers = desk.Subscribers.List(cancel);
        return new(await endpoints, SubscriberForm.Of(await subscribers));
    }

    /// <summary>The subscriber that stands for an endpoint; null before it has been listed.</summary>
    public SubscriberForm? Of(string endpoint) => Subscribers.FirstOrDefault(one => one.Name == WebhookForm.SubscriberOf(endpoint));

    public long Dead => Subscribers.Sum(one => one.Dead);

    /// <summary>Dead letters by subscriber and reason.</summary>
    public IEnumerable<(string Subscriber, string Reason, long Count)> DeadByReason =>
        Subscribers.SelectMany(one => one.DeadByReason.Select(pair => (one.Name, pair.Key, pair.Value)));
}
