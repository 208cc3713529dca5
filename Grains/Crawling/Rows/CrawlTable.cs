using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling.Rows;

/// <summary>Where the crawler keeps what: one table, and what its partitions and rows are called.</summary>
/// <remarks>
/// <code>
/// crawls                   one partition: h, i.{id} a crawl, n.{hash} a name that is taken, r.{id} the next round of a crawl
/// crawl.{id}               h, a.{hash of host} a listed host
/// host.{hash of host}      c.{id} a crawl that has work here, x.{id} one that was deleted lately, clock, robots.{scheme}
/// urls.{id}.{hash of host} h, o the order, u.{hash of URL} a URL, e.{hash of URL} what was read of its page,
///                          q.{n} a URL that is ready, r.{due}.{n} one to try again
/// cookies.{id}.{hash of domain} jar, a.{hash of host} a host that reads it
/// </code>
/// </remarks>
public static class CrawlTable
{
    public const string Name = "crawling";

    public const string Crawls = "crawls";

    public const string OrderKey = "o";

    public const string UrlPrefix = "u.";

    public const string ExtractPrefix = "e.";

    public const string HostPrefix = "a.";

    public const string RoundsPrefix = "r.";

    public const string CrawlPrefix = "c.";

    public const string DeletedPrefix = "x.";

    public const string ClockKey = "clock";

    public const string RobotsPrefix = "robots.";

    public const string JarKey = "jar";

    public static string Crawl(CrawlId crawl) => $"crawl.{crawl}";

    public static string Host(HostKey host) => $"host.{StoreLimits.HashKey(host.Value)}";

    public static string Urls(CrawlId crawl, string hostHash) => $"urls.{crawl}.{hostHash}";

    public static string Urls(CrawlId crawl, HostKey host) => Urls(crawl, StoreLimits.HashKey(host.Value));

    /// <summary>Of a registrable domain.</summary>
    public static string Cookies(CrawlId crawl, string domain) => $"cookies.{crawl}.{StoreLimits.HashKey(domain)}";

    public static string Url(string url) => UrlPrefix + StoreLimits.HashKey(url);

    /// <summary>Beside the row of a URL, so that who reads many URLs need not read these.</summary>
    public static string Extract(string url) => ExtractPrefix + StoreLimits.HashKey(url);

    /// <summary>Of the URL that has the row <paramref name="urlKey"/>.</summary>
    public static string ExtractOf(string urlKey) => ExtractPrefix + urlKey[UrlPrefix.Length..];
}
