using Grains.Crawling.Rounds;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Unit.Crawling;

/// <summary>When a crawl that is made again and again begins anew, and as what.</summary>
public sealed class RoundScheduleTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch.AddYears(50);
    private static readonly TimeSpan Every = TimeSpan.FromHours(6);
    private static readonly CrawlId First = new("aaaaaaaaaa");
    private static readonly CrawlId Second = new("bbbbbbbbbb");

    [Theory]
    [InlineData(CrawlState.Done, 5, RoundStep.Wait)]
    [InlineData(CrawlState.Done, 6, RoundStep.Begin)]
    [InlineData(CrawlState.Done, 100, RoundStep.Begin)]
    [InlineData(CrawlState.Running, 100, RoundStep.Wait)]
    [InlineData(CrawlState.Paused, 100, RoundStep.Wait)]
    [InlineData(CrawlState.Cancelled, 0, RoundStep.End)]
    [InlineData(CrawlState.Deleting, 6, RoundStep.End)]
    [InlineData(null, 6, RoundStep.End)]
    public void ARoundBeginsWhenItsTimeHasComeAndTheOneBeforeHasEnded(CrawlState? last, int hours, RoundStep step) =>
        Assert.Equal(step, RoundSchedule.Decide(RoundSchedule.Begin(First, Every, Start), last, Start.AddHours(hours)));

    [Theory]
    [InlineData(6, 12)]
    [InlineData(8, 12)]
    [InlineData(12, 18)]
    [InlineData(100, 106)]
    public void TheNextRoundIsDueOnTheSameClockUnlessThatHasPassed(int begunAfterHours, int dueAfterHours)
    {
        var after = RoundSchedule.After(RoundSchedule.Begin(First, Every, Start), Second, Every, Start.AddHours(begunAfterHours));

        Assert.Equal((First, Second, 2, Start.AddHours(dueAfterHours)), (after.First, after.Last, after.Number, after.DueAt));
    }

    [Fact]
    public void ARoundAsksWhatTheOneBeforeDidAndRevisitsIt()
    {
        var spec = new CrawlSpec
        {
            Seeds = ["http://a.example/"],
            Name = "docs",
            Every = Every,
            MaxPages = 9,
        };
        var rounds = RoundSchedule.Begin(First, Every, Start);
        var second = RoundSchedule.Next(rounds, spec, _ => false);
        var third = RoundSchedule.Next(RoundSchedule.After(rounds, Second, Every, Start), second, _ => false);

        Assert.Equal((9, First, First, "docs-2"), (second.MaxPages, second.Revisit, second.RoundOf, second.Name));
        Assert.Equal((Second, First, "docs-3"), (third.Revisit, third.RoundOf, third.Name));
    }

    [Fact]
    public void ARoundHasNoNameWhereTheNameIsTakenOrTooLong()
    {
        var rounds = RoundSchedule.Begin(First, Every, Start);
        var spec = new CrawlSpec { Seeds = [], Name = "docs" };

        Assert.Null(RoundSchedule.Next(rounds, spec, name => name == "docs-2").Name);
        Assert.Null(RoundSchedule.Next(rounds, spec with { Name = new string('a', 59) }, _ => false).Name);
        Assert.Null(RoundSchedule.Next(rounds, spec with { Name = null }, _ => false).Name);
    }
}
