using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Doubles;
using Doubles.Net;
using Grains.Interfaces.Crawling;
using Microsoft.Extensions.DependencyInjection;

namespace Benchmarks.Crawling;

/// <summary>
/// A durable crawl of a made site by a silo, beside an <see cref="HttpClient"/> with a byte scan for links that keeps nothing: each in a
/// process of its own,
/// which takes the site twice, first cold (its code is still to be compiled) and then warm. Site, scan and silo share the machine's cores;
/// scan and crawl alternate.
/// </summary>
/// <remarks>
/// The mark is for the warm run: a silo runs for days. The cold run is printed beside it; what it lacks is the compiling of the silo's
/// code.
/// </remarks>
internal static class CrawlBenchmark
{
    private const double Mark = 1.0 / 5;

    public static Command Command()
    {
        var pages = new Option<int>("--pages")
        {
            Description = "Pages of the site, 15 KB with 50 links each.",
            DefaultValueFactory = _ => 20_000,
        };
        var rounds = new Option<int>("--rounds") { Description = "Rounds; medians are shown.", DefaultValueFactory = _ => 3 };
        var parallel = new Option<int>("--parallel") { Description = "Requests at once.", DefaultValueFactory = _ => 64 };
        var command = new Command("crawl", "Pages a second of a durable crawl beside a scan that keeps nothing.")
        {
            pages,
            rounds,
            parallel,
        };
        command.SetAction((result, _) => Run(result.GetValue(pages), result.GetValue(rounds), result.GetValue(parallel)));
        return command;
    }

    /// <summary>The scan in a process of its own: prints pages a second of two passes over the site.</summary>
    public static Command ScanCommand()
    {
        var origin = new Argument<string>("origin");
        var pages = new Argument<int>("pages");
        var parallel = new Argument<int>("parallel");
        var command = new Command("scan", "The baseline of \"crawl\", which starts it.") { origin, pages, parallel };
        command.Hidden = true;
        command.SetAction(
            async (result, _) =>
            {
                for (var pass = 0; pass < 2; pass++)
                {
                    var rate = await Scan(result.GetValue(origin)!, result.GetValue(pages), result.GetValue(parallel));
                    Console.WriteLine(rate.ToString(CultureInfo.InvariantCulture));
                }
            }
        );
        return command;
    }

