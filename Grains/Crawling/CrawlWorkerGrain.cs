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

/// <summary>A worker: <see cref="WorkerLoop"/> does its work; here is what that needs of Orleans.</summary>
/// <remarks>Fetches run beside its turns as tasks of their own, at most <see cref="CrawlingOptions.FetchesPerWorker"/>.</remarks>
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
    private readonly CancellationTokenSource _stopping = new();
    private CancellationToken _stop;
    private WorkerLoop _loop = null!;

    private int Number => (int)this.GetPrimaryKeyLong();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stop = _stopping.Token;
        var factory = GrainFactory; // They may be used after the activation is over.
        var grains = new CrawlGrains(
            crawl => factory.GetGrain<ICrawlGrain>(crawl.Value),
            host => factory.GetGrain<IHostGrain>(host.Value),
            url => factory.GetGrain<IUrlGrain>(url)
        );
        _loop = new(
            Number,
            silo.SiloAddress.ToParsableString(),
            grains,
            new(Number, options.Value.Workers, options.Value.FetchesPerWorker),
            new(visitor, grains, new(store), membership, guards, LogNotDelivered),
            guards,
            new(
                Observe,
                () => DelayDeactivation(TimeSpan.FromMinutes(2)),
                LogReportFailed,
                LogVisitFailed,
                hosts => LogLeftEarly(Number, hosts)
            ),
            _stop
        );
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
                _loop.Note(events.Select(ready => ready.Item));
                return Task.CompletedTask;
            });

    public Task<int> InFlight(CancellationToken cancel) => Task.FromResult(_loop.InFlight);

    public Task GiveUp(HostKey host, CrawlId crawl, long below, CancellationToken cancel) => _loop.GiveUp(host, crawl, below, cancel);

    /// <summary>Takes no more and says at once what it held, so that nobody waits for its leases.</summary>
    private Task Leave(CancellationToken cancel)
    {
        _stopping.Cancel();
        return _loop.Left(cancel);
    }

    /// <summary>For what nobody awaits: a failure ends the activation.</summary>
    private void Observe(Task work, [CallerArgumentExpression(nameof(work))] string what = "") => this.Observe(work, logger, _stop, what);
}
