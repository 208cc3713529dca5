using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Doubles;
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
/// The mark for the rate is for the warm run: a silo runs for days. What the cold run lacks is the compiling of the silo's code; its own
/// mark is for the published silo, which is compiled before.
/// </remarks>
internal static class CrawlBenchmark
{
    /// <summary>Of the pages a second of a scan that keeps nothing, by a crawl that keeps no pages.</summary>
    private const double WarmMark = 0.45;

    /// <summary>Of the warm rate, by a silo that is compiled before it starts.</summary>
    private const double ColdMark = 0.7;

    private const double PeakMark = 350;

    /// <summary>Of the rate without pages kept.</summary>
    private const double KeptMark = 0.85;

    public static Command Command()
    {
        var pages = new Option<int>("--pages")
        {
            Description = "Pages of the site, 15 KB with 50 links each.",
            DefaultValueFactory = _ => 20_000,
        };
        var rounds = new Option<int>("--rounds") { Description = "Rounds; medians are shown.", DefaultValueFactory = _ => 3 };
        var parallel = new Option<int>("--parallel") { Description = "Requests at once.", DefaultValueFactory = _ => 64 };
        var published = new Option<string?>("--published")
        {
            Description = "The folder of a silo that infra/publish.sh made, to be measured instead of the one that was built.",
        };
        var command = new Command("crawl", "Pages a second of a durable crawl beside a scan that keeps nothing.")
        {
            pages,
            rounds,
            parallel,
            published,
        };
        command.SetAction(
            async (result, _) =>
                FigureTable.Print(
                    await Measure(result.GetValue(pages), result.GetValue(rounds), result.GetValue(parallel), result.GetValue(published))
                )
        );
        return command;
    }

