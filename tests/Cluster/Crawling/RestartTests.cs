using Doubles;
using Xunit;

namespace Cluster.Crawling;

/// <summary>A silo that stops in order. It has a cluster of its own, for it stops the only silo.</summary>
public sealed class RestartTests(CrawlCluster cluster) : IClassFixture<CrawlCluster>
{
    [Fact]
    public async Task ACleanRestartWaitsForNoLease()
    {
        var gate = new Gate();
        var root = $"http://{cluster.NewHost()}/";
        cluster.Web.Add(root, SiteAnswer.Links(root + "held")).Add(root + "held", SiteAnswer.Links(root).Behind(gate));
        var crawl = await cluster.Start(
            new()
            {
                Seeds = [root],
                Delay = TimeSpan.FromSeconds(1),
                Timeout = TimeSpan.FromMinutes(5),
            }
        );
        await cluster.Clock.PassUntil("the page that is held up to be asked for", gate.Reached);
        crawl = await cluster.Restart((await crawl.Show())!.Id);
        gate.Open();

        // The guards' clock stands still: a lease that was waited for would never end.
        Assert.Equal(2, (await cluster.Ended(crawl)).Pages);
        var starts = cluster
            .Web.Ledger.Requests.Where(request => request.Target == root + "held")
            .Select(request => request.Start)
            .ToList();
        Assert.Equal(2, starts.Count);
        Assert.True(starts[1] - starts[0] >= TimeSpan.FromSeconds(1), $"Asked again after {starts[1] - starts[0]}.");
    }
}
