using System.Collections.Immutable;
using Grains.Interfaces.Books;
using Silo.Page.Snapshots;
using Xunit;

namespace Unit.Silo.Page;

public sealed class BooksHistoryTests
{
    private static readonly DateTimeOffset s_start = DateTimeOffset.UnixEpoch;

    private readonly BooksHistory _history = new();

    [Fact]
    public void RatesAreKnownFromTheSecondSampleOn()
    {
        Assert.Null(Add(0, 100).InPerSecond);
        Assert.Equal(5, Add(2, 110).InPerSecond);
    }

    [Fact]
    public void ARateIsOfTheLastTenSeconds()
    {
        Add(0, 0);
        Add(10, 1000);
        Assert.Equal(0, Add(20, 1000).InPerSecond);
    }

    [Fact]
    public void WhereTheBooksCouldNotBeReadTheTrendHasAGap()
    {
        Add(0, 0);
        Add(60, 600);
        var line = Add(600, 5000);

        Assert.Equal([10.0, null], line.Trend.Select(point => point.PerSecond));
    }

    [Fact]
    public void WhoLooksEverySecondGetsTheSameStepsAsOneSampleAMinute()
    {
        for (var second = 0; second < 120; second++)
        {
            Add(second, second * 10);
        }

        Assert.Equal([10.0, 10.0, 10.0], Add(120, 1200).Trend.Select(point => point.PerSecond));
    }

    [Fact]
    public void WhatCameSinceTheLastStepEndsTheTrend()
    {
        Add(0, 0);
        Add(60, 0);
        Assert.Equal([0.0, 20.0], Add(70, 200).Trend.Select(point => point.PerSecond));
    }

    [Fact]
    public void AnHourOfTheTrendHasAPointAMinuteHoweverOftenItIsSampled()
    {
        AccountLine line = null!;
        for (var second = 0; second <= 8000; second++)
        {
            line = Add(second, second);
        }

        Assert.InRange(line.Trend.Length, 60, 68);
        Assert.All(line.Trend, point => Assert.Equal(1, point.PerSecond!.Value, 6));
    }

    [Fact]
    public void WhatIsOlderThanAnHourLeavesTheTrend()
    {
        Add(0, 0);
        for (var second = 60; second <= 8000; second += 60)
        {
            Add(second, second);
        }

        Assert.All(Add(8010, 8010).Trend, point => Assert.True(point.Age <= BooksHistory.Length.TotalSeconds));
    }

    private AccountLine Add(int second, long count) =>
        _history
            .Add(
                s_start.AddSeconds(second),
                [new Account("orders", "steps", count, count, ImmutableSortedDictionary<string, long>.Empty, 0, 10, "full")]
            )
            .Single();
}
