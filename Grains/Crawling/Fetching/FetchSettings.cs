using Grains.Crawling.Specs;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Fetching;

/// <summary>What the silo's settings say of fetches.</summary>
/// <param name="ProductToken">The crawler's name in robots.txt and in the default User-Agent.</param>
/// <param name="ContactUrl">Where the owner of a site finds out who crawls; empty: nowhere.</param>
/// <param name="Limits">What a crawl may ask for.</param>
public sealed record FetchSettings(string ProductToken, string ContactUrl, SiloLimits Limits)
{
    /// <summary>The User-Agent header field of a crawl that has none of its own.</summary>
    private string UserAgent { get; } =
        ContactUrl.Length == 0
            ? $"Mozilla/5.0 (compatible; {ProductToken}/1.0)"
            : $"Mozilla/5.0 (compatible; {ProductToken}/1.0; +{ContactUrl})";

    /// <summary>The User-Agent header field of a crawl.</summary>
    public string UserAgentOf(CrawlSpec spec) =>
        spec.UserAgent ?? (spec.Contact is { } contact ? $"Mozilla/5.0 (compatible; {ProductToken}/1.0; +{contact})" : UserAgent);
}
