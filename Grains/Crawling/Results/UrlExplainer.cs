using System.Collections.Immutable;
using Grains.Crawling.Rows;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Results;

/// <summary>Says what became of a URL in a crawl: what the crawl knows itself, and what the URL's host knows.</summary>
/// <param name="head">Of the crawl; null: there is none.</param>
/// <param name="sums">Of all its hosts.</param>
/// <param name="isListed">Whether a host is one of the crawl's.</param>
internal sealed class UrlExplainer(
    CrawlId id,
    CrawlHead? head,
    HostSums sums,
    Func<HostKey, bool> isListed,
    Func<HostKey, IHostGrain> hostOf
)
{
    private const string NotFound = "not found";

    private const string OutOfScope = "out of scope";

    public async Task<Explanation> Explain(string url, CancellationToken cancel)
    {
        var fault = UrlParser.Parse(url, baseUrl: null, out var canonical);
        if (canonical is null)
        {
            ImmutableArray<ExplainLine> no =
            [
                new("url", $"\"{UrlFaults.Shorten(url)}\" is no URL that can be crawled: {UrlFaults.Say(fault, url)}"),
            ];
            return new(null, "no url", fault == UrlFault.TooLong ? no.Add(Explanations.TooLong(sums.Refused)) : no);
        }

        if (head is null || !CrawlBoundary.TryCreate(head.Order.Spec, out var boundary, out _))
        {
            return new(canonical.Text, NotFound, [new("crawl", $"there is no crawl {id}")]);
        }

        var spec = head.Order.Spec;
        var scope = boundary.Decide(canonical, depth: 0, isListed(canonical.HostKey) ? canonical : null);
        ImmutableArray<ExplainLine> lines = [new("scope", scope.Says)];
        if (!scope.In)
        {
            return new(
                canonical.Text,
                OutOfScope,
                CrawlBoundary.Widening(spec, canonical) is { } flag ? lines.Add(new("flag", flag)) : lines
            );
        }

        return isListed(canonical.HostKey)
            ? Of(canonical, spec, lines.AddRange(await hostOf(canonical.HostKey).Explain(id, canonical.Text, cancel)))
            : new(canonical.Text, NotFound, lines.Add(WhyNotFound(spec)));
    }

    /// <summary>The host's line of the state becomes the state; of a URL that it does not know, the crawl knows more.</summary>
    private Explanation Of(CanonicalUrl url, CrawlSpec spec, ImmutableArray<ExplainLine> lines)
    {
        var state = lines.First(line => line.Label == Explanations.State);
        lines = lines.Remove(state);
        return new(
            url.Text,
            state.Text,
            state.Text == NotFound ? [.. lines.Select(line => line.Label == Explanations.Found ? WhyNotFound(spec) : line)] : lines
        );
    }

    private ExplainLine WhyNotFound(CrawlSpec spec) => Explanations.NotFound(spec, sums.Refused, sums.Truncated);
}
