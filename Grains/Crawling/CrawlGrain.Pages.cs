using Grains.Crawling.Archive;
using Grains.Crawling.Rows;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling;

/// <summary>
/// The pages that a crawl keeps: read by URL or as one WARC file; swept after its end, and removed when their time is over.
/// </summary>
public sealed partial class CrawlGrain
{
    /// <summary>
    /// After a crawl's end so much later no lease of it can be out: a fetch takes five minutes at most, and a quarter more.
    /// </summary>
    private static readonly TimeSpan SweepAfter = TimeSpan.FromMinutes(10);

    private IGrainTimer? _tidying;

    public async Task<PagePart> Page(string url, PageView view, long offset, CancellationToken cancel)
    {
        if (!CanonicalUrl.TryParse(url, baseUrl: null, out var canonical, out var why))
        {
            return Nothing(null, $"\"{UrlFaults.Shorten(url)}\" is no URL that can be crawled: {why}");
        }

        var row = await store.Get(CrawlTable.Name, CrawlTable.Urls(Id, canonical.HostKey), CrawlTable.Url(canonical.Text), cancel);
        var known = row is null ? null : CrawlJson.Read<UrlRow>(row.Payload);
        if (known is not { State: UrlState.Fetched, Page: { } page })
        {
            return Nothing(null, $"Crawl {Id} has not fetched {canonical}; crawl explain says why.");
        }

        if (page.Status == 304 && _head?.Order.Spec.Revisit is { } earlier)
        {
            // Its content is where it was fetched; what is known of it is this crawl's.
            var then = await GrainFactory.GetGrain<ICrawlGrain>(earlier.Value).Page(url, view, offset, cancel);
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
                _head?.PagesRemovedAt is { } removed
                    ? $"The pages of crawl {Id} were removed at {removed:u}, as Crawling:KeepPagesFor says."
                    : $"{canonical} was kept in {kept.Blob}, which is gone."
            );
        }

        var body = content.As(view, page.Truncated, out var isText);
        var from = (int)Math.Clamp(offset, 0, body.Length);
        var part = body.Slice(from, Math.Min(PagePart.MaxBytes, body.Length - from));
        return new(page, content.Head, part.ToArray(), body.Length, Why: null, isText);
    }

    public Task<ArchivePart> Archive(string? cursor, CancellationToken cancel) =>
        new ArchiveReader(store, blobs, Id, clock).Read(cursor, cancel);

    private static PagePart Nothing(PageRecord? page, string why) => new(page, Head: null, Body: [], BodyBytes: 0, why, IsText: false);

    /// <summary>What there is to do for kept pages after the end; it runs beside calls, and the next wake-up does what failed.</summary>
    private void StartTidying()
    {
        if (_tidying is null && _head is { } head && IsSettled && IsDue(head))
        {
            _tidying = this.RegisterGrainTimer(
                Tidy,
                new GrainTimerCreationOptions(TimeSpan.Zero, Timeout.InfiniteTimeSpan) { Interleave = true, KeepAlive = true }
            );
        }
    }

    private bool IsDue(CrawlHead head) => head.Sums is { ToKeep: > 0 } && (IsSweepDue(head) || IsRemovalDue(head));

    private bool IsSweepDue(CrawlHead head) => head.SweptAt is null && head.EndedAt + SweepAfter <= clock.GetUtcNow();

    private bool IsRemovalDue(CrawlHead head) =>
        head.PagesRemovedAt is null
        && options.Value.KeepPagesFor > TimeSpan.Zero
        && head.EndedAt + options.Value.KeepPagesFor <= clock.GetUtcNow();

    private async Task Tidy(CancellationToken cancel)
    {
        try
        {
            var sweep = new PageSweep(store, blobs, Id);
            if (_head is { } removable && IsRemovalDue(removable))
            {
                var removed = await sweep.RemoveAll(cancel);
                await Save(head => head with { PagesRemovedAt = clock.GetUtcNow(), SweptAt = clock.GetUtcNow() });
                LogPagesRemoved(Id, removed);
            }
            else if (_head is { } sweepable && IsSweepDue(sweepable))
            {
                var removed = await sweep.RemoveUnnamed([.. _hosts.Keys], cancel);
                await Save(head => head with { SweptAt = clock.GetUtcNow() });
                LogPagesSwept(Id, removed);
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogTidyFailed(Id, e);
        }
        finally
        {
            _tidying?.Dispose();
            _tidying = null;
        }
    }
}
