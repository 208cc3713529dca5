using System.Runtime.CompilerServices;
using Grains.Interfaces.Crawling;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Streams;
using Orleans.Streams.Core;

namespace Grains.Crawling;

/// <summary>
/// A worker: <see cref="WorkerDesk"/> counts its places, <see cref="LeaseErrand"/> does what a lease is for; the rest is asking and
/// reporting.
/// </summary>
/// <remarks>Fetches run beside its turns as tasks of their own, at most <see cref="CrawlingOptions.FetchesPerWorker"/>.</remarks>
[ImplicitStreamSubscription(CrawlStreams.Ready)]
public sealed partial class CrawlWorkerGrain(
    PageVisitor visitor,
    WorkersOfSilo workers,
    IOptions<CrawlingOptions> options,
    [FromKeyedServices(Clocks.Guards)] TimeProvider guards,
    ILogger<CrawlWorkerGrain> logger
) : Grain, ICrawlWorkerGrain, IStreamSubscriptionObserver, IDisposable
{
    /// <summary>How long a worker that leaves waits for the hosts to hear of it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Reports to one host for one crawl that are under way at a time.</summary>
    private const int MaxReports = 4;

    private readonly Dictionary<(HostKey, CrawlId), HostLine> _lines = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationToken _stop;
    private IGrainFactory _grains = null!;
    private WorkerDesk _desk = null!;
    private LeaseErrand _errand = null!;

    private int Number => (int)this.GetPrimaryKeyLong();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        (_stop, _grains) = (_stopping.Token, GrainFactory); // They may be used after the activation is over.
        _desk = new(Number, options.Value.Workers, options.Value.FetchesPerWorker);
        _errand = new(visitor, _grains, guards, LogNotDelivered);
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
                    _desk.Note(ready.Item);
                }

                AskWhoWaits();
                return Task.CompletedTask;
            });

    public Task<int> InFlight(CancellationToken cancel) => Task.FromResult(_desk.InFlight);

    /// <summary>
    /// Takes no more and says at once what it held, so that nobody waits for its leases: what is finished is reported, what is not goes
    /// back. A host that
    /// does not hear of it in time waits for the ends of its leases.
    /// </summary>
    private async Task Leave(CancellationToken cancel)
    {
        _stopping.Cancel();
        if (_lines.Count == 0)
        {
            return;
        }

        try
        {
            await _left.Task.WaitAsync(Patience, guards, cancel);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            LogLeftEarly(Number, _lines.Count);
        }
    }

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
    /// Reports what is finished and asks for as much as there are places. A report waits for a commit, so a few may be under way at a time;
    /// what is
    /// finished meanwhile goes with the next one.
    /// </summary>
    private void Serve(HostLine line)
    {
        if (!_stopping.IsCancellationRequested)
        {
            DelayDeactivation(TimeSpan.FromMinutes(2)); // Later it would throw: an answer may come when the activation is over.
        }

        while (line.Reports < MaxReports)
        {
            var wanted = line.MayHaveMore && !_stopping.IsCancellationRequested ? _desk.Free(line.Crawl, line.Parallel) : 0;
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

            Observe(Report(line, wanted));
        }

        if (line.IsIdle)
        {
            _lines.Remove((line.Host, line.Crawl));
            if (_lines.Count == 0 && _stopping.IsCancellationRequested)
            {
                _left.TrySetResult();
            }
        }
    }

    /// <summary>For what nobody awaits: a failure ends the activation.</summary>
    private void Observe(Task work, [CallerArgumentExpression(nameof(work))] string what = "") => this.Observe(work, logger, _stop, what);

    private async Task Report(HostLine line, int wanted)
    {
        var visits = line.Outcomes;
        var places = wanted;
        line.Outcomes = [];
        line.Reports++;
        _desk.Take(line.Crawl, places);
        try
        {
            var asked = guards.GetTimestamp();
            var reply = await _grains
                .GetGrain<IHostGrain>(line.Host.Value)
                .Report(
                    new(Number, [.. visits.Select(visit => visit.Outcome)], _stopping.IsCancellationRequested ? null : line.Crawl, wanted),
                    CancellationToken.None
                );
            places -= reply.Leases.Length;
            line.MayHaveMore = wanted > 0 ? places == 0 : line.MayHaveMore;
            line.InFlight += reply.Leases.Length;
            foreach (var lease in reply.Leases)
            {
                Observe(Fetch(line, reply.Order!, lease, asked));
            }

            foreach (var visit in visits.Where(visit => visit.Facts is not null && !reply.Late.Contains(visit.Outcome.Number)))
            {
                Observe(Learn(visit.Outcome, visit.Facts!));
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

    private async Task Fetch(HostLine line, CrawlOrder order, Lease lease, long asked)
    {
        Visit visit;
        try
        {
            visit = await _errand.Run(line.Host, order, lease, asked, _stop);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            visit = Visit.Released(order, lease);
        }
        catch (Exception e)
        {
            LogVisitFailed(lease.Url, order.Id, e);
            visit = Visit.Released(order, lease);
        }

        line.Outcomes.Add(visit);
        line.InFlight--;
        line.MayHaveMore = true;
        _desk.Release(order.Id, 1);
        Serve(line);
    }

    /// <summary>
    /// The host has it durably: now the URL's grain may know. If this is lost, a later crawl asks without knowing what this one learned.
    /// </summary>
    private async Task Learn(FetchOutcome outcome, UrlFacts facts)
    {
        try
        {
            await _grains.GetGrain<IUrlGrain>(outcome.Url).Learn(outcome.Crawl, outcome.Number, facts, CancellationToken.None);
        }
        catch (Exception e)
        {
            LogNotLearned(outcome.Url, e);
        }
    }
}
