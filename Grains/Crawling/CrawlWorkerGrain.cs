using System.Runtime.CompilerServices;
using Grains.Crawling.Fetching;
using Grains.Crawling.Workers;
using Grains.Interfaces.Crawling;
using Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Streams;
using Orleans.Streams.Core;

namespace Grains.Crawling;

/// <summary>
/// A worker: <see cref="FetchSlots"/> counts its slots, <see cref="LeaseRunner"/> does what a lease is for; the rest is asking and
/// reporting.
/// </summary>
/// <remarks>
/// Fetches run beside its turns as tasks of their own, at most <see cref="CrawlingOptions.FetchesPerWorker"/>.
/// Over 150 lines, because a fetch, a report and the end of the activation each come between its turns, and change the same sessions.
/// </remarks>
[ImplicitStreamSubscription(CrawlStreams.Ready)]
[GrainType("crawlworker")]
public sealed partial class CrawlWorkerGrain(
    PageVisitor visitor,
    WorkersOfSilo workers,
    IMembershipLease membership,
    ILocalSiloDetails silo,
    ITableStore store,
    IOptions<CrawlingOptions> options,
    [FromKeyedServices(Clocks.Guards)] TimeProvider guards,
    ILogger<CrawlWorkerGrain> logger
) : Grain, ICrawlWorkerGrain, IStreamSubscriptionObserver, IDisposable
{
    /// <summary>How long a worker that leaves waits for the hosts to hear of it.</summary>
    private static readonly TimeSpan LeaveTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Reports to one host for one crawl that are under way at a time.</summary>
    private const int MaxReports = 4;

    private readonly Dictionary<(HostKey, CrawlId), HostSession> _sessions = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationToken _stop;
    private CrawlGrains _grains = null!;
    private FetchSlots _slots = null!;
    private LeaseRunner _runner = null!;

    private int Number => (int)this.GetPrimaryKeyLong();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        var factory = GrainFactory; // They may be used after the activation is over.
        _stop = _stopping.Token;
        _grains = new(
            crawl => factory.GetGrain<ICrawlGrain>(crawl.Value),
            host => factory.GetGrain<IHostGrain>(host.Value),
            url => factory.GetGrain<IUrlGrain>(url)
        );
        _slots = new(Number, options.Value.Workers, options.Value.FetchesPerWorker);
        _runner = new(visitor, _grains, new(store), membership, guards, LogNotDelivered);
        var scheduler = TaskScheduler.Current;
        if (!workers.Join(this, cancel => Task.Factory.StartNew(() => Leave(cancel), cancel, TaskCreationOptions.None, scheduler).Unwrap()))
        {
            _stopping.Cancel();
        }

        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        workers.Forget(this);
        return Leave(cancellationToken);
    }

    public void Dispose() => _stopping.Dispose();

    public Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory) =>
        handleFactory
            .Create<HostReady>()
            .ResumeAsync(events =>
            {
                foreach (var ready in events)
                {
                    _slots.Note(ready.Item);
                }

                AskWhoWaits();
                return Task.CompletedTask;
            });

    public Task<int> InFlight(CancellationToken cancel) => Task.FromResult(_slots.InFlight);

    public Task GiveUp(HostKey host, CrawlId crawl, long below, CancellationToken cancel) =>
        _sessions.TryGetValue((host, crawl), out var session) ? session.GiveUp(below).WaitAsync(cancel) : Task.CompletedTask;

    /// <summary>
    /// Takes no more and says at once what it held, so that nobody waits for its leases: what is finished is reported, what is not goes
    /// back. A host that
    /// does not hear of it in time waits for the ends of its leases.
    /// </summary>
    private async Task Leave(CancellationToken cancel)
    {
        _stopping.Cancel();
        if (_sessions.Count == 0)
        {
            return;
        }

        try
        {
            await _left.Task.WaitAsync(LeaveTimeout, guards, cancel);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            LogLeftEarly(Number, _sessions.Count);
        }
    }

    private void AskWhoWaits()
    {
        while (!_stopping.IsCancellationRequested && _slots.Next() is { } ready)
        {
            var session = Session(ready.Host, ready.Crawl);
            session.Parallel = ready.Parallel;
            session.MayHaveMore = true;
            Serve(session);
        }
    }

    private HostSession Session(HostKey host, CrawlId crawl)
    {
        if (!_sessions.TryGetValue((host, crawl), out var session))
        {
            _sessions.Add((host, crawl), session = new(host, crawl));
        }

        return session;
    }

    /// <summary>
    /// Reports what is finished and asks for as much as there are slots. A report waits for a commit, so a few may be under way at a time;
    /// what is
    /// finished meanwhile goes with the next one.
    /// </summary>
    private void Serve(HostSession session)
    {
        if (!_stopping.IsCancellationRequested)
        {
            DelayDeactivation(TimeSpan.FromMinutes(2)); // Later it would throw: an answer may come when the activation is over.
        }

        while (session.Reports < MaxReports)
        {
            var wanted = session.MayHaveMore && !_stopping.IsCancellationRequested ? _slots.Free(session.Crawl, session.Parallel) : 0;
            if (wanted == 0 && session.Outcomes.Count == 0)
            {
                break;
            }

            if (session.Outcomes.Count > 0 && _slots.OthersWait(session.Crawl, session.Host))
            {
                // Another host waits for a slot: this one, which had its turn, gives it up.
                wanted = 0;
                session.MayHaveMore = false;
            }

            Observe(Report(session, wanted));
        }

        if (session.IsIdle)
        {
            _sessions.Remove((session.Host, session.Crawl));
            if (_sessions.Count == 0 && _stopping.IsCancellationRequested)
            {
                _left.TrySetResult();
            }
        }
    }

    /// <summary>For what nobody awaits: a failure ends the activation.</summary>
    private void Observe(Task work, [CallerArgumentExpression(nameof(work))] string what = "") => this.Observe(work, logger, _stop, what);

    private async Task Report(HostSession session, int wanted)
    {
        var visits = session.Outcomes;
        var slots = wanted;
        session.Outcomes = [];
        session.Reports++;
        _slots.Take(session.Crawl, slots);
        try
        {
            var asked = guards.GetTimestamp();
            var reply = await _grains
                .Host(session.Host)
                .Report(
                    new(
                        Number,
                        [.. visits.Select(visit => visit.Outcome)],
                        _stopping.IsCancellationRequested ? null : session.Crawl,
                        wanted,
                        silo.SiloAddress.ToParsableString()
                    ),
                    CancellationToken.None
                );
            slots -= reply.Leases.Length;
            session.MayHaveMore = wanted > 0 ? slots == 0 : session.MayHaveMore;
            session.InFlight += reply.Leases.Length;
            foreach (var lease in reply.Leases)
            {
                Observe(session.Fetching(lease.Number, stop => Fetch(session, reply.Order!, lease, asked, stop)));
            }

            foreach (var visit in visits.Where(visit => visit.Facts is not null && !reply.Late.Contains(visit.Outcome.Number)))
            {
                Observe(Learn(visit.Outcome, visit.Facts!));
            }
        }
        catch (Exception e)
        {
            // What was to be reported is fetched again when its lease ends; the host tells somebody when it has more.
            session.MayHaveMore = false;
            LogReportFailed(session.Host, session.Crawl, e);
        }

        _slots.Release(session.Crawl, slots);
        session.Reports--;
        Serve(session);
        AskWhoWaits();
    }

    private async Task Fetch(HostSession session, CrawlOrder order, Lease lease, long asked, CancellationToken givenUp)
    {
        Visit visit;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_stop, givenUp);
        try
        {
            visit = await _runner.Run(session.Host, order, lease, asked, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            visit = Visit.Released(order, lease);
        }
        catch (Exception e)
        {
            LogVisitFailed(lease.Url, order.Id, e);
            visit = Visit.Released(order, lease);
        }

        session.Outcomes.Add(visit);
        session.InFlight--;
        session.MayHaveMore = true;
        _slots.Release(order.Id, 1);
        Serve(session);
    }

    /// <summary>
    /// The host has it durably: now the URL's grain may know. If this is lost, a later crawl asks without knowing what this one learned.
    /// </summary>
    private async Task Learn(FetchOutcome outcome, UrlFacts facts)
    {
        try
        {
            await _grains.Url(outcome.Url).Learn(outcome.Crawl, outcome.Number, facts, CancellationToken.None);
        }
        catch (Exception e)
        {
            LogNotLearned(outcome.Url, e);
        }
    }
}
