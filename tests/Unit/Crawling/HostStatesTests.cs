using Grains.Crawling.Frontier;
using Grains.Crawling.Hosts;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Unit.Crawling;

/// <summary>What is told of a host, and why it is not asked.</summary>
public sealed class HostStatesTests
{
    private static readonly HostKey Host = new("a.example");
    private static readonly DateTimeOffset At = DateTimeOffset.UnixEpoch.AddYears(50);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly CrawlSpec Spec = new() { Seeds = ["http://a.example/"], Delay = Second };
    private static readonly RetryPolicy Retries = new(3, Second, 100 * Second, () => 0.5);

    private readonly Politeness _politeness = new(new(), Retries);

    public HostStatesTests() => _politeness.Set([Spec]);

    [Fact]
    public void AHostWithNothingInTheWayIsAsked()
    {
        var state = State(Crawl(waiting: 3));

        Assert.Equal(("asked", null, Second, Second), (state.State, state.Why, state.AskedDelay, state.Delay));
        Assert.Equal((3L, null, 0), (state.Queued, state.NextAt, state.InFlight));
    }

    [Fact]
    public void WhatIsOverIdleOrPausedSaysSo()
    {
        Assert.Equal(("ended", null), Said(null));
        Assert.Equal(("ended", "The crawl has ended here: max-pages."), Said(Crawl(waiting: 3, ended: "max-pages")));
        Assert.Equal(("idle", null), Said(Crawl(waiting: 0)));
        Assert.Equal(("paused", null), Said(Crawl(waiting: 3, state: CrawlState.Paused)));
        Assert.Equal(("full", "Its share of --max-pages is used up."), Said(Crawl(waiting: 3, maxPages: 5)));
    }

    [Fact]
    public void AHostThatAskedForAPauseRests()
    {
        _politeness.Rest(60 * Second, At);
        var state = State(Crawl(waiting: 3));

        Assert.Equal(("resting", $"It asked not to be asked before {At.UtcDateTime.AddMinutes(1):u}."), (state.State, state.Why));
        Assert.Equal(At + (60 * Second), state.NextAt);
    }

    [Fact]
    public void AHostWhoseRobotsTxtCannotBeHadSaysSoFirst()
    {
        _politeness.Rest(60 * Second, At);
        _politeness.Robots.Learn("http://a.example", Outcome(FetchResult.Temporary, "unreachable"), At);
        var (state, why) = Said(Crawl(waiting: 3));

        Assert.Equal("robots", state);
        Assert.StartsWith("http://a.example/robots.txt: ", why, StringComparison.Ordinal);
    }

    [Fact]
    public void AHostThatAnswers503IsSlowedAndASuccessorKnowsIt()
    {
        Assert.True(_politeness.Observe(Outcome(FetchResult.Temporary, "http-503"), At));
        var state = State(Crawl(waiting: 3));
        var successor = new Politeness(new(), Retries);
        var row = _politeness.Row([]);
        successor.Restore(new(row.Key, row.Payload, ""));
        successor.Set([Spec]);

        Assert.Equal(("slowed", Second, 2 * Second), (state.State, state.AskedDelay, state.Delay));
        Assert.Equal((Second, 2 * Second), (successor.Asked, successor.Clock.Delay));
    }

    [Theory]
    [InlineData("delivery")]
    [InlineData("page-store")]
    [InlineData("cookie-wall")]
    public void WhatIsNoFaultOfTheHostSlowsNothing(string reason)
    {
        for (var i = 0; i < 5; i++)
        {
            Assert.False(_politeness.Observe(Outcome(FetchResult.Temporary, reason), At + (i * Second)));
        }

        Assert.Equal(Second, _politeness.Clock.Delay);
    }

    private HostState State(HostCrawl? crawl) => HostStates.Of(Host, crawl, _politeness, new(At, At));

    private (string, string?) Said(HostCrawl? crawl) => State(crawl) is var state ? (state.State, state.Why) : default;

    private static HostCrawl Crawl(long waiting, string? ended = null, CrawlState state = CrawlState.Running, long? maxPages = null) =>
        new(
            new(new("abcdefghij"), 1, state, Spec with { MaxPages = maxPages }),
            new()
            {
                Host = Host.Value,
                Waiting = waiting,
                Added = waiting,
                Ended = ended,
            },
            maxUrls: 100,
            Retries
        );

    private static FetchOutcome Outcome(FetchResult result, string reason) =>
        new(new("abcdefghij"), LeaseKind.Page, "http://a.example/", 1, result, reason, null, null, [], null);
}
