using System.Text;
using Grains.Crawling.Frontier;
using Grains.Crawling.Hosts;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Unit.Crawling;

public sealed class HostRobotsTests
{
    private const string Origin = "http://a";
    private static readonly CrawlId Crawl = new("abcdefghij");
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch;
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly HostRobots _robots = new(
        "OrleansCrawler",
        new(3, Second, 100 * Second, () => 0.5),
        longest: 100 * Second,
        patience: 3 * Second
    );

    [Fact]
    public void ItIsAskedForOnceAndTheOthersWait()
    {
        Assert.Equal(RobotsDecision.Ask, Decide("/", Now));
        _robots.Ask(new(Crawl, Origin, Origin + "/robots.txt", 1, Now + Second));

        Assert.Equal(RobotsDecision.Wait, Decide("/", Now));
        Assert.Equal(Now + Second, _robots.Asking?.Until);
        Assert.Null(_robots.NextEvent());
        _robots.Release();
        Assert.Equal(RobotsDecision.Ask, Decide("/", Now));
    }

    [Fact]
    public void WhatIsAllowedIsAllowedAndCrawlDelayIsHeard()
    {
        var row = Learn(200, "User-agent: *\nDisallow: /no\nCrawl-delay: 7", Now);

        Assert.Equal(RobotsDecision.Allowed, Decide("/yes", Now));
        Assert.Equal(RobotsDecision.Refused(Refusals.Robots), Decide("/no", Now));
        Assert.Equal(7 * Second, _robots.CrawlDelay);
        Assert.Equal(200, row!.Status);
    }

    [Fact]
    public void OriginsOfOneHostAreApart()
    {
        Learn(200, "User-agent: *\nDisallow: /", Now);

        Assert.Equal(RobotsDecision.Ask, _robots.Decide("https://a", "/", Now));
    }

    [Fact]
    public void ItIsAskedForAgainAfterADay()
    {
        Learn(404, body: null, Now);

        Assert.Equal(RobotsDecision.Allowed, Decide("/", Now.AddHours(24) - TimeSpan.FromTicks(1)));
        Assert.Equal(RobotsDecision.Ask, Decide("/", Now.AddHours(24)));
    }

    [Fact]
    public void WhenItCannotBeReachedItIsAskedForAgainAndThenEverythingFailsForAWhile()
    {
        Assert.Null(Learn(503, body: null, Now));
        Assert.Equal(RobotsDecision.Wait, Decide("/", Now));
        Assert.Equal(Now + Second, _robots.NextEvent());
        Assert.Equal(RobotsDecision.Ask, Decide("/", Now + Second));
        Learn(503, body: null, Now + Second);
        Assert.Equal(RobotsDecision.Wait, Decide("/", Now + (2 * Second)));
        Assert.Equal(RobotsDecision.Ask, Decide("/", Now + (3 * Second)));
        Learn(503, body: null, Now + (3 * Second));

        Assert.Equal(
            RobotsDecision.Fails(
                Refusals.RobotsUnreachable,
                "http://a/robots.txt: robots.txt cannot be reached, the server answered 503: nothing is allowed until it answers."
            ),
            Decide("/", Now + (4 * Second))
        );
        Assert.Equal(RobotsDecision.Ask, Decide("/", Now + (103 * Second)));
    }

    [Fact]
    public void AnAddressThatMayNotBeConnectedToRefusesAtOnceAndForThatReason()
    {
        Learn(status: null, body: null, Now, FetchResult.Permanent, Refusals.PrivateAddress);

        Assert.Equal(Refusals.PrivateAddress, Decide("/", Now).Reason);
    }

    /// <summary>One temporary fault lost the host for good: its URLs were skipped.</summary>
    [Theory]
    [InlineData(503, FetchResult.Temporary, "http-503")]
    [InlineData(500, FetchResult.Temporary, "http-500")]
    [InlineData(null, FetchResult.Temporary, "timeout")]
    [InlineData(null, FetchResult.Temporary, "unreachable")]
    [InlineData(200, FetchResult.Answered, null)]
    public void AfterATemporaryFaultTheUrlsWaitAndGoOnWhenItAnswers(int? status, FetchResult result, string? reason)
    {
        Learn(status, body: null, Now, result, reason);

        Assert.Equal(RobotsDecision.Wait, Decide("/", Now));
        Assert.NotNull(_robots.Note);
        Assert.Equal(RobotsDecision.Ask, Decide("/", Now + Second));
        Learn(200, "User-agent: *\nDisallow: /no", Now + Second);
        Assert.Equal(RobotsDecision.Allowed, Decide("/", Now + Second));
        Assert.Null(_robots.Note);
    }

