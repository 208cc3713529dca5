using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling.Archive;

/// <summary>
/// Keeps the WARC records of pages in the blob store. While one object of a crawl is being stored, the pages that come meanwhile wait and
/// go
/// into the next, so that many pages share one durable write, and a single page waits for nobody. An object is stored whole or not at all;
/// it
/// counts once a page's row names it, and <see cref="PageSweep"/> removes those that no row names. Safe to share between threads.
/// </summary>
/// <param name="clock">For the names of objects and the dates in them.</param>
public sealed class PageArchive(IBlobStore blobs, TimeProvider clock)
{
    /// <summary>Bytes of one object, unless a single page has more. The next page goes into another object.</summary>
    public const int RollBytes = 64 * 1024 * 1024;

    /// <summary>Bytes of the records of one page; a longer one is not kept.</summary>
    public const int MaxPageBytes = StoreLimits.MaxBlobBytes - (64 * 1024);

    private readonly Lock _lock = new();
    private readonly Dictionary<CrawlId, WaitingPages> _waiting = [];

    /// <summary>What the names of a crawl's objects begin with.</summary>
    public static string Prefix(CrawlId crawl) => $"pages/{crawl}/";

    /// <summary>Stores the records of a page; where they are, once they are durable. Throws what the store throws.</summary>
    public async Task<KeptPage> Keep(CrawlId crawl, ReadOnlyMemory<byte> records, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(records.Length, MaxPageBytes);
        var page = new WaitingPage(records, new(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (_lock)
        {
            if (!_waiting.TryGetValue(crawl, out var waiting))
            {
                _waiting.Add(crawl, waiting = new());
            }

            waiting.Pages.Enqueue(page);
            if (waiting.Storing.IsCompleted)
            {
                waiting.Storing = Task.Run(() => StoreWaiting(crawl), CancellationToken.None);
            }
        }

        return await page.Kept.Task.WaitAsync(cancel).ConfigureAwait(false);
    }

    /// <summary>Stores what waits, object by object, until nothing does. Failures go to the pages that waited for them.</summary>
    private async Task StoreWaiting(CrawlId crawl)
    {
        while (Next(crawl) is { Count: > 0 } pages)
        {
            try
            {
                await Store(crawl, pages).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                pages.ForEach(page => page.Kept.TrySetException(e));
            }
        }
    }

    private List<WaitingPage> Next(CrawlId crawl)
    {
        var pages = new List<WaitingPage>();
        var bytes = 0L;
        lock (_lock)
        {
            var waiting = _waiting[crawl].Pages;
            while (waiting.TryPeek(out var page) && (pages.Count == 0 || bytes + page.Records.Length <= RollBytes))
            {
                pages.Add(waiting.Dequeue());
                bytes += page.Records.Length;
            }

            if (pages.Count == 0)
            {
                _waiting.Remove(crawl);
            }
        }

        return pages;
    }

    private async Task Store(CrawlId crawl, List<WaitingPage> pages)
    {
        var at = clock.GetUtcNow();
        var name = Prefix(crawl) + NewName(at);
        var info = PageRecords.Info(crawl.Value, name[(name.LastIndexOf('/') + 1)..], at);
        var offset = info.Length;
        var content = ArrayPool<byte>.Shared.Rent(info.Length + pages.Sum(page => page.Records.Length));
        try
        {
            info.CopyTo(content);
            foreach (var page in pages)
            {
                page.Records.CopyTo(content.AsMemory(offset));
                offset += page.Records.Length;
            }

            if (!await blobs.Put(name, content.AsMemory(0, offset)).ConfigureAwait(false))
            {
                throw new IOException($"The new object {name} is there already.");
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(content);
        }

        offset = info.Length;
        foreach (var page in pages)
        {
            page.Kept.TrySetResult(new(name, offset, page.Records.Length));
            offset += page.Records.Length;
        }
    }

    /// <summary>Objects sort by time; two of one moment differ by chance, 64 bits of it.</summary>
    private static string NewName(DateTimeOffset at) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{at.UtcDateTime:yyyyMMddHHmmssfff}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}.warc.gz"
        );

    private sealed class WaitingPages
    {
        public Queue<WaitingPage> Pages { get; } = new();

        public Task Storing { get; set; } = Task.CompletedTask;
    }

    private sealed record WaitingPage(ReadOnlyMemory<byte> Records, TaskCompletionSource<KeptPage> Kept);
}
