using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Doubles;
using Doubles.Azurite;
using Doubles.Logs;
using Doubles.Processes;

namespace Benchmarks;

/// <summary>
/// How long a silo's death is felt: two silos with all three systems at work, of which one is killed (<c>kill -9</c>) or halted (SIGSTOP,
/// as a machine that stands still or is cut off). For each system the seconds until its rate is at half of what it was, and what a console
/// gets to know that reads meanwhile. The baseline of the same run is the rate before.
/// </summary>
internal sealed class DeathBenchmark(DeathOptions options)
{
    /// <summary>From the death to half the rate before.</summary>
    private static readonly TimeSpan Mark = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Before = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(75);

    /// <summary>The rate counts over windows of this length: each system does something in it on a busy machine too.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(3);

    private const int Hosts = 16;
    private const int Customers = 12;
    private const int Senders = 6;
    private const int RecordsPerRequest = 10;

    private bool _isKept = true;

    public static Command Command()
    {
        var rounds = new Option<int>("--rounds") { Description = "Deaths.", DefaultValueFactory = _ => 1 };
        var azurite = new Option<bool>("--azurite") { Description = "On Azurite instead of a data folder." };
        var halt = new Option<bool>("--halt") { Description = "SIGSTOP instead of kill -9." };
        var command = new Command("death", "Seconds from the death of one of two silos to half the rate before, by system.")
        {
            rounds,
            azurite,
            halt,
        };
        command.SetAction(
            (result, cancel) =>
                new DeathBenchmark(new(result.GetValue(rounds), result.GetValue(azurite), result.GetValue(halt))).Run(cancel)
        );
        return command;
    }

