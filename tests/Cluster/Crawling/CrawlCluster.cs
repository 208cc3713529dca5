using System.Collections.Concurrent;
using System.Net;
using Doubles;
using Doubles.Crawling;
using Doubles.Storage;
using Grains;
using Grains.Books;
using Grains.Crawling;
using Grains.Crawling.Archive;
using Grains.Crawling.Fetching;
using Grains.Crawling.Pages;
using Grains.Crawling.Rows;
using Grains.Crawling.Workers;
using Grains.Interfaces.Crawling;
using Grains.Logs.Intake;
using Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.TestingHost;
using Silo.Cluster;
using Silo.Middleware;
using Silo.Storage;
using Xunit;

namespace Cluster.Crawling;

/// <summary>
/// A silo with the crawler as it is wired in production, on a store and a web in memory and two clocks that only the test moves: the
/// schedule goes by <see cref="Clock"/>, and the
/// leases, which are guards, by <see cref="Guards"/>. One per class; each test has a host and a crawl of its own.
/// </summary>
public sealed class CrawlCluster : IAsyncLifetime
{
    private const int Workers = 4;

    private static readonly DateTimeOffset Begin = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly InProcessTestCluster _cluster;
    private int _hosts;

    public CrawlCluster()
    {
        Web = new(Clock);
        var builder = new InProcessTestClusterBuilder(1);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) => Configure(silo));
        _cluster = builder.Build();
    }

    /// <summary>Of the schedule: what says when something becomes due.</summary>
    public VirtualClock Clock { get; } = new(Begin);

    /// <summary>Of the leases: it stands still unless a test is about them.</summary>
    public VirtualClock Guards { get; } = new(Begin);

    public SiteInMemory Web { get; }

    public FlakyTableStore Store { get; } = new();

    public BlobStoreInMemory Blobs { get; } = new();

    /// <summary>URLs whose outcomes were reported to their hosts and answered, as often as they were.</summary>
    public ConcurrentQueue<string> Reported { get; } = new();

    /// <summary>Events that are lost: none unless a test says so.</summary>
    public LostEvents Lost { get; } = new();

    /// <summary>The addresses of hosts, for a pace per address.</summary>
    public ConcurrentDictionary<string, IPAddress[]> Addresses { get; } = new();

    /// <summary>What the silo knows of silos that died: a test tells it of one.</summary>
    public SiloDeaths Deaths => _cluster.Silos[0].ServiceProvider.GetRequiredService<SiloDeaths>();

    public IGrainFactory Grains => _cluster.Client;

    public ICrawlListGrain List => Grains.GetGrain<ICrawlListGrain>(0);

    public async ValueTask InitializeAsync() => await _cluster.DeployAsync();

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    /// <summary>A host that no other test has.</summary>
    public string NewHost() => $"h{Interlocked.Increment(ref _hosts)}.example";

    public IHostGrain Host(string host) => Grains.GetGrain<IHostGrain>(host);

    /// <summary>Fetches under a lease as the silo's workers do.</summary>
    internal LeaseRunner LeaseRunner
    {
        get
        {
            var services = _cluster.Silos[0].ServiceProvider;
            var grains = new CrawlGrains(
                crawl => Grains.GetGrain<ICrawlGrain>(crawl.Value),
                host => Grains.GetGrain<IHostGrain>(host.Value),
                url => Grains.GetGrain<IUrlGrain>(url)
            );
            var membership = services.GetRequiredService<IMembershipLease>();
            return new(services.GetRequiredService<PageVisitor>(), grains, new(Store), membership, Guards, (_, _, _) => { });
        }
    }

    /// <summary>Ends the activation, as when its silo rebalances: the next call makes a new one.</summary>
    public Task Deactivate(string host) => Deactivate(Host(host));

    public Task Deactivate(IGrain grain) => _cluster.DeactivateAsync(grain);

    /// <summary>Ends the activations of all workers, as when their silo rebalances.</summary>
    public Task DeactivateWorkers() =>
        Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => _cluster.DeactivateAsync(Grains.GetGrain<ICrawlWorkerGrain>(worker))));

    /// <summary>
    /// Stops the silo as Ctrl-C does, and starts another one on the same store, with a client of its own: references of before are over.
    /// </summary>
    public async Task<ICrawlGrain> Restart(CrawlId crawl)
    {
        await _cluster.StopClusterClientAsync();
        await _cluster.StopSiloAsync(_cluster.Silos[0]);
        await _cluster.StartSilosAsync(1);
        await _cluster.InitializeClientAsync();
        await List.Wake();
        return Grains.GetGrain<ICrawlGrain>(crawl.Value);
    }

    public async Task<ICrawlGrain> Start(CrawlSpec spec)
    {
        var reply = await List.Start(spec);
        Assert.Empty(reply.Errors);
        return Grains.GetGrain<ICrawlGrain>(reply.Id!.Value.Value);
    }

    /// <summary>The crawl once it has ended; time passes until then.</summary>
    public async Task<CrawlSummary> Ended(ICrawlGrain crawl)
    {
        CrawlSummary? summary = null;
        await Clock.PassUntil("the end of a crawl", async () => (summary = await crawl.Show()) is { Ended: true });
        return summary!;
    }

    /// <summary>All records of an export, each URL once or the test fails.</summary>
    public async Task<Dictionary<string, PageRecord>> Export(ICrawlGrain crawl, ExportKind kind = ExportKind.Fetched)
    {
        var records = new Dictionary<string, PageRecord>();
        string? cursor = null;
        do
        {
            var page = await crawl.Export(cursor, kind);
            foreach (var record in page.Records)
            {
                records.Add(record.Url, record);
            }

            cursor = page.Cursor;
        } while (cursor is not null);
        return records;
    }

    public async Task Balances(ICrawlGrain crawl)
    {
        var account = await crawl.Account();
        Assert.True(account!.Balances, account.ToString());
    }

    private void Configure(ISiloBuilder silo)
    {
        silo.Services.UseTimeProviderForBackgroundAreas(TimeProvider.System);
        silo.Services.AddSingleton<TimeProvider>(Clock);
        silo.Services.AddKeyedSingleton<TimeProvider>(Clocks.Guards, Guards);
        silo.Services.AddSingleton<ITableStore>(Store);
        silo.Services.AddSingleton<IBlobStore>(Blobs);
        silo.Services.AddSingleton<IPageFetcher>(Web);
        silo.Services.AddSingleton(new HostAddresses((name, _) => Task.FromResult(Addresses.GetValueOrDefault(name) ?? [])));
        silo.Services.AddSingleton<CrawlingMetrics>();
        silo.Services.AddSingleton<FetchMetrics>();
        silo.Services.AddSingleton(provider => provider.GetRequiredService<IOptions<CrawlingOptions>>().Value.OfFetches);
        silo.Services.AddSingleton<PageArchive>();
        silo.Services.AddSingleton<PageHistory>();
        silo.Services.AddSingleton<PageVisitor>();
        silo.Services.AddSingleton<IMembershipLease, AlwaysMember>();
        silo.Services.AddSingleton<SiloDeaths>();
        silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(provider => provider.GetRequiredService<SiloDeaths>());
        silo.Services.AddSingleton<WorkersOfSilo>();
        silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(provider => provider.GetRequiredService<WorkersOfSilo>());
        silo.Services.AddSingleton<Func<double>>(() => 0.5);
        silo.Services.AddSingleton<IAccountSource, CrawlingAccounts>();
        silo.Services.AddSingleton(
            new CrawlLog(service => new(service, "host", () => throw new InvalidOperationException("No log is kept here."), Clock, Guards))
        );
        silo.Services.Configure<CrawlingOptions>(crawling =>
        {
            crawling.Workers = Workers;
            crawling.OwnHosts = "*.own";
            crawling.KeepRounds = 2;
        });
        silo.AddTableGrainStorage(AddressPace.Storage, CrawlTable.Name);
        silo.AddPlacementDirector<WorkerPlacement, WorkerPlacementDirector>();
        silo.AddFastStreams(CrawlStreams.Provider);
        silo.AddGrainChain();
        silo.AddOutgoingGrainCallFilter(Lost);
        silo.AddOutgoingGrainCallFilter(async context =>
        {
            // It is gone when the call is over.
            var report = context.MethodName == nameof(IHostGrain.Report) ? context.Request.GetArgument(0) as HostReport : null;
            await context.Invoke();
            report?.Outcomes.ToList().ForEach(outcome => Reported.Enqueue(outcome.Url));
        });
        silo.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Warning));
    }

    /// <summary>Loses what is published to memory streams while it is told to.</summary>
    public sealed class LostEvents : IOutgoingGrainCallFilter
    {
        private int _next;
        private int _lost;

        public int Count => _lost;

        /// <summary>The next so many events are lost.</summary>
        public void Next(int count) => Interlocked.Exchange(ref _next, count);

        public Task Invoke(IOutgoingGrainCallContext context)
        {
            if (context.MethodName == "Enqueue" && Interlocked.Decrement(ref _next) >= 0)
            {
                Interlocked.Increment(ref _lost);
                return Task.CompletedTask;
            }

            return context.Invoke();
        }
    }
}
