using System.Collections.Immutable;
using Grains.Books;
using Grains.Crawling.Frontier;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Workers;

/// <summary>
/// Brings links to the hosts they lead to. When <see cref="Deliver"/> answers, each is durable at its host, or the crawl takes it no more.
/// What was delivered
/// is remembered and not sent again, up to a bound; sent twice, it changes nothing. Not thread-safe: it belongs to a grain and runs on its
/// scheduler.
/// </summary>
internal sealed class LinkDelivery(CrawlGrains grains)
{
    /// <summary>Links that are remembered as delivered, over all crawls; then it starts anew.</summary>
    private const int MaxDelivered = 100_000;

    /// <summary>Hosts that are remembered as listed, over all crawls; then it starts anew.</summary>
    private const int MaxEnlisted = 100_000;

    private readonly HashSet<(CrawlId, HostKey)> _enlisted = [];
    private FingerprintSet _delivered = new(Random.Shared.NextInt64());

    /// <summary>Answers what found no room. Throws what the hosts or the crawl throw: then some may be delivered and some not.</summary>
    public async Task<Undelivered> Deliver(CrawlOrder order, IReadOnlyDictionary<HostKey, List<FoundUrl>> links, CancellationToken cancel)
    {
        var hosts = links.Keys.Where(host => !_enlisted.Contains((order.Id, host))).ToImmutableArray();
        var refused = ImmutableArray<HostKey>.Empty;
        if (!hosts.IsEmpty)
        {
            if (await grains.Crawl(order.Id).Enlist(hosts, cancel) is not { } enlisted)
            {
                return default; // The crawl takes no more, so its links lead nowhere.
            }

            if (_enlisted.Count > MaxEnlisted)
            {
                _enlisted.Clear();
            }

            refused = enlisted.NotListed;
            _enlisted.UnionWith(hosts.Except(refused).Select(host => (order.Id, host)));
        }

        var replies = await Task.WhenAll(
            links.Where(some => !refused.Contains(some.Key)).Select(some => DeliverTo(order, some.Key, some.Value, cancel))
        );
        return new(refused.Sum(host => links[host].Count), replies.Sum());
    }

    /// <summary>How many the host has no room for.</summary>
    private async Task<int> DeliverTo(CrawlOrder order, HostKey host, List<FoundUrl> urls, CancellationToken cancel)
    {
        var fresh = urls.Where(url => !_delivered.Contains($"{order.Id} {url.Url}")).ToImmutableArray();
        if (fresh.IsEmpty)
        {
            return 0;
        }

        var reply = await grains.Host(host).Add(order, fresh, cancel);
        if (_delivered.Count + fresh.Length > MaxDelivered)
        {
            _delivered = new(Random.Shared.NextInt64());
        }

        foreach (var url in fresh)
        {
            _delivered.Add($"{order.Id} {url.Url}");
        }

        return reply.Refused;
    }
}

/// <summary>Links of a page that found no room where they lead.</summary>
/// <param name="Hosts">The crawl lists no further host: nobody else counts these.</param>
/// <param name="Full">Their host is full, and has counted them.</param>
internal readonly record struct Undelivered(int Hosts, int Full)
{
    /// <summary>The outcome that says so too.</summary>
    public FetchOutcome In(FetchOutcome outcome) =>
        outcome with
        {
            Page = outcome.Page?.WithLeftOut(Refusals.TooManyHosts, Hosts).WithLeftOut(Refusals.HostFull, Full),
            LeftOut =
                Hosts == 0
                    ? outcome.LeftOut
                    : (outcome.LeftOut ?? ImmutableSortedDictionary<string, long>.Empty).Plus(Refusals.TooManyHosts, Hosts),
        };
}
