using System.Collections.Immutable;
using Grains.Crawling.Rows;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling.Hosts;

/// <summary>The URLs of one host that a crawl takes over from the one it revisits (<see cref="CrawlSpec.Revisit"/>).</summary>
internal sealed class PastUrls(ITableStore rows, CrawlOrder order, HostKey host)
{
    /// <summary>Rows that one call looks at.</summary>
    private const int RowsAtOnce = 2 * StoreLimits.MaxScan;

    /// <summary>What was fetched or failed, at the depth and on the page where it was found, as far as it is in scope now.</summary>
    /// <param name="after">Where the last call ended; null to begin.</param>
    public async Task<(ImmutableArray<FoundUrl> Urls, string? Next)> Read(string? after, CancellationToken cancel)
    {
        if (order.Spec.Revisit is not { } earlier || !CrawlBoundary.TryCreate(order.Spec, out var boundary, out _))
        {
            return ([], null);
        }

        var urls = ImmutableArray.CreateBuilder<FoundUrl>();
        var range = KeyRange.Prefix(CrawlTable.UrlPrefix);
        for (var looked = 0; looked < RowsAtOnce; looked += StoreLimits.MaxScan)
        {
            var page = await rows.Scan(
                CrawlTable.Name,
                CrawlTable.Urls(earlier, host),
                after is null ? range : range.After(after),
                StoreLimits.MaxScan,
                cancel
            );
            urls.AddRange(
                page.Select(row => CrawlJson.Read<UrlRow>(row.Payload))
                    .Where(row => row.State is UrlState.Fetched or UrlState.Failed && IsIn(boundary, row))
                    .Select(row => new FoundUrl(row.Url, row.Depth, row.Parent, IsSitemap: row.IsSitemap))
            );
            if (page.Count < StoreLimits.MaxScan)
            {
                return (urls.ToImmutable(), null);
            }

            after = page[^1].Key;
        }

        return (urls.ToImmutable(), after);
    }

    private bool IsIn(CrawlBoundary boundary, UrlRow row) =>
        CanonicalUrl.TryParse(row.Url, baseUrl: null, out var url)
        && (row.IsSitemap ? order.Spec.Sitemaps != SitemapUse.No : boundary.Decide(url, row.Depth, url).In);
}
