using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Doubles;
using Grains.Interfaces.Crawling;
using Microsoft.Extensions.DependencyInjection;

namespace Benchmarks.Crawling;

/// <summary>
/// One crawl with a million seeds of one host that wait, from a file: what memory it takes, how long a silo that was killed needs until the
/// first of them is fetched, and how its rate stands to that of twenty thousand in the same silo, which is measured before and after it.
/// </summary>
internal sealed class ScaleBenchmark(int urls, TimeSpan span)
{
    private const int Small = 20_000;
    private const int Parallel = 64;
    private const double PeakMark = 1536;
    private const double RestartMark = 10;
    private const double RateMark = 0.8;

    public static Command Command()
    {
        var urls = new Option<int>("--urls") { Description = $"URLs that wait, {Small} at least.", DefaultValueFactory = _ => 1_000_000 };
        urls.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < Small or > 5_000_000)
            {
                result.AddError($"--urls is {Small} to 5000000.");
            }
        });
        var seconds = new Option<double>("--seconds")
        {
            Description = "Seconds of each rate; less where the small crawl ends before.",
            DefaultValueFactory = _ => 20,
        };
        var command = new Command("scale", "A crawl with a million URLs that wait: memory, restart after kill -9, and its rate.")
        {
            urls,
            seconds,
        };
        command.SetAction(
            async (result, _) =>
                FigureTable.Print(await new ScaleBenchmark(result.GetValue(urls), TimeSpan.FromSeconds(result.GetValue(seconds))).Measure())
        );
        return command;
    }

    private string Size => string.Create(CultureInfo.InvariantCulture, $"{urls:N0} URLs");

    public async Task<IReadOnlyList<Figure>> Measure()
    {
        Console.WriteLine($"{Size} of one host wait, beside {Small}; {Parallel} at once, delay off.");
        var folder = Directory.CreateTempSubdirectory("scale-benchmark-").FullName;
        try
        {
            return await Measure(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task<IReadOnlyList<Figure>> Measure(string folder)
    {
        await using var large = await CrawlLoad.Site(urls);
        var file = Path.Combine(folder, "seeds.txt");
        await File.WriteAllLinesAsync(file, Seeds(large));
        double peak,
            intake;
        Rate rate;
        List<Rate> small = [];
        using (var silo = await SiloChild.Start(Path.Combine(folder, "silo")))
        {
            using var client = await silo.Connect();
            var grains = client.Services.GetRequiredService<IGrainFactory>();
            await SmallRate(silo, grains); // Compiled before anything is measured.
            small.Add(await SmallRate(silo, grains));
            Tell($"{Small} URLs wait: {small[^1]}", silo);
            var since = Stopwatch.GetTimestamp();
            var crawl = await CrawlLoad.Start(grains, CrawlBenchmark.Spec(large, Parallel), File.ReadLines(file), isPaused: true);
            intake = urls / Stopwatch.GetElapsedTime(since).TotalSeconds;
            await CrawlLoad.Until(async () => (await crawl.Show())?.Added >= urls, $"the crawl shows {urls} URLs");
            Tell(string.Create(CultureInfo.InvariantCulture, $"{urls} seeds were taken in, {intake:0} a second"), silo);
            rate = await RateOf(large, silo, crawl, span);
            Tell($"{urls} URLs wait: {rate}", silo);
            await crawl.Pause();
            small.Add(await SmallRate(silo, grains));
            Tell($"{Small} URLs wait: {small[^1]}", silo);
            await crawl.Resume();
            var asked = large.Ledger.Count;
            await CrawlLoad.Until(() => large.Ledger.Count > asked + Small / 100, "the crawl goes on");
            peak = silo.PeakBytes / 1048576.0;
        }

        large.Ledger.KeepsRequests = true;
        var killed = Stopwatch.GetTimestamp();
        using var successor = await SiloChild.Start(Path.Combine(folder, "silo"));
        var ready = Stopwatch.GetElapsedTime(killed);
        await CrawlLoad.Until(
            () => large.Ledger.Requests.Any(request => request.Target.StartsWith("/p/", StringComparison.Ordinal)),
            "a page is fetched after the kill"
        );
        var first = Stopwatch.GetElapsedTime(killed);
        large.Ledger.KeepsRequests = false;
        peak = Math.Max(peak, successor.PeakBytes / 1048576.0);
        Tell(
            string.Create(
                CultureInfo.InvariantCulture,
                $"after kill -9 ready in {ready.TotalSeconds:0.0} s, first page in {first.TotalSeconds:0.0} s"
            ),
            successor
        );
        return
        [
            new("scale", $"pages/s, {Size} waiting, beside {Small:N0}", [rate.PagesPerSecond], [small.Average(one => one.PagesPerSecond)])
            {
                AtLeast = RateMark,
            },
            new("scale", $"CPU-s a thousand pages, {Size} waiting, beside {Small:N0}", [rate.Cpu], [small.Average(one => one.Cpu)])
            {
                IsCost = true,
            },
            new("scale", $"seeds taken in a second; {Size}", [intake]),
            new("scale", $"s from a start after kill -9 to the first page; {Size}", [first.TotalSeconds]) { AtMost = RestartMark },
            new("scale", $"s of them until the silo is ready; {Size}", [ready.TotalSeconds]),
            new("scale", $"peak, MiB; {Size}", [peak]) { AtMost = PeakMark },
        ];
    }

    private static IEnumerable<string> Seeds(WebSite site) =>
        Enumerable.Range(0, site.Pages!.Pages).Select(page => site.UrlOf(BigSite.PathOf(page)));

    /// <summary>The rate with twenty thousand URLs of another host, all known before, as with a million.</summary>
    private async Task<Rate> SmallRate(SiloChild silo, IGrainFactory grains)
    {
        await using var site = await CrawlLoad.Site(Small);
        var crawl = await CrawlLoad.Start(grains, CrawlBenchmark.Spec(site, Parallel), Seeds(site), isPaused: true);
        var rate = await RateOf(site, silo, crawl, span);
        CrawlBenchmark.Check((await CrawlBenchmark.Done(crawl)).Pages, Small, "small crawl");
        return rate;
    }

    /// <summary>
    /// Resumes a paused crawl and counts what its site is asked, for a time or until four in five of its pages were asked for.
    /// </summary>
    private static async Task<Rate> RateOf(WebSite site, SiloChild silo, ICrawlGrain crawl, TimeSpan span)
    {
        await crawl.Resume();
        var asked = site.Ledger.Count;
        var pages = site.Pages!.Pages;
        await CrawlLoad.Until(() => site.Ledger.Count > asked + Small / 20, "the crawl is under way");
        var (since, first, cpu) = (Stopwatch.GetTimestamp(), site.Ledger.Count, silo.Cpu);
        await CrawlLoad.Until(() => Stopwatch.GetElapsedTime(since) >= span || site.Ledger.Count > pages * 4L / 5, "the rate is measured");
        var (count, took) = (site.Ledger.Count - first, Stopwatch.GetElapsedTime(since));
        return new(count / took.TotalSeconds, (silo.Cpu - cpu).TotalSeconds * 1000 / count);
    }

    private static void Tell(string what, SiloChild silo) =>
        Console.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"  {what}; {silo.Bytes / 1048576.0:0} MiB, peak {silo.PeakBytes / 1048576.0:0}")
        );

    private sealed record Rate(double PagesPerSecond, double Cpu)
    {
        public override string ToString() =>
            string.Create(CultureInfo.InvariantCulture, $"{PagesPerSecond:0} pages/s, {Cpu:0.00} CPU-s/1000");
    }
}
