using System.Collections.Immutable;
using Grains.Crawling.Frontier;
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
/// One host on the web: <see cref="HostPace"/> says when it is asked, <see cref="HostLeases"/> what, <see cref="HostCrawls"/> for whom;
/// the rest is committing, telling workers and keeping time.
/// </summary>
/// <remarks>
/// Reentrant, because callers gather around one commit loop per crawl (<see cref="PartitionWriter"/>). It holds because everything between
/// two awaits is
/// decided in memory at once, and what memory decides becomes true by the next commit or not at all: when a commit fails, the activation
/// ends.
/// </remarks>
[Reentrant]
public sealed partial class HostGrain(
    ITableStore store,
    IOptions<CrawlingOptions> options,
    TimeProvider clock,
    [FromKeyedServices(Clocks.Guards)] TimeProvider guards,
    Func<double> chance,
    CrawlingMetrics metrics,
    ILogger<HostGrain> logger
) : Grain, IHostGrain, IDisposable
{
    private readonly HostLoad _load = metrics.Watch();
    private readonly CancellationTokenSource _stopping = new();
    private HostPace _pace = null!;
    private HostCrawls _crawls = null!;
    private HostTurns _turns = null!;
    private HostLeases _leases = null!;
    private CancellationToken _stop;

    private bool IsEnding => _stop.IsCancellationRequested;

    private HostKey Host => new(this.GetPrimaryKeyString());

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stop = _stopping.Token;
        var settings = options.Value;
        var retries = new RetryPolicy(settings.Attempts, settings.RetryDelay, settings.MaxDelay, chance);
        _pace = new(settings, retries);
        _crawls = new(store, Host, _pace, settings, retries, guards, Opened);
        _turns = new(Host, _crawls, _pace);
        _leases = new(Host, _crawls, _pace, _turns);
        _timer = this.RegisterGrainTimer(
            OnTimer,
            new GrainTimerCreationOptions(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan) { Interleave = true, KeepAlive = true }
        );
        await _crawls.Restore(cancellationToken);
        Pump();
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        metrics.Forget(_load);
        foreach (var held in _crawls.Open.Where(held => held.Writer.Lost is null && !held.Crawl.Ended && held.Crawl.Sums().Waiting > 0))
        {
            // A successor then waits for the leases that are out, and not for those that might have been.
            held.Crawl.LeaseNoMore();
            try
            {
                await held.Writer.CommitHead().WaitAsync(cancellationToken);
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
        if (await _crawls.GetOrMake(order) is not { } held)
        {
            return new(0, 0); // A straggler of a crawl that is gone.
        }

        await held.Loaded;
        var work = held.Crawl.Accept(urls);
        await Commit(held, held.Tell(order), held.Writer.Commit(work));
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
                commits.Add(Finish(outcome, now.Schedule, _crawls.KeepRobots(robots)));
            }
            else if (taken is { Held: { } from, Work: { } work })
            {
                if (outcome.RetryAfter is not null)
                {
                    Observe(_crawls.KeepClock());
                }

                commits.Add(Finish(outcome, now.Schedule, Commit(from, from.Writer.Commit(work))));
            }
        }

        await Task.WhenAll(commits);
        Announce();
        if (report.Crawl is { } wanted && _crawls.Find(wanted) is { } held)
        {
            return (await Lease(held, report.Worker, report.Take)) with { Late = late };
        }

        _turns.MayBeTold(report);
        Pump();
        return new(null, [], late);
    }

    public Task Begun(CrawlId crawl, long lease)
    {
        _pace.Clock.Begun(new(crawl, lease), Now().Schedule);
        Pump();
        return Task.CompletedTask;
    }

    public async Task<HostSums> Sums(CrawlOrder order, long? allowance, CancellationToken cancel)
    {
        if (await _crawls.Get(order.Id) is not { } held)
        {
            return NoSums;
        }

        held.Crawl.Allow(allowance);
        await Commit(held, held.Tell(order));
        Pump();
        return held.Crawl.Sums() with { Note = held.Crawl.Waiting > 0 ? _pace.Robots.Note : null };
    }

    public async Task<HostSums> End(CrawlOrder order, string reason, CancellationToken cancel)
    {
        if (await _crawls.Get(order.Id) is not { } held)
        {
            return NoSums;
        }

        await held.Loaded;
        await Commit(held, held.Tell(order), held.Writer.Commit(held.Crawl.End(reason)));
        if (held.Crawl.Queue.Leased == 0 && held.Crawl.RobotsLeaseEnd is null)
        {
            await _crawls.Unlist(order.Id, cancel); // With leases out it stays listed, so that a successor waits for them.
        }

        _crawls.SetPace();
        Pump();
        return held.Crawl.Sums();
    }

    public async Task<bool> Delete(CrawlId crawl, CancellationToken cancel)
    {
        await _crawls.Opening(crawl);
        _crawls.Forget(crawl);
        Pump();
        return await _crawls.Delete(crawl, cancel);
    }

    public async Task<ImmutableArray<ExplainLine>> Explain(CrawlId crawl, string url, CancellationToken cancel)
    {
        var lines = ImmutableArray.CreateBuilder<ExplainLine>();
        if (CanonicalUrl.TryParse(url, baseUrl: null, out var canonical))
        {
            lines.Add(new("robots", _pace.Robots.Explain(canonical.Origin, canonical.PathAndQuery)));
            if (_pace.Robots.CrawlDelay is var asked && asked > options.Value.MaxDelay)
            {
                lines.Add(
                    new("delay", $"robots.txt asks for {asked} between two requests; Crawling:MaxDelay lets {options.Value.MaxDelay} count")
                );
            }
        }

        var row = await store.Get(CrawlTable.Name, CrawlTable.Urls(crawl, Host), CrawlTable.Url(url), cancel);
        var held = await _crawls.Get(crawl);
        var now = Now();
        lines.AddRange(
            Explanations.Of(row is null ? null : CrawlJson.Read<UrlRow>(row.Payload), url, held?.Crawl, now.Schedule, _pace.Next(now))
        );
        return lines.ToImmutable();
    }

    private HostSums NoSums => new HostHead { Host = Host.Value }.Sums(used: 0, wantsMore: false);

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
    private async Task<HostReply> Lease(HostPartition held, int worker, int wanted)
    {
        var crawl = held.Crawl;
        await held.Loaded;
        var now = Now();
        if (wanted > 0 && !IsEnding && _turns.MayLease(held, now) && now.Guards + crawl.HeldFor > crawl.Horizon)
        {
            await Commit(held, held.Writer.CommitHead());
            now = Now();
        }

        var handed = _leases.HandOut(held, worker, IsEnding ? 0 : wanted, now);
        var again = handed.Leases.Count(lease => lease.Attempt > 1);
        metrics.OnLeased(handed.Leases.Length - again, again);
        foreach (var skip in handed.Skips)
        {
            Observe(Commit(held, held.Writer.Commit(skip)));
        }

        Pump();
        return new(handed.Leases.IsEmpty ? null : crawl.Order, handed.Leases, []);
    }
}
