using Doubles;
using Doubles.Storage;
using Grains.Books;
using Grains.Crawling;
using Grains.Crawling.Pages;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Grains.Logs;
using Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Orleans.Streams;
using Orleans.TestingHost;
using Silo.Storage;
using Xunit;

namespace Cluster.Crawling;

/// <summary>
/// A silo with the crawler as it is wired in production, on a store and a web in memory and a clock that only the test moves.
/// One per class; each test has a host and a crawl of its own.
/// </summary>
public sealed class CrawlCluster : IAsyncLifetime
{
    private const int Workers = 4;

    private readonly InProcessTestCluster _cluster;
    private int _hosts;

    public CrawlCluster()
    {
        Clock = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        Web = new(Clock);
        var builder = new InProcessTestClusterBuilder(1);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) => Configure(silo));
        _cluster = builder.Build();
    }

    public FakeTimeProvider Clock { get; }

    public SiteInMemory Web { get; }

    public FlakyTableStore Store { get; } = new();

    /// <summary>Events that are lost: none unless a test says so.</summary>
    public LostEvents Lost { get; } = new();

    public IGrainFactory Grains => _cluster.Client;

    public ICrawlListGrain List => Grains.GetGrain<ICrawlListGrain>(0);

    public async ValueTask InitializeAsync() => await _cluster.DeployAsync();

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    /// <summary>A host that no other test has.</summary>
    public string NewHost() => $"h{Interlocked.Increment(ref _hosts)}.example";

    public IHostGrain Host(string host) => Grains.GetGrain<IHostGrain>(host);

    /// <summary>Ends the activation, as when its silo rebalances: the next call makes a new one.</summary>
    public Task Deactivate(string host) => _cluster.DeactivateAsync(Host(host));

    /// <summary>Ends the activations of all workers, as when their silo rebalances.</summary>
    public Task DeactivateWorkers() =>
        Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => _cluster.DeactivateAsync(Grains.GetGrain<ICrawlWorkerGrain>(worker))));

    /// <summary>Stops the silo as Ctrl-C does, and starts another one on the same store, with a client of its own: references of before are over.</summary>
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

    /// <summary>
    /// Lets time pass, a little at a time, until something is so. The clock is the test's: what waits for time gets it, and the silo's threads get
    /// their turn with each question. Streams and activations take real time, so rounds are counted and not the clock.
    /// </summary>
    public async Task Until(Func<Task<bool>> isSo, TimeSpan? step = null)
    {
        for (var rounds = 0; !await isSo(); rounds++)
        {
            Assert.True(rounds < 100_000, "It did not come to pass.");
            Clock.Advance(step ?? TimeSpan.FromMilliseconds(50));
            await Grains.GetGrain<IManagementGrain>(0).GetTotalActivationCount();
        }
    }

    public async Task<CrawlSummary> Ended(ICrawlGrain crawl, TimeSpan? step = null)
    {
        CrawlSummary? summary = null;
        await Until(async () => (summary = await crawl.Show()) is { Ended: true }, step);
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
        }
        while (cursor is not null);
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
        silo.Services.AddSingleton<ITableStore>(Store);
        silo.Services.AddSingleton<IPageFetcher>(Web);
        silo.Services.AddSingleton<CrawlingMetrics>();
        silo.Services.AddSingleton<PageVisitor>();
        silo.Services.AddSingleton<WorkersOfSilo>();
        silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(provider => provider.GetRequiredService<WorkersOfSilo>());
        silo.Services.AddSingleton<Func<double>>(() => 0.5);
        silo.Services.AddSingleton<IAccountSource, CrawlingAccounts>();
        silo.Services.AddSingleton(new CrawlLog(service => new(service, "host", () => throw new InvalidOperationException("No log is kept here."), Clock)));
        silo.Services.Configure<CrawlingOptions>(crawling => crawling.Workers = Workers);
        silo.AddTableGrainStorage(UrlGrants.Storage, CrawlTable.Name);
        silo.AddPlacementDirector<WorkerPlacement, WorkerPlacementDirector>();
        silo.AddMemoryStreams(CrawlStreams.Provider, streams =>
        {
            streams.ConfigurePartitioning(2);
            streams.ConfigureStreamPubSub(StreamPubSubType.ImplicitOnly);
            streams.ConfigurePullingAgent(agent => agent.Configure(options =>
            {
                options.GetQueueMsgsTimerPeriod = TimeSpan.FromMilliseconds(10);
                options.BatchContainerBatchSize = 100;
            }));
        });
        silo.AddOutgoingGrainCallFilter(Lost);
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
