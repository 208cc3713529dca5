using Grains.Crawling.Frontier;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling.Hosts;

/// <summary>
/// Crawls that were deleted at one host: nothing is taken in for them, and the leases that were out are waited for. Each is known for an
/// hour at least, by a
/// row too: no link is longer on its way, for it goes out within the lease of its page.
/// It is told the time, by the guards' clock, and does no I/O.
/// </summary>
internal sealed class DeletedCrawls
{
    public static readonly TimeSpan KnownFor = TimeSpan.FromHours(1);

    /// <summary>Rows that one deletion drops: more than it makes, so they do not pile up.</summary>
    private const int MaxDrops = 50;

    private readonly Dictionary<CrawlId, Entry> _known = [];

    public bool Contains(CrawlId id) => _known.ContainsKey(id);

    /// <summary>The leases that were out, by crawl.</summary>
    public IEnumerable<(CrawlId Crawl, HostQueue Leases)> LeftOver => _known.Select(known => (known.Key, known.Value.Leases));

    public HostQueue? Find(CrawlId id) => _known.GetValueOrDefault(id)?.Leases;

    /// <param name="leases">What was out; null: nothing. Told twice, the first counts.</param>
    public void Add(CrawlId id, HostQueue? leases, DateTimeOffset now) => _known.TryAdd(id, new(leases ?? new(), now));

    /// <summary>
    /// The row that makes it known to a successor, and those that have served their time. They go from memory here as well.
    /// </summary>
    public IReadOnlyList<RowChange> Rows(CrawlId id, DateTimeOffset now)
    {
        var changes = new List<RowChange>
        {
            RowChange.Put(CrawlTable.DeletedPrefix + id, CrawlJson.Write(new DeletedCrawl(_known[id].At))),
        };
        var over = _known
            .Where(known => known.Key != id && known.Value.At + KnownFor <= now && known.Value.Leases.Leased == 0)
            .Take(MaxDrops)
            .ToList();
        foreach (var (crawl, _) in over)
        {
            _known.Remove(crawl);
            changes.Add(RowChange.Delete(CrawlTable.DeletedPrefix + crawl));
        }

        return changes;
    }

    /// <summary>Takes what a predecessor stored; passes over any other row.</summary>
    public void Restore(TableRow row)
    {
        if (row.Key.StartsWith(CrawlTable.DeletedPrefix, StringComparison.Ordinal))
        {
            _known.Add(CrawlId.Parse(row.Key[CrawlTable.DeletedPrefix.Length..]), new(new(), CrawlJson.Read<DeletedCrawl>(row.Payload).At));
        }
    }

    private sealed record Entry(HostQueue Leases, DateTimeOffset At);
}
