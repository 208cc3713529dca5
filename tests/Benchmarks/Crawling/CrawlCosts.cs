using System.Globalization;
using Doubles;
using Doubles.Net;
using Grains.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Silo.Cluster;
using Silo.Crawling;
using Silo.Launch;
using Silo.Storage;
using Silo.Storage.Hosting;

namespace Benchmarks.Crawling;

/// <summary>What one page costs in grain calls and commits, counted in a silo within this process.</summary>
internal sealed record CrawlCosts(
    double Calls,
    double Commits,
    double Rows,
    double Reads,
    IReadOnlyList<(string Method, double Calls)> Methods
)
{
    /// <summary>Methods that are shown, those with the most calls.</summary>
    private const int Shown = 8;

    public static async Task<CrawlCosts> Count(int pages, int parallel)
    {
        var folder = Directory.CreateTempSubdirectory("crawl-costs-").FullName;
        await using var site = await WebSite.Start(LoopbackNetwork.Instance);
        site.Pages = new BigSite(pages);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(
            new Dictionary<string, string?>
            {
                ["Storage:Path"] = folder,
                ["Cluster:SiloPort"] = "21111",
                ["Cluster:GatewayPort"] = "21112",
                ["Http:Port"] = "21113",
                ["Logs:OtlpHttpPort"] = "0",
            }
        );
        builder.Services.AddSingleton(new SiloModules().Endpoints(builder.Configuration));
        builder.AddCluster();
        builder.AddStorage();
        builder.AddCrawling();
        var calls = new CallCounter();
        builder.UseOrleans(silo => silo.AddIncomingGrainCallFilter(calls));
        CountingStore? store = null;
        builder.Services.AddSingleton<ITableStore>(services => store = new CountingStore(services.GetRequiredService<SqliteTableStore>()));
        await using (var app = builder.Build())
        {
            await app.StartAsync();
            var grains = app.Services.GetRequiredService<IGrainFactory>();
            var summary = await CrawlBenchmark.Done(await CrawlLoad.Start(grains, CrawlBenchmark.Spec(site, parallel)));
            CrawlBenchmark.Check(summary.Pages, pages, "counted crawl");
            await app.StopAsync();
        }

        Directory.Delete(folder, recursive: true);
        return new(
            calls.Count / (double)pages,
            store!.Commits / (double)pages,
            store.Rows / (double)pages,
            store.Reads / (double)pages,
            [.. calls.ByMethod.OrderByDescending(call => call.Value).Take(Shown).Select(call => (call.Key, call.Value / (double)pages))]
        );
    }

    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"A page costs {Calls:0.0} grain calls, {Commits:0.00} commits, {Rows:0.0} rows written and {Reads:0.00} reads."
        )
        + string.Concat(
            Methods.Select(method => string.Create(CultureInfo.InvariantCulture, $"\n  {method.Calls, 6:0.00}  {method.Method}"))
        );

    private sealed class CallCounter : IIncomingGrainCallFilter
    {
        private long _count;

        public long Count => _count;

        public System.Collections.Concurrent.ConcurrentDictionary<string, long> ByMethod { get; } = new();

        public Task Invoke(IIncomingGrainCallContext context)
        {
            Interlocked.Increment(ref _count);
            ByMethod.AddOrUpdate($"{context.InterfaceName}.{context.MethodName}", 1, (_, count) => count + 1);
            return context.Invoke();
        }
    }

    private sealed class CountingStore(ITableStore store) : ITableStore
    {
        private long _commits;
        private long _rows;
        private long _reads;

        public long Commits => _commits;

        public long Rows => _rows;

        public long Reads => _reads;

        public ValueTask<TableRow?> Get(string table, string partition, string key, CancellationToken cancel = default)
        {
            Interlocked.Increment(ref _reads);
            return store.Get(table, partition, key, cancel);
        }

        public ValueTask<IReadOnlyList<TableRow>> Scan(
            string table,
            string partition,
            KeyRange range,
            int take,
            CancellationToken cancel = default
        )
        {
            Interlocked.Increment(ref _reads);
            return store.Scan(table, partition, range, take, cancel);
        }

        public Task<CommitResult> Commit(
            string table,
            string partition,
            IReadOnlyList<RowChange> changes,
            CancellationToken cancel = default
        )
        {
            Interlocked.Increment(ref _commits);
            Interlocked.Add(ref _rows, changes.Count);
            return store.Commit(table, partition, changes, cancel);
        }
    }
}
