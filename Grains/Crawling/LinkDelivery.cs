using System.Collections.Immutable;
using Grains.Crawling.Frontier;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling;

/// <summary>
/// Brings links to the hosts they lead to. When <see cref="Deliver"/> answers, each is durable at its host, or the crawl takes it no more. What was delivered
/// is remembered and not sent again, up to a bound; sent twice, it changes nothing. Not thread-safe: it belongs to a grain and runs on its scheduler.
/// </summary>
internal sealed class LinkDelivery(IGrainFactory grains)
{
    /// <summary>Links that are remembered as delivered, over all crawls; then it starts anew.</summary>
    private const int MaxDelivered = 100_000;

    /// <summary>Hosts that are remembered as listed, over all crawls; then it starts anew.</summary>
    private const int MaxEnlisted = 100_000;

    private readonly HashSet<(CrawlId, HostKey)> _enlisted = [];
    private FingerprintSet _delivered = new(Random.Shared.NextInt64());

    /// <summary>Throws what the hosts or the crawl throw: then some may be delivered and some not.</summary>
    public async Task Deliver(CrawlOrder order, IReadOnlyDictionary<HostKey, List<FoundUrl>> links, CancellationToken cancel)
    {
        var hosts = links.Keys.Where(host => !_enlisted.Contains((order.Id, host))).ToImmutableArray();
        var refused = ImmutableArray<HostKey>.Empty;
        if (!hosts.IsEmpty)
        {
            if (await grains.GetGrain<ICrawlGrain>(order.Id.Value).Enlist(hosts, cancel) is not { } enlisted)
            {
                return; // The crawl takes no more, so its links lead nowhere.
            }

            if (_enlisted.Count > MaxEnlisted)
            {
                _enlisted.Clear();
            }

            refused = enlisted.NotListed;
            _enlisted.UnionWith(hosts.Except(refused).Select(host => (order.Id, host)));
        }

        await Task.WhenAll(links.Where(some => !refused.Contains(some.Key)).Select(some => DeliverTo(order, some.Key, some.Value, cancel)));
    }

    private async Task DeliverTo(CrawlOrder order, HostKey host, List<FoundUrl> urls, CancellationToken cancel)
    {
        var fresh = urls.Where(url => !_delivered.Contains($"{order.Id} {url.Url}")).ToImmutableArray();
        if (fresh.IsEmpty)
        {
            return;
        }

        await grains.GetGrain<IHostGrain>(host.Value).Add(order, fresh, cancel);
        if (_delivered.Count + fresh.Length > MaxDelivered)
        {
            _delivered = new(Random.Shared.NextInt64());
        }

        foreach (var url in fresh)
        {
            _delivered.Add($"{order.Id} {url.Url}");
        }
    }
}
