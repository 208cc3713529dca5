using System.Collections.Immutable;
using System.Globalization;
using Grains.Books;
using Grains.Crawling.Frontier;
using Grains.Interfaces.Books;
using Grains.Interfaces.Crawling;
using Microsoft.Extensions.Options;

namespace Grains.Crawling;

/// <summary>The crawler's account: the sum over all crawls that are kept. A crawl that is deleted leaves both sides.</summary>
public sealed class CrawlingAccounts(IGrainFactory grains, IOptions<CrawlingOptions> options) : IAccountSource
{
    public async Task<ImmutableArray<Account>> Read(CancellationToken cancel)
    {
        var crawls = await grains.GetGrain<ICrawlListGrain>(0).List(cancel);
        var accounts = await Task.WhenAll(crawls.Select(crawl => grains.GetGrain<ICrawlGrain>(crawl.Id.Value).Account(cancel)));
        var total = new Account(
            "crawling",
            "urls",
            In: 0,
            Done: 0,
            ImmutableSortedDictionary<string, long>.Empty,
            Waiting: 0,
            Bound: 0,
            string.Create(
                CultureInfo.InvariantCulture,
                $"a URL beyond {options.Value.MaxUrlsPerHost:N0} of one host is refused as host-full, and counted"
            )
        );
        foreach (var account in accounts.OfType<Account>())
        {
            total = total with
            {
                In = total.In + account.In,
                Done = total.Done + account.Done,
                Refused = total.Refused.Plus(account.Refused),
                Waiting = total.Waiting + account.Waiting,
                Bound = total.Bound + account.Bound,
            };
        }

        total = total with { Bound = Math.Max(total.Bound, options.Value.MaxUrlsPerHost) };
        return Pages(crawls) is { } pages ? [total, pages] : [total];
    }

    /// <summary>Pages that were to be kept; null when each of them was.</summary>
    private static Account? Pages(ImmutableArray<CrawlSummary> crawls)
    {
        var kept = crawls.Select(crawl => crawl.Kept).OfType<KeptPages>().ToList();
        var notKept = kept.Sum(crawl => crawl.NotKept);
        return notKept == 0
            ? null
            : new(
                "crawling",
                "pages",
                kept.Sum(crawl => crawl.ToKeep),
                kept.Sum(crawl => crawl.ToKeep - crawl.NotKept),
                ImmutableSortedDictionary<string, long>.Empty.Add(Refusals.KeepLimit, notKept),
                Waiting: 0,
                Bound: 0,
                "a page beyond --max-kept of its crawl has its row only, and is counted"
            );
    }
}
