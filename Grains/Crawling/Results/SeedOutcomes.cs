using Grains.Crawling.Rows;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling.Results;

/// <summary>What became of a crawl's seeds, read from their rows when the crawl has ended.</summary>
internal static class SeedOutcomes
{
    /// <summary>Rows read at once.</summary>
    private const int AtOnce = 32;

    public static async Task<SeedReport> Read(ITableStore store, CrawlOrder order, CancellationToken cancel)
    {
        var outcomes = new List<(string Url, UrlRow? Row)>(order.Spec.Seeds.Length);
        foreach (var some in order.Spec.Seeds.Chunk(AtOnce))
        {
            outcomes.AddRange(await Task.WhenAll(some.Select(async seed => (seed, await Row(seed)))));
        }

        return Report(order.Spec, outcomes);

        async Task<UrlRow?> Row(string seed) =>
            CanonicalUrl.TryParse(seed, baseUrl: null, out var url)
            && await store.Get(CrawlTable.Name, CrawlTable.Urls(order.Id, url.HostKey), CrawlTable.Url(url.Text), cancel) is { } row
                ? CrawlJson.Read<UrlRow>(row.Payload)
                : null;
    }

    /// <param name="spec">What was asked.</param>
    /// <param name="outcomes">
    /// Of each seed its row, as it is at the end of the crawl; null when it has none: it never came to its host.
    /// </param>
    internal static SeedReport Report(CrawlSpec spec, IReadOnlyList<(string Url, UrlRow? Row)> outcomes)
    {
        _ = CrawlBoundary.TryCreate(spec, out var boundary, out _);
        var troubles = outcomes.Select(outcome => Trouble(outcome.Url, outcome.Row, boundary)).OfType<SeedTrouble>().ToList();
        var fetched = outcomes.Count(outcome => outcome.Row is { State: UrlState.Fetched });
        var more = Math.Max(0, troubles.Count - SeedReport.MaxTroubles);
        return new(fetched, outcomes.Count - fetched, [.. troubles.Take(SeedReport.MaxTroubles)], more);
    }

    private static SeedTrouble? Trouble(string url, UrlRow? row, CrawlBoundary? boundary) =>
        row switch
        {
            { State: UrlState.Fetched, Page: { Location: { } location } } => CanonicalUrl.TryParse(location, baseUrl: null, out var target)
            && CanonicalUrl.TryParse(url, baseUrl: null, out var seed)
            && boundary?.Decide(target, depth: 1, seed) is { In: false } decision
                ? new(url, "redirect", $"It redirects to {location}, which is not crawled. {decision.Says}")
                : null,
            { State: UrlState.Fetched, Page: { Status: >= 400 } page } => new(
                url,
                $"http-{page.Status}",
                page.Error ?? $"The server answered {page.Status}."
            ),
            { State: UrlState.Fetched } => null,
            { State: UrlState.Failed or UrlState.Skipped } => new(
                url,
                row.Reason ?? "failed",
                row.Page?.Error ?? Explanations.Why(row.Reason)
            ),
            _ => new(url, "not-asked", "The crawl ended before it was asked for."),
        };
}
