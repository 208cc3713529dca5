using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Doubles;
using Grains.Interfaces.Cluster;
using Grains.Interfaces.Crawling;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;

namespace Benchmarks.Crawling;

/// <summary>
/// A durable crawl of a made site by a silo in a process of its own, beside an <see cref="HttpClient"/> with a byte scan for links that keeps nothing.
/// Site, load and silo share the machine's cores; the two alternate. Each is warmed up by a tenth of the pages first, so that neither is measured while its code is being compiled.
/// </summary>
internal static class CrawlBenchmark
{
    private const double Mark = 1.0 / 5;

    public static Command Command()
    {
        var pages = new Option<int>("--pages") { Description = "Pages of the site, 15 KB with 50 links each.", DefaultValueFactory = _ => 20_000 };
        var rounds = new Option<int>("--rounds") { Description = "Rounds; medians are shown.", DefaultValueFactory = _ => 3 };
        var parallel = new Option<int>("--parallel") { Description = "Requests at once.", DefaultValueFactory = _ => 64 };
        var command = new Command("crawl", "Pages a second of a durable crawl beside a scan that keeps nothing.") { pages, rounds, parallel };
        command.SetAction((result, _) => Run(result.GetValue(pages), result.GetValue(rounds), result.GetValue(parallel)));
        return command;
    }

