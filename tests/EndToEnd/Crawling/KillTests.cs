using System.Collections.Immutable;
using System.Text.Json;
using Xunit;

namespace EndToEnd.Crawling;

/// <summary>A silo that each of these tests kills, and finds started again.</summary>
public sealed class KilledCrawler : IAsyncLifetime
{
    public Crawler Crawler { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Crawler = await Crawler.Run();

    public ValueTask DisposeAsync() => Crawler is null ? ValueTask.CompletedTask : Crawler.DisposeAsync();
}

/// <summary>
/// What a crawl is worth when its silo is killed with <c>kill -9</c>: the pages of a breadth-first walk, each exported once, and hardly a
/// request repeated.
/// A longer campaign: set <c>CRAWL_KILLS</c> to how often one crawl is killed, from its first page to its last (3 without it, at most 200).
/// </summary>
public sealed class KillTests(KilledCrawler killed) : IClassFixture<KilledCrawler>, IAsyncDisposable
{
    private const int Pages = 200;
    private const int Concurrency = 4;

    private CrawledSite _site = null!;
    private readonly Crawler _crawler = killed.Crawler;
    private ConsoleProcess? _follower;
    private string _id = "";
    private int _killsBefore;
    private JsonElement _before;

    public async ValueTask DisposeAsync()
    {
        foreach (var part in new IAsyncDisposable?[] { _follower, _site })
        {
            if (part is not null)
            {
                await part.DisposeAsync();
            }
        }
    }

    [Fact]
    public async Task KilledBeforeTheFirstPage()
    {
        await Begin();
        await StartCrawl();
        await _crawler.KillAndRestart();
        await EndsWhole();
    }

    [Fact]
    public async Task KilledWhileItAsksForRobots()
    {
        await Begin();
        var robots = _site.HoldRobots();
        await StartCrawl();
        await Until(robots.Reached, "robots.txt to be asked for");
        await _crawler.KillAndRestart();
        robots.Open();
        await EndsWhole();
        Assert.Equal(2, _site.Server.Ledger.CountOf("/robots.txt"));
    }

    [Fact]
    public async Task KilledWhileAPageIsBeingAnswered()
    {
        await Begin();
        var gate = _site.Hold(Pages / 4);
        await StartCrawl();
        await Until(gate.Reached, "the page that is held back");
        await _crawler.KillAndRestart();
        gate.Open();
        await EndsWhole();
        Assert.True(_site.Repeats >= 1, "The page that was being answered was not asked for again.");
    }

    [Fact]
    public async Task KilledRightAfterTheLastPageWasAnswered()
    {
        await Begin();
        await StartCrawl();
        await Follow();
        await _crawler.KillAndRestart();
        Assert.Equal("done", (await _crawler.Show(_id)).GetProperty("state").GetString());
        await HasAllPagesOnce();
        Assert.Equal(0, _site.Repeats);
    }

    [Fact]
    [Trait(Campaign.Kind, Campaign.Name)]
    public async Task KilledAgainAndAgain()
    {
        var kills = Campaign.Rounds("CRAWL_KILLS", most: 200);
        await Begin(Math.Max(2 * Pages, kills * 50));
        var first = _site.Hold(1);
        await StartCrawl();
        // One console follows it over all that comes. It must have reached a silo before it can miss one.
        _follower = _crawler.Follow(_id);
        await Until(_follower.Spoke, "the console that follows to begin");
        first.Open();
        for (var kill = 1; kill <= kills; kill++)
        {
            // First when one page was asked for, last when all of them were, and after each kill some pages more.
            var pages = kill == 1 ? 1 : _site.Walk.Length * (kill - 1) / (kills - 1);
            await Until(_site.WhenAsked(pages), $"kill {kill}");
            await _crawler.KillAndRestart();
            await _crawler.Ledger();
        }

        await EndsWhole();
        Campaign.Report(
            "crawl-kills",
            "Crawling: kill -9 in the middle of a crawl",
            $"The silo of one crawl of {_site.Walk.Length} pages, {Concurrency} at once, was killed {kills} times and started again.",
            ("pages of the site", _site.Walk.Length),
            ("pages exported", _site.Walk.Length),
            ("pages missing or exported twice", 0),
            ("requests repeated", _site.Repeats)
        );
    }

    [Fact]
    public async Task ALimitOfPagesHoldsOverAKill()
    {
        const int Most = 77;
        await Begin();
        await StartCrawl("--max-pages", $"{Most}");
        await Until(_site.WhenAsked(Most / 2), $"request {Most / 2}");
        await _crawler.KillAndRestart();
        var last = await Follow();

        Assert.Equal(Most, Crawler.Number(last, "pages"));
        Assert.Equal(Most, (await _crawler.Export(_id)).Length);
        Assert.InRange(_site.Asked, Most, Most + Concurrency);
        Assert.Equal(Most, Since(await _crawler.Ledger(), "done"));
    }

