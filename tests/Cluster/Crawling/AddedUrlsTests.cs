using Doubles;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Cluster.Crawling;

/// <summary>URLs that come to a crawl beside its links, and pages that are walked through.</summary>
public sealed class AddedUrlsTests(CrawlCluster cluster) : IClassFixture<CrawlCluster>
{
    private readonly string _root = $"http://{cluster.NewHost()}/";

    [Fact]
    public async Task UrlsAddedToAPausedCrawlAreFetchedWhenItGoesOn()
    {
        var gate = new Gate();
        cluster.Web.Add(_root, SiteAnswer.Links("/linked").Behind(gate));
        cluster.Web.Add(_root + "linked", "<title>Linked</title>").Add(_root + "added", "<title>Added</title>");
        var crawl = await cluster.Start(Spec);
        await cluster.Clock.PassUntil("the seed to be asked for", gate.Reached);
        await crawl.Pause();
        var reply = await crawl.Add([_root + "added", _root, "http://elsewhere.example/"]);
        gate.Open();
        await crawl.Resume();
        var summary = await cluster.Ended(crawl);

        Assert.Equal((1, 1, 1, null), (reply.New, reply.Known, reply.Refused, reply.Closed));
        Assert.Equal(3, summary.Pages);
        Assert.Equal(
            (0, null),
            ((await cluster.Export(crawl))[_root + "added"].Depth, (await cluster.Export(crawl))[_root + "added"].Parent)
        );
        Assert.Equal($"Crawl {summary.Id} is done and takes no URLs.", (await crawl.Add([_root + "late"])).Closed);
        await cluster.Balances(crawl);
    }

    [Fact]
    public async Task AListingThatIsWalkedLeadsToItsItemsAndIsNoResult()
    {
        cluster.Web.Add(_root + "list/1", SiteAnswer.Links("/list/2", "/item/1", "/about"));
        cluster.Web.Add(_root + "list/2", SiteAnswer.Links("/item/2?utm_source=list", "/item/2"));
        cluster.Web.Add(_root + "item/1", "<title>One</title>").Add(_root + "item/2", "<title>Two</title>");
        var crawl = await cluster.Start(
            Spec with
            {
                Seeds = [_root + "list/1"],
                Include = ["*/item/*"],
                Walk = ["*/list/*"],
                DropParams = ["utm_*"],
            }
        );
        var summary = await cluster.Ended(crawl);

        Assert.Equal((4L, 2L), (summary.Pages, summary.Kept!.Pages));
        Assert.Equal([_root + "item/1", _root + "item/2"], (await cluster.Export(crawl)).Keys.Order(StringComparer.Ordinal));
        Assert.Equal(4, (await cluster.Export(crawl, ExportKind.All)).Count);
        await cluster.Balances(crawl);
    }

    [Fact]
    public async Task APathThatGoesOnWithoutEndIsCutAndCounted()
    {
        cluster.Web.Otherwise = url => url.StartsWith(_root + "loop/", StringComparison.Ordinal) ? SiteAnswer.Links("again/") : null;
        var crawl = await cluster.Start(Spec with { Seeds = [_root + "loop/"] });
        var summary = await cluster.Ended(crawl);

        Assert.Equal(4, summary.Pages);
        Assert.Equal([KeyValuePair.Create("repeated-segments", 1L)], summary.Reasons!);
        await cluster.Balances(crawl);
    }

    private CrawlSpec Spec =>
        new()
        {
            Seeds = [_root],
            Delay = TimeSpan.Zero,
            Timeout = TimeSpan.FromMinutes(5),
        };
}
