using System.Collections.Immutable;
using System.Text.Json;
using Grains.Interfaces.Cluster;
using Grains.Interfaces.Crawling;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Silo.Storage;
using Xunit;

namespace EndToEnd.Crawling;

/// <summary>
/// Several silos of one machine on one data folder, as processes: a crawl of several hosts spreads over them, and goes on whole when one of
/// them is killed,
/// or is held up until the others have written it off and then goes on with what it believes to have.
/// </summary>
public sealed class SilosTogetherTests : IAsyncDisposable
{
    private const int Hosts = 6;
    private const int Pages = 40;
    private const int Concurrency = 2;

    private readonly List<CrawledSite> _sites = [];
    private readonly List<SiloProcess> _others = [];
    private readonly List<IDisposable> _places = [];
    private Crawler _crawler = null!;
    private ConsoleProcess? _follower;
    private SilosClient? _client;
    private string _id = "";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private ImmutableArray<SiloPlace> Places => [_crawler.Place, .. _others.Select(other => other.Place)];

    public async ValueTask DisposeAsync()
    {
        foreach (var part in (IAsyncDisposable?[])[_client, _follower, .. _others, _crawler, .. _sites])
        {
            if (part is not null)
            {
                await part.DisposeAsync();
            }
        }

        _places.ForEach(place => place.Dispose());
    }

    [Fact]
    public async Task ThreeSilosJoinByTheirInstanceAndShareACrawl()
    {
        using var place = SiloPlace.WithRoomFor(instances: 3);
        await using var first = await SiloProcess.StartReady(place);
        await using var second = await SiloProcess.StartReady(place, "--instance", "1");
        await using var third = await SiloProcess.StartReady(place, "--instance", "2");
        _client = await SilosClient.Connect(Cancel, place.Gateway);

        var silos = (await _client.Status(Cancel)).Silos;

        Assert.Equal(["silo-0", "silo-1", "silo-2"], silos.Select(silo => silo.Name));
        Assert.Equal([0, 100, 200], silos.Select(silo => System.Net.IPEndPoint.Parse(silo.Address).Port - place.Silo.Port));
        Assert.All(silos, silo => Assert.Equal("Active", silo.Status));
        await AllWorkersAwake();
        Assert.Equal(3, (await _client.PortsOf("CrawlWorkerGrain")).Length);
    }

    [Fact]
    public async Task OneOfTwoIsKilledAndNothingIsLost()
    {
        await Begin();
        await StartCrawl();
        await Until(Asked(Pages), "a page of each host");
        Assert.Equal(Places.Select(place => place.Silo.Port).Order(), await _client!.PortsOf("CrawlWorkerGrain"));

        await _others[0].Kill9();

        // Grains are shared out over the gateways by their keys: of so many some were asked for at the gateway that died.
        foreach (var key in Enumerable.Range(0, 20))
        {
            Assert.Null(
                await SilosClient.Ask(
                    () => _client.Grains.GetGrain<ICrawlGrain>($"{key:0000000000}").Show(Cancel),
                    $"crawl {key} to be told of"
                )
            );
        }

        await EndsWhole();
    }

    [Fact]
    public async Task OneThatIsWrittenOffWhileItWasHeldUpChangesNothingWhenItGoesOn()
    {
        await Begin();
        await StartCrawl();
        await Until(Asked(Pages), "a page of each host");
        Assert.Equal(Places.Select(place => place.Silo.Port).Order(), await _client!.PortsOf("CrawlWorkerGrain"));

        // What it has in flight is answered while it cannot listen, and so reported when it is written off; and its hosts go on at the
        // other silo meanwhile.
        var held = _sites.ConvertAll(site => site.Hold(site.Asked + 1));
        await Until(Task.WhenAny(held.Select(gate => gate.Reached)), "a page that is held back");
        var stopped = _others[0];
        await Signals.HaltBetweenCommits(stopped.ProcessId);
        held.ForEach(gate => gate.Open());
        await UntilDead(stopped.Place);
        Signals.Send(stopped.ProcessId, Signals.Continue);
        await EndsWhole();

        // Who finds himself written off ends.
        await Until(stopped.Exit, "the silo that was written off to end");
    }

