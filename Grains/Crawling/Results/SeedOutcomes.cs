using Grains.Crawling.Pages;
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
        var outcomes = new List<SeedOutcome>(order.Spec.Seeds.Length);
        foreach (var some in order.Spec.Seeds.Chunk(AtOnce))
        {
            outcomes.AddRange(await Task.WhenAll(some.Select(Outcome)));
        }

        return Report(order.Spec, outcomes);

        async Task<SeedOutcome> Outcome(string seed)
        {
            var outcome = new SeedOutcome(seed, await Row(seed));
            for (var hops = 0; hops < Redirect.MaxHops && outcome.Last.Row?.Page?.Location is { } target; hops++)
            {
                if (await Row(target) is not { } next)
                {
                    break;
                }

                outcome = outcome with { Last = (target, next) };
            }

            return outcome;
        }

        async Task<UrlRow?> Row(string text) =>
            CanonicalUrl.TryParse(text, baseUrl: null, out var url)
            && await store.Get(CrawlTable.Name, CrawlTable.Urls(order.Id, url.HostKey), CrawlTable.Url(url.Text), cancel) is { } row
                ? CrawlJson.Read<UrlRow>(row.Payload)
                : null;
    }

    /// <param name="spec">What was asked.</param>
    internal static SeedReport Report(CrawlSpec spec, IReadOnlyList<SeedOutcome> outcomes)
    {
        _ = CrawlBoundary.TryCreate(spec, out var boundary, out _);
        var troubles = outcomes.Select(outcome => Trouble(outcome, spec, boundary)).OfType<SeedTrouble>().ToList();
        var fetched = outcomes.Count(outcome => outcome.Row is { State: UrlState.Fetched });
        var more = Math.Max(0, troubles.Count - SeedReport.MaxTroubles);
        return new(fetched, outcomes.Count - fetched, [.. troubles.Take(SeedReport.MaxTroubles)], more);
    }

    /// <summary>What is wrong with the end to which a seed leads: itself, or where its redirects do.</summary>
    private static SeedTrouble? Trouble(SeedOutcome outcome, CrawlSpec spec, CrawlBoundary? boundary)
    {
        var (url, row) = outcome.Last;
        var trouble = row switch
        {
            { State: UrlState.Fetched, Page.Location: { } location } => Outside(url, location, spec, boundary),
            { State: UrlState.Fetched, Page: { Status: >= 400 } page } => new SeedTrouble(
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
        return trouble is null || url == outcome.Url
            ? trouble
            : trouble with
            {
                Url = outcome.Url,
                Says = $"It leads to {url}. {trouble.Says}",
            };
    }

    /// <summary>A redirect that leads out of the crawl.</summary>
    private static SeedTrouble? Outside(string url, string location, CrawlSpec spec, CrawlBoundary? boundary)
    {
        if (
            boundary is null
            || !CanonicalUrl.TryParse(url, baseUrl: null, out var from)
            || !CanonicalUrl.TryParse(location, baseUrl: null, out var target)
            || boundary.Decide(target, depth: 0, from) is not { In: false } decision
        )
        {
            return null;
        }

        var flag = CrawlBoundary.Widening(spec, target) is { } widening ? $" {widening}" : "";
        return new(url, "redirect", $"It redirects to {location}, which is not crawled. {decision.Says}{flag}");
    }
}

/// <summary>A seed's row as it is at the end of its crawl; null when it has none: it never came to its host.</summary>
internal sealed record SeedOutcome(string Url, UrlRow? Row)
{
    /// <summary>Where its redirects end, as far as they were followed.</summary>
    public (string Url, UrlRow? Row) Last { get; init; } = (Url, Row);
}
