using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling.Archive;

/// <summary>
/// Removes a crawl's kept pages: all of them, or the objects that no row names, which a crash or a late report leaves behind. To be called
/// when no lease of the crawl can be out any more.
/// </summary>
internal sealed class PageSweep(ITableStore rows, IBlobStore blobs, CrawlId crawl)
{
    /// <summary>Objects that are removed at the same time.</summary>
    private const int DeletesAtOnce = 16;

    /// <summary>Removes every object; how many there were.</summary>
    public Task<int> RemoveAll(CancellationToken cancel) => Remove([], cancel);

    /// <summary>Removes the objects that no row names; how many there were.</summary>
    /// <param name="hosts">Every host that is listed at the crawl.</param>
    public async Task<int> RemoveUnnamed(IEnumerable<HostKey> hosts, CancellationToken cancel)
    {
        var named = new HashSet<string>(StringComparer.Ordinal);
        foreach (var host in hosts)
        {
            await AddNamed(CrawlTable.Urls(crawl, host), named, cancel);
        }

        return await Remove(named, cancel);
    }

    private async Task AddNamed(string partition, HashSet<string> named, CancellationToken cancel)
    {
        var range = KeyRange.Prefix(CrawlTable.UrlPrefix);
        IReadOnlyList<TableRow> page;
        do
        {
            page = await rows.Scan(CrawlTable.Name, partition, range, StoreLimits.MaxScan, cancel);
            foreach (var row in page)
            {
                if (CrawlJson.Read<UrlRow>(row.Payload).Page?.Kept is { } kept)
                {
                    named.Add(kept.Blob);
                }
            }

            range = page.Count == 0 ? range : range.After(page[^1].Key);
        } while (page.Count == StoreLimits.MaxScan);
    }

    private async Task<int> Remove(HashSet<string> except, CancellationToken cancel)
    {
        var names = new List<string>();
        await foreach (var blob in blobs.List(PageArchive.Prefix(crawl), cancel))
        {
            if (!except.Contains(blob.Name))
            {
                names.Add(blob.Name);
            }
        }

        foreach (var some in names.Chunk(DeletesAtOnce))
        {
            await Task.WhenAll(some.Select(name => blobs.Delete(name, cancel)));
        }

        return names.Count;
    }
}
