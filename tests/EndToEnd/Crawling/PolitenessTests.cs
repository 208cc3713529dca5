using Client;
using Xunit;

namespace EndToEnd.Crawling;

/// <summary>Between the starts of two requests to one host there is never less than the delay, as the host itself counts: robots.txt included, restarts included.</summary>
public sealed class PolitenessTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private CrawledSite _site = null!;
    private Crawler _crawler = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _crawler.DisposeAsync();
        await _site.DisposeAsync();
    }

    [Fact]
    public async Task TheDelayHoldsOverAKillAndACleanRestart()
    {
        await Begin(pages: 24);
        var id = await _crawler.StartCrawl(_site.Seed, "--delay", "150ms");
        await _site.WhenAsked(6).WaitAsync(Patience, Cancel);
        await _crawler.KillAndRestart();
        await _site.WhenAsked(14).WaitAsync(Patience, Cancel);
        await _crawler.StopSilo();
        await _crawler.StartSilo();
        await End(id);

        NothingIsCloserThan(TimeSpan.FromMilliseconds(150));
        Assert.InRange(_site.Requests.Length, 25, 26);
    }

    [Fact]
    public async Task ADelayThatIsLongerThanARestartHolds()
    {
        await Begin(pages: 3);
        var id = await _crawler.StartCrawl(_site.Seed, "--delay", "8s");
        await _site.WhenAsked(1).WaitAsync(Patience, Cancel);
        await _crawler.StopSilo();
        await _crawler.StartSilo();
        await End(id);

        NothingIsCloserThan(TimeSpan.FromSeconds(8));
    }

    [Fact]
    public async Task ACrawlDelayOfRobotsHoldsOverAKill()
    {
        await Begin(pages: 5, robots: "User-agent: *\nCrawl-delay: 2\n");
        var id = await _crawler.StartCrawl(_site.Seed, "--delay", "10ms");
        await _site.WhenAsked(2).WaitAsync(Patience, Cancel);
        await _crawler.KillAndRestart();
        await End(id);

        NothingIsCloserThan(TimeSpan.FromSeconds(2));
        Assert.Equal(1, _site.Server.Ledger.CountOf("/robots.txt"));
    }

    [Fact]
    public async Task TheNextCrawlOfAHostWaitsForTheDelayToo()
    {
        await Begin(pages: 1);
        await End(await _crawler.StartCrawl(_site.Seed, "--delay", "8s", "--name", "first"));
        await _crawler.KillAndRestart();
        await End(await _crawler.StartCrawl(_site.Seed, "--delay", "8s", "--name", "second"));

        NothingIsCloserThan(TimeSpan.FromSeconds(8));
        // robots.txt once; then in each crawl the page, and the one it links to, which is not there.
        Assert.Equal(5, _site.Requests.Length);
    }

    private async Task Begin(int pages, string? robots = null)
    {
        _site = await CrawledSite.Start(pages, robots);
        _crawler = await Crawler.Run();
    }

    private async Task End(string id) => await _crawler.FollowToEnd(id, ExitCode.Done, Cancel);

    private void NothingIsCloserThan(TimeSpan delay)
    {
        var requests = _site.Requests;
        foreach (var (before, after) in requests.Zip(requests.Skip(1)))
        {
            Assert.True(
                after.Start - before.Start >= delay,
                $"{after.Target} came {(after.Start - before.Start).TotalMilliseconds:0.0} ms after {before.Target}, and the delay is {delay.TotalMilliseconds} ms.");
        }
    }
}
