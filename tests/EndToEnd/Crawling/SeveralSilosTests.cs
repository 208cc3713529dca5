using System.Text.Json;
using Client;
using Doubles.Azurite;
using EndToEnd.Storage;
using Xunit;

namespace EndToEnd.Crawling;

/// <summary>
/// The same crawl on every kind of store, by one silo and by two of which one is killed with <c>kill -9</c>, again and again:
/// the pages of a breadth-first walk, each exported once, and no more requests repeated than were in flight at a kill.
/// </summary>
public sealed class SeveralSilosTests(Azurite azurite) : IAsyncDisposable
{
    private const int Pages = 120;
    private const int Concurrency = 4;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Start = TimeSpan.FromMinutes(1);

    private readonly List<IAsyncDisposable> _parts = [];
    private AzuriteProcess? _azurite;
    private CrawledSite _site = null!;
    private Crawler _crawler = null!;
    private ConsoleProcess _follower = null!;
    private string[] _settings = [];
    private string _id = "";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        foreach (var part in Enumerable.Reverse(_parts))
        {
            await part.DisposeAsync();
        }
    }

    [Fact]
    public async Task OneSiloOnAzureStorageCrawlsASiteOverAKill()
    {
        await Begin("Azure");
        await StartCrawl();
        await Asked(Pages / 2);
        await _crawler.KillAndRestart();
        await EndsWhole(kills: 1);

        var status = await _crawler.AskJson("cluster", "status");
        Assert.Equal("Azure", status.GetProperty("storageKind").GetString());
        Assert.Empty(status.GetProperty("storage").EnumerateArray());
    }

    [Theory]
    [InlineData("Local")]
    [InlineData("Azure")]
    public async Task OneOfTwoSilosIsKilledAndComesBackAndIsKilledForGood(string kind)
    {
        await Begin(kind);
        using var beside = _crawler.Place.Beside();
        var other = await SiloProcess.StartReady(beside, Start, _settings);
        try
        {
            await StartCrawl();
            await Asked(Pages / 4);
            await other.DisposeAsync();
            other = await SiloProcess.StartReady(beside, Start, _settings);
            await Asked(Pages / 2);
            await other.Kill9();
            await EndsWhole(kills: 2);
        }
        finally
        {
            await other.DisposeAsync();
        }
    }

    private async Task Begin(string kind)
    {
        if (kind == "Azure")
        {
            // Skipped where there is none; but a cluster needs one of its own.
            await azurite.Use();
            _azurite = Added(await AzuriteProcess.Start(Cancel));
            _settings = ["--Storage:Kind", kind, "--Storage:ConnectionString", _azurite.ConnectionString];
        }

        _site = Added(await CrawledSite.Start(Pages));
        _crawler = Added(await Crawler.Run(_settings));
    }

    private T Added<T>(T part)
        where T : IAsyncDisposable
    {
        _parts.Add(part);
        return part;
    }

    /// <summary>One console follows the crawl over all that comes; it has reached a silo before the first page is answered.</summary>
    private async Task StartCrawl()
    {
        var first = _site.Hold(1);
        _id = await _crawler.StartCrawl(_site.Seed, "--delay", "0", "--concurrency", $"{Concurrency}");
        _follower = Added(_crawler.Follow(_id));
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
            (Crawler.Number(last, "pages"), Crawler.Number(last, "failed"), Crawler.Number(last, "skipped"), Crawler.Number(last, "queued")));

        var records = await _crawler.Export(_id, "--all");
        Assert.Equal(_site.Walk.Order(StringComparer.Ordinal), records.Select(Url).Order(StringComparer.Ordinal));
        Assert.All(records, record => Assert.Equal(200, record.GetProperty("status").GetInt32()));
        var account = await _crawler.Ledger();
        Assert.Equal((_site.Walk.Length, _site.Walk.Length, 0), (Crawler.Number(account, "in"), Crawler.Number(account, "done"), Crawler.Number(account, "waiting")));
        Assert.True(_site.Repeats <= kills * Concurrency, $"{_site.Repeats} requests came beyond one per URL, after {kills} kill(s) of {Concurrency} at once.");
    }

    private static string Url(JsonElement record) => record.GetProperty("url").GetString()!;

    private async Task Until(Task seen, string what)
    {
        try
        {
            await seen.WaitAsync(Patience, Cancel);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"""
                {Patience} went by while the test waited for {what}. The site was asked {_site.Requests.Length} times, {_site.Repeats} of them again.
                The silo said: {_crawler.Said}
                """);
        }
    }
}
