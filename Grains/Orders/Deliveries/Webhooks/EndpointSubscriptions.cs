using System.Collections.Immutable;
using Grains.Interfaces.Orders;

namespace Grains.Orders.Deliveries.Webhooks;

/// <summary>Endpoints as subscribers: each is listed by the feed of every partition, and has a subscriber there.</summary>
internal sealed class EndpointSubscriptions(
    int partitions,
    Func<int, IOrderFeedGrain> feedOf,
    Func<SubscriberKey, ISubscriberGrain> subscriberOf
)
{
    private IEnumerable<int> Partitions => Enumerable.Range(0, partitions);

    /// <summary>Lists an endpoint: from now on nothing is compacted that it has yet to be told.</summary>
    public Task Add(string id, CancellationToken cancel) =>
        Task.WhenAll(Partitions.Select(partition => feedOf(partition).Register(WebhookForm.SubscriberOf(id), from: null, cancel)));

    /// <summary>Some feed lists the endpoint.</summary>
    public async Task<bool> Has(string id, CancellationToken cancel) =>
        (await Listed(cancel)).Any(names => names.Contains(WebhookForm.SubscriberOf(id)));

    public Task Remove(string id, CancellationToken cancel) =>
        Task.WhenAll(Partitions.Select(partition => Subscriber(id, partition).Remove(cancel)));

    /// <summary>Has each subscriber read again which events the endpoint asks for: when this answers, all go by the new ones.</summary>
    public Task Reload(string id, CancellationToken cancel) =>
        Task.WhenAll(Partitions.Select(partition => Subscriber(id, partition).Reload(cancel)));

    /// <summary>Lists endpoints that have a row and are not listed everywhere, and removes those that are listed and have no row.</summary>
    /// <param name="readIds">Reads which endpoints have a row.</param>
    /// <returns>Those that were listed now.</returns>
    public async Task<ImmutableArray<string>> Finish(Func<Task<ImmutableArray<string>>> readIds, CancellationToken cancel)
    {
        // Those that are listed first: one that is added is listed after its row is there.
        var listed = await Listed(cancel);
        var ids = await readIds();
        var missing = ids.Where(id => listed.Any(names => !names.Contains(WebhookForm.SubscriberOf(id)))).ToImmutableArray();
        foreach (var id in missing)
        {
            await Add(id, cancel);
        }

        var left = listed
            .SelectMany(names => names)
            .Where(name => name.StartsWith(WebhookForm.SubscriberOf(""), StringComparison.Ordinal))
            .Distinct()
            .Select(name => name[WebhookForm.SubscriberOf("").Length..]);
        foreach (var id in left.Except(ids, StringComparer.Ordinal))
        {
            await Remove(id, cancel);
        }

        return missing;
    }

    /// <summary>The names of subscribers that each partition's feed lists.</summary>
    private Task<HashSet<string>[]> Listed(CancellationToken cancel) =>
        Task.WhenAll(
            Partitions.Select(async partition =>
                (await feedOf(partition).Subscribers(cancel)).Select(subscriber => subscriber.Name).ToHashSet(StringComparer.Ordinal)
            )
        );

    private ISubscriberGrain Subscriber(string id, int partition) =>
        subscriberOf(new SubscriberKey(WebhookForm.SubscriberOf(id), partition));
}
