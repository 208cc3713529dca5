using System.Collections.Immutable;
using Grains.Books;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling.Lifecycle;

/// <summary>One part of queueing a crawl's failed URLs again, host by host in order of their keys.</summary>
internal sealed class RetryPass(ITableStore store, CrawlPartition crawl, Func<HostKey, IHostGrain> hostOf)
{
    /// <summary>What one part may cost: a head that is read costs 1, a call of a host <see cref="CallCost"/>.</summary>
    private const int MaxCost = 250;

    private const int CallCost = 25;

    /// <param name="reason">The word for the books with which they failed; null: any.</param>
    /// <param name="cursor">The last host, and where its next call goes on: <c>host/row</c>; null to begin.</param>
    public async Task<RetryReply> Run(string? reason, string? cursor, CancellationToken cancel)
    {
        var slash = cursor?.LastIndexOf('/') ?? -1;
        var (from, after) = slash < 0 ? ("", null) : (cursor![..slash], cursor[(slash + 1)..]);
        var retried = ImmutableSortedDictionary<string, long>.Empty;
        var cost = 0;
        foreach (var host in crawl.HostsInOrder.Where(host => string.CompareOrdinal(host.Value, from) >= 0).ToList())
        {
            var row = host.Value == from && after is { Length: > 0 } ? after : null;
            cost++;
            while (row is not null || await HasFailed(host, reason, cancel))
            {
                var part = await hostOf(host).Retry(crawl.Head!.Order, reason, row, cancel);
                retried = retried.Plus(part.Retried);
                cost += CallCost;
                row = part.Next;
                if (row is null || cost >= MaxCost)
                {
                    break;
                }
            }

            if (cost >= MaxCost)
            {
                // Without a row, the host itself is done with: the next one follows its name.
                return new(retried, row is null ? $"{host.Value} /" : $"{host.Value}/{row}", Closed: null);
            }
        }

        return new(retried, Cursor: null, Closed: null);
    }

    /// <summary>The host's head says so: those that have no such URL need not come into memory.</summary>
    private async Task<bool> HasFailed(HostKey host, string? reason, CancellationToken cancel) =>
        await store.Get(CrawlTable.Name, CrawlTable.Urls(crawl.Id, host), PartitionWriter.HeadKey, cancel) is { } row
        && CrawlJson.Read<HostHead>(row.Payload) is { Failed: > 0 } head
        && (reason is null || head.Refused.ContainsKey(reason));
}