    private static async Task<int> Run(int pages, int rounds, int parallel)
    {
        Console.WriteLine(
            $"{pages} pages of {BigSite.PageBytes} bytes with {BigSite.LinksPerPage} links, {parallel} at once, delay off, "
                + $"{rounds} rounds, medians."
        );
        Console.WriteLine("round        scan pages/s  crawl pages/s  ratio  silo CPU-s/1000 pages  silo peak MiB  data MiB");
        await using var site = await WebSite.Start(LoopbackNetwork.Instance);
        site.Ledger.KeepsRequests = false;
        site.Pages = new BigSite(pages);
        await Scan(site.Origin, pages, parallel); // The site's own code is compiled before anybody is measured.
        List<Pair> cold = [],
            warm = [];
        for (var round = 1; round <= rounds; round++)
        {
            var scans = await ScanProcess(site.Origin, pages, parallel);
            var crawls = await Crawls(site, parallel);
            cold.Add(new(scans[0], crawls[0]));
            warm.Add(new(scans[1], crawls[1]));
            Console.WriteLine($"{round, 5}  cold {cold[^1]}");
            Console.WriteLine($"{round, 5}  warm {warm[^1]}");
        }

        Console.WriteLine($"  all  cold {Pair.Medians(cold)}");
        Console.WriteLine($"  all  warm {Pair.Medians(warm)}");
        await CrawlCosts.Print(Math.Min(pages, 5_000), parallel);
        var ratio = Rounds.Median(warm.Select(pair => pair.Ratio));
        var coldRatio = Rounds.Median(cold.Select(pair => pair.Ratio));
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"The warm ratio is {ratio:0.00}, the cold one {coldRatio:0.00}; the mark is {Mark:0.00} warm: "
                    + $"{(ratio >= Mark ? "kept" : "missed")}."
            )
        );
        return ratio >= Mark ? 0 : 1;
    }

    private static async Task<double[]> ScanProcess(string origin, int pages, int parallel)
    {
        var start = new ProcessStartInfo(
            "dotnet",
            [Path.Combine(AppContext.BaseDirectory, "Benchmarks.dll"), "scan", origin, $"{pages}", $"{parallel}"]
        )
        {
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start) ?? throw new InvalidOperationException("No scan was started.");
        var rates = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return
        [
            .. rates.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(rate => double.Parse(rate, CultureInfo.InvariantCulture)),
        ];
    }

    /// <summary>Fetches every page once and looks for <c>href="</c> in its bytes.</summary>
    private static async Task<double> Scan(string origin, int pages, int parallel)
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
                working.Add(Links(client, origin + path));
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

        Check(fetched, pages, "scan");
        return fetched / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static async Task<List<string>> Links(HttpClient client, string url)
    {
        var page = await client.GetByteArrayAsync(url);
        var links = new List<string>(64);
        var rest = page.AsSpan();
        for (int at; (at = rest.IndexOf("href=\""u8)) >= 0; )
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

    private static async Task<Measure[]> Crawls(WebSite site, int parallel)
    {
        var folder = Directory.CreateTempSubdirectory("crawl-benchmark-").FullName;
        try
        {
            using var silo = await SiloChild.Start(folder);
            using var client = await silo.Connect();
            var grains = client.Services.GetRequiredService<IGrainFactory>();
            return [await Crawl(silo, grains, site, parallel, folder), await Crawl(silo, grains, site, parallel, folder)];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<Measure> Crawl(SiloChild silo, IGrainFactory grains, WebSite site, int parallel, string folder)
    {
        var cpu = silo.Cpu;
        var started = Stopwatch.GetTimestamp();
        var reply = await grains.GetGrain<ICrawlListGrain>(0).Start(Spec(site, parallel));
        var crawl = grains.GetGrain<ICrawlGrain>((reply.Id ?? throw new InvalidOperationException(string.Join(' ', reply.Errors))).Value);
        var summary = await Done(crawl);
        var elapsed = Stopwatch.GetElapsedTime(started);
        Check(summary.Pages, site.Pages!.Pages, "crawl");
        var data = new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
        return new(
            summary.Pages / elapsed.TotalSeconds,
            (silo.Cpu - cpu).TotalSeconds * 1000 / summary.Pages,
            silo.PeakBytes / 1048576.0,
            data / 1048576.0
        );
    }

    public static CrawlSpec Spec(WebSite site, int parallel) =>
        new()
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

    public static void Check(long fetched, int pages, string who)
    {
        if (fetched != pages)
        {
            throw new InvalidOperationException($"The {who} found {fetched} of {pages} pages.");
        }
    }

    private sealed record Measure(double PagesPerSecond, double CpuPerThousand, double PeakMiB, double DataMiB);

    private sealed record Pair(double Scan, Measure Crawl)
    {
        private double? _ratio;

        public double Ratio => _ratio ?? Crawl.PagesPerSecond / Scan;

        public static Pair Medians(List<Pair> pairs) =>
            new(
                Rounds.Median(pairs.Select(pair => pair.Scan)),
                new(
                    Rounds.Median(pairs.Select(pair => pair.Crawl.PagesPerSecond)),
                    Rounds.Median(pairs.Select(pair => pair.Crawl.CpuPerThousand)),
                    Rounds.Median(pairs.Select(pair => pair.Crawl.PeakMiB)),
                    Rounds.Median(pairs.Select(pair => pair.Crawl.DataMiB))
                )
            )
            {
                _ratio = Rounds.Median(pairs.Select(pair => pair.Ratio)),
            };

        public override string ToString() =>
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Scan, 12:0}  {Crawl.PagesPerSecond, 13:0}  {Ratio, 5:0.00}  {Crawl.CpuPerThousand, 21:0.00}  "
                    + $"{Crawl.PeakMiB, 13:0}  {Crawl.DataMiB, 8:0}"
            );
    }
}
