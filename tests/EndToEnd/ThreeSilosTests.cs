using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json;
using EndToEnd.Logs;
using EndToEnd.Orders;
using Grains.Logs.Batching;
using Xunit;

namespace EndToEnd;

/// <summary>
/// Three silos on one data folder with all three systems at work, and in each round a fault of one of them: <c>kill -9</c>, SIGSTOP until
/// the
/// others have gone on without it, or SIGTERM. What was acknowledged is counted outside the silos: by the sites that are crawled, by the
/// sender of
/// the log records, by the client that places the orders. A longer campaign: set <c>CLUSTER_FAULTS</c> to the number of rounds (3 by
/// default, at
/// most 300).
/// </summary>
[Trait(Campaign.Kind, Campaign.Name)]
public sealed class ThreeSilosTests : IAsyncDisposable
{
    private const int Silos = 3;
    private const int Hosts = 4;
    private const int PagesPerRound = 60;
    private const int Concurrency = 2;
    private const int Shards = 2;
    private const int Senders = 3;
    private const int RecordsPerRequest = 7;
    private const int Customers = 4;

    private static readonly string[] Settings =
    [
        "--Logs:Shards",
        $"{Shards}",
        "--Orders:Partitions",
        "4",
        "--Limits:PerKey",
        "100000",
        "--Limits:InAll",
        "100000",
    ];

