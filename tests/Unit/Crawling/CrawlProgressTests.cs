using System.Collections.Immutable;
using Grains.Crawling.Lifecycle;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Unit.Crawling;

public sealed class CrawlProgressTests
{
    private readonly CrawlProgress _progress = new();

    [Fact]
    public void TwoRoundsWithTheSameSumsInWhichAllIsFinishedAreTheEnd()
    {
        Assert.False(IsEnd(Sums(added: 3, done: 3)));
        Assert.True(IsEnd(Sums(added: 3, done: 3)));
    }

    [Fact]
    public void ASecondRoundThatFoundMoreIsNotTheEnd()
    {
        Assert.False(IsEnd(Sums(added: 3, done: 3)));
        Assert.False(IsEnd(Sums(added: 4, done: 4)));
        Assert.True(IsEnd(Sums(added: 4, done: 4)));
    }

    [Theory]
    [InlineData(1, 0, 251)]
    [InlineData(1_000, 100, 1_250)]
    [InlineData(20_000, 800, 1_500)]
    [InlineData(100_000, 5_000, 5_000)]
    [InlineData(2_000, 5_000, 2_250)]
    public void ManyHostsAreAskedForTheirSumsAtMostHalfOfTheTimeAndYetSoon(int hosts, int took, int rest) =>
        Assert.Equal(TimeSpan.FromMilliseconds(rest), HostRounds.RestAfter(hosts, TimeSpan.FromMilliseconds(took)));

    [Fact]
    public void WhatWaitsOrIsUnderWayKeepsTheCrawlFromItsEnd()
    {
        Assert.False(IsEnd(Sums(added: 3, done: 2) with { Waiting = 1 }));
        Assert.False(IsEnd(Sums(added: 3, done: 2)));
        Assert.False(IsEnd(Sums(added: 3, done: 2)));
    }

    [Fact]
    public void WhatWasRefusedIsFinished()
    {
        var sums = Sums(added: 3, done: 2) with { Refused = ImmutableSortedDictionary<string, long>.Empty.Add("robots", 1) };

        Assert.False(IsEnd(sums));
        Assert.True(IsEnd(sums));
    }

    [Fact]
    public void UrlsThatWereAddedBetweenTwoRoundsKeepTheCrawlFromItsEnd()
    {
        Assert.False(IsEnd(Sums(added: 3, done: 3)));
        _progress.BeginAdding();
        Assert.False(IsEnd(Sums(added: 3, done: 3)));
        _progress.EndAdding();
        Assert.False(IsEnd(Sums(added: 3, done: 3)));
        Assert.True(IsEnd(Sums(added: 3, done: 3)));
    }

    [Fact]
    public void TheSumsOfHostsAreAddedUpUnderTheFirstNote()
    {
        var robots = ImmutableSortedDictionary<string, long>.Empty.Add("robots", 1);
        var one = Sums(added: 3, done: 2) with { Refused = robots, Note = "one", WantsMore = true };
        var other = Sums(added: 5, done: 4) with { Refused = robots.Add("trap", 2), Note = "other", KeptBytes = 7 };

        var total = HostTotals.Of([one, other]);

        Assert.Equal((8, 6, "one", true, 7), (total.Added, total.Done, total.Note, total.WantsMore, total.KeptBytes));
        Assert.Equal(robots.SetItem("robots", 2).Add("trap", 2), total.Refused);
    }

    private bool IsEnd(HostSums sums)
    {
        _progress.OnPulled(sums);
        return _progress.Confirm(_progress.IsBalanced);
    }

    private static HostSums Sums(long added, long done) => HostTotals.Zero with { Added = added, Done = done };
}
