using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling.Lifecycle;

/// <summary>
/// Takes in the URLs of the crawl that is revisited, host by host in order of its rows there. Where it goes on is stored; taken in twice,
/// they change nothing.
/// </summary>
internal sealed class RevisitPass(ITableStore store, CrawlPartition crawl, Func<HostKey, IHostGrain> hostOf)
{
    /// <summary>Calls of hosts in one pass.</summary>
    private const int CallsAtOnce = 25;

    /// <summary>Takes in some of them; all are in when <see cref="CrawlHead.RevisitFrom"/> is null.</summary>
    public async Task Run()
    {
        for (var i = 0; i < CallsAtOnce && crawl.Head is { EndReason: null, RevisitFrom: { } from }; i++)
        {
            var next = await RevisitHost(crawl.Head.Order.Spec.Revisit!.Value, from);
            await crawl.Save(head => head with { RevisitFrom = next });
        }
    }

    /// <param name="from">Empty, or <c>{row of the host}/{key of its last URL}</c>; without a key, the host is done with.</param>
    /// <returns>The same for the next call; null at the end.</returns>
    private async Task<string?> RevisitHost(CrawlId earlier, string from)
    {
        var (last, after) = from.Split('/') is [var hostRow, var urlRow] ? (hostRow, urlRow) : ("", "");
        var all = KeyRange.Prefix(CrawlTable.HostPrefix);
        var range =
            after.Length > 0 ? all with { From = last }
            : last.Length > 0 ? all.After(last)
            : all;
        if (await store.Scan(CrawlTable.Name, CrawlTable.Crawl(earlier), range, take: 1) is not [var row])
        {
            return null;
        }

        var host = new HostKey(CrawlJson.Read<ListedHost>(row.Payload).Host);
        if (await crawl.Enlist([host]) is not { NotListed.IsEmpty: true } enlisted)
        {
            return $"{row.Key}/";
        }

        var next = await hostOf(host).Revisit(enlisted.Order, after.Length > 0 && row.Key == last ? after : null, CancellationToken.None);
        return $"{row.Key}/{next}";
    }
}
