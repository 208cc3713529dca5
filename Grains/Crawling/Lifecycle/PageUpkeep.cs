using Grains.Crawling.Archive;
using Grains.Crawling.Rows;
using Grains.Storage;

namespace Grains.Crawling.Lifecycle;

/// <summary>
/// What becomes of a crawl's kept pages after its end: objects that no row names are swept, and all are removed when their time is over.
/// </summary>
/// <param name="keepFor">How long pages are kept after the end; zero: until the crawl is deleted.</param>
internal sealed class PageUpkeep(ITableStore store, IBlobStore blobs, CrawlPartition crawl, TimeSpan keepFor, TimeProvider clock)
{
    /// <summary>
    /// After a crawl's end so much later no lease of it can be out: a fetch takes five minutes at most, and a quarter more.
    /// </summary>
    private static readonly TimeSpan SweepAfter = TimeSpan.FromMinutes(10);

    /// <summary>There is something to do for a crawl that has ended.</summary>
    public bool IsDue =>
        crawl.Head is { Sums.ToKeep: > 0 } head && CrawlLifecycle.IsSettled(head) && (IsSweepDue(head) || IsRemovalDue(head));

    /// <summary>Does what is due.</summary>
    /// <returns>How many objects it removed, and whether because their time is over; null: nothing was due.</returns>
    public async Task<(int Removed, bool IsRemoval)?> Run(CancellationToken cancel)
    {
        var sweep = new PageSweep(store, blobs, crawl.Id);
        if (crawl.Head is { } removable && IsRemovalDue(removable))
        {
            var removed = await sweep.RemoveAll(cancel);
            await crawl.Save(head => head with { PagesRemovedAt = clock.GetUtcNow(), SweptAt = clock.GetUtcNow() });
            return (removed, true);
        }

        if (crawl.Head is { } sweepable && IsSweepDue(sweepable))
        {
            var removed = await sweep.RemoveUnnamed([.. crawl.Hosts.Keys], cancel);
            await crawl.Save(head => head with { SweptAt = clock.GetUtcNow() });
            return (removed, false);
        }

        return null;
    }

    private bool IsSweepDue(CrawlHead head) => head.SweptAt is null && head.EndedAt + SweepAfter <= clock.GetUtcNow();

    private bool IsRemovalDue(CrawlHead head) =>
        head.PagesRemovedAt is null && keepFor > TimeSpan.Zero && head.EndedAt + keepFor <= clock.GetUtcNow();
}
