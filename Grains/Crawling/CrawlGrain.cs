using System.Collections.Immutable;
using System.Diagnostics;
using Grains.Crawling.Archive;
using Grains.Crawling.Lifecycle;
using Grains.Crawling.Results;
using Grains.Crawling.Rounds;
using Grains.Interfaces.Books;
using Grains.Interfaces.Crawling;
using Grains.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grains.Crawling;

/// <summary>
/// One crawl: what was asked, its state, its limits, its hosts. <see cref="CrawlLifecycle"/> says what it may become,
/// <see cref="HostRounds"/> pulls the hosts' sums and finds the end.
/// </summary>
/// <remarks>
/// <para>Over 150 lines, because its contract has 17 calls, and two timers beside them: one for the rounds over the hosts, one for what is
/// to be done about kept pages. What they decide and write is in the classes that it names.</para>
/// <para>The timers interleave with calls, so that nobody waits for slow hosts. It holds because what they change is the head alone, by
/// saves that start from the head as it is at that moment (<see cref="CrawlPartition"/>).</para>
/// </remarks>
[GrainType("crawl")]
public sealed partial class CrawlGrain(
    ITableStore store,
    IBlobStore blobs,
    IOptions<CrawlingOptions> options,
    TimeProvider clock,
    ILogger<CrawlGrain> logger
) : Grain, ICrawlGrain, IDisposable
{
    private readonly CrawlProgress _progress = new();
    private CrawlPartition _crawl = null!;
    private HostRounds _rounds = null!;
    private UrlIntake _intake = null!;
    private PageUpkeep _upkeep = null!;
    private IGrainTimer? _timer;
    private IGrainTimer? _tidying;

    private CrawlId Id => CrawlId.Parse(this.GetPrimaryKeyString());

    private ICrawlListGrain List => GrainFactory.GetGrain<ICrawlListGrain>(0);

    private bool IsSettled => CrawlLifecycle.IsSettled(_crawl.Head);

    private CrawlSummary? Summary => _progress.Summary(_crawl.Head, _crawl.Hosts.Count, clock.GetUtcNow());

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _crawl = new(store, Id, DeactivateOnIdle);
        _rounds = new(store, blobs, _crawl, _progress, Host, clock, OnEnded, () => List.Forget(Id, CancellationToken.None));
        _intake = new(_crawl, _progress, Host, clock);
        _upkeep = new(store, blobs, _crawl, options.Value.KeepPagesFor, clock);
        await _crawl.Restore(cancellationToken);
        _progress.Restore(_crawl.Head?.Sums);
        _progress.SeededAt = clock.GetUtcNow();
        StartRounds();
    }

    public void Dispose() => _crawl?.Dispose();

    public async Task<bool> Begin(CrawlSpec spec, DateTimeOffset at, CancellationToken cancel)
    {
        if (_crawl.Head is null)
        {
            await _crawl.Begin(CrawlLifecycle.Begin(Id, spec, Activity.Current?.Id, at, clock.GetUtcNow()));
            _progress.SeededAt = clock.GetUtcNow();
            LogBegun(Id, spec.Name);
        }

        if (_crawl.Head is { Seeded: false, Order.State: CrawlState.Running })
        {
            await _intake.Seed(cancel);
        }

        StartRounds();
        StartTidying();
        return !IsSettled;
    }

    public async Task<CrawlSummary?> Show(CancellationToken cancel)
    {
        await _rounds.HaveSums();
        return Summary is { } crawl ? crawl with { Rounds = await RoundSchedule.Read(store, Id, crawl.Spec, cancel) } : null;
    }

    public Task<ControlReply> Pause(CancellationToken cancel) => Become(CrawlState.Paused);

    public Task<ControlReply> Resume(CancellationToken cancel) => Become(CrawlState.Running);

    public async Task<ControlReply> Cancel(CancellationToken cancel)
    {
        var reply = await Become(CrawlState.Cancelled);
        var hadRounds = _crawl.Head?.Order.Spec is { Every: not null } spec && await List.EndRounds(spec.RoundOf ?? Id, cancel);
        return hadRounds && Summary is { Ended: true } ended ? new(ended, null) : reply;
    }

    public Task<ControlReply> Delete(CancellationToken cancel) => Become(CrawlState.Deleting);

    public Task<EnlistReply?> Enlist(ImmutableArray<HostKey> hosts, CancellationToken cancel) => _crawl.Enlist(hosts);

    public Task<ImmutableArray<HostKey>> Hosts(HostKey? after, int take, CancellationToken cancel) =>
        Task.FromResult(_crawl.HostsAfter(after).Take(Math.Clamp(take, 1, 1000)).ToImmutableArray());

    public async Task<ImmutableArray<HostState>> HostStates(HostKey? after, int take, CancellationToken cancel)
    {
        var hosts = await Hosts(after, Math.Min(take, ICrawlGrain.MaxHostStates), cancel);
        return [.. await Task.WhenAll(hosts.Select(host => Host(host).State(Id, cancel)))];
    }

    public Task<ExportPage> Export(string? cursor, ExportKind kind, CancellationToken cancel) =>
        new CrawlExport(store, Id).Read(cursor, kind, cancel);

    public async Task<Explanation> Explain(string url, CancellationToken cancel)
    {
        await _rounds.HaveSums();
        return await new UrlExplainer(Id, _crawl.Head, _progress.Sums, _crawl.Hosts.ContainsKey, Host).Explain(url, cancel);
    }

    public Task<PagePart> Page(string url, PageView view, long offset, CancellationToken cancel) =>
        new KeptPageReader(store, blobs, Id, () => _crawl.Head, crawl => GrainFactory.GetGrain<ICrawlGrain>(crawl.Value)).Read(
            url,
            view,
            offset,
            cancel
        );

    public Task<ArchivePart> Archive(string? cursor, CancellationToken cancel) =>
        new ArchiveReader(store, blobs, Id, clock).Read(cursor, cancel);

    public Task<AddUrlsReply> Add(ImmutableArray<string> urls, CancellationToken cancel) => _intake.Add(urls, cancel);

    public async Task<ControlReply> EndSeeds(CancellationToken cancel)
    {
        if (_crawl.Head is { SeedsFollow: true })
        {
            await _crawl.Save(head => head with { SeedsFollow = false });
        }

        return Summary is { } crawl ? new(crawl, null) : new(null, CrawlLifecycle.NoCrawl(Id));
    }

    public async Task<RetryReply> Retry(string? reason, string? cursor, CancellationToken cancel)
    {
        await _rounds.Ended();
        var closed = CrawlLifecycle.WhyNotRetried(Id, _crawl.Head, isTidied: _tidying is not null);
        if (closed is not null || (IsSettled && !_progress.HasFailed(reason)))
        {
            return new(ImmutableSortedDictionary<string, long>.Empty, Cursor: null, closed);
        }

        _progress.BeginAdding();
        try
        {
            await Reopen(cancel);
            return await new RetryPass(store, _crawl, Host).Run(reason, cursor, cancel);
        }
        finally
        {
            _progress.EndAdding();
            _progress.Forget();
        }
    }

    public async Task<Account?> Account(CancellationToken cancel)
    {
        await _rounds.HaveSums();
        return _crawl.Head is null ? null : _progress.Account((long)options.Value.MaxUrlsPerHost * Math.Max(1, _crawl.Hosts.Count));
    }

    private IHostGrain Host(HostKey host) => GrainFactory.GetGrain<IHostGrain>(host.Value);

    private async Task<ControlReply> Become(CrawlState wanted)
    {
        if (CrawlLifecycle.CanBecome(_crawl.Head, wanted))
        {
            await _crawl.Save(head => CrawlLifecycle.Become(head, wanted, clock.GetUtcNow()));
            LogState(Id, wanted);
            StartRounds();
            if (wanted != CrawlState.Deleting)
            {
                await _rounds.RunAnew();
            }
        }

        return CrawlLifecycle.Reply(Id, Summary, wanted);
    }

    /// <summary>A crawl that is done goes on. What wakes crawls knows it first.</summary>
    private async Task Reopen(CancellationToken cancel)
    {
        if (IsSettled)
        {
            await List.Reopened(Id, cancel);
            await _crawl.Save(head => CrawlLifecycle.Reopen(head, clock.GetUtcNow()));
            LogState(Id, CrawlState.Running);
            StartRounds();
        }
    }

    private void StartRounds()
    {
        if (_timer is null && !IsSettled)
        {
            _timer = this.RegisterGrainTimer(
                OnTimer,
                new GrainTimerCreationOptions(HostRounds.Period, HostRounds.Period) { Interleave = true, KeepAlive = true }
            );
        }
    }

    private async Task OnTimer(CancellationToken cancel)
    {
        var began = clock.GetTimestamp();
        try
        {
            await _rounds.Run();
        }
        catch (Exception e)
        {
            // A host did not answer, or the head went to another activation: the next round tries again, or there is none.
            _progress.OnFailed(e);
            LogRoundFailed(Id, e);
        }

        if (IsSettled)
        {
            _timer?.Dispose();
            _timer = null;
        }
        else
        {
            _timer?.Change(HostRounds.RestAfter(_crawl.Hosts.Count, clock.GetElapsedTime(began)), HostRounds.Period);
        }
    }

    private void OnEnded()
    {
        var sums = _progress.Sums;
        var skipped = sums.Refused.Values.Sum() - sums.Failed;
        LogEnded(Id, _crawl.Head!.Order.State, sums.Done, sums.Failed, skipped);
    }

    /// <summary>What there is to do for kept pages after the end; it runs beside calls, and the next wake-up does what failed.</summary>
    private void StartTidying()
    {
        if (_tidying is null && _upkeep.IsDue)
        {
            _tidying = this.RegisterGrainTimer(
                Tidy,
                new GrainTimerCreationOptions(TimeSpan.Zero, Timeout.InfiniteTimeSpan) { Interleave = true, KeepAlive = true }
            );
        }
    }

    private async Task Tidy(CancellationToken cancel)
    {
        try
        {
            switch (await _upkeep.Run(cancel))
            {
                case { IsRemoval: true } removal:
                    LogPagesRemoved(Id, removal.Removed);
                    break;
                case { } sweep:
                    LogPagesSwept(Id, sweep.Removed);
                    break;
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogTidyFailed(Id, e);
        }
        finally
        {
            _tidying?.Dispose();
            _tidying = null;
        }
    }
}
