using Grains.Crawling.Frontier;
using Grains.Crawling.Lifecycle;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Unit.Crawling;

public sealed class CrawlLifecycleTests
{
    private static readonly CrawlId Id = new("0123456789");

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly CrawlHead Begun = CrawlLifecycle.Begin(Id, new CrawlSpec { Seeds = ["http://a/"] }, trace: null, Start, Start);

    [Theory]
    [InlineData(CrawlState.Running, CrawlState.Paused, true)]
    [InlineData(CrawlState.Running, CrawlState.Running, false)]
    [InlineData(CrawlState.Running, CrawlState.Cancelled, true)]
    [InlineData(CrawlState.Running, CrawlState.Deleting, true)]
    [InlineData(CrawlState.Running, CrawlState.Done, false)]
    [InlineData(CrawlState.Paused, CrawlState.Running, true)]
    [InlineData(CrawlState.Paused, CrawlState.Paused, false)]
    [InlineData(CrawlState.Paused, CrawlState.Cancelled, true)]
    [InlineData(CrawlState.Done, CrawlState.Running, false)]
    [InlineData(CrawlState.Done, CrawlState.Cancelled, false)]
    [InlineData(CrawlState.Done, CrawlState.Deleting, true)]
    [InlineData(CrawlState.Cancelled, CrawlState.Deleting, true)]
    [InlineData(CrawlState.Cancelled, CrawlState.Paused, false)]
    [InlineData(CrawlState.Deleting, CrawlState.Deleting, false)]
    [InlineData(CrawlState.Deleting, CrawlState.Cancelled, false)]
    public void AStateCanBeTakenFromTheOnesBeforeIt(CrawlState state, CrawlState wanted, bool can) =>
        Assert.Equal(can, CrawlLifecycle.CanBecome(Begun with { Order = Begun.Order with { State = state } }, wanted));

    /// <summary>They were told to come no more by a second call: lost, it left the round waiting for them.</summary>
    [Fact]
    public void NoSeedsFollowToAFurtherRound()
    {
        var spec = new CrawlSpec { Seeds = ["http://a/"], MoreSeeds = true };

        Assert.True(CrawlLifecycle.Begin(Id, spec, trace: null, Start, Start).SeedsFollow);
        Assert.False(CrawlLifecycle.Begin(Id, spec with { RoundOf = Id }, trace: null, Start, Start).SeedsFollow);
    }

    [Fact]
    public void ACrawlThatIsEndingIsNotPaused() =>
        Assert.False(CrawlLifecycle.CanBecome(CrawlLifecycle.End(Begun, Refusals.MaxPages), CrawlState.Paused));

    [Fact]
    public void ACrawlThatIsNotThereCanTakeNoState() => Assert.False(CrawlLifecycle.CanBecome(head: null, CrawlState.Deleting));

    [Fact]
    public void TheTimeOfAPauseIsNotCountedAsTimeSpentRunning()
    {
        var paused = CrawlLifecycle.Become(Begun, CrawlState.Paused, Start.AddMinutes(1));
        var resumed = CrawlLifecycle.Become(paused, CrawlState.Running, Start.AddMinutes(5));
        var done = CrawlLifecycle.Finish(resumed, HostTotals.Zero, seeds: null, Start.AddMinutes(7));

        Assert.Equal(TimeSpan.FromMinutes(1), CrawlLifecycle.Ran(paused, Start.AddMinutes(4)));
        Assert.Equal(TimeSpan.FromMinutes(2), CrawlLifecycle.Ran(resumed, Start.AddMinutes(6)));
        Assert.Equal(TimeSpan.FromMinutes(3), CrawlLifecycle.Ran(done, Start.AddMinutes(9)));
    }

    [Fact]
    public void EachChangeHasAVersionOfItsOwnThatHostsGoBy()
    {
        var paused = CrawlLifecycle.Become(Begun, CrawlState.Paused, Start);
        var resumed = CrawlLifecycle.Become(paused, CrawlState.Running, Start);
        var full = CrawlLifecycle.KeepNoMore(resumed);
        var done = CrawlLifecycle.Finish(full, HostTotals.Zero, seeds: null, Start);

        Assert.Equal([1, 2, 3, 4, 5], new[] { Begun, paused, resumed, full, done }.Select(head => head.Order.Version));
    }

    [Fact]
    public void ACancelledCrawlStaysCancelledAndIsSettledWhenItsHostsHaveEndedIt()
    {
        var cancelled = CrawlLifecycle.Become(Begun, CrawlState.Cancelled, Start);
        var ended = CrawlLifecycle.Finish(cancelled, HostTotals.Zero, seeds: null, Start);

        Assert.Equal(Refusals.Cancelled, cancelled.EndReason);
        Assert.False(CrawlLifecycle.IsSettled(cancelled));
        Assert.Equal((CrawlState.Cancelled, true), (ended.Order.State, CrawlLifecycle.IsSettled(ended)));
    }

    [Fact]
    public void TheFirstReasonToEndACrawlCounts()
    {
        var ending = CrawlLifecycle.End(Begun, Refusals.MaxPages);

        Assert.Equal(Refusals.MaxPages, CrawlLifecycle.End(ending, Refusals.CrawlDone).EndReason);
        Assert.Equal(Refusals.MaxPages, CrawlLifecycle.Become(ending, CrawlState.Cancelled, Start).EndReason);
    }

    [Fact]
    public void ACrawlThatGoesOnHasNothingLeftOfItsEnd()
    {
        var done = CrawlLifecycle.Finish(CrawlLifecycle.End(Begun, Refusals.CrawlDone), HostTotals.Zero, new(1, 0, [], 0), Start);
        var swept = done with { SweptAt = Start, PagesRemovedAt = Start };

        Assert.Equal(
            Begun with
            {
                Order = Begun.Order with { Version = 3 },
                RunningSince = Start.AddHours(1),
            },
            CrawlLifecycle.Reopen(swept, Start.AddHours(1))
        );
    }

    [Theory]
    [InlineData(CrawlState.Done, Refusals.CrawlDone, false, null)]
    [InlineData(CrawlState.Done, Refusals.MaxPages, false, "as many pages as it may")]
    [InlineData(CrawlState.Running, Refusals.CrawlDone, false, "is ending")]
    [InlineData(CrawlState.Cancelled, Refusals.Cancelled, false, "is cancelled, for good")]
    [InlineData(CrawlState.Deleting, Refusals.Cancelled, false, "is deleting, for good")]
    [InlineData(CrawlState.Done, Refusals.CrawlDone, true, "are being removed")]
    [InlineData(CrawlState.Running, null, false, null)]
    public void WhatIsNotTriedAgainHasAReason(CrawlState state, string? ending, bool isTidied, string? why)
    {
        var head = Begun with { Order = Begun.Order with { State = state }, EndReason = ending };

        var said = CrawlLifecycle.WhyNotRetried(Id, head, isTidied);

        Assert.Equal(why is null, said is null);
        Assert.Contains(why ?? "", said ?? "", StringComparison.Ordinal);
    }
}
