using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Frontier;

/// <summary>
/// How much of each of its hosts a crawl takes: pages, bytes, time and errors. Once one of them is used up, no further request starts
/// there,
/// and what waits, with all that comes later, is refused by the name of the budget. Requests in flight end first, so bytes and errors may
/// go
/// beyond by what they bring.
/// </summary>
internal static class HostBudget
{
    /// <param name="pages">Fetched, redirects not counted.</param>
    /// <param name="bytes">Of their bodies.</param>
    /// <param name="failed">URLs given up.</param>
    /// <param name="ran">Since the first request for a page.</param>
    /// <returns>The word for the books of the first budget that is used up; null: none is.</returns>
    public static string? Spent(CrawlSpec spec, long pages, long bytes, long failed, TimeSpan ran) =>
        pages >= spec.HostPages ? Refusals.HostPages
        : bytes >= spec.HostBytes ? Refusals.HostBytes
        : ran >= spec.HostTime ? Refusals.HostTime
        : failed >= spec.HostErrors ? Refusals.HostErrors
        : null;

    /// <summary>A sentence, of the word for the books of a budget; null of any other word.</summary>
    public static string? Why(string reason) =>
        reason switch
        {
            Refusals.HostPages => "It has given as many pages as --host-pages allows.",
            Refusals.HostBytes => "It has given as many bytes as --host-bytes allows.",
            Refusals.HostTime => "It has been asked for as long as --host-time allows.",
            Refusals.HostErrors => "As many of its URLs have failed as --host-errors allows.",
            _ => null,
        };
}
