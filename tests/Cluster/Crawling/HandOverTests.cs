using Doubles;
using Doubles.Storage;
using Grains.Crawling;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Cluster.Crawling;

/// <summary>A host's activation ends in the middle, for whatever reason: nothing is lost, nothing is exported twice, and the site is not hurried.</summary>
public sealed class HandOverTests(CrawlCluster cluster) : IClassFixture<CrawlCluster>
{
    private const int Pages = 12;
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly string _host = cluster.NewHost();

    private string Root => $"http://{_host}/";

    [Fact]
    public async Task AHostThatEndsInTheMiddleRepeatsNoMoreThanWhatWasInFlight()
    {
        var gate = Site(held: 5);
        var crawl = await cluster.Start(Spec);
        await cluster.Until(() => Task.FromResult(gate.Reached.IsCompleted));
        await cluster.Deactivate(_host);
        gate.Open();
        await Whole(crawl);

        var starts = Starts(Page(5));
        Assert.Equal(2, starts.Count);
        Assert.True(starts[1] - starts[0] >= Spec.Timeout, $"A successor asked after {starts[1] - starts[0]}, while the first fetch might still have been going on.");
        Assert.All(Enumerable.Range(0, Pages).Where(page => page != 5), page => Assert.Single(Starts(Page(page))));
    }

    [Theory]
    [InlineData(CommitFailure.UnknownApplied)]
    [InlineData(CommitFailure.UnknownNotApplied)]
    [InlineData(CommitFailure.Conflict)]
    [InlineData(CommitFailure.Throw)]
    public async Task ACommitThatFailsEndsTheActivationAndTheNextOneGoesOn(CommitFailure failure)
    {
        Site();
        var commits = 0;
        var failed = 0;
        var hash = CrawlTable.Host(new(_host))["host.".Length..];
        cluster.Store.FailCommitsWhen((_, partition, _) => partition.EndsWith(hash, StringComparison.Ordinal) && partition.StartsWith("urls.", StringComparison.Ordinal)
            && ++commits % 6 == 0 && ++failed <= 3 ? failure : null);
        var crawl = await cluster.Start(Spec);
        await Whole(crawl);
        cluster.Store.FailCommitsWhen((_, _, _) => null);

        Assert.True(failed >= 1);
        Assert.True(Asked.Count <= Pages + failed, $"{Asked.Count} requests for {Pages} pages and {failed} failures.");
    }

    [Fact]
    public async Task OfTwoActivationsOneLosesAndNothingIsLost()
    {
        var gate = Site(held: 5);
        var crawl = await cluster.Start(Spec);
        await cluster.Until(() => Task.FromResult(gate.Reached.IsCompleted));
        var id = (await crawl.Show())!.Id;
        var other = await HostPartition.Open(cluster.Store, new(_host), id, order: null, new(), new(3, Second, Second, () => 0.5), cluster.Clock);
        gate.Open();
        await Whole(crawl);

        await Assert.ThrowsAsync<Grains.Storage.PartitionLostException>(() => other!.Writer.CommitHead());
        Assert.Equal(Pages + 1, Asked.Count);
    }

    [Theory]
    [InlineData(CrawlTable.UrlPrefix)]
    [InlineData("q.")]
    public async Task RowsThatCannotBeReadWhenItStartsDoNotStopTheCrawlForGood(string prefix)
    {
        var gate = Site(held: 5);
        var crawl = await cluster.Start(Spec);
        await cluster.Until(() => Task.FromResult(gate.Reached.IsCompleted));
        cluster.Store.FailNextScan(prefix);
        await cluster.Deactivate(_host);
        gate.Open();

        await Whole(crawl);
    }

    [Fact]
    public async Task APageReportedTooLateIsFetchedAgainAndNotTakenForKnown()
    {
        var gate = Site(held: 5);
        var crawl = await cluster.Start(Spec);
        await cluster.Until(() => Task.FromResult(gate.Reached.IsCompleted));
        await crawl.Pause();
        var over = cluster.Clock.GetUtcNow() + (400 * Second);
        await cluster.Until(() => Task.FromResult(cluster.Clock.GetUtcNow() > over), step: 5 * Second);
        await cluster.Until(async () => (await crawl.Explain(Page(5))).State == "queued");
        gate.Open();
        await cluster.Until(async () => await InFlight() == 0);
        await crawl.Resume();

        await Whole(crawl);
        Assert.Equal(2, Starts(Page(5)).Count);
    }

