using System.Text.Json.Serialization;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Rows;

public enum UrlState
{
    /// <summary>It waits, or somebody has it.</summary>
    Queued,
    Fetched,

    /// <summary>Given up after it was tried.</summary>
    Failed,

    /// <summary>Never asked for.</summary>
    Skipped,
}

/// <summary>What a host keeps of one URL in one crawl.</summary>
/// <param name="Reason">Of a failure (the last one, while it waits for another try) or a skip: a word for the books.</param>
/// <param name="Page">Once it is finished; while it waits for another try, what the last one gave.</param>
/// <param name="Sitemap">True for a sitemap; else null: <see cref="IsSitemap"/>.</param>
/// <param name="Extracted">True when what was read out of the page is in a row of its own; else null.</param>
public sealed record UrlRow(
    string Url,
    int Depth,
    string? Parent,
    UrlState State,
    int Attempts,
    string? Reason = null,
    PageRecord? Page = null,
    bool? Sitemap = null,
    bool? Extracted = null
)
{
    /// <summary>Rows of an earlier version say it by the robots.txt that named the sitemap: no page is found there.</summary>
    [JsonIgnore]
    public bool IsSitemap => Sitemap ?? Parent?.EndsWith("/robots.txt", StringComparison.Ordinal) == true;
}
