using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Grains.Crawling.Frontier;
using Grains.Crawling.Hosts;
using Grains.Crawling.Pages;
using Grains.Crawling.Workers;
using Grains.Interfaces.Crawling;
using Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;

namespace Grains.Crawling;

/// <summary>
/// One host on the web: <see cref="Politeness"/> says when it is asked, <see cref="HostLeases"/> what, <see cref="HostCrawls"/> for whom;
/// <see cref="HostCalls"/> answers, and <see cref="HostPump"/> does what time brings. Here is what they need of Orleans.
/// </summary>
/// <remarks>
/// <para>Over 150 lines, because it wires eight parts together, and hands each of its twelve calls on in a line or two.</para>
/// <para>Reentrant, because callers gather around one commit loop per crawl (<see cref="PartitionWriter"/>). It holds because everything
/// between two awaits is decided in memory at once, and what memory decides becomes true by the next commit or not at all: when a commit
/// fails, the activation ends.</para>
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
    private HostCrawls _crawls = null!;
    private HostLeases _leases = null!;
    private HostPump _pump = null!;
    private HostCalls _calls = null!;
    private Predecessors _predecessors = null!;
    private CancellationToken _stop;
    private IGrainTimer? _timer;
    private DateTimeOffset _timerDue = DateTimeOffset.MaxValue;

    private HostKey Host => new(this.GetPrimaryKeyString());

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stop = _stopping.Token;
        Compose(options.Value.OfHosts, TaskScheduler.Current);
        await _crawls.Restore(cancellationToken);
        Observe(EndPredecessors());
        _pump.Run();
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        deaths.Leave(this);
        await _stopping.CancelAsync();
        metrics.Forget(_load);
        await _crawls.Leave(why => LogLeftEarly(Host, why), cancellationToken);
    }

    public void Dispose() => _stopping.Dispose();

    public Task<AddReply> Add(CrawlOrder order, ImmutableArray<FoundUrl> urls, CancellationToken cancel) => _calls.Add(order, urls);

    public Task<HostReply> Report(HostReport report, CancellationToken cancel) => _calls.Report(report);

    public Task Begun(CrawlId crawl, long lease)
    {
        _calls.Begun(crawl, lease);
        return Task.CompletedTask;
    }

    public Task<HostSums> Sums(CrawlOrder order, long? allowance, CancellationToken cancel) => _calls.Sums(order, allowance);

    public Task<HostSums> End(CrawlOrder order, string reason, CancellationToken cancel) => _calls.End(order, reason, cancel);

    public Task<HostRetry> Retry(CrawlOrder order, string? reason, string? after, CancellationToken cancel) =>
        _calls.Retry(order, reason, after);

    public Task<string?> Revisit(CrawlOrder order, string? after, CancellationToken cancel) => _calls.Revisit(order, after, cancel);

    public Task CookiesChanged(CrawlId crawl, CancellationToken cancel) => _calls.CookiesChanged(crawl, cancel);

    public Task<HostState> State(CrawlId crawl, CancellationToken cancel) => _calls.State(crawl);

    public Task<bool> Delete(CrawlId crawl, CancellationToken cancel) => _calls.Delete(crawl, cancel);

    public Task<ImmutableArray<ExplainLine>> Explain(CrawlId crawl, string url, CancellationToken cancel) =>
        _calls.Explain(crawl, url, cancel);

    private void Compose(HostSettings settings, TaskScheduler scheduler)
    {
        var factory = GrainFactory;
        var retries = new RetryPolicy(options.Value.Attempts, options.Value.RetryDelay, settings.MaxDelay, chance);
        var politeness = new Politeness(settings, retries, settings.OwnHosts.Contains(Host));
        var address = silo.SiloAddress.ToParsableString();
        _crawls = new(store, Host, politeness, settings, retries, guards, address, Opened);
        var fairness = new CrawlFairness(Host, _crawls, politeness);
        _leases = new(Host, _crawls, politeness, fairness);
        var turns = new AddressTurns(
            Host,
            politeness.Address,
            addresses.Find,
            at => factory.GetGrain<IAddressGrain>(at),
            clock,
            (at, failure) => LogNoTurn(Host, at, failure)
        );
        var callbacks = new HostCallbacks(
            (worker, ready) => Publish(StreamId.Create(CrawlStreams.Ready, worker), ready),
            pages => Publish(StreamId.Create(CrawlStreams.Pages, Announcements.Partition(Host)), pages),
            SetTimer,
            Observe,
            End,
            OnExpired,
            late => LogLate(Host, late.Url, late.Number),
            metrics.OnLeased,
            load => _load.Is(load.Waiting, load.Leased, load.Commits, load.Bytes)
        );
        _pump = new(Host, _crawls, politeness, fairness, _leases, turns, callbacks, clock, guards, _stop);
        _calls = new(store, Host, _crawls, politeness, fairness, _leases, _pump, callbacks, deaths.IsDead);
        _predecessors = new(_crawls, politeness, deaths.IsDead, () => deaths.SinceLast, IMembershipLease.Duration, GiveUp, guards);
        _timer = this.RegisterGrainTimer(
            OnTimer,
            new GrainTimerCreationOptions(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan) { Interleave = true, KeepAlive = true }
        );
        deaths.Join(this, dead =>
            logger.Observe(Task.Factory.StartNew(() => SiloDied(dead), CancellationToken.None, TaskCreationOptions.None, scheduler))
        );
    }

    private void Opened(HostPartition partition)
    {
        if (partition.PredecessorsHorizon > guards.GetUtcNow())
        {
            LogWaitsForPredecessor(Host, partition.PredecessorsHorizon);
        }

        Observe(_pump.WhenLoaded(partition));
    }

    private void OnExpired(ExpiredLease over)
    {
        metrics.OnLeaseExpired();
        LogExpired(Host, over.Url, over.Crawl);
    }

    private void SiloDied(string dead)
    {
        if (!_pump.IsEnding)
        {
            _leases.SiloDied(dead, guards.GetUtcNow() + IMembershipLease.Duration);
            Observe(EndPredecessors());
            _pump.Run();
        }
    }

    private async Task EndPredecessors()
    {
        try
        {
            await _predecessors.End(_pump.Now, OnPredecessorsEnded, _stop);
        }
        catch (OperationCanceledException) when (_pump.IsEnding)
        {
            // The next activation finds the horizon that is stored.
        }
        catch (Exception e)
        {
            // A worker that cannot be reached, or whose silo is of a version that knows no such call.
            LogPredecessorsNotEnded(Host, e);
        }
    }

    private void OnPredecessorsEnded()
    {
        LogPredecessorsEnded(Host);
        _pump.Run();
    }

    private IEnumerable<Task> GiveUp(CrawlId crawl, long below) =>
        Enumerable
            .Range(0, options.Value.Workers)
            .Select(worker => GrainFactory.GetGrain<ICrawlWorkerGrain>(worker).GiveUp(Host, crawl, below, _stop));

    /// <summary>An event that is lost costs time: who has work is found again, and the rows have what was finished.</summary>
    private void Publish<T>(StreamId stream, T published)
    {
        Observe(Try());

        async Task Try()
        {
            try
            {
                await this.GetStreamProvider(CrawlStreams.Provider).GetStream<T>(stream).OnNextAsync(published);
            }
            catch (Exception e)
            {
                LogNotPublished(Host, typeof(T).Name, e);
            }
        }
    }

    private void SetTimer(DateTimeOffset due, DateTimeOffset now)
    {
        if (due == DateTimeOffset.MaxValue || (_timerDue > now && _timerDue <= due))
        {
            return;
        }

        _timerDue = due;
        var wait = due - now;
        _timer!.Change(wait > TimeSpan.FromMilliseconds(1) ? wait : TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
    }

    private Task OnTimer(CancellationToken cancel)
    {
        _timerDue = DateTimeOffset.MaxValue;
        _pump.Run();
        return Task.CompletedTask;
    }

    private void End(CrawlId crawl, string why)
    {
        if (!_pump.IsEnding)
        {
            _stopping.Cancel();
            LogLost(Host, crawl, why);
            DeactivateOnIdle();
        }
    }

    /// <summary>For what nobody awaits: a failure ends the activation.</summary>
    private void Observe(Task work, [CallerArgumentExpression(nameof(work))] string what = "") => this.Observe(work, logger, _stop, what);
}
