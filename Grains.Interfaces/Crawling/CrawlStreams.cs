using System.Collections.Immutable;

namespace Grains.Interfaces.Crawling;

/// <summary>Names of the crawler's streams. Memory streams: an event that is lost costs time, never work.</summary>
public static class CrawlStreams
{
    public const string Provider = "crawling";

    /// <summary>
    /// Carries <see cref="HostReady"/>; the key is a worker's number. At least once; a host that nobody asked says it again after a second.
    /// </summary>
    public const string Ready = "crawling.ready";

    /// <summary>
    /// Carries <see cref="PagesFinished"/> after they are durable; the key is a number from 0 to <see cref="PagePartitions"/>, by the host.
    /// At most once.
    /// </summary>
    public const string Pages = "crawling.pages";

    /// <summary>How many streams there are of <see cref="Pages"/>.</summary>
    public const int PagePartitions = 8;
}

/// <summary>This host has URLs of this crawl that may be fetched now.</summary>
/// <param name="Parallel">How many fetches of this crawl may be in flight over all workers.</param>
[GenerateSerializer, Immutable, Alias("crawling.HostReady")]
public sealed record HostReady([property: Id(0)] HostKey Host, [property: Id(1)] CrawlId Crawl, [property: Id(2)] int Parallel);

/// <summary>URLs of one host that were fetched or failed, at most <see cref="MaxPages"/>, in the order in which they were stored.</summary>
[GenerateSerializer, Immutable, Alias("crawling.PagesFinished")]
public sealed record PagesFinished(
    [property: Id(0)] CrawlId Crawl,
    [property: Id(1)] HostKey Host,
    [property: Id(2)] ImmutableArray<PageRecord> Pages
)
{
    public const int MaxPages = 100;
}