    /// <summary>Two silos, sites of which no silo knows the ledgers, and a client and a console with both gateways.</summary>
    private async Task Begin()
    {
        for (var host = 0; host < Hosts; host++)
        {
            _sites.Add(await CrawledSite.Start(Pages));
        }

        _crawler = await Crawler.Run();
        var beside = _crawler.Place.Beside();
        _places.Add(beside);
        _others.Add(await SiloProcess.StartReady(beside));
        _client = await SilosClient.Connect(Cancel, [.. Places.Select(place => place.Gateway)]);
        await AllWorkersAwake();
    }

    /// <summary>Workers are placed when something first calls them.</summary>
    private async Task AllWorkersAwake() =>
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => _client!.Grains.GetGrain<ICrawlWorkerGrain>(worker).InFlight(Cancel)));

    /// <summary>
    /// Slow enough that there is something left to do when the console that follows has begun and what is asked next was answered.
    /// </summary>
    private async Task StartCrawl()
    {
        var others = _sites.Skip(1).Select(site => site.Seed).ToArray();
        _id = await _crawler.StartCrawl(_sites[0].Seed, [.. others, "--delay", "150ms", "--concurrency", $"{Concurrency}"]);
        _follower = ConsoleProcess.Start([
            "crawl",
            "follow",
            _id,
            "--json",
            .. Places.SelectMany(place => (string[])["--gateway", $"{place.Gateway}"]),
        ]);
        await Until(_follower.Spoke, "the console that follows to begin");
    }

    /// <summary>Ends when all sites together were asked for so many pages.</summary>
    private Task Asked(int count) => Task.WhenAll(_sites.Select(site => site.WhenAsked(count / Hosts)));

    private async Task EndsWhole()
    {
        await Until(_follower!.Exit, "the crawl to end");
        Assert.True(await _follower.Exit == ExitCode.Done, _follower.Said);
        var walk = _sites.SelectMany(site => site.Walk).ToArray();
        var last = _follower.Last;
        Assert.Equal(
            ("done", walk.Length, 0, 0, 0),
            (
                last.GetProperty("state").GetString(),
                Crawler.Number(last, "pages"),
                Crawler.Number(last, "failed"),
                Crawler.Number(last, "skipped"),
                Crawler.Number(last, "queued")
            )
        );

        var records = await _crawler.Export(_id, all: true);
        Assert.Equal(walk.Order(StringComparer.Ordinal), records.Select(Url).Order(StringComparer.Ordinal));
        Assert.All(records, record => Assert.Equal(200, record.GetProperty("status").GetInt32()));
        var account = await _crawler.Ledger();
        Assert.Equal(
            (walk.Length, walk.Length, 0),
            (Crawler.Number(account, "in"), Crawler.Number(account, "done"), Crawler.Number(account, "waiting"))
        );

        // At each host no more than what was in flight there.
        Assert.All(_sites, site => Assert.InRange(site.Repeats, 0, Concurrency));
    }

    /// <summary>
    /// Reads the table of members again until this one is dead there: a silo or a gateway that stands still would not answer.
    /// </summary>
    private static async Task UntilDead(SiloPlace place)
    {
        await using var store = SqliteTableStore.Open(Path.Combine(place.Data, "tables"));
        var members = new TableMembershipTable(store, Options.Create(new ClusterOptions { ClusterId = ClusterNames.DefaultClusterId }));
        await Wait.Until(
            async () =>
                (await members.ReadAllAsync(Cancel))
                    .Members.Single(member => member.Item1.SiloAddress.Endpoint.Equals(place.Silo))
                    .Item1.Status == SiloStatus.Dead,
            $"the silo at {place.Silo} to be written off"
        );
    }

    private static string Url(JsonElement record) => record.GetProperty("url").GetString()!;

    private Task Until(Task seen, string what) => Wait.For(seen, what, () => $"""
                The sites were asked {string.Join(", ", _sites.Select(site => $"{site.Asked} times ({site.Repeats} again)"))}.
                The console that follows said: {_follower?.Said}
                The first silo said: {_crawler.Said}
                The other said: {string.Join(Environment.NewLine, _others.Select(other => other.AllSaid))}
                """);
}
