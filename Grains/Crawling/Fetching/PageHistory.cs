using Grains.Crawling.Pages;
using Grains.Crawling.Rows;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling.Fetching;

/// <summary>What an earlier crawl fetched, as a crawl that revisits it sees it. Reads rows, and writes none.</summary>
public sealed class PageHistory(ITableStore rows)
{
    /// <summary>The page as the crawl fetched it; null when it did not, or is deleted.</summary>
    public async Task<PageRecord?> Find(CrawlId crawl, CanonicalUrl url, CancellationToken cancel)
    {
        var partition = CrawlTable.Urls(crawl, url.HostKey);
        if (
            await rows.Get(CrawlTable.Name, partition, CrawlTable.Url(url.Text), cancel) is not { } row
            || CrawlJson.Read<UrlRow>(row.Payload) is not { State: UrlState.Fetched, Page: { } page } known
        )
        {
            return null;
        }

        return known.Extracted is true && await rows.Get(CrawlTable.Name, partition, CrawlTable.Extract(url.Text), cancel) is { } extract
            ? page with
            {
                Extract = CrawlJson.Read<PageExtract>(extract.Payload),
            }
            : page;
    }
}

/// <summary>How a page stands to the one that an earlier crawl fetched from the same URL.</summary>
internal static class PageChange
{
    public const string New = "new";

    public const string Changed = "changed";

    public const string Unchanged = "unchanged";

    public const string Gone = "gone";

    /// <summary>
    /// Crawls in a row that may answer a page by 304; the next one fetches it whole. So its content is at most so many crawls back, and
    /// crawls before that can be deleted.
    /// </summary>
    public const int MaxUnfetched = 16;

    /// <summary>
    /// The server is asked whether the page has changed, and may answer 304: it was fetched whole and with success, less than
    /// <see cref="MaxUnfetched"/> crawls before that one (a row of an earlier version does not say), has a validator, and was kept if it
    /// is to be kept now, so that an unchanged page need not be here twice; and what is to be read out of it was read then.
    /// </summary>
    /// <param name="extract">What is to be read out of pages (<see cref="PageExtract.Asked"/>); null: nothing.</param>
    public static bool MayBeAskedFor(PageRecord past, KeepPages keep, string? extract = null) =>
        past is { Status: 200, Truncated: false } or { Status: 304, Truncated: false, Unfetched: < MaxUnfetched }
        && (past.ETag is not null || past.LastModified is not null)
        && (extract is null || past.Extract?.Asked == extract)
        && (past.Kept is not null || keep == KeepPages.None || (keep == KeepPages.Html && !IsHtml(past)));

    /// <param name="past">Null: it was not fetched then.</param>
    /// <param name="page">An answer.</param>
    public static string Of(PageRecord? past, PageRecord page) =>
        past is null ? New
        : page.Status == 304 ? Unchanged
        : page.Status is 404 or 410 && past.Status is not (404 or 410) ? Gone
        : page.Digest == past.Digest && page.Location == past.Location && (page.Status == past.Status || past.Status == 304) ? Unchanged
        : Changed;

    /// <summary>A page that is answered by 304, with what is known of it.</summary>
    public static PageRecord Known(PageRecord page, PageRecord past) =>
        page with
        {
            ContentType = past.ContentType,
            Title = past.Title,
            Digest = past.Digest,
            Links = past.Links,
            ETag = page.ETag ?? past.ETag,
            LastModified = page.LastModified ?? past.LastModified,
            Extract = past.Extract,
            Unfetched = (past.Unfetched ?? 0) + 1,
        };

    public static bool IsHtml(PageRecord page) => new ContentType(page.ContentType ?? "", charset: null).IsHtml;
}
