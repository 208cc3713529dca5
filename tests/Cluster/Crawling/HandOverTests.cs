using Doubles;
using Doubles.Storage;
using Grains.Crawling.Frontier;
using Grains.Crawling.Hosts;
using Grains.Crawling.Rows;
using Grains.Interfaces.Cluster;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Cluster.Crawling;

/// <summary>
/// A host's activation ends in the middle, for whatever reason: nothing is lost, nothing is exported twice, and the site is not hurried.
/// </summary>
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
        await Held(gate);
        await cluster.Deactivate(_host);
        gate.Open();
        await VirtualClock.StandUntil("the report that comes to the successor", () => cluster.Reported.Contains(Page(5)));
        var asked = Asked.Count;

        // However long it is by the schedule: the first fetch might still be going on.
        cluster.Guards.Pass(Spec.Timeout);
        await LongPasses(crawl);
        Assert.Equal(asked, Asked.Count);
        cluster.Guards.Pass(Lease - Spec.Timeout);
        await Whole(crawl);

        Assert.Equal(2, Starts(Page(5)).Count);
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
        cluster.Store.FailCommitsWhen(
            (_, partition, _) =>
                partition.EndsWith(hash, StringComparison.Ordinal)
                && partition.StartsWith("urls.", StringComparison.Ordinal)
                && ++commits % 6 == 0
                && ++failed <= 3
                    ? failure
                    : null
        );
        var crawl = await cluster.Start(Spec);
        var over = 0;
        await cluster.Clock.PassUntil("the end of a crawl whose commits fail", async () =>
        {
            // Whoever comes next waits for the leases of before.
            for (; over < Volatile.Read(ref failed); over++)
            {
                cluster.Guards.Pass(Lease);
            }

            return await crawl.Show() is { Ended: true };
        });
        cluster.Store.FailCommitsWhen((_, _, _) => null);
        await Whole(crawl);

        Assert.True(failed >= 1);
        Assert.True(Asked.Count <= Pages + failed, $"{Asked.Count} requests for {Pages} pages and {failed} failures.");
    }

    [Fact]
    public async Task OfTwoActivationsOneLosesAndNothingIsLost()
    {
        var gate = Site(held: 5);
        var crawl = await cluster.Start(Spec);
        await Held(gate);
        var id = (await crawl.Show())!.Id;
        var other = await HostPartition.Open(
            cluster.Store,
            new(_host),
            id,
            order: null,
            new(),
            new(3, Second, Second, () => 0.5),
            cluster.Guards
        );
        gate.Open();
        await cluster.Clock.PassUntil("the page to wait for the lease of the one that lost", async () =>
        {
            try
            {
                return (await crawl.Explain(Page(5))).State == "queued";
            }
            catch (TryAgainException)
            {
                return false; // The activation has just found that it lost: its caller is to ask again.
            }
        });
        cluster.Guards.Pass(Lease);
        await Whole(crawl);

        await Assert.ThrowsAsync<Grains.Storage.PartitionLostException>(() => other!.Writer.CommitHead());
        Assert.Equal(Pages + 1, Asked.Count);
    }

    /// <summary>
    /// An activation that was replaced and has not heard of it has an old queue in memory. What it hands out has a lower number than what
    /// its successor does, and the URL's row says what became of it since.
    /// </summary>
    [Fact]
    public async Task AHostThatWasReplacedAndDoesNotKnowItGetsNoUrlFetchedAgain()
    {
        var gate = Site(held: 5);
        var crawl = await cluster.Start(Spec);
        await Held(gate);
        var replaced = (
            await HostPartition.Open(
                cluster.Store,
                new(_host),
                (await crawl.Show())!.Id,
                order: null,
                new(),
                new(3, Second, Second, () => 0.5),
                cluster.Guards
            )
        )!;
        await replaced.Loaded;
        var entry = replaced.Crawl.Queue.Peek(cluster.Clock.GetUtcNow())!;
        var lease = new Lease(LeaseKind.Page, entry.Url, replaced.Crawl.NextLease(), Spec.Timeout, entry.Depth, 1, TellBegun: false);
        await cluster.Deactivate(_host);
        cluster.Guards.Pass(Lease);
        await cluster.Clock.PassUntil("the successor to ask for the page", () => Starts(Page(5)).Count == 2);

        Assert.Equal(Page(5), entry.Url);
        Assert.Equal(FetchResult.Released, await Fetched(lease));
        gate.Open();
        await Whole(crawl);
        Assert.Equal(FetchResult.Known, await Fetched(lease));
        await cluster.Deactivate(cluster.Grains.GetGrain<IUrlGrain>(entry.Url));
        Assert.Equal(FetchResult.Known, await Fetched(lease));
        Assert.Equal(2, Starts(Page(5)).Count);
        await Assert.ThrowsAsync<Grains.Storage.PartitionLostException>(() => replaced.Writer.CommitHead());

        async Task<FetchResult> Fetched(Lease stale) =>
            (
                await cluster.LeaseRunner.Run(
                    new(_host),
                    replaced.Crawl.Order,
                    stale,
                    cluster.Guards.GetTimestamp(),
                    TestContext.Current.CancellationToken
                )
            )
                .Outcome
                .Result;
    }

    [Theory]
    [InlineData(CrawlTable.UrlPrefix)]
    [InlineData("q.")]
    public async Task RowsThatCannotBeReadWhenItStartsDoNotStopTheCrawlForGood(string prefix)
    {
        var gate = Site(held: 5);
        var crawl = await cluster.Start(Spec);
        await Held(gate);
        cluster.Store.FailNextScan(prefix);
        await cluster.Deactivate(_host);
        cluster.Guards.Pass(Lease);
        gate.Open();

        await Whole(crawl);
    }

    [Fact]
    public async Task APageReportedTooLateIsFetchedAgainAndNotTakenForKnown()
    {
        var gate = Site(held: 5);
        var crawl = await cluster.Start(Spec);
        await Held(gate);
        await crawl.Pause();
        cluster.Guards.Pass(Lease);
        await cluster.Clock.PassUntil("the lease to be over", async () => (await crawl.Explain(Page(5))).State == "queued");
        gate.Open();
        await VirtualClock.StandUntil("the late report", () => cluster.Reported.Contains(Page(5)));
        await crawl.Resume();

        await Whole(crawl);
        Assert.Equal(2, Starts(Page(5)).Count);
    }

    [Fact]
    public async Task APageThatIsNeverReportedFailsAfterFiveLostLeases()
    {
        var gate = Site(held: 5);
        var crawl = await cluster.Start(Spec);
        for (var lost = 1; lost <= HostCrawl.MaxLost; lost++)
        {
            await cluster.Clock.PassUntil($"the page to be asked for the time {lost}", () => Starts(Page(5)).Count == lost);
            cluster.Guards.Pass(Lease);
        }

        var summary = await cluster.Ended(crawl);
        gate.Open();

        Assert.Equal((CrawlState.Done, Pages - 1L, 1L, 0L), (summary.State, summary.Pages, summary.Failed, summary.Queued));
        Assert.Equal(5, Starts(Page(5)).Count);
        Assert.Equal([KeyValuePair.Create("lease-expired", 1L)], (await crawl.Account())!.Refused);
        Assert.Equal(
            new ExplainLine("why", "lease-expired"),
            Assert.Single((await crawl.Explain(Page(5))).Lines, line => line.Label == "why")
        );
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
            await cluster.Clock.PassUntil($"the page to be asked for the time {end}", () => Starts(Page(5)).Count == end);
            await cluster.Deactivate(_host);
            cluster.Guards.Pass(Lease);
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
        await Held(gate);
        await cluster.DeactivateWorkers();
        gate.Open();
        await Whole(crawl); // The guards' clock stands still: a lease that was waited for would never end.

        var starts = Starts(Page(5));
        Assert.Equal(2, starts.Count);
        Assert.True(starts[1] - starts[0] >= Second, $"Asked again after {starts[1] - starts[0]}.");
    }

    [Fact]
    public async Task AFetchOfACancelledCrawlIsWaitedForByASuccessorToo()
    {
        var gate = Site(held: 0);
        var cancelled = await cluster.Start(Spec);
        await Held(gate);
        await cancelled.Cancel();
        await cluster.Ended(cancelled);
        await cluster.Deactivate(_host);
        var next = await cluster.Start(Spec);
        cluster.Guards.Pass(Spec.Timeout);
        await LongPasses(next);
        Assert.Single(Starts(Root));

        cluster.Guards.Pass(Lease - Spec.Timeout);
        await cluster.Clock.PassUntil("the next crawl to ask", () => Starts(Root).Count == 2);
        gate.Open();
        await Whole(next);
    }

    private CrawlSpec Spec =>
        new()
        {
            Seeds = [Root],
            Delay = Second,
            Timeout = TimeSpan.FromMinutes(5),
        };

    private List<string> Asked =>
        [
            .. cluster
                .Web.Ledger.Requests.Select(request => request.Target)
                .Where(target =>
                    target.StartsWith(Root, StringComparison.Ordinal) && !target.EndsWith("/robots.txt", StringComparison.Ordinal)
                ),
        ];

    private List<TimeSpan> Starts(string url) =>
        [.. cluster.Web.Ledger.Requests.Where(request => request.Target == url).Select(request => request.Start)];

    /// <summary>More than any lease lasts: the time for a fetch, a quarter more, and what a host adds to it.</summary>
    private TimeSpan Lease => (Spec.Timeout * 1.25) + HostCrawl.Grace + HostCrawl.Slack;

    private Task Held(Gate gate) => cluster.Clock.PassUntil("the page that is held up to be asked for", gate.Reached);

    /// <summary>An hour of the schedule passes, and whoever has something to do hears of it.</summary>
    private async Task LongPasses(ICrawlGrain crawl)
    {
        var end = cluster.Clock.GetUtcNow() + TimeSpan.FromHours(1);
        while (cluster.Clock.GetUtcNow() < end)
        {
            cluster.Clock.Pass(TimeSpan.FromMinutes(5));
            await crawl.Show();
            await crawl.Explain(Page(5));
        }
    }

    private async Task Whole(ICrawlGrain crawl)
    {
        var summary = await cluster.Ended(crawl);
        Assert.Equal(
            (CrawlState.Done, (long)Pages, 0L, 0L, 0L),
            (summary.State, summary.Pages, summary.Failed, summary.Skipped, summary.Queued)
        );
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
