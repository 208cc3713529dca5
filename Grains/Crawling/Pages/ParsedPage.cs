using System.Collections.Immutable;
using Grains.Crawling.Urls;

namespace Grains.Crawling.Pages;

public enum LinkKind
{
    /// <summary><c>a</c> and <c>area</c>.</summary>
    Anchor,

    /// <summary><c>iframe</c> and <c>frame</c>.</summary>
    Frame,

    /// <summary>rel=canonical of a <c>link</c> or a Link header, as are the next two.</summary>
    Canonical,

    Next,

    Alternate,

    /// <summary><c>meta http-equiv=refresh</c> and the Refresh header.</summary>
    Refresh,
}

/// <param name="Url">Canonical, http or https; perhaps the page's own.</param>
/// <param name="Kind">Of the first that leads there.</param>
/// <param name="NoFollow">Each link that leads there says rel=nofollow.</param>
public readonly record struct PageLink(CanonicalUrl Url, LinkKind Kind, bool NoFollow);

/// <summary>What an answer says beyond its bytes.</summary>
public sealed record ParsedPage
{
    /// <summary>White space collapsed, at most <see cref="PageParser.MaxTitle"/> characters; null when there is none.</summary>
    public string? Title { get; init; }

    /// <summary>In the order of the page, each URL once, at most <see cref="PageParser.MaxLinks"/>.</summary>
    public ImmutableArray<PageLink> Links { get; init; } = [];

    /// <summary>Links beyond <see cref="PageParser.MaxLinks"/>, which were not looked at.</summary>
    public int LinksLeftOut { get; init; }

    /// <summary>Links whose URL is longer than <see cref="CanonicalUrl.MaxLength"/>.</summary>
    public int LinksTooLong { get; init; }

    /// <summary>What the page says its own URL is; null when it does not say.</summary>
    public CanonicalUrl? Canonical { get; init; }

    /// <summary>The page asks not to be kept in an index (meta robots, X-Robots-Tag).</summary>
    public bool NoIndex { get; init; }

    /// <summary>The page asks that none of its links be followed.</summary>
    public bool NoFollow { get; init; }

    /// <summary>What the answer is: as the server says, or where it says nothing, as its first bytes do. Empty for a failure.</summary>
    public string MediaType { get; init; } = "";

    /// <summary>The encoding that the text was read in, like <c>utf-8</c>; null for what is no HTML.</summary>
    public string? Charset { get; init; }
}
