using System.Collections.Immutable;
using Grains.Crawling.Frontier;
using Grains.Crawling.Sitemaps;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Fetching;

/// <summary>
/// Where sitemaps and their entries go: to their hosts, or into the counts. A sitemap may name URLs of its own host, and of the host whose
/// robots.txt named it (sitemaps.org, "cross submits"). An index may name sitemaps of those hosts, whatever the scope of the crawl.
/// </summary>
/// <param name="url">The page or the sitemap at hand.</param>
internal sealed class FoundSitemaps(CanonicalUrl url, CrawlBoundary boundary)
{
    /// <summary>Sitemaps of one robots.txt; those beyond are counted.</summary>
    public const int MaxSitemaps = 1_000;

    private readonly ImmutableArray<FoundUrl>.Builder _own = ImmutableArray.CreateBuilder<FoundUrl>();
    private readonly Dictionary<HostKey, List<FoundUrl>> _foreign = [];
    private readonly Dictionary<string, long> _leftOut = [];

    /// <summary>On the host of the page or sitemap at hand.</summary>
    public ImmutableArray<FoundUrl> Own => _own.ToImmutable();

    /// <summary>On other hosts.</summary>
    public IReadOnlyDictionary<HostKey, List<FoundUrl>> Foreign => _foreign;

    /// <summary>How many are not followed, by reason; null: none.</summary>
    public ImmutableSortedDictionary<string, long>? LeftOut => _leftOut.Count == 0 ? null : _leftOut.ToImmutableSortedDictionary();

    /// <summary>The sitemaps that robots.txt of the page's origin names.</summary>
    /// <param name="tryUsualPlace">Without any, <c>/sitemap.xml</c> is tried.</param>
    public void AddFromRobots(ImmutableArray<string> lines, bool tryUsualPlace)
    {
        var robots = url.Origin + "/robots.txt";
        foreach (var line in lines.IsEmpty && tryUsualPlace ? ["/sitemap.xml"] : lines.Take(MaxSitemaps))
        {
            if (CanonicalUrl.TryParse(line, url, out var sitemap) && boundary.Decide(sitemap, depth: 0).Reason != BoundaryDecision.Exclude)
            {
                Add(new(sitemap.Text, Depth: 0, robots, Hops: 0, IsSitemap: true), sitemap.HostKey);
            }
        }

        Count(Refusals.TooManyLinks, lines.Length - MaxSitemaps);
    }

    /// <summary>What a sitemap names.</summary>
    /// <param name="namedBy">The robots.txt that led to it.</param>
    /// <param name="depth">Of the sitemap: its entries have the same.</param>
    public void Add(Sitemap sitemap, string? namedBy, int depth)
    {
        var namer = CanonicalUrl.TryParse(namedBy, baseUrl: null, out var robots) ? robots.HostKey : url.HostKey;
        Count(Refusals.TooManyLinks, sitemap.LeftOut);
        Count(Refusals.TooLongUrl, sitemap.TooLong);
        foreach (var index in sitemap.Sitemaps.Where(index => IsNear(index, namer)))
        {
            Add(new(index.Text, depth, namedBy, Hops: 0, IsSitemap: true), index.HostKey);
        }

        foreach (
            var entry in sitemap
                .Entries.Select(entry => boundary.Normalize(entry.Url))
                .Where(entry => boundary.Decide(entry, depth, url).In)
        )
        {
            if (IsNear(entry, namer))
            {
                Add(new(entry.Text, depth, url.Text), entry.HostKey);
            }
            else
            {
                Count(Refusals.SitemapForeign, 1);
            }
        }
    }

    /// <summary>Where a sitemap redirects to.</summary>
    public void AddTarget(CanonicalUrl target, string? namedBy, int depth, int hops) =>
        Add(new(target.Text, depth, namedBy, hops, IsSitemap: true), target.HostKey);

    private bool IsNear(CanonicalUrl other, HostKey namer) => other.HostKey == url.HostKey || other.HostKey == namer;

    private void Add(FoundUrl found, HostKey host)
    {
        if (host == url.HostKey)
        {
            _own.Add(found);
            return;
        }

        if (!_foreign.TryGetValue(host, out var list))
        {
            _foreign.Add(host, list = []);
        }

        list.Add(found);
    }

    private void Count(string reason, long count)
    {
        if (count > 0)
        {
            _leftOut[reason] = _leftOut.GetValueOrDefault(reason) + count;
        }
    }
}
