using Grains.Crawling.Cookies;
using Grains.Crawling.Fetching;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Workers;

/// <summary>
/// Brings cookies with a <c>Domain</c> to the crawl's hosts of that domain. When <see cref="Deliver"/> answers, they are durable, and each
/// of these hosts sends them. A page without such cookies costs nothing. Not thread-safe: it belongs to a grain and runs on its scheduler.
/// </summary>
internal sealed class CookieDelivery(DomainCookies cookies, CrawlGrains grains)
{
    /// <summary>Jars whose last version that was told is remembered, over all crawls; then it starts anew.</summary>
    private const int MaxTold = 10_000;

    /// <summary>Hosts that are told at once.</summary>
    private const int HostsAtOnce = 64;

    private readonly Dictionary<(CrawlId, string Domain), long> _told = [];

    /// <summary>
    /// Answers how many cookies went because the jar was full. Throws what the store or the hosts throw: then some hosts may know and some
    /// not.
    /// </summary>
    public async Task<int> Deliver(CrawlId crawl, HostKey host, Visit visit, CancellationToken cancel)
    {
        if (visit.DomainCookies.IsEmpty || DomainCookies.DomainOf(host) is not { } domain)
        {
            return 0;
        }

        var (jar, cut) = await cookies.Set(crawl, domain, visit.DomainCookies, visit.Outcome.Page!.FetchedAt, cancel);
        if (_told.GetValueOrDefault((crawl, domain)) >= jar.Version)
        {
            return cut; // It changed nothing, and who reads the jar later finds it so.
        }

        var hosts = await cookies.Hosts(crawl, domain, cancel);
        foreach (var some in hosts.Chunk(HostsAtOnce))
        {
            await Task.WhenAll(some.Select(other => grains.Host(other).CookiesChanged(crawl, cancel)));
        }

        if (hosts.IsEmpty)
        {
            await cookies.Remove(crawl, domain, cancel);
            return cut;
        }

        if (_told.Count >= MaxTold)
        {
            _told.Clear();
        }

        _told[(crawl, domain)] = jar.Version;
        return cut;
    }
}
