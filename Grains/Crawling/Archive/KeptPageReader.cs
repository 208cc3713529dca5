using Grains.Crawling.Rows;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling.Archive;

/// <summary>Reads what a crawl kept of one page, part by part.</summary>
/// <param name="head">The crawl's head as it is now.</param>
/// <param name="crawlOf">The crawl that was visited before, where a page that has not changed is kept.</param>
internal sealed class KeptPageReader(
    ITableStore store,
    IBlobStore blobs,
    CrawlId id,
    Func<CrawlHead?> head,
    Func<CrawlId, ICrawlGrain> crawlOf
)
{
    private const string Http11 = "HTTP/1.1 ";

    /// <inheritdoc cref="ICrawlGrain.Page"/>
    public async Task<PagePart> Read(string url, PageView view, long offset, CancellationToken cancel)
    {
        if (!CanonicalUrl.TryParse(url, baseUrl: null, out var canonical, out var why))
        {
            return Nothing(null, $"\"{UrlFaults.Shorten(url)}\" is no URL that can be crawled: {why}");
        }

        var row = await store.Get(CrawlTable.Name, CrawlTable.Urls(id, canonical.HostKey), CrawlTable.Url(canonical.Text), cancel);
        var known = row is null ? null : CrawlJson.Read<UrlRow>(row.Payload);
        if (known is not { State: UrlState.Fetched, Page: { } page })
        {
            return Nothing(null, $"Crawl {id} has not fetched {canonical}; crawl explain says why.");
        }

        if (page.Status == 304 && head()?.Order.Spec.Revisit is { } earlier)
        {
            // Its content is where it was fetched; what is known of it is this crawl's.
            var then = await crawlOf(earlier).Page(url, view, offset, cancel);
            return then with { Page = page };
        }

        if (page.Kept is not { } kept)
        {
            return Nothing(page, $"{canonical} was fetched and not kept: --keep, --max-kept and the page's type decide.");
        }

        var content = await PageContent.Read(blobs, kept, cancel);
        if (content is null)
        {
            return Nothing(
                page,
                head()?.PagesRemovedAt is { } removed
                    ? $"The pages of crawl {id} were removed at {removed:u}, as Crawling:KeepPagesFor says."
                    : $"{canonical} was kept in {kept.Blob}, which is gone."
            );
        }

        var body = content.As(view, page.Truncated, out var isText);
        var from = (int)Math.Clamp(offset, 0, body.Length);
        var part = body.Slice(from, Math.Min(PagePart.MaxBytes, body.Length - from));
        return new(page, AsItCame(content.Head, page.Protocol), part.ToArray(), body.Length, Why: null, isText);
    }

    /// <summary>WARC 1.1 knows messages of HTTP/1.1 alone; this is the head with the version that was spoken.</summary>
    private static string AsItCame(string head, string? protocol) =>
        protocol == "h2" && head.StartsWith(Http11, StringComparison.Ordinal) ? "HTTP/2 " + head[Http11.Length..] : head;

    private static PagePart Nothing(PageRecord? page, string why) => new(page, Head: null, Body: [], BodyBytes: 0, why, IsText: false);
}