    /// <summary>
    /// The scan in a process of its own: prints pages a second and CPU seconds a thousand pages of two passes over the site.
    /// </summary>
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
                    var cpu = Environment.CpuUsage.TotalTime;
                    var rate = await Scan(result.GetValue(origin)!, result.GetValue(pages), result.GetValue(parallel));
                    var perThousand = (Environment.CpuUsage.TotalTime - cpu).TotalSeconds * 1000 / result.GetValue(pages);
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{rate} {perThousand}"));
                }
            }
        );
        return command;
    }

    /// <param name="published">The folder of a published silo; null: the one that was built.</param>
    public static async Task<IReadOnlyList<Figure>> Measure(int pages, int rounds, int parallel, string? published)
    {
        Console.WriteLine(
            $"{pages} pages of {BigSite.PageBytes} bytes with {BigSite.LinksPerPage} links, {parallel} at once, delay off, "
                + $"{rounds} rounds{(published is null ? "" : ", the published silo")}."
        );
        Console.WriteLine("round        scan pages/s  CPU-s/1000  crawl pages/s  ratio  silo CPU-s/1000  silo peak MiB  data MiB");
        await using var site = await CrawlLoad.Site(pages);
        await Scan(site.Origin, pages, parallel); // The site's own code is compiled before anybody is measured.
        List<Pair> cold = [],
            warm = [];
        List<Crawled> kept = [],
            without = [];
        for (var round = 1; round <= rounds; round++)
        {
            var scans = await ScanProcess(site.Origin, pages, parallel);
            var crawls = await Crawls(site, parallel, published);
            cold.Add(new(scans[0], crawls[0]));
            warm.Add(new(scans[1], crawls[1]));
            Console.WriteLine($"{round, 5}  cold {cold[^1]}");
            Console.WriteLine($"{round, 5}  warm {warm[^1]}");
            kept.Add(Crawled.Mean(crawls[3], crawls[4]));
            without.Add(Crawled.Mean(crawls[2], crawls[5]));
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{round, 5}  pages kept {kept[^1].PagesPerSecond:0} pages/s, {kept[^1].CpuPerThousand:0.00} CPU-s/1000; without "
                        + $"{without[^1].PagesPerSecond:0}, {without[^1].CpuPerThousand:0.00}; ratio "
                        + $"{kept[^1].PagesPerSecond / without[^1].PagesPerSecond:0.00}"
                )
            );
        }

        var costs = await CrawlCosts.Count(Math.Min(pages, 5_000), parallel);
        Console.WriteLine(costs);
        var name = published is null ? "crawl" : "crawl, published";
        var rates = warm.Select(pair => pair.Crawl.PagesPerSecond);
        return
        [
            new(
                name,
                "pages/s, none kept, beside the scan's",
                without.Select(crawl => crawl.PagesPerSecond),
                warm.Select(pair => pair.Scan.PagesPerSecond)
            )
            {
                AtLeast = WarmMark,
            },
            new(name, "pages/s, warm, beside the scan's", rates, warm.Select(pair => pair.Scan.PagesPerSecond)),
            new(
                name,
                "pages/s, cold, beside the cold scan's",
                cold.Select(pair => pair.Crawl.PagesPerSecond),
                cold.Select(pair => pair.Scan.PagesPerSecond)
            ),
            new(name, "pages/s, cold beside warm", cold.Select(pair => pair.Crawl.PagesPerSecond), rates)
            {
                AtLeast = published is null ? null : ColdMark,
            },
            new(
                name,
                "CPU-s a thousand pages, none kept, beside the scan's",
                without.Select(crawl => crawl.CpuPerThousand),
                warm.Select(pair => pair.Scan.CpuPerThousand)
            )
            {
                IsCost = true,
            },
            new(
                name,
                "CPU-s a thousand pages, warm, beside the scan's",
                warm.Select(pair => pair.Crawl.CpuPerThousand),
                warm.Select(pair => pair.Scan.CpuPerThousand)
            )
            {
                IsCost = true,
            },
            new(
                name,
                "pages/s, pages kept beside none kept",
                kept.Select(crawl => crawl.PagesPerSecond),
                without.Select(crawl => crawl.PagesPerSecond)
            )
            {
                AtLeast = KeptMark,
            },
            new(
                name,
                "CPU-s a thousand pages, kept beside none kept",
                kept.Select(crawl => crawl.CpuPerThousand),
                without.Select(crawl => crawl.CpuPerThousand)
            )
            {
                IsCost = true,
            },
            new(name, "peak, MiB", warm.Select(pair => pair.Crawl.PeakMiB)) { AtMost = PeakMark },
            new(name, "grain calls a page", [costs.Calls]),
            new(name, "commits a page", [costs.Commits]),
            new(name, "rows written a page", [costs.Rows]),
        ];
    }

    private static async Task<Scanned[]> ScanProcess(string origin, int pages, int parallel)
    {
        var start = new ProcessStartInfo(
            "dotnet",
            [Path.Combine(AppContext.BaseDirectory, "Benchmarks.dll"), "scan", origin, $"{pages}", $"{parallel}"]
        )
        {
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start) ?? throw new InvalidOperationException("No scan was started.");
        var passes = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return
        [
            .. passes
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(pass => pass.Split(' '))
                .Select(pass => new Scanned(
                    double.Parse(pass[0], CultureInfo.InvariantCulture),
                    double.Parse(pass[1], CultureInfo.InvariantCulture)
                )),
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

    /// <summary>
    /// Cold and warm as a crawl is unless it is told otherwise; then none kept, kept, kept, none kept, so that what a silo gets used to
    /// helps both alike.
    /// </summary>
    private static async Task<List<Crawled>> Crawls(WebSite site, int parallel, string? published)
    {
        var folder = Directory.CreateTempSubdirectory("crawl-benchmark-").FullName;
        try
        {
            using var silo = await SiloChild.Start(Path.Combine(published ?? "", "Silo.dll"), folder, environment: []);
            using var client = await silo.Connect();
            var grains = client.Services.GetRequiredService<IGrainFactory>();
            List<Crawled> crawls = [];
            foreach (
                var keep in (KeepPages[])[KeepPages.Html, KeepPages.Html, KeepPages.None, KeepPages.Html, KeepPages.Html, KeepPages.None]
            )
            {
                crawls.Add(await Crawl(silo, grains, site, Spec(site, parallel) with { Keep = keep }, folder));
            }

            return crawls;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<Crawled> Crawl(SiloChild silo, IGrainFactory grains, WebSite site, CrawlSpec spec, string folder)
    {
        var cpu = silo.Cpu;
        var started = Stopwatch.GetTimestamp();
        var summary = await Done(await CrawlLoad.Start(grains, spec));
        var elapsed = Stopwatch.GetElapsedTime(started);
        Check(summary.Pages, site.Pages!.Pages, "crawl");
        if (spec.Keep != KeepPages.None)
        {
            Check(summary.Kept?.Pages ?? 0, site.Pages.Pages, "archive of the crawl");
        }

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

    private sealed record Scanned(double PagesPerSecond, double CpuPerThousand);

    private sealed record Crawled(double PagesPerSecond, double CpuPerThousand, double PeakMiB, double DataMiB)
    {
        public static Crawled Mean(Crawled one, Crawled other) =>
            new(
                (one.PagesPerSecond + other.PagesPerSecond) / 2,
                (one.CpuPerThousand + other.CpuPerThousand) / 2,
                Math.Max(one.PeakMiB, other.PeakMiB),
                Math.Max(one.DataMiB, other.DataMiB)
            );
    }

    private sealed record Pair(Scanned Scan, Crawled Crawl)
    {
        public override string ToString() =>
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Scan.PagesPerSecond, 12:0}  {Scan.CpuPerThousand, 10:0.00}  {Crawl.PagesPerSecond, 13:0}  "
                    + $"{Crawl.PagesPerSecond / Scan.PagesPerSecond, 5:0.00}  {Crawl.CpuPerThousand, 15:0.00}  "
                    + $"{Crawl.PeakMiB, 13:0}  {Crawl.DataMiB, 8:0}"
            );
    }
}
