using System.Collections.Immutable;
using Grains.Crawling.Frontier;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Streams;
using Orleans.Streams.Core;

namespace Grains.Crawling;

/// <summary>A worker: <see cref="WorkerDesk"/> counts its places, <see cref="PageVisitor"/> fetches and reads; the rest is asking, delivering and reporting.</summary>
/// <remarks>
/// Fetches run beside its turns as tasks of their own, at most <see cref="CrawlingOptions.FetchesPerWorker"/>.
/// </remarks>
[ImplicitStreamSubscription(CrawlStreams.Ready)]
public sealed partial class CrawlWorkerGrain(
    PageVisitor visitor, IOptions<CrawlingOptions> options, TimeProvider clock, ILogger<CrawlWorkerGrain> logger)
    : Grain, ICrawlWorkerGrain, IStreamSubscriptionObserver, IDisposable
{
    /// <summary>Reports to one host for one crawl that are under way at a time.</summary>
    private const int MaxReports = 4;

    /// <summary>Crawls whose rules are kept ready.</summary>
    private const int MaxBoundaries = 64;

    /// <summary>Links to other hosts that are remembered as delivered, over all crawls; then it starts anew.</summary>
    private const int MaxDelivered = 100_000;

    /// <summary>Hosts that are remembered as listed, over all crawls; then it starts anew.</summary>
    private const int MaxEnlisted = 100_000;

    private readonly Dictionary<(HostKey, CrawlId), HostLine> _lines = [];
    private readonly Dictionary<CrawlId, CrawlBoundary> _boundaries = [];
    private readonly HashSet<(CrawlId, HostKey)> _enlisted = [];
    private readonly CancellationTokenSource _stopping = new();
    private FingerprintSet _delivered = new(Random.Shared.NextInt64());
    private WorkerDesk _desk = null!;

    private int Number => (int)this.GetPrimaryKeyLong();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _desk = new(Number, options.Value.Workers, options.Value.FetchesPerWorker);
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _stopping.Cancel();
        return Task.CompletedTask;
    }

    public void Dispose() => _stopping.Dispose();

    public Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory) =>
        handleFactory.Create<HostReady>().ResumeAsync(events =>
        {
            foreach (var ready in events)
            {
                _desk.Note(ready.Item);
            }

            AskWhoWaits();
            return Task.CompletedTask;
        });

    public Task<int> InFlight(CancellationToken cancel) => Task.FromResult(_desk.InFlight);

    private void AskWhoWaits()
    {
        while (!_stopping.IsCancellationRequested && _desk.Next() is { } ready)
        {
            var line = Line(ready.Host, ready.Crawl);
            line.Parallel = ready.Parallel;
            line.MayHaveMore = true;
            Serve(line);
        }
    }

    private HostLine Line(HostKey host, CrawlId crawl)
    {
        if (!_lines.TryGetValue((host, crawl), out var line))
        {
            _lines.Add((host, crawl), line = new(host, crawl));
        }

        return line;
    }

    /// <summary>
    /// Reports what is finished and asks for as much as there are places. A report waits for a commit, so a few may be under way at a time; what is
    /// finished meanwhile goes with the next one.
    /// </summary>
    private void Serve(HostLine line)
    {
        if (_stopping.IsCancellationRequested)
        {
            // The activation has ended, as when the silo that kept its place in the directory was killed; its leases end by themselves.
            return;
        }

        DelayDeactivation(TimeSpan.FromMinutes(2));
        while (line.Reports < MaxReports)
        {
            var wanted = line.MayHaveMore ? _desk.Free(line.Crawl, line.Parallel) : 0;
            if (wanted == 0 && line.Outcomes.Count == 0)
            {
                break;
            }

            if (line.Outcomes.Count > 0 && _desk.OthersWait(line.Crawl, line.Host))
            {
                // Another host waits for a place: this one, which had its turn, gives it up.
                wanted = 0;
                line.MayHaveMore = false;
            }

            Report(line, wanted);
        }

        if (line is { InFlight: 0, Reports: 0, Outcomes.Count: 0 })
        {
            _lines.Remove((line.Host, line.Crawl));
        }
    }

    private async void Report(HostLine line, int wanted)
    {
        var visits = line.Outcomes;
        var places = wanted;
        line.Outcomes = [];
        line.Reports++;
        _desk.Take(line.Crawl, places);
        try
        {
            var asked = clock.GetTimestamp();
            var reply = await GrainFactory.GetGrain<IHostGrain>(line.Host.Value).Report(
                new(Number, [.. visits.Select(visit => visit.Outcome)], line.Crawl, wanted), CancellationToken.None);
            places -= reply.Leases.Length;
            line.MayHaveMore = wanted > 0 ? places == 0 : line.MayHaveMore;
            line.InFlight += reply.Leases.Length;
            foreach (var lease in reply.Leases)
            {
                Fetch(line, reply.Order!, lease, asked);
            }

            foreach (var visit in visits.Where(visit => visit.Facts is not null && !reply.Late.Contains(visit.Outcome.Number)))
            {
                Learn(visit.Outcome, visit.Facts!);
            }
        }
        catch (Exception e)
        {
            // What was to be reported is fetched again when its lease ends; the host tells somebody when it has more.
            line.MayHaveMore = false;
            LogReportFailed(line.Host, line.Crawl, e);
        }

        _desk.Release(line.Crawl, places);
        line.Reports--;
        Serve(line);
        AskWhoWaits();
    }

    private async void Fetch(HostLine line, CrawlOrder order, Lease lease, long asked)
    {
        Visit visit;
        try
        {
            visit = await Visit(line, order, lease, asked);
        }
        catch (Exception e)
        {
            LogVisitFailed(lease.Url, order.Id, e);
            visit = Released(order, lease);
        }

        line.Outcomes.Add(visit);
        line.InFlight--;
        line.MayHaveMore = true;
        _desk.Release(order.Id, 1);
        Serve(line);
    }

    private async Task<Visit> Visit(HostLine line, CrawlOrder order, Lease lease, long asked)
    {
        if (lease.Kind == LeaseKind.Robots)
        {
            return await Begun(line, lease, visitor.VisitRobots(order, lease, TimeLeft(lease, asked), _stopping.Token));
        }

        var grant = await GrainFactory.GetGrain<IUrlGrain>(lease.Url).Grant(order.Id, lease.Number, _stopping.Token);
        if (grant.Answer != UrlGrantAnswer.Granted || TimeLeft(lease, asked) <= TimeSpan.Zero)
        {
            return Released(order, lease, grant.Answer == UrlGrantAnswer.Done ? FetchResult.Known : FetchResult.Released);
        }

        var visit = await Begun(line, lease, visitor.Visit(order, Boundary(order), lease, TimeLeft(lease, asked), _stopping.Token));
        return visit.Foreign.Count == 0 ? visit : await Deliver(order, lease, visit);
    }

    /// <summary>The request is on its way: the host may count from here.</summary>
    private async Task<Visit> Begun(HostLine line, Lease lease, Task<Visit> visit)
    {
        if (lease.TellBegun)
        {
            await GrainFactory.GetGrain<IHostGrain>(line.Host.Value).Begun(line.Crawl, lease.Number);
        }

        return await visit;
    }

    /// <summary>Links to other hosts become durable there before the page is reported. When that fails, the page is tried again later.</summary>
    private async Task<Visit> Deliver(CrawlOrder order, Lease lease, Visit visit)
    {
        try
        {
            var hosts = visit.Foreign.Keys.Where(host => !_enlisted.Contains((order.Id, host))).ToImmutableArray();
            var refused = ImmutableArray<HostKey>.Empty;
            if (!hosts.IsEmpty)
            {
                if (await GrainFactory.GetGrain<ICrawlGrain>(order.Id.Value).Enlist(hosts, _stopping.Token) is not { } enlisted)
                {
                    return visit; // The crawl takes no more, so its links lead nowhere.
                }

                if (_enlisted.Count > MaxEnlisted)
                {
                    _enlisted.Clear();
                }

                refused = enlisted.NotListed;
                _enlisted.UnionWith(hosts.Except(refused).Select(host => (order.Id, host)));
            }

            await Task.WhenAll(visit.Foreign.Where(links => !refused.Contains(links.Key)).Select(links => Deliver(order, links.Key, links.Value)));
            return visit;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogNotDelivered(lease.Url, order.Id, e);
            return visit with { Outcome = visit.Outcome with { Result = FetchResult.Temporary, Reason = "delivery", Links = [] }, Facts = null };
        }
    }

    private async Task Deliver(CrawlOrder order, HostKey host, List<FoundUrl> urls)
    {
        var fresh = urls.Where(url => !_delivered.Contains($"{order.Id} {url.Url}")).ToImmutableArray();
        if (fresh.IsEmpty)
        {
            return;
        }

        await GrainFactory.GetGrain<IHostGrain>(host.Value).Add(order, fresh, _stopping.Token);
        if (_delivered.Count + fresh.Length > MaxDelivered)
        {
            _delivered = new(Random.Shared.NextInt64());
        }

        foreach (var url in fresh)
        {
            _delivered.Add($"{order.Id} {url.Url}");
        }
    }

    /// <summary>The host has it durably: now the URL's grain may know. If this is lost, a later crawl asks without knowing what this one learned.</summary>
    private async void Learn(FetchOutcome outcome, UrlFacts facts)
    {
        try
        {
            await GrainFactory.GetGrain<IUrlGrain>(outcome.Url).Learn(outcome.Crawl, outcome.Number, facts, CancellationToken.None);
        }
        catch (Exception e)
        {
            LogNotLearned(outcome.Url, e);
        }
    }

    private CrawlBoundary Boundary(CrawlOrder order)
    {
        if (_boundaries.TryGetValue(order.Id, out var boundary))
        {
            return boundary;
        }

        if (!CrawlBoundary.TryCreate(order.Spec, out boundary, out var errors))
        {
            throw new InvalidOperationException($"Crawl {order.Id} has rules that do not parse: {string.Join(' ', errors)}");
        }

        if (_boundaries.Count == MaxBoundaries)
        {
            _boundaries.Clear();
            _enlisted.Clear();
        }

        _boundaries.Add(order.Id, boundary);
        return boundary;
    }

    private TimeSpan TimeLeft(Lease lease, long asked) => lease.For - clock.GetElapsedTime(asked);

    private static Visit Released(CrawlOrder order, Lease lease, FetchResult result = FetchResult.Released) => new(
        new(order.Id, lease.Kind, lease.Url, lease.Number, result, Reason: null, RetryAfter: null, Page: null, Links: [], Robots: null),
        ImmutableDictionary<HostKey, List<FoundUrl>>.Empty,
        Facts: null);

    /// <summary>One host of one crawl, as this worker deals with it.</summary>
    private sealed class HostLine(HostKey host, CrawlId crawl)
    {
        public HostKey Host => host;

        public CrawlId Crawl => crawl;

        public int Parallel { get; set; }

        public int InFlight { get; set; }

        /// <summary>How many reports are under way.</summary>
        public int Reports { get; set; }

        /// <summary>The last answer was as much as was asked for, or something has ended since: asking is worth it.</summary>
        public bool MayHaveMore { get; set; }

        /// <summary>Finished, and not yet reported.</summary>
        public List<Visit> Outcomes { get; set; } = [];
    }
}