    private async Task<int> Run(CancellationToken cancel)
    {
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{(options.OnAzurite ? "Azurite" : "SQLite")}, {(options.Halts ? "SIGSTOP" : "kill -9")}, "
                    + $"{Environment.ProcessorCount} cores; the mark is {Mark.TotalSeconds:0} s."
            )
        );
        for (var round = 1; round <= options.Rounds; round++)
        {
            await Round(round, cancel);
        }

        return _isKept ? 0 : 1;
    }

    private async Task Round(int round, CancellationToken cancel)
    {
        await using var azurite = options.OnAzurite ? await AzuriteProcess.Start(cancel) : null;
        var folder = Unique.Folder("death-benchmark");
        var sites = new List<CrawledSite>();
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        try
        {
            string[] settings =
            [
                "--Limits:PerKey",
                "100000",
                "--Limits:InAll",
                "100000",
                .. azurite is null ? [] : (string[])["--Storage:Kind", "Azure", "--Storage:ConnectionString", azurite.ConnectionString],
            ];
            using var survivor = await SiloChild.Start(folder, settings);
            using var victim = await SiloChild.Start(folder, settings);
            for (var host = 0; host < Hosts; host++)
            {
                sites.Add(await CrawledSite.Start(5_000));
            }

            using var http = new HttpClient { BaseAddress = new($"http://{survivor.Http}"), Timeout = TimeSpan.FromSeconds(10) };
            var crawl = await StartCrawl(http, sites, cancel);
            var orders = new Meter();
            var records = new Meter();
            var load = Enumerable
                .Range(0, Customers)
                .Select(customer => Task.Run(() => Order(http, customer, orders, enough.Token), cancel))
                .Concat(Enumerable.Range(0, Senders).Select(sender => Task.Run(() => Send(http, sender, records, enough.Token), cancel)))
                .ToList();
            var pages = new Meter();
            load.Add(Task.Run(() => Watch(sites, pages, enough.Token), cancel));
            string[] gateways = ["--gateway", $"{survivor.Gateway}", "--gateway", $"{victim.Gateway}"];
            var follower = new Meter();
            var process = ConsoleProcess.StartHeard(_ => follower.Add(1), ["crawl", "follow", crawl, "--json", .. gateways]);

            await Task.Delay(WarmUp + Before, cancel);
            var death = Stopwatch.GetTimestamp();
            await Die(victim);
            var reads = await Reads(gateways, cancel);
            var left = Watched - Stopwatch.GetElapsedTime(death);
            await Task.Delay(left > TimeSpan.Zero ? left : TimeSpan.Zero, cancel);
            await enough.CancelAsync();
            await Task.WhenAll(load);

            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"round {round}"));
            Show("orders", orders, death);
            Show("log records", records, death);
            Show("pages", pages, death);
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"  the console that follows  silent for {follower.LongestGap(death).TotalSeconds, 5:0.0} s; "
                        + $"{string.Join(" | ", process.Errors)}"
                )
            );
            foreach (var read in reads)
            {
                Console.WriteLine($"  {read}");
            }

            await process.DisposeAsync();
        }
        finally
        {
            foreach (var site in sites)
            {
                await site.DisposeAsync();
            }

            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task Die(SiloChild victim)
    {
        if (options.Halts)
        {
            await Signals.HaltBetweenCommits(victim.Id);
        }
        else
        {
            victim.Dispose();
        }
    }

    /// <summary>What a console that is asked right after the death gets to know, and when.</summary>
    private static async Task<IReadOnlyList<string>> Reads(string[] gateways, CancellationToken cancel)
    {
        string[][] verbs =
        [
            ["ledger"],
            ["crawl", "list"],
            ["orders", "list"],
        ];
        return await Task.WhenAll(
            verbs.Select(async verb =>
            {
                var since = Stopwatch.GetTimestamp();
                await using var console = ConsoleProcess.Start([.. verb, .. gateways]);
                var code = await console.Exit.WaitAsync(cancel);
                return string.Create(
                    CultureInfo.InvariantCulture,
                    $"{string.Join(' ', verb), -24}  exit {code} after {Stopwatch.GetElapsedTime(since).TotalSeconds:0.0} s; "
                        + $"{string.Join(" | ", console.Errors)}"
                );
            })
        );
    }

    private void Show(string what, Meter meter, long death)
    {
        var rate = meter.Rate(death - Ticks(Before), Before);
        var back = meter.BackAt(death, rate / 2, Watched, Window);
        _isKept &= back <= Mark;
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"  {what, -12} {rate, 8:0.0}/s before; half of it after {back.TotalSeconds, 5:0.0} s: {(back <= Mark ? "kept" : "missed")}"
            )
        );
    }

    private static async Task<string> StartCrawl(HttpClient http, IEnumerable<CrawledSite> sites, CancellationToken cancel)
    {
        var body = JsonSerializer.Serialize(
            new
            {
                seeds = sites.Select(site => site.Seed),
                delay = "100ms",
                allowPrivate = new[] { "127.0.0.0/8" },
            }
        );
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri("/api/crawls", UriKind.Relative), content, cancel);
        var text = await answer.Content.ReadAsStringAsync(cancel);
        return answer.IsSuccessStatusCode
            ? JsonElement.Parse(text).GetProperty("id").GetString()!
            : throw new InvalidOperationException(text);
    }

    /// <summary>Places orders, each until it is acknowledged.</summary>
    private static async Task Order(HttpClient http, int customer, Meter meter, CancellationToken stop)
    {
        var body = $$"""{"customer":"c{{customer}}","currency":"EUR","lines":[{"sku":"tea","quantity":2,"price":450}]}""";
        for (var number = 0; !stop.IsCancellationRequested; number++)
        {
            await Acknowledged(
                http,
                "/api/orders",
                $"{customer}-{number}",
                () => new StringContent(body, Encoding.UTF8, "application/json"),
                stop
            );
            meter.Add(1);
            await Pause(TimeSpan.FromMilliseconds(100), stop);
        }
    }

    private static async Task Send(HttpClient http, int sender, Meter meter, CancellationToken stop)
    {
        for (var number = 0; !stop.IsCancellationRequested; number++)
        {
            var request = OtlpProto.Encode(
                OtlpRequest.Of(
                    $"service-{sender}",
                    [
                        .. Enumerable
                            .Range(0, RecordsPerRequest)
                            .Select(record => new OtlpRecord
                            {
                                Time = 1_795_000_000_000_000_000ul + ((ulong)number * 1_000_000) + (ulong)record,
                                Severity = 9,
                                Body = new OtlpString($"{sender} {number} {record}"),
                            }),
                    ]
                )
            );
            await Acknowledged(
                http,
                "/v1/logs",
                $"l{sender}-{number}",
                () =>
                {
                    var content = new ByteArrayContent(request);
                    content.Headers.ContentType = new MediaTypeHeaderValue("application/x-protobuf");
                    return content;
                },
                stop
            );
            meter.Add(RecordsPerRequest);
            await Pause(TimeSpan.FromMilliseconds(100), stop);
        }
    }

    private static async Task Acknowledged(HttpClient http, string path, string key, Func<HttpContent> content, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content() };
                request.Headers.Add("Idempotency-Key", key);
                using var answer = await http.SendAsync(request, stop);
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }

                if (
                    answer.StatusCode
                    is < HttpStatusCode.InternalServerError
                        and not (HttpStatusCode.Conflict or HttpStatusCode.TooManyRequests)
                )
                {
                    throw new InvalidOperationException($"{path}: {await answer.Content.ReadAsStringAsync(stop)}");
                }
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException or IOException)
            {
                // The grain asked is away: asked again under the same key.
            }

            await Pause(TimeSpan.FromMilliseconds(50), stop);
        }
    }

    private static async Task Watch(List<CrawledSite> sites, Meter meter, CancellationToken stop)
    {
        var asked = 0;
        while (!stop.IsCancellationRequested)
        {
            var now = sites.Sum(site => site.Asked);
            meter.Add(now - asked);
            asked = now;
            await Pause(TimeSpan.FromMilliseconds(50), stop);
        }
    }

    private static async Task Pause(TimeSpan pause, CancellationToken stop) => await Task.WhenAny(Task.Delay(pause, stop));

    private static long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);

    /// <summary>What was done when.</summary>
    private sealed class Meter
    {
        private readonly ConcurrentQueue<(long At, int Count)> _done = [];

        public void Add(int count)
        {
            if (count > 0)
            {
                _done.Enqueue((Stopwatch.GetTimestamp(), count));
            }
        }

        /// <summary>A second's mean of the time from <paramref name="from"/> on.</summary>
        public double Rate(long from, TimeSpan over)
        {
            var to = from + Ticks(over);
            return _done.Where(done => done.At >= from && done.At < to).Sum(done => done.Count) / over.TotalSeconds;
        }

        /// <summary>
        /// After how long a window begins over which the rate is at <paramref name="rate"/>; <paramref name="watched"/> when none does.
        /// </summary>
        public TimeSpan BackAt(long from, double rate, TimeSpan watched, TimeSpan window)
        {
            var at = TimeSpan.Zero;
            while (at + window < watched && Rate(from + Ticks(at), window) < rate)
            {
                at += TimeSpan.FromMilliseconds(250);
            }

            return at + window < watched ? at : watched;
        }

        /// <summary>The longest time without anything.</summary>
        public TimeSpan LongestGap(long from)
        {
            var times = _done
                .Select(done => done.At)
                .Where(at => at > from)
                .Prepend(from)
                .Append(Stopwatch.GetTimestamp())
                .ToImmutableArray();
            return TimeSpan.FromSeconds(times.Zip(times.Skip(1), (a, b) => b - a).Max() / (double)Stopwatch.Frequency);
        }
    }
}

/// <summary>What dies how, and how often.</summary>
internal sealed record DeathOptions(int Rounds, bool OnAzurite, bool Halts);
