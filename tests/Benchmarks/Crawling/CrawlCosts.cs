using System.Globalization;
using Doubles;
using Doubles.Net;
using Grains.Interfaces.Crawling;
using Grains.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Silo.Cluster;
using Silo.Crawling;
using Silo.Storage;
using Silo.Storage.Hosting;

namespace Benchmarks.Crawling;

/// <summary>What one page costs in grain calls and commits, counted in a silo within this process.</summary>
internal static class CrawlCosts
{
    public static async Task Print(int pages, int parallel)
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
            var reply = await grains.GetGrain<ICrawlListGrain>(0).Start(CrawlBenchmark.Spec(site, parallel));
            var summary = await CrawlBenchmark.Done(grains.GetGrain<ICrawlGrain>(reply.Id!.Value.Value));
            CrawlBenchmark.Check(summary.Pages, pages, "counted crawl");
            await app.StopAsync();
        }

        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"A page costs {calls.Count / (double)pages:0.0} grain calls, {store!.Commits / (double)pages:0.00} commits, "
                    + $"{store.Rows / (double)pages:0.0} rows written and {store.Reads / (double)pages:0.00} reads ({pages} "
                    + $"pages, {parallel} at once)."
            )
        );
        foreach (var (method, count) in calls.ByMethod.OrderByDescending(call => call.Value).Take(8))
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {count / (double)pages, 6:0.00}  {method}"));
        }

        Directory.Delete(folder, recursive: true);
    }

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