    private static async Task<int> Run(int pages, int rounds, int parallel)
    {
        Console.WriteLine($"{pages} pages of {BigSite.PageBytes} bytes with {BigSite.LinksPerPage} links, {parallel} at once, delay off, {rounds} rounds, medians.");
        Console.WriteLine("round  scan pages/s  crawl pages/s  ratio  silo CPU-s/1000 pages  silo peak MiB  data MiB");
        var measures = new List<(double Scan, Measure Crawl)>();
        for (var round = 1; round <= rounds; round++)
        {
            await using var site = await WebSite.Start();
            site.Ledger.KeepsRequests = false;
            site.Pages = new BigSite(pages);
            await using var small = await WebSite.Start();
            small.Ledger.KeepsRequests = false;
            small.Pages = new BigSite(Math.Max(100, pages / 10));
            await Scan(small, parallel);
            var scan = await Scan(site, parallel);
            var crawl = await Crawl(small, site, parallel);
            measures.Add((scan, crawl));
            Console.WriteLine(Row($"{round,5}", scan, crawl, crawl.PagesPerSecond / scan));
        }

        var ratio = Median(measures.Select(m => m.Crawl.PagesPerSecond / m.Scan));
        var medians = new Measure(
            Median(measures.Select(m => m.Crawl.PagesPerSecond)), Median(measures.Select(m => m.Crawl.CpuPerThousand)),
            Median(measures.Select(m => m.Crawl.PeakMiB)), Median(measures.Select(m => m.Crawl.DataMiB)));
        Console.WriteLine(Row("  all", Median(measures.Select(m => m.Scan)), medians, ratio));
        await CrawlCosts.Print(Math.Min(pages, 5_000), parallel);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"The ratio is {ratio:0.00}; the mark is {Mark:0.00}: {(ratio >= Mark ? "kept" : "missed")}."));
        return ratio >= Mark ? 0 : 1;
    }

    private static string Row(string name, double scan, Measure crawl, double ratio) => string.Create(
        CultureInfo.InvariantCulture,
        $"{name}  {scan,12:0}  {crawl.PagesPerSecond,13:0}  {ratio,5:0.00}  {crawl.CpuPerThousand,21:0.00}  {crawl.PeakMiB,13:0}  {crawl.DataMiB,8:0}");

    /// <summary>Fetches every page once and looks for <c>href="</c> in its bytes.</summary>
    private static async Task<double> Scan(WebSite site, int parallel)
    {
        using var handler = new SocketsHttpHandler();
        using var client = new HttpClient(handler);
        var seen = new HashSet<string>(StringComparer.Ordinal) { "/" };
        var waiting = new Queue<string>(seen);
        var working = new List<Task<List<string>>>();
        var started = Stopwatch.GetTimestamp();
        var fetched = 0;
        while (waiting.Count > 0 || working.Count > 0)
        {
            while (working.Count < parallel && waiting.TryDequeue(out var path))
            {
                working.Add(Links(client, site.UrlOf(path)));
            }

            var done = await Task.WhenAny(working);
            working.Remove(done);
            fetched++;
            foreach (var link in await done)
            {
                if (seen.Add(link))
                {
                    waiting.Enqueue(link);
                }
            }
        }

        Check(fetched, site.Pages!.Pages, "scan");
        return fetched / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static async Task<List<string>> Links(HttpClient client, string url)
    {
        var page = await client.GetByteArrayAsync(url);
        var links = new List<string>(64);
        var rest = page.AsSpan();
        for (int at; (at = rest.IndexOf("href=\""u8)) >= 0;)
        {
            rest = rest[(at + 6)..];
            var end = rest.IndexOf((byte)'"');
            var link = rest[..end];
            if (link.StartsWith("/p/"u8))
            {
                links.Add(System.Text.Encoding.ASCII.GetString(link));
            }
        }

        return links;
    }

    private static async Task<Measure> Crawl(WebSite small, WebSite site, int parallel)
    {
        var folder = Directory.CreateTempSubdirectory("crawl-benchmark-").FullName;
        try
        {
            using var silo = await SiloChild.Start(folder);
            using var client = await Connect(silo.Gateway);
            var grains = client.Services.GetRequiredService<IGrainFactory>();
            await Crawl(grains, small, parallel);
            var cpu = silo.Cpu;
            var started = Stopwatch.GetTimestamp();
            var summary = await Crawl(grains, site, parallel);
            var elapsed = Stopwatch.GetElapsedTime(started);
            var data = new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
            return new(
                summary.Pages / elapsed.TotalSeconds, (silo.Cpu - cpu).TotalSeconds * 1000 / summary.Pages, silo.PeakBytes / 1048576.0, data / 1048576.0);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<CrawlSummary> Crawl(IGrainFactory grains, WebSite site, int parallel)
    {
        var reply = await grains.GetGrain<ICrawlListGrain>(0).Start(Spec(site, parallel));
        var crawl = grains.GetGrain<ICrawlGrain>((reply.Id ?? throw new InvalidOperationException(string.Join(' ', reply.Errors))).Value);
        var summary = await Done(crawl);
        Check(summary.Pages, site.Pages!.Pages, "crawl");
        return summary;
    }

    public static CrawlSpec Spec(WebSite site, int parallel) => new()
    {
        Seeds = [site.UrlOf("/")],
        Delay = TimeSpan.Zero,
        Concurrency = parallel,
        Parallel = parallel,
        AllowPrivate = ["127.0.0.0/8"],
    };

    public static async Task<CrawlSummary> Done(ICrawlGrain crawl)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (true)
        {
            var summary = await crawl.Show() ?? throw new InvalidOperationException("The crawl is gone.");
            if (summary.Ended)
            {
                return summary;
            }

            await timer.WaitForNextTickAsync();
        }
    }

    private static async Task<IHost> Connect(IPEndPoint gateway)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Logging.ClearProviders();
        builder.UseOrleansClient(client => client.UseStaticClustering(gateway).Configure<ClusterOptions>(options =>
        {
            options.ClusterId = ClusterNames.DefaultClusterId;
            options.ServiceId = ClusterNames.ServiceId;
        }));
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }

    public static void Check(long fetched, int pages, string who)
    {
        if (fetched != pages)
        {
            throw new InvalidOperationException($"The {who} found {fetched} of {pages} pages.");
        }
    }

    private static double Median(IEnumerable<double> values)
    {
        var ordered = values.Order().ToList();
        return ordered[ordered.Count / 2];
    }

    private sealed record Measure(double PagesPerSecond, double CpuPerThousand, double PeakMiB, double DataMiB);
}
