using System.Collections.Immutable;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Specs;

/// <summary>URLs that somebody adds to a crawl: those in scope by their hosts, and what is wrong with the others.</summary>
internal sealed record AddedUrls(
    ImmutableDictionary<HostKey, ImmutableArray<FoundUrl>> ByHost,
    int Count,
    int Refused,
    ImmutableArray<string> Errors
)
{
    /// <summary>Each counts once; like a seed it has depth 0 and no parent.</summary>
    /// <param name="asSeeds">They widen the scope, as far as it is one of hosts.</param>
    public static AddedUrls Of(ImmutableArray<string> texts, CrawlBoundary boundary, bool asSeeds = false)
    {
        var good = new List<CanonicalUrl>();
        var errors = new List<string>();
        foreach (var text in texts)
        {
            if (!CanonicalUrl.TryParse(text, baseUrl: null, out var url, out var why))
            {
                errors.Add($"\"{UrlFaults.Shorten(text)}\" is refused: {why}");
            }
            else if ((asSeeds ? boundary.DecideSeed(url) : boundary.Decide(url, depth: 0)) is { In: false } decision)
            {
                errors.Add($"\"{UrlFaults.Shorten(url.Text)}\" is out of scope: {decision.Says}");
            }
            else
            {
                good.Add(url);
            }
        }

        return new(
            good.GroupBy(url => url.HostKey)
                .ToImmutableDictionary(
                    host => host.Key,
                    host => host.Select(url => new FoundUrl(url.Text, Depth: 0, Parent: null)).ToImmutableArray()
                ),
            good.Count,
            errors.Count,
            [.. errors.Take(AddUrlsReply.MaxErrors)]
        );
    }
}
