using System.IO.Hashing;
using System.Runtime.InteropServices;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Frontier;

/// <summary>
/// How the fetches that a crawl may have in flight are shared out over the workers: evenly, the remainder to workers that follow one
/// another
/// from a place of the crawl's own. Host and worker compute it alike, so the crawl's limit needs no counter anywhere.
/// </summary>
public static class WorkerSlots
{
    /// <summary>
    /// Fetches of this crawl that this worker may have in flight. Over all workers they add up to <paramref name="parallel"/>.
    /// </summary>
    public static int Of(CrawlId crawl, int parallel, int worker, int workers)
    {
        var place = (worker - First(crawl, workers) + workers) % workers;
        return (parallel / workers) + (place < parallel % workers ? 1 : 0);
    }

    /// <summary>The worker that has a slot even if the crawl has but one.</summary>
    public static int First(CrawlId crawl, int workers) =>
        (int)(XxHash3.HashToUInt64(MemoryMarshal.AsBytes(crawl.Value.AsSpan())) % (ulong)workers);
}
