using System.Collections.Immutable;
using Grains.Books;
using Grains.Crawling.Pages;
using Grains.Crawling.Sitemaps;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Fetching;

/// <summary>What was read out of an answer: the facts of its record, and where its links go.</summary>
internal sealed record PageReading(string MediaType)
{
    public string? Title { get; init; }

    /// <summary>The encoding in which it was read; null when it is no text.</summary>
    public string? Charset { get; init; }

    /// <summary>What is wrong with it, a sentence; null when nothing is.</summary>
    public string? Error { get; init; }

    /// <summary>Different URLs that it leads to, before scope.</summary>
    public int Links { get; init; }

    /// <summary>Links to be followed on its own host.</summary>
    public ImmutableArray<string> Own { get; init; } = [];

    /// <summary>Links on its own host that are not to be followed.</summary>
    public ImmutableArray<TurnedAwayLink> TurnedAway { get; init; } = [];

    /// <summary>Sitemaps, and what sitemaps name, on its own host.</summary>
    public ImmutableArray<FoundUrl>? Found { get; init; }

    /// <summary>All of these on other hosts.</summary>
    public IReadOnlyDictionary<HostKey, List<FoundUrl>> Foreign { get; init; } = ImmutableDictionary<HostKey, List<FoundUrl>>.Empty;

    /// <summary>How many links are not followed, by reason; null: none.</summary>
    public ImmutableSortedDictionary<string, long>? LeftOut { get; init; }

    /// <summary>Of <see cref="LeftOut"/> those that are not among <see cref="TurnedAway"/>.</summary>
    public ImmutableSortedDictionary<string, long>? Elsewhere { get; init; }

    public bool IsHtml => new ContentType(MediaType, charset: null).IsHtml;

    /// <summary>A page, and the sitemaps of its origin if its lease brings them.</summary>
    public static PageReading OfPage(
        PageFetch fetch,
        CanonicalUrl url,
        Redirect redirect,
        Lease lease,
        CrawlSpec spec,
        CrawlBoundary boundary,
        string productToken,
        DateTimeOffset at
    )
    {
        var page =
            redirect.Target is null && fetch.Status is >= 200 and < 400 and not 304
                ? PageParser.Parse(fetch, url, productToken, at)
                : new ParsedPage { MediaType = fetch.ContentType.MediaType };
        var followed = spec.Sitemaps == SitemapUse.Only ? page with { Links = [], LinksLeftOut = 0, LinksTooLong = 0 } : page;
        var links = new SortedLinks(url, boundary, lease.Depth);
        links.Add(followed, redirect, lease.Hops + 1);
        var sitemaps = new FoundSitemaps(url, boundary);
        if (lease.Sitemaps is { } named)
        {
            sitemaps.AddFromRobots(named, tryUsualPlace: spec.Sitemaps == SitemapUse.Only);
        }

        return new(page.MediaType)
        {
            Title = page.Title,
            Charset = page.Charset,
            Error = redirect.Error,
            Links = page.Links.Length,
            Own = links.Own,
            TurnedAway = links.TurnedAway,
            Found = sitemaps.Own.IsEmpty ? null : sitemaps.Own,
            Foreign = Both(links.Foreign, sitemaps.Foreign),
            LeftOut = Both(links.LeftOut, sitemaps.LeftOut),
            Elsewhere = Both(links.Elsewhere, sitemaps.LeftOut),
        };
    }

    public static PageReading OfSitemap(PageFetch fetch, CanonicalUrl url, Redirect redirect, Lease lease, CrawlBoundary boundary)
    {
        var found = new FoundSitemaps(url, boundary);
        var reading = new PageReading(fetch.ContentType.MediaType) { Error = redirect.Error };
        if (redirect.Target is { } target)
        {
            found.AddTarget(target, lease.Parent, lease.Depth, lease.Hops + 1);
        }
        else if (fetch.Status is >= 200 and < 300)
        {
            var sitemap = SitemapReader.Read(fetch.Body, url);
            found.Add(sitemap, lease.Parent, lease.Depth);
            reading = reading with { Error = sitemap.Error, Links = sitemap.Entries.Length + sitemap.Sitemaps.Length };
        }

        return reading with
        {
            Found = found.Own,
            Foreign = found.Foreign,
            LeftOut = found.LeftOut,
            Elsewhere = found.LeftOut,
        };
    }

    private static ImmutableSortedDictionary<string, long>? Both(
        ImmutableSortedDictionary<string, long>? some,
        ImmutableSortedDictionary<string, long>? others
    ) =>
        some is null ? others
        : others is null ? some
        : some.Plus(others);

    private static IReadOnlyDictionary<HostKey, List<FoundUrl>> Both(
        IReadOnlyDictionary<HostKey, List<FoundUrl>> some,
        IReadOnlyDictionary<HostKey, List<FoundUrl>> others
    )
    {
        if (others.Count == 0)
        {
            return some;
        }

        var both = some.ToDictionary();
        foreach (var (host, urls) in others)
        {
            both[host] = both.TryGetValue(host, out var before) ? [.. before, .. urls] : urls;
        }

        return both;
    }
}
