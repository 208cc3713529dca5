namespace Grains.Interfaces.Crawling;

/// <summary>
/// A worker: hears which hosts may be asked, takes leases from them, fetches and parses, a bounded number at once, and reports.
/// The key is its number, 0 to the count that was stored at the cluster's first start.
/// </summary>
[Alias("crawling.ICrawlWorkerGrain")]
public interface ICrawlWorkerGrain : IGrainWithIntegerKey
{
    /// <summary>How many fetches it has in flight.</summary>
    [Alias("InFlight")]
    Task<int> InFlight(CancellationToken cancel = default);

    /// <summary>
    /// Gives up what it fetches of a host for a crawl under leases below a number, and answers when no such request is under way: the
    /// host's silo died, and the next activation of the host knows nothing of these leases.
    /// </summary>
    [Alias("GiveUp")]
    Task GiveUp(HostKey host, CrawlId crawl, long below, CancellationToken cancel = default);
}
