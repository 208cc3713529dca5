using Grains.Crawling.Fetching;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Workers;

/// <summary>
/// A worker's work: it asks hosts for leases while <see cref="FetchSlots"/> has room, has <see cref="LeaseRunner"/> do what each is for,
/// and reports what became of it. Fetches run beside its turns as tasks of their own. Not thread-safe: it belongs to a grain and runs on
/// its scheduler.
/// </summary>
/// <param name="silo">Of the worker, as hosts are told it.</param>
/// <param name="stopping">Cancelled when the worker leaves.</param>
internal sealed class WorkerLoop(
    int number,
    string silo,
    CrawlGrains grains,
    FetchSlots slots,
    LeaseRunner runner,
    TimeProvider guards,
    WorkerCallbacks callbacks,
    CancellationToken stopping
)
{
    /// <summary>How long a worker that leaves waits for the hosts to hear of it.</summary>
    private static readonly TimeSpan LeaveTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Reports to one host for one crawl that are under way at a time.</summary>
    private const int MaxReports = 4;

    private readonly Dictionary<(HostKey, CrawlId), HostSession> _sessions = [];
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int InFlight => slots.InFlight;

    /// <summary>These hosts may be asked.</summary>
    public void Note(IEnumerable<HostReady> hosts)
    {
        foreach (var ready in hosts)
        {
            slots.Note(ready);
        }

        AskWhoWaits();
    }

    /// <inheritdoc cref="ICrawlWorkerGrain.GiveUp"/>
    public Task GiveUp(HostKey host, CrawlId crawl, long below, CancellationToken cancel) =>
        _sessions.TryGetValue((host, crawl), out var session) ? session.GiveUp(below).WaitAsync(cancel) : Task.CompletedTask;

    /// <summary>
    /// The worker takes no more, and this waits until the hosts have heard of what it held: what is finished is reported, what is not goes
    /// back. A host that does not hear of it in time waits for the ends of its leases.
    /// </summary>
    public async Task Left(CancellationToken cancel)
    {
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
            callbacks.LeftEarly(_sessions.Count);
        }
    }

    private void AskWhoWaits()
    {
        while (!stopping.IsCancellationRequested && slots.Next() is { } ready)
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
    /// what is finished meanwhile goes with the next one.
    /// </summary>
    private void Serve(HostSession session)
    {
        if (!stopping.IsCancellationRequested)
        {
            callbacks.StayAwake(); // Later it would throw: an answer may come when the activation is over.
        }

        while (session.Reports < MaxReports)
        {
            var wanted = session.MayHaveMore && !stopping.IsCancellationRequested ? slots.Free(session.Crawl, session.Parallel) : 0;
            if (wanted == 0 && session.Outcomes.Count == 0)
            {
                break;
            }

            if (session.Outcomes.Count > 0 && slots.OthersWait(session.Crawl, session.Host))
            {
                // Another host waits for a slot: this one, which had its turn, gives it up.
                wanted = 0;
                session.MayHaveMore = false;
            }

            callbacks.Observe(Report(session, wanted));
        }

        if (session.IsIdle)
        {
            _sessions.Remove((session.Host, session.Crawl));
            if (_sessions.Count == 0 && stopping.IsCancellationRequested)
            {
                _left.TrySetResult();
            }
        }
    }

    private async Task Report(HostSession session, int wanted)
    {
        var visits = session.Outcomes;
        var free = wanted;
        session.Outcomes = [];
        session.Reports++;
        slots.Take(session.Crawl, free);
        try
        {
            var asked = guards.GetTimestamp();
            var crawl = stopping.IsCancellationRequested ? (CrawlId?)null : session.Crawl;
            var report = new HostReport(number, [.. visits.Select(visit => visit.Outcome)], crawl, wanted, silo);
            var reply = await grains.Host(session.Host).Report(report, CancellationToken.None);
            free -= reply.Leases.Length;
            session.MayHaveMore = wanted > 0 ? free == 0 : session.MayHaveMore;
            session.InFlight += reply.Leases.Length;
            foreach (var lease in reply.Leases)
            {
                callbacks.Observe(session.Fetching(lease.Number, stop => Fetch(session, reply.Order!, lease, asked, stop)));
            }
        }
        catch (Exception e)
        {
            // What was to be reported is fetched again when its lease ends; the host tells somebody when it has more.
            session.MayHaveMore = false;
            callbacks.ReportFailed(session.Host, session.Crawl, e);
        }

        slots.Release(session.Crawl, free);
        session.Reports--;
        Serve(session);
        AskWhoWaits();
    }

    private async Task Fetch(HostSession session, CrawlOrder order, Lease lease, long asked, CancellationToken givenUp)
    {
        Visit visit;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stopping, givenUp);
        try
        {
            visit = await runner.Run(session.Host, order, lease, asked, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            visit = Visit.Released(order, lease);
        }
        catch (Exception e)
        {
            callbacks.VisitFailed(lease.Url, order.Id, e);
            visit = Visit.Released(order, lease);
        }

        session.Outcomes.Add(visit);
        session.InFlight--;
        session.MayHaveMore = true;
        slots.Release(order.Id, 1);
        Serve(session);
    }
}
