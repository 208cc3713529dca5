using System.Text.Json;
using Doubles.Processes;
using Xunit;

namespace Doubles.Crawling;

/// <summary>
/// The same crawl on every kind of store, by one silo and by two of which one is killed with <c>kill -9</c>, again and again:
/// the pages of a breadth-first walk, each exported once, and no more requests repeated than were in flight at a kill.
/// </summary>
public abstract class SeveralSilosContract : IAsyncLifetime
{
    private const int Pages = 120;
    private const int Concurrency = 4;

    private readonly List<IAsyncDisposable> _parts = [];
    private CrawledSite _site = null!;
    private ConsoleProcess _follower = null!;
    private string[] _settings = [];
    private string _id = "";

    protected Crawler Crawler { get; private set; } = null!;

    /// <summary>Settings that name the store, which is empty, and is the test's alone.</summary>
    protected abstract Task<string[]> Store();

    public async ValueTask InitializeAsync()
    {
        _settings = await Store();
        _site = Added(await CrawledSite.Start(Pages));
        Crawler = Added(await Crawler.Run(_settings));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in Enumerable.Reverse(_parts))
        {
            await part.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task OneOfTwoSilosIsKilledAndComesBackAndIsKilledForGood()
    {
        using var beside = Crawler.Place.Beside();
        var other = await SiloProcess.StartReady(beside, _settings);
        try
        {
            await StartCrawl();
            await Asked(Pages / 4);
            await other.DisposeAsync();
            other = await SiloProcess.StartReady(beside, _settings);
            await Asked(Pages / 2);
            await other.Kill9();
            await EndsWhole(kills: 2);
        }
        finally
        {
            await other.DisposeAsync();
        }
    }

    /// <summary>One silo crawls; half-way through it is killed, and started again.</summary>
    protected async Task CrawlOverAKill()
    {
        await StartCrawl();
        await Asked(Pages / 2);
        await Crawler.KillAndRestart();
        await EndsWhole(kills: 1);
    }

    /// <summary>Disposed of after the test, the last first.</summary>
    protected T Added<T>(T part)
        where T : IAsyncDisposable
    {
        _parts.Add(part);
        return part;
    }

    /// <summary>One console follows the crawl over all that comes; it has reached a silo before the first page is answered.</summary>
    private async Task StartCrawl()
    {
        var first = _site.Hold(1);
        _id = await Crawler.StartCrawl(_site.Seed, "--delay", "0", "--concurrency", $"{Concurrency}");
        _follower = Added(Crawler.Follow(_id));
        await Until(_follower.Spoke, "the console that follows to begin");
        first.Open();
    }

    private Task Asked(int count) => Until(_site.WhenAsked(count), $"request {count}");

    private async Task EndsWhole(int kills)
    {
        await Until(_follower.Exit, "the crawl to end");
        Assert.True(await _follower.Exit == ExitCode.Done, _follower.Said);
        var last = _follower.Last;
        Assert.Equal(
            (_site.Walk.Length, 0, 0, 0),
            (Crawler.Number(last, "pages"), Crawler.Number(last, "failed"), Crawler.Number(last, "skipped"), Crawler.Number(last, "queued"))
        );

        var records = await Crawler.Export(_id, all: true);
        Assert.Equal(_site.Walk.Order(StringComparer.Ordinal), records.Select(Url).Order(StringComparer.Ordinal));
        Assert.All(records, record => Assert.Equal(200, record.GetProperty("status").GetInt32()));
        var account = await Crawler.Ledger();
        Assert.Equal(
            (_site.Walk.Length, _site.Walk.Length, 0),
            (Crawler.Number(account, "in"), Crawler.Number(account, "done"), Crawler.Number(account, "waiting"))
        );
        Assert.True(
            _site.Repeats <= kills * Concurrency,
            $"{_site.Repeats} requests came beyond one per URL, after {kills} kill(s) of {Concurrency} at once."
        );
    }

    private static string Url(JsonElement record) => record.GetProperty("url").GetString()!;

    private Task Until(Task seen, string what) =>
        Wait.For(seen, what, () =>
            $"The site was asked {_site.Requests.Length} times, {_site.Repeats} of them again.{Environment.NewLine}The silo "
            + $"said: {Crawler.Said}"
        );
}