    [Fact]
    public async Task APageThatIsNeverReportedFailsAfterFiveLostLeases()
    {
        var gate = Site(held: 5);
        var crawl = await cluster.Start(Spec);
        var summary = await cluster.Ended(crawl, step: Second);
        gate.Open();

        Assert.Equal((CrawlState.Done, Pages - 1L, 1L, 0L), (summary.State, summary.Pages, summary.Failed, summary.Queued));
        Assert.Equal(5, Starts(Page(5)).Count);
        Assert.Equal([KeyValuePair.Create("lease-expired", 1L)], (await crawl.Account())!.Refused);
        Assert.Equal(new ExplainLine("why", "lease-expired"), Assert.Single((await crawl.Explain(Page(5))).Lines, line => line.Label == "why"));
        Assert.Equal("Given up: lease-expired.", (await cluster.Export(crawl))[Page(5)].Error);
        await cluster.Balances(crawl);
    }

    [Fact]
    public async Task APageIsNotGivenUpBecauseItsHostEndedThreeTimes()
    {
        var gate = Site(held: 5);
        var crawl = await cluster.Start(Spec);
        for (var end = 1; end <= 3; end++)
        {
            await cluster.Until(() => Task.FromResult(Starts(Page(5)).Count == end), step: Second);
            await cluster.Deactivate(_host);
        }

        gate.Open();
        await Whole(crawl);
        Assert.Equal(1, (await cluster.Export(crawl))[Page(5)].Attempts);
    }

    [Fact]
    public async Task WorkersThatEndGiveBackWhatTheyHeldAtOnce()
    {
        var gate = Site(held: 5);
        var crawl = await cluster.Start(Spec);
        await cluster.Until(() => Task.FromResult(gate.Reached.IsCompleted));
        await cluster.DeactivateWorkers();
        gate.Open();
        await cluster.Until(() => Task.FromResult(Starts(Page(5)).Count == 2), step: TimeSpan.FromMilliseconds(10));
        await Whole(crawl);

        var starts = Starts(Page(5));
        Assert.Equal(2, starts.Count);
        // The clock of the test runs on while the silo works; a lease would have been waited for six minutes.
        Assert.InRange(starts[1] - starts[0], Second, 300 * Second);
    }

    [Fact]
    public async Task AFetchOfACancelledCrawlIsWaitedForByASuccessorToo()
    {
        var gate = Site(held: 0);
        var cancelled = await cluster.Start(Spec);
        await cluster.Until(() => Task.FromResult(gate.Reached.IsCompleted));
        await cancelled.Cancel();
        await cluster.Ended(cancelled);
        await cluster.Deactivate(_host);
        var next = await cluster.Start(Spec);
        await cluster.Until(() => Task.FromResult(Starts(Root).Count == 2), step: Second);
        gate.Open();

        Assert.True(Starts(Root)[1] - Starts(Root)[0] >= Spec.Timeout, $"Asked again after {Starts(Root)[1] - Starts(Root)[0]}.");
        await Whole(next);
    }

    private CrawlSpec Spec => new() { Seeds = [Root], Delay = Second, Timeout = TimeSpan.FromMinutes(5) };

    private List<string> Asked =>
        [.. cluster.Web.Ledger.Requests.Select(request => request.Target).Where(target => target.StartsWith(Root, StringComparison.Ordinal) && !target.EndsWith("/robots.txt", StringComparison.Ordinal))];

    private List<TimeSpan> Starts(string url) => [.. cluster.Web.Ledger.Requests.Where(request => request.Target == url).Select(request => request.Start)];

    private async Task<int> InFlight()
    {
        var workers = await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => cluster.Grains.GetGrain<ICrawlWorkerGrain>(worker).InFlight()));
        return workers.Sum();
    }

    private async Task Whole(ICrawlGrain crawl)
    {
        var summary = await cluster.Ended(crawl); // In small steps: a lease of six minutes is not to end while a busy machine reports a page.
        Assert.Equal((CrawlState.Done, (long)Pages, 0L, 0L, 0L), (summary.State, summary.Pages, summary.Failed, summary.Skipped, summary.Queued));
        Assert.Equal(Enumerable.Range(0, Pages).Select(Page).Order(), (await cluster.Export(crawl)).Keys.Order());
        await cluster.Balances(crawl);
    }

    /// <summary>Each page links to the next two; one of them may be held up.</summary>
    private Gate Site(int held = -1)
    {
        var gate = new Gate();
        for (var page = 0; page < Pages; page++)
        {
            var answer = SiteAnswer.Links(Enumerable.Range(page + 1, 2).Where(next => next < Pages).Select(Page));
            cluster.Web.Add(Page(page), page == held ? answer.Behind(gate) : answer);
        }

        return gate;
    }

    private string Page(int page) => page == 0 ? Root : $"{Root}p/{page}";
}
