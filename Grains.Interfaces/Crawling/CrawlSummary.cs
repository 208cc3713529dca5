namespace Grains.Interfaces.Crawling;

public enum CrawlState
{
    Running,
    Paused,

    /// <summary>Nothing is left to fetch, or the limit of pages is reached.</summary>
    Done,
    Cancelled,

    /// <summary>Its rows are being removed.</summary>
    Deleting,
}

/// <summary>A crawl at a glance, from the hosts' committed counters: <c>Added = Pages + Failed + Skipped + Queued</c>.</summary>
/// <param name="Pages">URLs that a server answered with a status that is final.</param>
/// <param name="Failed">URLs given up: no answer, or a temporary failure three times.</param>
/// <param name="Skipped">URLs not fetched: robots.txt, a private address, a limit, a cancel.</param>
/// <param name="Queued">URLs waiting, those in flight included.</param>
/// <param name="Bytes">Of bodies, after decompression.</param>
/// <param name="EndedAt">When it became done or cancelled; null before.</param>
/// <param name="Note">Why it does not move, in a sentence, when there is something to say.</param>
[GenerateSerializer, Immutable, Alias("crawling.CrawlSummary")]
public sealed record CrawlSummary(
    [property: Id(0)] CrawlId Id,
    [property: Id(1)] string? Name,
    [property: Id(2)] CrawlState State,
    [property: Id(3)] CrawlSpec Spec,
    [property: Id(4)] long Added,
    [property: Id(5)] long Pages,
    [property: Id(6)] long Failed,
    [property: Id(7)] long Skipped,
    [property: Id(8)] long Queued,
    [property: Id(9)] int Hosts,
    [property: Id(10)] long Bytes,
    [property: Id(11)] DateTimeOffset StartedAt,
    [property: Id(12)] DateTimeOffset? EndedAt,
    [property: Id(13)] TimeSpan Elapsed,
    [property: Id(14)] string? Note)
{
    public bool Ended => State is CrawlState.Done or CrawlState.Cancelled;
}
