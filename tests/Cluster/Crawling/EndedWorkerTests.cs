using Doubles;
using Grains.Crawling.Frontier;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Cluster.Crawling;

/// <summary>A worker's activation may end while it fetches, as when the silo that kept its place in the directory was killed.</summary>
public sealed class EndedWorkerTests(CrawlCluster cluster) : IClassFixture<CrawlCluster>
{
    /// <summary>
    /// What the fetch of an ended worker threw was caught by nobody, and the silo ended with it: then this test ends with its process.
    /// </summary>
    [Fact]
    public async Task AFetchThatEndsAfterItsWorkerDidTakesNothingWithIt()
    {
        var root = $"http://{cluster.NewHost()}/";
        var gate = new Gate();
        cluster.Web.Stubborn = true;
        cluster.Web.Add(root, SiteAnswer.Links("/held", "/other"));
        cluster.Web.Add(root + "held", SiteAnswer.Html("<title>Held</title>").Behind(gate));
        cluster.Web.Add(root + "other", SiteAnswer.Html("<title>Other</title>"));
        var crawl = await cluster.Start(
            new CrawlSpec
            {
                Seeds = [root],
                Delay = TimeSpan.Zero,
                Concurrency = 2,
            }
        );
        await cluster.Clock.PassUntil("the page that is held up to be asked for", gate.Reached);

        // The worker waits five seconds for what it holds, then it is gone; its lease lasts for longer, and somebody else gets the page.
        var leaving = cluster.DeactivateWorkers();
        await VirtualClock.StandUntil("a worker that leaves and waits for its fetch", () => cluster.Guards.NextDue is not null);
        cluster.Guards.Pass(2 * HostCrawl.Grace + new CrawlSpec { Seeds = [] }.Timeout * 2);
        await leaving;
        await cluster.Clock.PassUntil("the page to be asked for again", () => cluster.Web.Ledger.CountOf(root + "held") == 2);
        gate.Open();
        var summary = await cluster.Ended(crawl);

        Assert.Equal((CrawlState.Done, 3L, 0L), (summary.State, summary.Pages, summary.Failed));
        Assert.Equal(2, cluster.Web.Ledger.CountOf(root + "held"));
        await cluster.Balances(crawl);
    }
}