    [Fact]
    public void AHostThatCannotBeReachedFailsItsUrlsWithItsOwnReasonAndCause()
    {
        for (var second = 0; second <= 3; second++)
        {
            Learn(null, body: null, Now + (second * Second), FetchResult.Temporary, "timeout", "a did not answer in full within 30 s.");
        }

        Assert.Equal(
            RobotsDecision.Fails("timeout", "http://a/robots.txt: a did not answer in full within 30 s."),
            Decide("/", Now + (3 * Second))
        );
        Assert.Equal(
            "nothing is asked for: http://a/robots.txt: a did not answer in full within 30 s. (timeout). After 1970-01-01 "
                + "00:01:43Z it is asked again.",
            _robots.Explain(Origin, "/")
        );
    }

    [Fact]
    public void AfterItWasGivenUpTheScheduleStartsAnew()
    {
        Learn(503, body: null, Now);
        Learn(503, body: null, Now + (3 * Second));
        Assert.Equal(RobotsDecision.Ask, Decide("/", Now + (103 * Second)));
        Learn(503, body: null, Now + (103 * Second));

        Assert.Equal(RobotsDecision.Wait, Decide("/", Now + (103 * Second)));
        Assert.Equal(RobotsDecision.Ask, Decide("/", Now + (104 * Second)));
    }

    [Fact]
    public void ARetryAfterIsWaitedForUpToTheLongestWait()
    {
        Learn(503, body: null, Now, retryAfter: 60 * Second);

        Assert.Equal(RobotsDecision.Wait, Decide("/", Now + (59 * Second)));
        Assert.Equal(RobotsDecision.Ask, Decide("/", Now + (60 * Second)));
        Assert.Equal(
            "http://a/robots.txt: robots.txt cannot be reached, the server answered 503: nothing is allowed until it answers. "
                + "It is asked for again at 1970-01-01 00:01:00Z, and the URLs wait; if it fails at 1970-01-01 00:00:03Z or "
                + "later, they fail.",
            _robots.Note
        );
    }

    [Fact]
    public void WhatAnEarlierVersionStoredOfAFileThatCouldNotBeReadIsAskedForAnew()
    {
        _robots.Restore(new(Origin, 200, Body: null, Now));

        Assert.Equal(RobotsDecision.Ask, Decide("/", Now));
    }

    [Fact]
    public void ANewCrawlAsksAnewWhereNoAnswerCame()
    {
        Learn(503, body: null, Now);
        _robots.ForgetFailures();

        Assert.Equal(RobotsDecision.Ask, Decide("/", Now));
    }

    [Fact]
    public void ASuccessorDecidesAlikeFromWhatWasStored()
    {
        var row = Learn(200, "User-agent: *\nDisallow: /no", Now)!;
        var successor = new HostRobots(
            "OrleansCrawler",
            new(3, Second, 100 * Second, () => 0.5),
            longest: 100 * Second,
            patience: 3 * Second
        );
        successor.Restore(CrawlJson.Read<RobotsRow>(CrawlJson.Write(row)));

        Assert.Equal(RobotsDecision.Refused(Refusals.Robots), successor.Decide(Origin, "/no", Now));
        Assert.Equal(RobotsDecision.Ask, successor.Decide(Origin, "/no", Now.AddHours(24)));
    }

    private RobotsDecision Decide(string path, DateTimeOffset now) => _robots.Decide(Origin, path, now);

    private RobotsRow? Learn(
        int? status,
        string? body,
        DateTimeOffset now,
        FetchResult result = FetchResult.Answered,
        string? reason = null,
        string? error = null,
        TimeSpan? retryAfter = null
    ) =>
        _robots.Learn(
            Origin,
            new(
                Crawl,
                LeaseKind.Robots,
                Origin + "/robots.txt",
                1,
                result,
                reason,
                retryAfter,
                Page(status, error),
                Links: [],
                body is null ? null : Encoding.UTF8.GetBytes(body)
            ),
            now
        );

    private static PageRecord Page(int? status, string? error) =>
        new(Origin + "/robots.txt", status, 0, null, null, null, 0, null, 0, Now, 0, 1, null, Truncated: false, error);
}
