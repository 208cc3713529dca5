using System.Collections.Immutable;
using Grains.Crawling.Frontier;
using Grains.Crawling.Rows;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;
using Grains.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;

namespace Grains.Crawling;

/// <summary>One host on the web: <see cref="HostClock"/> says when it is asked, <see cref="HostCrawl"/> what; the rest is telling workers and keeping time.</summary>
/// <remarks>
/// Reentrant, because callers gather around one commit loop per crawl (<see cref="PartitionWriter"/>). It holds because everything between two awaits is
/// decided in memory at once, and what memory decides becomes true by the next commit or not at all: when a commit fails, the activation ends.
/// </remarks>
[Reentrant]
public sealed partial class HostGrain(
    ITableStore store, IOptions<CrawlingOptions> options, TimeProvider clock, Func<double> chance, ILogger<HostGrain> logger) : Grain, IHostGrain
{
    /// <summary>URLs that one call of a worker may find disallowed before it gets its answer.</summary>
    private const int MaxSkipsAtOnce = 256;

    /// <summary>Leases that one crawl gets in a row while another one waits for the same host.</summary>
    private const int Turn = 8;

    private readonly CrawlingOptions _options = options.Value;
    private readonly RetryPolicy _retries = new(options.Value.Attempts, options.Value.RetryDelay, options.Value.MaxDelay, chance);
    private readonly HostClock _clock = new();
    private readonly HostRobots _robots = new(
        options.Value.ProductToken, new(options.Value.Attempts, options.Value.RetryDelay, options.Value.MaxDelay, chance), options.Value.MaxDelay);
    private readonly Dictionary<CrawlId, HostPartition> _crawls = [];
    private readonly Dictionary<CrawlId, Task<HostPartition?>> _opening = [];

    /// <summary>Crawls that were deleted here, with the leases that were out: their requests may still be under way.</summary>
    private readonly Dictionary<CrawlId, HostQueue> _deleted = [];
    private IGrainTimer? _timer;
    private DateTimeOffset _timerDue = DateTimeOffset.MaxValue;
    private bool _isEnding;

    private HostKey Host => new(this.GetPrimaryKeyString());

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _timer = this.RegisterGrainTimer(OnTimer, new GrainTimerCreationOptions(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan) { Interleave = true, KeepAlive = true });
        var crawls = new List<CrawlId>();
        var range = KeyRange.All;
        IReadOnlyList<TableRow> rows;
        do
        {
            rows = await store.Scan(CrawlTable.Name, CrawlTable.Host(Host), range, StoreLimits.MaxScan, cancellationToken);
            foreach (var row in rows)
            {
                Restore(row, crawls);
            }

            range = rows.Count == 0 ? range : range.After(rows[^1].Key);
        }
        while (rows.Count == StoreLimits.MaxScan);

        // Only now: a crawl that is opened hands out leases by the pace that was restored.
        foreach (var id in crawls)
        {
            await Reopen(id);
        }

        Pump();
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _isEnding = true;
        foreach (var held in _crawls.Values.Where(held => held.Writer.Lost is null && !held.Crawl.Ended && held.Crawl.Sums().Waiting > 0))
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

    public async Task<AddReply> Add(CrawlOrder order, ImmutableArray<FoundUrl> urls, CancellationToken cancel)
    {
        if (_deleted.ContainsKey(order.Id))
        {
            return new(0, 0); // A straggler of a crawl that is gone.
        }

        var held = (await Open(order.Id, order))!;
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
            if (!Take(outcome, commits))
            {
                late = late.Add(outcome.Number);
            }
        }

        await Task.WhenAll(commits);
        return report.Crawl is { } wanted && _crawls.TryGetValue(wanted, out var held)
            ? (await Lease(held, report.Worker, report.Take)) with { Late = late }
            : new(null, [], late);
    }

    public Task Begun(CrawlId crawl, long lease)
    {
        _clock.Begun(new(crawl, lease), clock.GetUtcNow());
        Pump();
        return Task.CompletedTask;
    }

    public async Task<HostSums> Sums(CrawlOrder order, long? allowance, CancellationToken cancel)
    {
        if (await Open(order.Id, order: null) is not { } held)
        {
            return new HostHead { Host = Host.Value }.Sums(used: 0, wantsMore: false);
        }

        held.Crawl.Allow(allowance);
        await Commit(held, held.Tell(order));
        Pump();
        return held.Crawl.Sums();
    }

    public async Task<HostSums> End(CrawlOrder order, string reason, CancellationToken cancel)
    {
        if (await Open(order.Id, order: null) is not { } held)
        {
            return new HostHead { Host = Host.Value }.Sums(used: 0, wantsMore: false);
        }

        await held.Loaded;
        await Commit(held, held.Tell(order), held.Writer.Commit(held.Crawl.End(reason)));
        if (held.Crawl.Queue.Leased == 0 && held.Crawl.RobotsLeaseEnd is null)
        {
            await Unlist(order.Id, cancel); // With leases out it stays listed, so that a successor waits for them.
        }

        SetPace();
        Pump();
        return held.Crawl.Sums();
    }

    public async Task<bool> Delete(CrawlId crawl, CancellationToken cancel)
    {
        const int CommitsAtOnce = 100;
        var partition = CrawlTable.Urls(crawl, Host);
        if (_crawls.Remove(crawl, out var held))
        {
            _deleted.Add(crawl, held.Crawl.Queue);
            SetPace();
        }
        else
        {
            _deleted.TryAdd(crawl, new());
        }

        Pump();
        await Unlist(crawl, cancel);
        for (var i = 0; i < CommitsAtOnce; i++)
        {
            var rows = await store.Scan(CrawlTable.Name, partition, KeyRange.All, StoreLimits.MaxCommitRows, cancel);
            if (rows.Count == 0)
            {
                return true;
            }

            var removed = await store.Commit(CrawlTable.Name, partition, [.. rows.Select(row => RowChange.Delete(row.Key))], cancel);
            if (removed.Outcome == CommitOutcome.Unknown)
            {
                return false;
            }

            await Task.Yield();
        }

        return false;
    }

    public async Task<ImmutableArray<ExplainLine>> Explain(CrawlId crawl, string url, CancellationToken cancel)
    {
        var lines = ImmutableArray.CreateBuilder<ExplainLine>();
        if (CanonicalUrl.TryParse(url, baseUrl: null, out var canonical))
        {
            lines.Add(new("robots", _robots.Explain(canonical.Origin, canonical.PathAndQuery)));
        }

        var row = await store.Get(CrawlTable.Name, CrawlTable.Urls(crawl, Host), CrawlTable.Url(url), cancel);
        var held = await Open(crawl, order: null);
        lines.AddRange(Explanations.Of(row is null ? null : CrawlJson.Read<UrlRow>(row.Payload), url, held?.Crawl, clock.GetUtcNow(), _clock));
        return lines.ToImmutable();
    }

    /// <summary>What became of one lease. False when it came late or twice.</summary>
    private bool Take(FetchOutcome outcome, List<Task> commits)
    {
        var now = clock.GetUtcNow();
        if (outcome.Kind == LeaseKind.Robots)
        {
            TakeRobots(outcome, now, commits);
            return true;
        }

        if (_deleted.TryGetValue(outcome.Crawl, out var leftOver) && leftOver.End(outcome.Url, outcome.Number) is not null)
        {
            _clock.End(Id(outcome), now);
            return true;
        }

        if (!_crawls.TryGetValue(outcome.Crawl, out var held) || held.Crawl.Queue.End(outcome.Url, outcome.Number) is not { } entry)
        {
            LogLate(Host, outcome.Url, outcome.Number);
            return false;
        }

        held.Crawl.LastEnded = now;
        if (outcome.Result == FetchResult.Released)
        {
            _clock.End(Id(outcome), now);
            held.Crawl.Queue.Add(entry);
            return true;
        }

        if (outcome.RetryAfter is { } asked)
        {
            _clock.WaitUntil(now + (asked < _options.MaxDelay ? asked : _options.MaxDelay));
            Observe(store.Commit(CrawlTable.Name, CrawlTable.Host(Host), [ClockRow()]));
        }

        commits.Add(Finish(held, held.Crawl.Finish(entry, outcome, now), Id(outcome), now));
        return true;
    }

    /// <summary>The place is free again when what it brought is durable, so that a crash repeats no more fetches than may be in flight. The delay runs from the end of the request.</summary>
    private async Task Finish(HostPartition held, IPartitionWork work, LeaseId lease, DateTimeOffset ended)
    {
        await Commit(held, held.Writer.Commit(work));
        _clock.End(lease, ended);
    }

    private static LeaseId Id(FetchOutcome outcome) => new(outcome.Crawl, outcome.Number);

    private void TakeRobots(FetchOutcome outcome, DateTimeOffset now, List<Task> commits)
    {
        if (_robots.Asking is not { } lease || lease.Number != outcome.Number || lease.Url != outcome.Url)
        {
            LogLate(Host, outcome.Url, outcome.Number);
            return;
        }

        if (outcome.Result == FetchResult.Released)
        {
            _clock.End(Id(outcome), now);
            EndRobots(lease, now);
            return;
        }

        EndRobots(lease, now);
        var row = _robots.Learn(lease.Origin, outcome, now);
        SetPace();
        foreach (var held in _crawls.Values)
        {
            held.Board.Forget();
        }

        if (row is null)
        {
            _clock.End(Id(outcome), now);
            return;
        }

        var scheme = row.Origin[..row.Origin.IndexOf(':', StringComparison.Ordinal)];
        var payload = CrawlJson.Write(row);
        if (payload.Length > StoreLimits.MaxPayloadBytes)
        {
            // It is remembered by this activation alone: the next one asks again.
            _clock.End(Id(outcome), now);
            return;
        }

        commits.Add(Keep(RowChange.Put(CrawlTable.RobotsPrefix + scheme, payload), Id(outcome), now));
    }

    /// <summary>As in <see cref="Finish"/>. A robots.txt that could not be kept counts for this activation all the same; the next one asks again.</summary>
    private async Task Keep(RowChange robots, LeaseId lease, DateTimeOffset ended)
    {
        try
        {
            await store.Commit(CrawlTable.Name, CrawlTable.Host(Host), [robots]);
        }
        finally
        {
            _clock.End(lease, ended);
        }
    }

    /// <summary>Hands out leases, as far as clock, robots.txt, allowance and turns permit; the durable horizon covers each of them.</summary>
    private async Task<HostReply> Lease(HostPartition held, int worker, int wanted)
    {
        var crawl = held.Crawl;
        await held.Loaded;
        var now = clock.GetUtcNow();
        if (wanted > 0 && MayLease(held, now) && now + crawl.HeldFor > crawl.Horizon)
        {
            await Commit(held, held.Writer.CommitHead());
            now = clock.GetUtcNow();
        }

        var leases = ImmutableArray.CreateBuilder<Lease>();
        for (var skips = 0; leases.Count < wanted && skips < MaxSkipsAtOnce && held.Writer.HasRoom && MayLease(held, now) && IsTurnOf(held, now) && crawl.LeaseEnd(now) is { } end;)
        {
            var entry = crawl.Queue.Peek(now)!;
            if (!CanonicalUrl.TryParse(entry.Url, baseUrl: null, out var url))
            {
                throw new InvalidOperationException($"A queue row of {Host} holds «{entry.Url}», which is no URL.");
            }

            var robots = _robots.Decide(url.Origin, url.PathAndQuery, now);
            if (robots.IsAllowed)
            {
                var number = crawl.NextLease();
                crawl.Queue.Lease(entry, number, end);
                leases.Add(new(LeaseKind.Page, entry.Url, number, end - now - HostCrawl.Grace, entry.Depth, entry.Attempts + 1, _clock.TellBegun));
                _clock.Start(new(crawl.Order.Id, number), now);
                held.Served++;
            }
            else if (robots.Reason is { } reason)
            {
                crawl.Queue.Remove(entry);
                skips++;
                Observe(Commit(held, held.Writer.Commit(crawl.Skip(entry, reason))));
            }
            else if (robots.IsAsk)
            {
                var lease = new RobotsLease(crawl.Order.Id, url.Origin, url.Origin + "/robots.txt", crawl.NextLease(), end);
                _robots.Ask(lease);
                crawl.RobotsLeaseEnd = end;
                leases.Add(new(LeaseKind.Robots, lease.Url, lease.Number, end - now - HostCrawl.Grace, Depth: 0, Attempt: 1, _clock.TellBegun));
                _clock.Start(new(crawl.Order.Id, lease.Number), now);
            }
            else
            {
                held.Board.Hold(now);
                break;
            }
        }

        held.Board.Asked(worker, wanted, leases.Count);
        Pump();
        return new(leases.Count == 0 ? null : crawl.Order, leases.ToImmutable(), []);
    }

    private bool MayLease(HostPartition held, DateTimeOffset now) =>
        !_isEnding && held.Loaded.IsCompleted && held.Crawl.MayLease && _clock.MayStart(now) && held.Crawl.Queue.Peek(now) is not null;

    private bool IsTurnOf(HostPartition held, DateTimeOffset now) =>
        _crawls.Count == 1 || !_crawls.Values.Any(other => other != held && other.Served + Turn <= held.Served && MayLease(other, now));

    /// <summary>What time has brought: leases that ended, URLs whose time has come, workers to tell. Sets the timer for the next such moment.</summary>
    private void Pump()
    {
        if (_isEnding)
        {
            return;
        }

        var now = clock.GetUtcNow();
        EndLeases(now);
        var next = DateTimeOffset.MaxValue;
        foreach (var held in _crawls.Values)
        {
            if (held.WantsRefill)
            {
                Observe(Refill(held));
            }

            if (MayLease(held, now) && MayAskRobots && IsTurnOf(held, now))
            {
                Tell(held, now);
            }

            var due = NextEvent(held, now);
            next = due < next ? due : next;
        }

        foreach (var leftOver in _deleted.Values)
        {
            next = leftOver.NextLeaseEnd is { } end && end < next ? end : next;
        }

        if (_robots.NextEvent() is { } robots && robots > now && robots < next)
        {
            next = robots;
        }

        SetTimer(next, now);
    }

    /// <summary>While somebody fetches robots.txt, everybody else would ask in vain.</summary>
    private bool MayAskRobots => _robots.Asking is null;

    private DateTimeOffset NextEvent(HostPartition held, DateTimeOffset now)
    {
        var queue = held.Crawl.Queue;
        var next = queue.NextLeaseEnd ?? DateTimeOffset.MaxValue;
        if (held.Loaded.IsCompleted && held.Crawl.MayLease && queue.NextReady is { } ready && _clock.Next is { } may)
        {
            var start = ready > may ? ready : may;
            start = start > now ? start : now + WorkerBoard.Patience;
            next = start < next ? start : next;
        }

        return next;
    }

    private void EndLeases(DateTimeOffset now)
    {
        foreach (var held in _crawls.Values)
        {
            for (var ended = held.Crawl.Queue.Expire(now); ended > 0; ended--)
            {
                _clock.End(null, now);
                held.Crawl.LastEnded = now;
                held.Board.Forget();
                LogExpired(Host, held.Crawl.Order.Id);
            }
        }

        foreach (var (crawl, leftOver) in _deleted)
        {
            for (var ended = leftOver.Expire(now); ended > 0; ended--)
            {
                _clock.End(null, now);
                LogExpired(Host, crawl);
            }
        }

        if (_robots.Asking is { } asking && asking.Until <= now)
        {
            EndRobots(asking, now);
            _clock.End(null, now);
            LogExpired(Host, asking.Crawl);
        }
    }

    private void EndRobots(RobotsLease lease, DateTimeOffset now)
    {
        _robots.Release();
        if (_crawls.TryGetValue(lease.Crawl, out var held))
        {
            held.Crawl.RobotsLeaseEnd = null;
            held.Crawl.LastEnded = now;
        }
    }

    private void Tell(HostPartition held, DateTimeOffset now)
    {
        var order = held.Crawl.Order;
        var fetches = Math.Min(_clock.MayStartAtOnce(now), held.Crawl.Queue.Ready.Count + held.Crawl.Queue.Later.Count);
        foreach (var worker in held.Board.Choose(fetches, now))
        {
            Observe(this.GetStreamProvider(CrawlStreams.Provider)
                .GetStream<HostReady>(StreamId.Create(CrawlStreams.Ready, worker))
                .OnNextAsync(new(Host, order.Id, order.Spec.Parallel)));
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
        Pump();
        return Task.CompletedTask;
    }

    private async Task Refill(HostPartition held)
    {
        await held.Refill();
        Pump();
    }

    /// <summary>The crawl's partition, opened once however many ask. An order is given where URLs come: then it is made if there is none.</summary>
    private async Task<HostPartition?> Open(CrawlId id, CrawlOrder? order)
    {
        while (true)
        {
            if (_crawls.TryGetValue(id, out var held))
            {
                return held.Writer.Lost is null ? held : throw held.Writer.Lost;
            }

            if (!_opening.TryGetValue(id, out var opening))
            {
                _opening[id] = opening = OpenPartition(id, order);
            }

            held = await opening;
            if (held is not null || order is null)
            {
                return held;
            }
        }
    }

    private async Task<HostPartition?> OpenPartition(CrawlId id, CrawlOrder? order)
    {
        await Task.Yield();
        try
        {
            if (order is not null)
            {
                // Listed before it takes on work, so that a successor opens it, and waits for its leases.
                var listed = await store.Commit(CrawlTable.Name, CrawlTable.Host(Host), [RowChange.Put(CrawlTable.CrawlPrefix + id, ReadOnlyMemory<byte>.Empty)]);
                if (listed.Outcome != CommitOutcome.Committed)
                {
                    throw new PartitionLostException(CrawlTable.Name, CrawlTable.Host(Host), listed);
                }
            }

            if (await HostPartition.Open(store, Host, id, order, _options, _retries, clock) is not { } held)
            {
                return null;
            }

            Hold(id, held);
            return held;
        }
        finally
        {
            _opening.Remove(id);
        }
    }

    /// <summary>What a predecessor stored: the clock, a robots.txt, or a crawl that has work here.</summary>
    private void Restore(TableRow row, List<CrawlId> crawls)
    {
        if (row.Key == CrawlTable.ClockKey)
        {
            var kept = CrawlJson.Read<HostClockRow>(row.Payload);
            _clock.AskedUntil(kept.AskedUntil);
            _clock.WaitUntil(kept.NotBefore);
        }
        else if (row.Key.StartsWith(CrawlTable.RobotsPrefix, StringComparison.Ordinal))
        {
            _robots.Restore(CrawlJson.Read<RobotsRow>(row.Payload));
        }
        else if (row.Key.StartsWith(CrawlTable.CrawlPrefix, StringComparison.Ordinal))
        {
            crawls.Add(CrawlId.Parse(row.Key[CrawlTable.CrawlPrefix.Length..]));
        }
    }

    private async Task Reopen(CrawlId id)
    {
        if (await Open(id, order: null) is { Crawl.Ended: true } held && held.PredecessorsHorizon <= clock.GetUtcNow())
        {
            await Unlist(id, CancellationToken.None);
        }
    }

    /// <summary>The crawl has no work here any more. If this is not stored, a successor finds that it has ended, and does it again.</summary>
    private async Task Unlist(CrawlId id, CancellationToken cancel) =>
        await store.Commit(CrawlTable.Name, CrawlTable.Host(Host), [RowChange.Delete(CrawlTable.CrawlPrefix + id), ClockRow()], cancel);

    /// <summary>When this host was asked last, or may be at the latest by leases that are out: its crawls' horizons say so only while they are listed.</summary>
    private RowChange ClockRow()
    {
        var until = _crawls.Values.Select(held => held.Crawl.Queue.LastLeaseEnds)
            .Concat(_deleted.Values.Select(queue => queue.LastLeaseEnds))
            .Append(_robots.Asking?.Until)
            .Append(_clock.LastAsked)
            .Max()!.Value;
        return RowChange.Put(CrawlTable.ClockKey, CrawlJson.Write(new HostClockRow(until, _clock.NotBefore)));
    }

    private void Hold(CrawlId id, HostPartition held)
    {
        _robots.ForgetFailures();
        _crawls.Add(id, held);
        held.Served = _crawls.Values.Max(other => other.Served);
        SetPace();
        _clock.AskedUntil(held.PredecessorsHorizon);
        if (held.PredecessorsHorizon > clock.GetUtcNow())
        {
            LogWaitsForPredecessor(Host, held.PredecessorsHorizon);
        }

        Observe(WhenLoaded(held));
    }

    private async Task WhenLoaded(HostPartition held)
    {
        try
        {
            await held.Loaded;
        }
        catch
        {
            // Without what is known it can neither take URLs in nor hand them out: the next activation reads again.
            End(held.Crawl.Order.Id, "its rows could not be read");
            throw;
        }

        Pump();
    }

    /// <summary>The longest delay and the smallest concurrency of the crawls that have work here.</summary>
    private void SetPace()
    {
        var specs = _crawls.Values.Where(held => !held.Crawl.Ended).Select(held => held.Crawl.Order.Spec).ToList();
        if (specs.Count == 0)
        {
            return;
        }

        var robots = _robots.CrawlDelay < _options.MaxDelay ? _robots.CrawlDelay : _options.MaxDelay;
        var asked = specs.Max(spec => spec.Delay);
        _clock.Delay = robots > asked ? robots : asked;
        _clock.Concurrency = specs.Min(spec => spec.Concurrency);
    }

    /// <summary>Waits for commits. One that fails ends the activation: the next one starts from what is stored.</summary>
    private async Task Commit(HostPartition held, params Task[] commits)
    {
        try
        {
            await Task.WhenAll(commits);
        }
        catch (PartitionLostException lost)
        {
            End(held.Crawl.Order.Id, lost.Message);
            throw;
        }
    }

    private void End(CrawlId crawl, string why)
    {
        if (!_isEnding)
        {
            _isEnding = true;
            LogLost(Host, crawl, why);
            DeactivateOnIdle();
        }
    }

    /// <summary>For what nobody waits for: a failure is logged, and time brings the next try.</summary>
    private async void Observe(Task task)
    {
        try
        {
            await task;
        }
        catch (Exception e)
        {
            LogUnobserved(Host, e);
        }
    }
}
