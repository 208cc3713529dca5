using System.Collections.Immutable;
using Grains.Interfaces.Crawling;

namespace Silo.Crawling;

/// <summary>The answer to a crawl that was started.</summary>
public sealed record CrawlStarted(string Id, string? Name);

/// <summary>The crawls that are kept, the newest first.</summary>
public sealed record CrawlList(ImmutableArray<CrawlForm> Crawls);

/// <summary>Why a URL was or was not fetched.</summary>
public sealed record ExplanationForm(string Id, string? Url, string State, ImmutableArray<ExplanationLineForm> Lines)
{
    public static ExplanationForm Of(CrawlId id, Explanation explanation) =>
        new(
            id.ToString(),
            explanation.Url,
            explanation.State,
            [.. explanation.Lines.Select(line => new ExplanationLineForm(line.Label, line.Text))]
        );
}

/// <summary>URLs to be added to a crawl, as seeds are.</summary>
public sealed record AddUrls(ImmutableArray<string> Urls)
{
    /// <summary>Of the body: a thousand URLs have room.</summary>
    public const int MaxBytes = 2 * 1024 * 1024;
}

/// <summary>What became of URLs that were added; <c>errors</c> names the first that were refused.</summary>
public sealed record UrlsAdded(int New, int Known, int Refused, ImmutableArray<string> Errors);

/// <summary>Hosts of a crawl, in order of their keys; <c>next</c> is what to pass as <c>after</c>, null at the end.</summary>
public sealed record CrawlHostList(ImmutableArray<HostForm> Hosts, string? Next);

/// <summary>How many URLs that had failed are tried again, and by the word for the books with which they had failed.</summary>
public sealed record UrlsRetried(long Retried, ImmutableSortedDictionary<string, long> Reasons);

public sealed record ExplanationLineForm(string Label, string Text);
