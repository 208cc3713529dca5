using System.Text;
using Grains.Crawling;
using Grains.Crawling.Frontier;
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
    private readonly HostRobots _robots = new("OrleansCrawler", new(3, Second, 100 * Second, () => 0.5), longest: 100 * Second);

    [Fact]
    public void ItIsAskedForOnceAndTheOthersWait()
    {
        Assert.Equal(RobotsDecision.Ask, Decide("/", Now));
        _robots.Ask(new(Crawl, Origin, Origin + "/robots.txt", 1, Now + Second));

        Assert.Equal(RobotsDecision.Wait, Decide("/", Now));
        Assert.Equal(Now + Second, _robots.NextEvent());
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
    public void WhenItCannotBeReachedItIsTriedThreeTimesAndThenEverythingIsRefusedForAWhile()
    {
        Assert.Null(Learn(503, body: null, Now));
        Assert.Equal(RobotsDecision.Wait, Decide("/", Now));
        Assert.Equal(Now + Second, _robots.NextEvent());
        Assert.Equal(RobotsDecision.Ask, Decide("/", Now + Second));
        Learn(503, body: null, Now + Second);
        Assert.Equal(RobotsDecision.Wait, Decide("/", Now + (2 * Second)));
        Assert.Equal(RobotsDecision.Ask, Decide("/", Now + (3 * Second)));
        Learn(503, body: null, Now + (3 * Second));

        Assert.Equal(RobotsDecision.Refused(Refusals.RobotsUnreachable), Decide("/", Now + (4 * Second)));
        Assert.Equal(RobotsDecision.Ask, Decide("/", Now + (103 * Second)));
    }

    [Fact]
    public void AnAddressThatMayNotBeConnectedToRefusesAtOnceAndForThatReason()
    {
        Learn(status: null, body: null, Now, FetchResult.Permanent, Refusals.PrivateAddress);

        Assert.Equal(RobotsDecision.Refused(Refusals.PrivateAddress), Decide("/", Now));
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
        var successor = new HostRobots("OrleansCrawler", new(3, Second, 100 * Second, () => 0.5), longest: 100 * Second);
        successor.Restore(CrawlJson.Read<RobotsRow>(CrawlJson.Write(row)));

        Assert.Equal(RobotsDecision.Refused(Refusals.Robots), successor.Decide(Origin, "/no", Now));
        Assert.Equal(RobotsDecision.Ask, successor.Decide(Origin, "/no", Now.AddHours(24)));
    }

    private RobotsDecision Decide(string path, DateTimeOffset now) => _robots.Decide(Origin, path, now);

    private RobotsRow? Learn(int? status, string? body, DateTimeOffset now, FetchResult result = FetchResult.Answered, string? reason = null) =>
        _robots.Learn(
            Origin,
            new(Crawl, LeaseKind.Robots, Origin + "/robots.txt", 1, result, reason, RetryAfter: null, Page(status), Links: [], body is null ? null : Encoding.UTF8.GetBytes(body)),
            now);

    private static PageRecord Page(int? status) =>
        new(Origin + "/robots.txt", status, 0, null, null, null, 0, null, 0, Now, 0, 1, null, Truncated: false, null);
}