    private readonly SiloPlace _first = new();
    private readonly ImmutableArray<SiloPlace> _places;
    private readonly SiloProcess[] _silos = new SiloProcess[Silos];
    private readonly List<CrawledSite> _sites = [];
    private readonly LogSender _sender;
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(10) };
    private readonly ConcurrentDictionary<string, long> _orders = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _enough = new();
    private readonly SortedDictionary<string, int> _faults = new(StringComparer.Ordinal);
    private int _steps;

    public ThreeSilosTests()
    {
        _places = [_first, _first.Beside(), _first.Beside()];
        _sender = new(RecordsPerRequest, [.. _places.Select(place => place.Http)]);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string[] Gateways => [.. _places.SelectMany(place => (string[])["--gateway", $"{place.Gateway}"])];

    public async ValueTask DisposeAsync()
    {
        await _enough.CancelAsync();
        foreach (var part in _silos.Where(silo => silo is not null).Cast<IAsyncDisposable>().Concat(_sites))
        {
            await part.DisposeAsync();
        }

        _sender.Dispose();
        _http.Dispose();
        _enough.Dispose();
        foreach (var place in _places.Reverse())
        {
            place.Dispose();
        }
    }

    [Fact]
    public async Task NothingAcknowledgedIsLostOverKillsPausesAndStopsOfThreeSilos()
    {
        var rounds = Campaign.Rounds("CLUSTER_FAULTS", 300);
        var random = new Random(20261130);
        foreach (var place in _places)
        {
            await Start(_places.IndexOf(place));
        }

        for (var host = 0; host < Hosts; host++)
        {
            _sites.Add(await CrawledSite.Start(PagesPerRound * rounds));
        }

        var crawl = await StartCrawl();
        await using var follower = ConsoleProcess.Start(["crawl", "follow", crawl, "--json", "--connect-timeout", "5m", .. Gateways]);
        var sending = _sender.Run(Senders, _enough.Token, Cancel);
        var ordering = Enumerable.Range(0, Customers).Select(customer => Task.Run(() => Order(customer), Cancel)).ToList();

        for (var round = 0; round < rounds; round++)
        {
            await Progress(_sites.Any(site => site.Asked < site.Walk.Length));
            var victim = random.Next(Silos);
            switch (round % 3)
            {
                case 0:
                    await Kill(victim);
                    break;
                case 1:
                    await Pause(victim);
                    break;
                default:
                    await Stop(victim);
                    break;
            }

            await AllActive();
        }

        await Progress(crawling: false);
        await _enough.CancelAsync();
        await Wait.For(Task.WhenAll([sending, .. ordering]), "what was being asked to be acknowledged", State);
        await Wait.For(follower.Exit, "the crawl to end", () => follower.Said + State());
        await CrawlIsWhole(crawl, follower);
        await OrdersAreWhole();
        LogIsWhole(await StoredRecords.Of(_first, Shards, Cancel));
        await using (var ledger = await ConsoleProcess.Reach(["ledger", .. Gateways]))
        {
            Assert.True(await ledger.Exit == ExitCode.Done, ledger.Said);
        }

        for (var silo = 0; silo < Silos; silo++)
        {
            await EndsCleanly(silo);
        }

        Report(rounds);
    }

    private async Task Kill(int victim)
    {
        Count("kill -9");
        await _silos[victim].Kill9();
        await Progress(crawling: false);
        await Start(victim);
    }

    /// <summary>
    /// It stands still until the others have gone on; then it goes on with what it believes to have, or ends because it was written off.
    /// </summary>
    private async Task Pause(int victim)
    {
        Count("SIGSTOP");
        await Signals.HaltBetweenCommits(_silos[victim].ProcessId);
        await Progress(crawling: false);
        Signals.Send(_silos[victim].ProcessId, Signals.Continue);
        await Task.WhenAny(_silos[victim].Exit, AllActive());
        if (_silos[victim].Exit.IsCompleted)
        {
            Count("SIGSTOP, written off by the others");
            await Start(victim);
        }
    }

    private async Task Stop(int victim)
    {
        Count("SIGTERM");
        await EndsCleanly(victim);
        await Progress(crawling: false);
        await Start(victim);
    }

    private async Task EndsCleanly(int silo)
    {
        var code = await _silos[silo].Stop();
        Assert.True(code == 0, $"SIGTERM: exit {code}. {_silos[silo].AllSaid}");
    }

    private async Task Start(int silo)
    {
        if (_silos[silo] is { } before)
        {
            await before.DisposeAsync();
        }

        _silos[silo] = await SiloProcess.StartReady(_places[silo], Settings);
    }

    /// <summary>More orders and records are acknowledged, and, where the crawl is to go on, more pages are fetched.</summary>
    private async Task Progress(bool crawling)
    {
        var (steps, pages) = (Volatile.Read(ref _steps) + 30, _sites.Sum(site => site.Asked) + 10);
        await Wait.For(
            _sender.WhenAcknowledged(_sender.Acknowledged.Count + (20 * RecordsPerRequest)),
            "log records to be acknowledged",
            State
        );
        await Wait.Until(() => Volatile.Read(ref _steps) >= steps, "steps of orders to be acknowledged", State);
        await Wait.Until(
            () => !crawling || _sites.Sum(site => site.Asked) >= pages || _sites.All(site => site.Asked >= site.Walk.Length),
            "pages to be fetched",
            State
        );
    }

    private async Task AllActive()
    {
        await using var client = await SilosClient.Connect(Cancel, [.. _places.Select(place => place.Gateway)]);
        await Wait.Until(
            async () =>
                _silos.Any(silo => silo.Exit.IsCompleted)
                || (await SilosClient.Ask(() => client.Status(Cancel), "the status of the cluster")).Silos.Count(silo =>
                    silo.Status == "Active"
                ) == Silos,
            "three active silos",
            State
        );
    }

    private async Task<string> StartCrawl()
    {
        await using var console = await ConsoleProcess.Reach([
            "crawl",
            "start",
            .. _sites.Select(site => site.Seed),
            "--timeout",
            "5s",
            "--allow-private",
            "127.0.0.0/8",
            "--delay",
            "100ms",
            "--concurrency",
            $"{Concurrency}",
            "--json",
            .. Gateways,
        ]);
        Assert.True(await console.Exit == ExitCode.Done, console.Said);
        return console.Last.GetProperty("id").GetString()!;
    }

    /// <summary>
    /// Places orders and moves them on; each step is asked again under its key, at the next silo, until it is acknowledged.
    /// </summary>
    private async Task Order(int customer)
    {
        var endpoints = _places.Select(place => place.Http).ToArray();
        for (var number = 0; !_enough.IsCancellationRequested; number++)
        {
            var key = $"{customer}-{number}";
            const string Body = """{"customer":"ann","currency":"EUR","lines":[{"sku":"tea","quantity":2,"price":450}]}""";
            var id = Acknowledge(await OrderLoad.Ask(_http, "", key, Body, endpoints, customer + number));
            foreach (var step in (string[])["pay", "ship", "complete"])
            {
                Acknowledge(await OrderLoad.Ask(_http, $"/{id}/{step}", $"{key}-{step}", null, endpoints, customer + number));
            }
        }
    }

    private string Acknowledge(JsonElement order)
    {
        var id = order.GetProperty("id").GetString()!;
        var version = order.GetProperty("version").GetInt64();
        _orders.AddOrUpdate(id, version, (_, known) => Math.Max(known, version));
        Interlocked.Increment(ref _steps);
        return id;
    }

    private async Task CrawlIsWhole(string crawl, ConsoleProcess follower)
    {
        Assert.True(await follower.Exit == ExitCode.Done, follower.Said);
        await using var export = await ConsoleProcess.Reach(["crawl", "export", crawl, "--all", "--format", "jsonl", .. Gateways]);
        Assert.True(await export.Exit == ExitCode.Done, export.Said);
        Assert.Equal(
            _sites.SelectMany(site => site.Walk).Order(StringComparer.Ordinal),
            export.Output.Select(line => JsonElement.Parse(line).GetProperty("url").GetString()!).Order(StringComparer.Ordinal)
        );
    }

    private async Task OrdersAreWhole()
    {
        foreach (var (id, version) in _orders)
        {
            var order = JsonElement.Parse(await _http.GetStringAsync(new Uri($"http://{_first.Http}/api/orders/{id}"), Cancel));
            Assert.Equal(version, order.GetProperty("version").GetInt64());
        }

        await using var verify = await ConsoleProcess.Reach(["orders", "audit", "verify", "--all", .. Gateways]);
        Assert.True(await verify.Exit == ExitCode.Done, verify.Said);
    }

    private void LogIsWhole(StoredRecords.Read stored)
    {
        var bodies = stored.Records.Select(record => record.Body).ToList();
        var once = bodies.ToHashSet(StringComparer.Ordinal);
        Assert.Empty(_sender.Acknowledged.Except(once));
        Assert.Equal(bodies.Count, once.Count);
        Assert.Empty(once.Except(_sender.Sent));
        var total = stored.Shards.Select(shard => shard.Total).Aggregate(Tally.Sum);
        Assert.True(total.Balances, total.ToString());
    }

    private void Count(string fault) => _faults[fault] = _faults.GetValueOrDefault(fault) + 1;

    private void Report(int rounds) =>
        Campaign.Report(
            "three-silos",
            "Three silos, all three systems at work",
            "Each round one of three silos on one data folder gets a fault; at the end each is ended by SIGTERM, which must exit with 0.",
            [
                ("rounds", rounds),
                .. _faults.Select(fault => (fault.Key, (long)fault.Value)),
                ("pages in the export, each once", _sites.Sum(site => site.Walk.Length)),
                ("pages fetched again", _sites.Sum(site => site.Repeats)),
                ("log records acknowledged, each stored once", _sender.Acknowledged.Count),
                ("orders", _orders.Count),
                ("steps of orders acknowledged", _steps),
                ("acknowledged and missing", 0),
            ]
        );

    /// <summary>For the message of a test that fails.</summary>
    private string State() =>
        string.Join(
            Environment.NewLine,
            [
                $"{_steps} steps of orders, {_sender.Acknowledged.Count} log records, {_sites.Sum(site => site.Asked)} pages.",
                .. _silos.Select(silo =>
                    $"Silo {silo.ProcessId}: {string.Join(Environment.NewLine, silo.Errors.Concat(silo.Output).TakeLast(30))}"
                ),
            ]
        );
}