    /// <summary>The silo is gone before the next round, and again in the middle of it: that begins by itself, and once.</summary>
    [Fact]
    public async Task ARoundThatIsDueBeginsOnceOverKills()
    {
        await Begin(pages: 60);
        var name = $"rounds-{Guid.NewGuid():N}"[..20];
        await StartCrawl("--every", "1m", "--name", name);
        var first = _id;
        await Follow();
        await _crawler.KillAndRestart();
        await Until(_site.WhenAsked(_site.Walk.Length + 20), "the middle of the second round");
        await _crawler.KillAndRestart();
        var second = (await Rounds())[1];
        await _crawler.FollowToEnd(second, ExitCode.Done);

        await ExportedWhole(first);
        await ExportedWhole(second);
        var unchanged = (await _crawler.Show(second)).GetProperty("changes").GetProperty("unchanged").GetInt64();
        Assert.Equal(_site.Walk.Length, unchanged);
        var rounds = await Rounds(); // On a slow machine the third one may have begun.
        Assert.InRange(_site.Asked, 2 * _site.Walk.Length, (rounds.Length * _site.Walk.Length) + (2 * Concurrency));

        // The account is that of crawls which are kept: other tests compare it with what it was.
        await Wait.Until(
            async () =>
            {
                var left = await Rounds();
                foreach (var round in left)
                {
                    await using var console = await _crawler.Say("crawl", "delete", round, "--yes");
                    await console.Exit;
                }

                return left.Length == 0;
            },
            "the rounds to be gone",
            () => _crawler.Said
        );

        // In the order of their beginnings.
        async Task<string[]> Rounds() =>
            [
                .. (await _crawler.Ask("crawl", "list", "--json"))
                    .Select(line => JsonElement.Parse(line))
                    .Where(crawl =>
                        crawl.TryGetProperty("name", out var of) && of.GetString()?.StartsWith(name, StringComparison.Ordinal) == true
                    )
                    .OrderBy(crawl => crawl.GetProperty("startedAt").GetDateTimeOffset())
                    .Select(crawl => crawl.GetProperty("id").GetString()!),
            ];
    }

    private async Task Begin(int pages = Pages)
    {
        _site = await CrawledSite.Start(pages);
        _killsBefore = _crawler.Kills;
        _before = await _crawler.Ledger();
    }

    /// <summary>What of the account came to it in this test.</summary>
    private long Since(JsonElement account, string name) => Crawler.Number(account, name) - Crawler.Number(_before, name);

    private async Task StartCrawl(params string[] options) =>
        _id = await _crawler.StartCrawl(_site.Seed, ["--delay", "0", "--concurrency", $"{Concurrency}", .. options]);

    /// <summary>The last line of the console that follows: the crawl at its end.</summary>
    private async Task<JsonElement> Follow()
    {
        if (_follower is not null)
        {
            await Until(_follower.Exit, "the crawl to end");
            Assert.True(await _follower.Exit == ExitCode.Done, _follower.Said);
        }

        var last = _follower?.Last ?? await _crawler.FollowToEnd(_id, ExitCode.Done);
        Assert.Equal(_id, last.GetProperty("id").GetString());
        Assert.Equal("done", last.GetProperty("state").GetString());
        return last;
    }

    private async Task EndsWhole()
    {
        var last = await Follow();
        Assert.Equal(
            (_site.Walk.Length, 0, 0, 0),
            (Crawler.Number(last, "pages"), Crawler.Number(last, "failed"), Crawler.Number(last, "skipped"), Crawler.Number(last, "queued"))
        );
        await HasAllPagesOnce();
        Assert.True(
            _site.Repeats <= (_crawler.Kills - _killsBefore) * Concurrency,
            $"{_site.Repeats} requests came beyond one per URL, after {_crawler.Kills - _killsBefore} kill(s) of {Concurrency} at once."
        );
    }

    /// <summary>The records of a crawl that has each page of the site, once.</summary>
    private async Task<ImmutableArray<JsonElement>> ExportedWhole(string id)
    {
        var records = await _crawler.Export(id, all: true);
        Assert.Equal(
            _site.Walk.Order(StringComparer.Ordinal),
            records.Select(record => record.GetProperty("url").GetString()!).Order(StringComparer.Ordinal)
        );
        return records;
    }

    private async Task HasAllPagesOnce()
    {
        var records = await ExportedWhole(_id);
        Assert.All(records, record => Assert.Equal(200, record.GetProperty("status").GetInt32()));
        var account = await _crawler.Ledger();
        Assert.Equal(
            (_site.Walk.Length, _site.Walk.Length, 0),
            (Since(account, "in"), Since(account, "done"), Crawler.Number(account, "waiting"))
        );
    }

    private Task Until(Task seen, string what) => Wait.For(seen, what, () => $"""
                The site was asked {_site.Requests.Length} times, {_site.Repeats} of them again.
                The console that follows said: {_follower?.Said}
                The silo said: {_crawler.Said}
                """);
}
