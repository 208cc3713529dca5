using Xunit;

namespace EndToEnd.Crawling;

/// <summary>
/// Between the starts of two requests to one host there is never less than the delay, as the host itself counts: robots.txt included,
/// restarts included.
/// </summary>
public sealed class PolitenessTests(KilledCrawler killed) : IClassFixture<KilledCrawler>, IAsyncDisposable
{
    private CrawledSite _site = null!;
    private readonly Crawler _crawler = killed.Crawler;

    public ValueTask DisposeAsync() => _site.DisposeAsync();

    [Fact]
    public async Task TheDelayHoldsOverAKillAndACleanRestart()
    {
        await Begin(pages: 24);
        var id = await _crawler.StartCrawl(_site.Seed, "--delay", "150ms");
        await Asked(6);
        await _crawler.KillAndRestart();
        await Asked(14);
        await _crawler.StopSilo();
        await _crawler.StartSilo();
        await End(id);

        NothingIsCloserThan(TimeSpan.FromMilliseconds(150));
        // The 24 pages and robots.txt; what was under way at the kill, and what a stop gave up, is asked for again.
        Assert.InRange(_site.Requests.Length, 25, 27);
    }

    [Fact]
    public async Task ADelayThatIsLongerThanARestartHolds()
    {
        await Begin(pages: 2);
        var id = await _crawler.StartCrawl(_site.Seed, "--delay", "5s");
        await Asked(1);
        await _crawler.StopSilo();
        await _crawler.StartSilo();
        await End(id);

        NothingIsCloserThan(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task ACrawlDelayOfRobotsHoldsOverAKill()
    {
        await Begin(pages: 5, robots: "User-agent: *\nCrawl-delay: 2\n");
        var id = await _crawler.StartCrawl(_site.Seed, "--delay", "10ms");
        await Asked(2);
        await _crawler.KillAndRestart();
        await End(id);

        NothingIsCloserThan(TimeSpan.FromSeconds(2));
        Assert.Equal(1, _site.Server.Ledger.CountOf("/robots.txt"));
    }

    [Fact]
    public async Task TheNextCrawlOfAHostWaitsForTheDelayToo()
    {
        await Begin(pages: 1);
        await End(await _crawler.StartCrawl(_site.Seed, "--delay", "5s", "--name", "first"));
        await _crawler.KillAndRestart();
        await End(await _crawler.StartCrawl(_site.Seed, "--delay", "5s", "--name", "second"));

        NothingIsCloserThan(TimeSpan.FromSeconds(5));
        // robots.txt once; then in each crawl the page, and the one it links to, which is not there.
        Assert.Equal(5, _site.Requests.Length);
    }

    private async Task Begin(int pages, string? robots = null) => _site = await CrawledSite.Start(pages, robots);

    private Task Asked(int count) => Wait.For(_site.WhenAsked(count), $"request {count}", () => _crawler.Said);

    private async Task End(string id) => await _crawler.FollowToEnd(id, ExitCode.Done);

    private void NothingIsCloserThan(TimeSpan delay)
    {
        var requests = _site.Requests;
        foreach (var (before, after) in requests.Zip(requests.Skip(1)))
        {
            Assert.True(
                after.Start - before.Start >= delay,
                $"{after.Target} came {(after.Start - before.Start).TotalMilliseconds:0.0} ms after {before.Target}, and the "
                    + $"delay is {delay.TotalMilliseconds} ms."
            );
        }
    }
}
