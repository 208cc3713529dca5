using System.Collections.Immutable;
using Grains.Crawling.Results;
using Grains.Crawling.Rows;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling.Hosts;

/// <summary>
/// What a host does for those who call it: see <see cref="IHostGrain"/> for what each promises. Not thread-safe: it belongs to a grain and
/// runs on its scheduler; between two awaits everything is decided in memory at once.
/// </summary>
/// <param name="isDead">A silo was declared dead.</param>
internal sealed class HostCalls(
    ITableStore store,
    HostKey host,
    HostCrawls crawls,
    Politeness politeness,
    CrawlFairness fairness,
    HostLeases leases,
    HostPump pump,
    HostCallbacks callbacks,
    Func<string?, bool> isDead
)
{
    public async Task<AddReply> Add(CrawlOrder order, ImmutableArray<FoundUrl> urls)
    {
        if (await crawls.GetOrMake(order) is not { } partition)
        {
            return new(0, 0); // A straggler of a crawl that is gone.
        }

        await MayReopen(partition, order);
        await partition.Loaded;
        var work = partition.Crawl.Accept(urls, pump.Now().Schedule);
        await pump.Commit(partition, partition.Tell(order), partition.Writer.Commit(work));
        pump.Run();
        return work.Reply;
    }

    public async Task<HostReply> Report(HostReport report)
    {
        var commits = new List<Task>(report.Outcomes.Length);
        var late = ImmutableArray<long>.Empty;
        foreach (var outcome in report.Outcomes)
        {
            var now = pump.Now();
            var taken = leases.Take(outcome, now);
            if (taken.IsLate)
            {
                callbacks.Late(outcome);
                late = late.Add(outcome.Number);
            }
            else if (taken.Robots is { } robots)
            {
                commits.Add(Finish(outcome, now.Schedule, crawls.StoreRobots(robots)));
            }
            else if (taken is { Partition: { } from, Work: { } work })
            {
                if (taken.IsSlower)
                {
                    callbacks.Observe(crawls.StoreClock());
                }

                commits.Add(Finish(outcome, now.Schedule, pump.Commit(from, from.Writer.Commit(work))));
            }
        }

        await Task.WhenAll(commits);
        pump.Announce();
        if (report.Crawl is { } wanted && crawls.Find(wanted) is { } partition)
        {
            return (await Lease(partition, report)) with { Late = late };
        }

        fairness.MayBeTold(report);
        pump.Run();
        return new(null, [], late);
    }

    public void Begun(CrawlId crawl, long lease)
    {
        politeness.Clock.Begun(new(crawl, lease), pump.Now().Schedule);
        pump.Run();
    }

    public async Task<HostSums> Sums(CrawlOrder order, long? allowance)
    {
        if (await crawls.Get(order.Id) is not { } partition)
        {
            return NoSums;
        }

        partition.Crawl.Allow(allowance);
        if (!partition.Crawl.Ended)
        {
            await pump.Commit(partition, partition.Tell(order));
        }

        pump.Run();
        return partition.Crawl.Sums() with { Note = partition.Crawl.Waiting > 0 ? politeness.RobotsNote(order.Spec) : null };
    }

    public async Task<HostSums> End(CrawlOrder order, string reason, CancellationToken cancel)
    {
        if (await crawls.Get(order.Id) is not { } partition)
        {
            return NoSums;
        }

        await partition.Loaded;
        await pump.Commit(partition, partition.Tell(order), partition.Writer.Commit(partition.Crawl.End(reason)));
        if (partition.Crawl.Queue.Leased == 0 && partition.Crawl.RobotsLeaseEnd is null)
        {
            await crawls.Unlist(order.Id, cancel); // With leases out it stays listed, so that a successor waits for them.
        }

        crawls.SetPace();
        pump.Run();
        return partition.Crawl.Sums();
    }

    public async Task<HostRetry> Retry(CrawlOrder order, string? reason, string? after)
    {
        if (await crawls.Get(order.Id) is not { } partition)
        {
            return new(ImmutableSortedDictionary<string, long>.Empty, Next: null);
        }

        await MayReopen(partition, order);
        await partition.Loaded;
        politeness.Robots.ForgetFailures();
        var retry = partition.Requeue(reason, after);
        await pump.Commit(partition, retry);
        pump.Run();
        return await retry;
    }

    public async Task<string?> Revisit(CrawlOrder order, string? after, CancellationToken cancel)
    {
        var past = new PastUrls(store, order, host);
        var (urls, next) = await past.Read(after, cancel);
        await Add(order, urls);
        return next;
    }

    public async Task CookiesChanged(CrawlId crawl, CancellationToken cancel)
    {
        await crawls.Opening(crawl); // It may have read the cookies before they changed.
        await (crawls.Find(crawl)?.ReadCookies(cancel) ?? Task.CompletedTask);
    }

    public async Task<HostState> State(CrawlId crawl) => HostStates.Of(host, (await crawls.Get(crawl))?.Crawl, politeness, pump.Now());

    public async Task<bool> Delete(CrawlId crawl, CancellationToken cancel)
    {
        await crawls.Opening(crawl);
        crawls.Forget(crawl);
        pump.Run();
        return await crawls.Delete(crawl, cancel);
    }

    public async Task<ImmutableArray<ExplainLine>> Explain(CrawlId crawl, string url, CancellationToken cancel)
    {
        var row = await store.Get(CrawlTable.Name, CrawlTable.Urls(crawl, host), CrawlTable.Url(url), cancel);
        var partition = await crawls.Get(crawl);
        var lines = ImmutableArray.CreateBuilder<ExplainLine>();
        if (CanonicalUrl.TryParse(url, baseUrl: null, out var canonical))
        {
            lines.AddRange(politeness.Explain(canonical, partition?.Crawl.Order.Spec));
        }

        var now = pump.Now();
        var known = row is null ? null : CrawlJson.Read<UrlRow>(row.Payload);
        lines.AddRange(Explanations.Of(known, url, partition?.Crawl, now.Schedule, politeness.Next(now)));
        return lines.ToImmutable();
    }

    private HostSums NoSums => HostHead.NoSums(host);

    private async Task MayReopen(HostPartition partition, CrawlOrder order)
    {
        if (partition.Crawl.MayReopen(order))
        {
            await pump.Commit(partition, crawls.Reopen(partition, order));
            callbacks.Observe(pump.WhenLoaded(partition));
        }
    }

    /// <summary>
    /// The place is free again when what it brought is durable, so that a crash repeats no more fetches than may be in flight. The delay
    /// runs from the end of the request. When a commit is lost, the activation ends; when a robots.txt is, it counts for this activation
    /// all the same.
    /// </summary>
    private async Task Finish(FetchOutcome outcome, DateTimeOffset ended, Task commit)
    {
        try
        {
            await commit;
        }
        finally
        {
            leases.Ended(outcome, ended);
        }
    }

    /// <summary>Hands out leases; the durable horizon covers each of them.</summary>
    private async Task<HostReply> Lease(HostPartition partition, HostReport report)
    {
        var crawl = partition.Crawl;
        var wanted = isDead(report.Silo) ? 0 : report.Take;
        await partition.Loaded;
        var now = pump.Now();
        if (wanted > 0 && !pump.IsEnding && fairness.MayLease(partition, now) && now.Guards + crawl.HeldFor > crawl.Horizon)
        {
            await pump.Commit(partition, partition.Writer.CommitHead());
            now = pump.Now();
        }

        var granted = leases.Grant(partition, report.Worker, report.Silo, pump.IsEnding ? 0 : wanted, now);
        var again = granted.Leases.Count(lease => lease.Attempt > 1);
        callbacks.Leased(granted.Leases.Length - again, again);
        foreach (var skip in granted.Skips)
        {
            callbacks.Observe(pump.Then(pump.Commit(partition, partition.Writer.Commit(skip))));
        }

        pump.Run();
        return new(granted.Leases.IsEmpty ? null : crawl.OrderForWorkers, granted.Leases, []);
    }
}
