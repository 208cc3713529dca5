using Doubles;
using Grains.Crawling.Pages;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Cluster.Crawling;

/// <summary>What has failed is tried again, and seeds that do not go into one call.</summary>
public sealed class RetryTests(CrawlCluster cluster) : IClassFixture<CrawlCluster>
{
    private readonly string _root = $"http://{cluster.NewHost()}/";

    [Fact]
    public async Task ACrawlThatIsDoneGoesOnWithWhatHasFailedAndWithTheLinksOfIt()
    {
        var other = $"http://{cluster.NewHost()}/";
        cluster.Web.Add(_root, SiteAnswer.Links("/busy", "/slow", other)).Add(other, "<title>Other</title>");
        cluster.Web.Add(_root + "busy", SiteAnswer.Empty(503)).FailNext(_root + "slow", FetchFailure.Timeout, times: 3);
        var crawl = await cluster.Start(Spec with { Scope = CrawlScope.Any });
        Assert.Equal((2L, 2L), await Ended(crawl));

        cluster.Web.Add(_root + "busy", SiteAnswer.Links("/new", other + "new")).Add(_root + "new", "").Add(other + "new", "");
        var busy = await crawl.Retry("http-503", cursor: null);
        Assert.Equal((5L, 1L), await Ended(crawl));
        var rest = await crawl.Retry(reason: null, cursor: null);
        Assert.Equal((6L, 0L), await Ended(crawl));

        Assert.Equal([KeyValuePair.Create("http-503", 1L)], busy.Retried);
        Assert.Equal([KeyValuePair.Create("timeout", 1L)], rest.Retried);
        Assert.Equal((null, null), (rest.Cursor, rest.Closed));
        Assert.Equal(
            (404, 1),
            ((await cluster.Export(crawl))[_root + "slow"].Status, (await cluster.Export(crawl))[_root + "slow"].Attempts)
        );
        Assert.Equal((1, 4), (cluster.Web.Ledger.CountOf(_root), cluster.Web.Ledger.CountOf(_root + "busy")));
        await cluster.Balances(crawl);
    }

    [Fact]
    public async Task OfACrawlThatRunsWhatFailedUpToNowIsTriedAgain()
    {
        var gate = new Gate();
        cluster.Web.Add(_root, SiteAnswer.Links("/slow", "/held")).Add(_root + "held", SiteAnswer.Html("").Behind(gate));
        cluster.Web.FailNext(_root + "slow", FetchFailure.Timeout, times: 3).Add(_root + "slow", "");
        var crawl = await cluster.Start(Spec with { Concurrency = 2 });
        await cluster.Clock.PassUntil("a page to fail", async () => (await crawl.Show())!.Failed == 1);
        var retried = await crawl.Retry(reason: null, cursor: null);
        await cluster.Clock.PassUntil("it to be fetched", async () => (await crawl.Show())!.Pages == 2);
        gate.Open();

        Assert.Equal([KeyValuePair.Create("timeout", 1L)], retried.Retried);
        Assert.Equal((3L, 0L), await Ended(crawl));
        await cluster.Balances(crawl);
    }

    [Fact]
    public async Task WhatIsOverForGoodIsNotTriedAgainAndWithoutAFailureNothingGoesOn()
    {
        cluster.Web.Add(_root, SiteAnswer.Links("/slow", "/b")).FailNext(_root + "slow", FetchFailure.Timeout, times: 9);
        var full = await cluster.Start(Spec with { MaxPages = 1 });
        await Ended(full);
        var done = await cluster.Start(Spec with { Exclude = ["*slow"] });
        await Ended(done);
        var before = await done.Show();
        var paused = await cluster.Start(Spec);
        await paused.Cancel();

        Assert.EndsWith("has as many pages as it may (--max-pages): start another one with more.", (await full.Retry(null, null)).Closed);
        Assert.EndsWith("is cancelled, for good: start another one.", (await paused.Retry(null, null)).Closed);
        var nothing = await done.Retry(reason: null, cursor: null);
        Assert.Equal((0, null), (nothing.Retried.Count, nothing.Closed));
        Assert.Equal((CrawlState.Done, before!.EndedAt), ((await done.Show())!.State, (await done.Show())!.EndedAt));
        await cluster.Balances(full);
        await cluster.Balances(done);
    }

    [Fact]
    public async Task FurtherSeedsAreCrawledWithTheirHostsAndTheCrawlWaitsForThem()
    {
        var other = $"http://{cluster.NewHost()}/";
        cluster.Web.Add(_root, "").Add(other, SiteAnswer.Links("/linked", $"http://{cluster.NewHost()}/")).Add(other + "linked", "");
        var crawl = await cluster.Start(Spec with { MoreSeeds = true });
        await cluster.Clock.PassUntil("the crawl to wait for seeds", async () => (await crawl.Show())!.Note is not null);
        var waiting = await crawl.Show();
        var first = await crawl.Add([other, _root, "nonsense"]);
        var rest = await crawl.Add([.. Enumerable.Range(0, 1_000).Select(page => $"{_root}{page}")]);
        await crawl.EndSeeds();
        var summary = await cluster.Ended(crawl);

        Assert.Equal((CrawlState.Running, 0L), (waiting!.State, waiting.Queued));
        Assert.Contains($"crawl add {waiting.Id} --from FILE --last", waiting.Note, StringComparison.Ordinal);
        Assert.Equal((1, 1, 1), (first.New, first.Known, first.Refused));
        Assert.Equal((1_000, 0, 0), (rest.New, rest.Known, rest.Refused));
        Assert.Equal((1_003L, 2), (summary.Pages, summary.Hosts));
        Assert.Equal("fetched", (await crawl.Explain(other + "linked")).State);
        await cluster.Balances(crawl);
    }

    [Fact]
    public async Task ACrawlWhoseSeedsStayAwayEnds()
    {
        cluster.Web.Add(_root, "");
        var start = cluster.Clock.GetUtcNow();
        var crawl = await cluster.Start(Spec with { MoreSeeds = true });
        var summary = await cluster.Ended(crawl);

        Assert.Equal((CrawlState.Done, 1L), (summary.State, summary.Pages));
        Assert.True(summary.EndedAt - start >= ICrawlGrain.SeedsTimeout, $"It ended after {summary.EndedAt - start}.");
    }

    private async Task<(long Pages, long Failed)> Ended(ICrawlGrain crawl) =>
        await cluster.Ended(crawl) is { } summary ? (summary.Pages, summary.Failed) : default;

    private CrawlSpec Spec =>
        new()
        {
            Seeds = [_root],
            Delay = TimeSpan.Zero,
            Timeout = TimeSpan.FromMinutes(5),
        };
}
