using System.Collections.Immutable;
using Grains.Crawling.Frontier;
using Grains.Crawling.Hosts;
using Grains.Crawling.Pages;
using Grains.Crawling.Results;
using Grains.Crawling.Rows;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;
using Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;

namespace Grains.Crawling;

/// <summary>
/// One host on the web: <see cref="Politeness"/> says when it is asked, <see cref="HostLeases"/> what, <see cref="HostCrawls"/> for whom;
/// the rest is committing, telling workers and keeping time.
/// </summary>
/// <remarks>
/// Reentrant, because callers gather around one commit loop per crawl (<see cref="PartitionWriter"/>). It holds because everything between
/// two awaits is
/// decided in memory at once, and what memory decides becomes true by the next commit or not at all: when a commit fails, the activation
/// ends.
/// Over 150 lines, because it has the 10 calls of its contract, each of which ends in commits, leases or the timer, and keeps time.
/// </remarks>
[Reentrant]
[GrainType("host")]
public sealed partial class HostGrain(
    ITableStore store,
    IOptions<CrawlingOptions> options,
    TimeProvider clock,
    [FromKeyedServices(Clocks.Guards)] TimeProvider guards,
    Func<double> chance,
    CrawlingMetrics metrics,
    HostAddresses addresses,
    SiloDeaths deaths,
    ILocalSiloDetails silo,
    ILogger<HostGrain> logger
) : Grain, IHostGrain, IDisposable
{
    private readonly HostLoad _load = metrics.Watch();
    private readonly CancellationTokenSource _stopping = new();
    private Politeness _politeness = null!;
    private HostCrawls _crawls = null!;
    private CrawlFairness _fairness = null!;
    private HostLeases _leases = null!;
    private AddressTurns _turns = null!;
    private CancellationToken _stop;

    private bool IsEnding => _stop.IsCancellationRequested;

    private HostKey Host => new(this.GetPrimaryKeyString());

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stop = _stopping.Token;
        var settings = options.Value.OfHosts;
        var retries = new RetryPolicy(options.Value.Attempts, options.Value.RetryDelay, settings.MaxDelay, chance);
        _politeness = new(settings, retries, settings.OwnHosts.Contains(Host));
        _crawls = new(store, Host, _politeness, settings, retries, guards, silo.SiloAddress.ToParsableString(), Opened);
        _fairness = new(Host, _crawls, _politeness);
        _leases = new(Host, _crawls, _politeness, _fairness);
        var factory = GrainFactory;
        _turns = new(Host, _politeness.Address, addresses.Find, address => factory.GetGrain<IAddressGrain>(address), clock, LogNoTurn);
        _timer = this.RegisterGrainTimer(
            OnTimer,
            new GrainTimerCreationOptions(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan) { Interleave = true, KeepAlive = true }
        );
        var scheduler = TaskScheduler.Current;
        deaths.Join(this, dead =>
            logger.Observe(Task.Factory.StartNew(() => SiloDied(dead), CancellationToken.None, TaskCreationOptions.None, scheduler))
        );
        await _crawls.Restore(cancellationToken);
        Observe(EndPredecessors());
        Pump();
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        deaths.Leave(this);
        await _stopping.CancelAsync();
        metrics.Forget(_load);
        foreach (
            var partition in _crawls.Open.Where(partition =>
                partition.Writer.Lost is null && !partition.Crawl.Ended && partition.Crawl.Sums().Waiting > 0
            )
        )
        {
            // A successor then waits for the leases that are out, and not for those that might have been.
            partition.Crawl.LeaseNoMore();
            try
            {
                await partition.Writer.CommitHead().WaitAsync(cancellationToken);
            }
            catch (Exception e) when (e is PartitionLostException or OperationCanceledException)
            {
                LogLeftEarly(Host, e.Message);
            }
        }
    }

    public void Dispose() => _stopping.Dispose();

    public async Task<AddReply> Add(CrawlOrder order, ImmutableArray<FoundUrl> urls, CancellationToken cancel)
    {
        if (await _crawls.GetOrMake(order) is not { } partition)
        {
            return new(0, 0); // A straggler of a crawl that is gone.
        }

        await MayReopen(partition, order);
        await partition.Loaded;
        var work = partition.Crawl.Accept(urls, Now().Schedule);
        await Commit(partition, partition.Tell(order), partition.Writer.Commit(work));
        Pump();
        return work.Reply;
    }

    public async Task<HostReply> Report(HostReport report, CancellationToken cancel)
    {
        var commits = new List<Task>(report.Outcomes.Length);
        var late = ImmutableArray<long>.Empty;
        foreach (var outcome in report.Outcomes)
        {
            var now = Now();
            var taken = _leases.Take(outcome, now);
            if (taken.IsLate)
            {
                LogLate(Host, outcome.Url, outcome.Number);
                late = late.Add(outcome.Number);
            }
            else if (taken.Robots is { } robots)
            {
                commits.Add(Finish(outcome, now.Schedule, _crawls.StoreRobots(robots)));
            }
            else if (taken is { Partition: { } from, Work: { } work })
            {
                if (taken.IsSlower)
                {
                    Observe(_crawls.StoreClock());
                }

                commits.Add(Finish(outcome, now.Schedule, Commit(from, from.Writer.Commit(work))));
            }
        }

        await Task.WhenAll(commits);
        Announce();
        if (report.Crawl is { } wanted && _crawls.Find(wanted) is { } partition)
        {
            return (await Lease(partition, report)) with { Late = late };
        }

        _fairness.MayBeTold(report);
        Pump();
        return new(null, [], late);
    }

    public Task Begun(CrawlId crawl, long lease)
    {
        _politeness.Clock.Begun(new(crawl, lease), Now().Schedule);
        Pump();
        return Task.CompletedTask;
    }

    public async Task<HostSums> Sums(CrawlOrder order, long? allowance, CancellationToken cancel)
    {
        if (await _crawls.Get(order.Id) is not { } partition)
        {
            return NoSums;
        }

        partition.Crawl.Allow(allowance);
        if (!partition.Crawl.Ended)
        {
            await Commit(partition, partition.Tell(order));
        }

        Pump();
        return partition.Crawl.Sums() with { Note = partition.Crawl.Waiting > 0 ? _politeness.RobotsNote(order.Spec) : null };
    }

    public async Task<HostSums> End(CrawlOrder order, string reason, CancellationToken cancel)
    {
        if (await _crawls.Get(order.Id) is not { } partition)
        {
            return NoSums;
        }

        await partition.Loaded;
        await Commit(partition, partition.Tell(order), partition.Writer.Commit(partition.Crawl.End(reason)));
        if (partition.Crawl.Queue.Leased == 0 && partition.Crawl.RobotsLeaseEnd is null)
        {
            await _crawls.Unlist(order.Id, cancel); // With leases out it stays listed, so that a successor waits for them.
        }

        _crawls.SetPace();
        Pump();
        return partition.Crawl.Sums();
    }

    public async Task<HostRetry> Retry(CrawlOrder order, string? reason, string? after, CancellationToken cancel)
    {
        if (await _crawls.Get(order.Id) is not { } partition)
        {
            return new(ImmutableSortedDictionary<string, long>.Empty, Next: null);
        }

        await MayReopen(partition, order);
        await partition.Loaded;
        _politeness.Robots.ForgetFailures();
        var retry = partition.Requeue(reason, after);
        await Commit(partition, retry);
        Pump();
        return await retry;
    }

    public async Task<string?> Revisit(CrawlOrder order, string? after, CancellationToken cancel)
    {
        var past = new PastUrls(store, order, Host);
        var (urls, next) = await past.Read(after, cancel);
        await Add(order, urls, cancel);
        return next;
    }

    public async Task CookiesChanged(CrawlId crawl, CancellationToken cancel)
    {
        await _crawls.Opening(crawl); // It may have read the cookies before they changed.
        await (_crawls.Find(crawl)?.ReadCookies(cancel) ?? Task.CompletedTask);
    }

    public async Task<HostState> State(CrawlId crawl, CancellationToken cancel) =>
        HostStates.Of(Host, (await _crawls.Get(crawl))?.Crawl, _politeness, Now());

    public async Task<bool> Delete(CrawlId crawl, CancellationToken cancel)
    {
        await _crawls.Opening(crawl);
        _crawls.Forget(crawl);
        Pump();
        return await _crawls.Delete(crawl, cancel);
    }

    public async Task<ImmutableArray<ExplainLine>> Explain(CrawlId crawl, string url, CancellationToken cancel)
    {
        var row = await store.Get(CrawlTable.Name, CrawlTable.Urls(crawl, Host), CrawlTable.Url(url), cancel);
        var partition = await _crawls.Get(crawl);
        var lines = ImmutableArray.CreateBuilder<ExplainLine>();
        if (CanonicalUrl.TryParse(url, baseUrl: null, out var canonical))
        {
            lines.AddRange(_politeness.Explain(canonical, partition?.Crawl.Order.Spec));
        }

        var now = Now();
        lines.AddRange(
            Explanations.Of(
                row is null ? null : CrawlJson.Read<UrlRow>(row.Payload),
                url,
                partition?.Crawl,
                now.Schedule,
                _politeness.Next(now)
            )
        );
        return lines.ToImmutable();
    }

    private async Task MayReopen(HostPartition partition, CrawlOrder order)
    {
        if (partition.Crawl.MayReopen(order))
        {
            await Commit(partition, _crawls.Reopen(partition, order));
            Observe(WhenLoaded(partition));
        }
    }

    private HostSums NoSums => HostHead.NoSums(Host);

    /// <summary>
    /// The place is free again when what it brought is durable, so that a crash repeats no more fetches than may be in flight. The delay
    /// runs from the end
    /// of the request. When a commit is lost, the activation ends; when a robots.txt is, it counts for this activation all the same.
    /// </summary>
    private async Task Finish(FetchOutcome outcome, DateTimeOffset ended, Task commit)
    {
        try
        {
            await commit;
        }
        finally
        {
            _leases.Ended(outcome, ended);
        }
    }

    /// <summary>Hands out leases; the durable horizon covers each of them.</summary>
    private async Task<HostReply> Lease(HostPartition partition, HostReport report)
    {
        var crawl = partition.Crawl;
        var wanted = deaths.IsDead(report.Silo) ? 0 : report.Take;
        await partition.Loaded;
        var now = Now();
        if (wanted > 0 && !IsEnding && _fairness.MayLease(partition, now) && now.Guards + crawl.HeldFor > crawl.Horizon)
        {
            await Commit(partition, partition.Writer.CommitHead());
            now = Now();
        }

        var granted = _leases.Grant(partition, report.Worker, report.Silo, IsEnding ? 0 : wanted, now);
        var again = granted.Leases.Count(lease => lease.Attempt > 1);
        metrics.OnLeased(granted.Leases.Length - again, again);
        foreach (var skip in granted.Skips)
        {
            Observe(ThenPump(Commit(partition, partition.Writer.Commit(skip))));
        }

        Pump();
        return new(granted.Leases.IsEmpty ? null : crawl.OrderForWorkers, granted.Leases, []);
    }
}
