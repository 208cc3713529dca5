using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Grains.Interfaces.Crawling;
using Microsoft.Extensions.DependencyInjection;

namespace Benchmarks.Crawling;

/// <summary>
/// Many hosts with a long delay: how much of the rate that the delay allows is reached, whether a host is ever asked too early, also over
/// one <c>kill -9</c> of the silo, and how old it is what <c>crawl show</c> and <c>crawl follow</c> show meanwhile. The ledger is the
/// site's. The baseline is the possible rate: hosts by delay.
/// </summary>
internal sealed class PolitenessBenchmark(int hosts, TimeSpan delay, TimeSpan span)
{
    private const double ShareMark = 0.95;
    private const double AgeMark = 5;
    private static readonly TimeSpan AskEvery = TimeSpan.FromMilliseconds(250);

    public static Command Command()
    {
        var hosts = new Option<int>("--hosts") { Description = "Hosts, 1 to 100,000.", DefaultValueFactory = _ => 20_000 };
        hosts.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > ICrawlGrain.MaxHosts)
            {
                result.AddError("--hosts is 1 to 100000.");
            }
        });
        var delay = new Option<double>("--delay")
        {
            Description = "Seconds between two requests to one host.",
            DefaultValueFactory = _ => 60,
        };
        var seconds = new Option<double>("--seconds")
        {
            Description = "Seconds that are measured once each host was asked for a page: half of them before a kill -9, half after it.",
            DefaultValueFactory = _ => 240,
        };
        foreach (var option in (Option<double>[])[delay, seconds])
        {
            option.Validators.Add(result =>
            {
                if (!(result.GetValueOrDefault<double>() is > 0 and < 100_000))
                {
                    result.AddError($"{option.Name} is more than 0.");
                }
            });
        }

        var command = new Command("politeness", "Many hosts with a long delay: the share of the possible rate, and the shortest gap.")
        {
            hosts,
            delay,
            seconds,
        };
        command.SetAction(
            async (result, cancel) =>
                FigureTable.Print(
                    await new PolitenessBenchmark(
                        result.GetValue(hosts),
                        TimeSpan.FromSeconds(result.GetValue(delay)),
                        TimeSpan.FromSeconds(result.GetValue(seconds))
                    ).Measure(cancel)
                )
        );
        return command;
    }

    private double Possible => hosts / delay.TotalSeconds;

    private string Size => string.Create(CultureInfo.InvariantCulture, $"{hosts:N0} hosts, {delay.TotalSeconds:0.#} s");

    public async Task<IReadOnlyList<Figure>> Measure(CancellationToken cancel)
    {
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Size} between two requests: {Possible:0.0} requests/s are possible; {span.TotalSeconds:0} s, a kill -9 in the middle."
            )
        );
        await using var site = await ManyHosts.Start(hosts, delay);
        var folder = Directory.CreateTempSubdirectory("politeness-benchmark-").FullName;
        try
        {
            return await Measure(site, folder, cancel);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task<IReadOnlyList<Figure>> Measure(ManyHosts site, string folder, CancellationToken cancel)
    {
        CrawlId id;
        Part before;
        long killed;
        double peak;
        using (var silo = await SiloChild.Start(folder))
        {
            using var client = await silo.Connect();
            var since = Stopwatch.GetTimestamp();
            var spec = new CrawlSpec
            {
                Seeds = [],
                Delay = delay,
                AllowPrivate = ["127.0.0.0/8"],
            };
            var crawl = await CrawlLoad.Start(client.Services.GetRequiredService<IGrainFactory>(), spec, site.Seeds(), isPaused: false);
            id = new(crawl.GetPrimaryKeyString());
            Tell($"{hosts} seeds were taken in after {Stopwatch.GetElapsedTime(since).TotalSeconds:0.0} s", site, silo);
            await CrawlLoad.Until(() => site.HostsWithPage == hosts, "each host was asked for a page");
            Tell($"each host was asked for a page after {Stopwatch.GetElapsedTime(since).TotalSeconds:0.0} s", site, silo);
            before = await Watch(site, silo, crawl, span / 2, Stopwatch.GetTimestamp(), cancel);
            Tell($"before the kill {before}", site, silo);
            peak = silo.PeakBytes / 1048576.0;
            killed = Stopwatch.GetTimestamp();
        }

        using var successor = await SiloChild.Start(folder);
        var down = Stopwatch.GetElapsedTime(killed);
        using var again = await successor.Connect();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  the silo was down for {down.TotalSeconds:0.0} s"));
        var same = again.Services.GetRequiredService<IGrainFactory>().GetGrain<ICrawlGrain>(id.Value);
        var after = await Watch(site, successor, same, span / 2, Stopwatch.GetTimestamp(), cancel);
        Tell($"after the kill {after}", site, successor);
        peak = Math.Max(peak, successor.PeakBytes / 1048576.0);
        var ofBoth = (before.Requests + after.Requests) / (before.Took + after.Took).TotalSeconds;
        return
        [
            Figure("requests/s, beside the possible ones", before.Rate, Possible) with
            {
                AtLeast = ShareMark,
            },
            Figure("requests/s over a kill -9, its time down taken out", ofBoth, Possible) with
            {
                AtLeast = ShareMark,
            },
            Figure("s down for the kill -9, until the silo was ready", down.TotalSeconds),
            Figure("shortest gap of a host, s, beside its delay", site.ShortestGap.TotalSeconds, delay.TotalSeconds) with
            {
                AtLeast = 1,
            },
            Figure("requests that came too early", site.TooEarly) with
            {
                AtMost = 0,
            },
            Figure("age of what show and follow show, s, the oldest", before.Oldest.TotalSeconds) with
            {
                AtMost = AgeMark,
            },
            Figure("the same after the kill -9", after.Oldest.TotalSeconds),
            Figure("CPU-s a thousand requests", before.Cpu.TotalSeconds * 1000 / before.Requests),
            Figure("peak, MiB", peak),
        ];
    }

    private Figure Figure(string what, double value, double? baseline = null) =>
        new("politeness", $"{what}; {Size}", [value], baseline is { } beside ? [beside] : []);

    private static void Tell(string what, ManyHosts site, SiloChild silo) =>
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"  {what}; shortest gap {Gap(site)}, {site.TooEarly} too early, {silo.Bytes / 1048576.0:0} MiB"
            )
        );

    private static string Gap(ManyHosts site) =>
        site.ShortestGap == TimeSpan.MaxValue
            ? "none yet"
            : string.Create(CultureInfo.InvariantCulture, $"{site.ShortestGap.TotalSeconds:0.000} s");

    /// <summary>Counts what the site is asked, and looks again and again how old it is what is shown.</summary>
    private static async Task<Part> Watch(
        ManyHosts site,
        SiloChild silo,
        ICrawlGrain crawl,
        TimeSpan span,
        long since,
        CancellationToken cancel
    )
    {
        var (requests, cpu) = (site.Requests, silo.Cpu);
        var oldest = TimeSpan.Zero;
        var unanswered = 0;
        using var timer = new PeriodicTimer(AskEvery);
        while (Stopwatch.GetElapsedTime(since) < span)
        {
            await timer.WaitForNextTickAsync(cancel);
            try
            {
                var shown = await crawl.Show(cancel) ?? throw new InvalidOperationException("The crawl is gone.");
                if (shown.Ended || shown.Failed > 0)
                {
                    throw new InvalidOperationException($"The crawl is {shown.State}, {shown.Failed} URLs have failed.");
                }

                var age = site.AgeOf(shown.Pages);
                oldest = age > oldest ? age : oldest;
            }
            catch (TimeoutException)
            {
                unanswered++;
            }
        }

        var took = Stopwatch.GetElapsedTime(since);
        var asked = site.Requests - requests;
        return asked > 0
            ? new(asked, took, silo.Cpu - cpu, oldest, unanswered)
            : throw new InvalidOperationException($"In {took.TotalSeconds:0} s no host was asked.");
    }

    private sealed record Part(long Requests, TimeSpan Took, TimeSpan Cpu, TimeSpan Oldest, int Unanswered)
    {
        public double Rate => Requests / Took.TotalSeconds;

        public override string ToString() =>
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Rate:0.0} requests/s, {Cpu.TotalSeconds * 1000 / Requests:0.00} CPU-s/1000, what is shown is at most "
                    + $"{Oldest.TotalSeconds:0.0} s old, {Unanswered} calls of show had no answer"
            );
    }
}
