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
    public void WhereNobodyLookedTheTrendHasAGap()
    {
        Add(0, 0);
        Add(10, 100);
        var line = Add(600, 5000);

        Assert.Equal([10.0, null], line.Trend.Select(point => point.PerSecond));
    }

    [Fact]
    public void WhatIsOlderThanAnHourLeavesTheTrend()
    {
        Add(0, 0);
        for (var second = 10; second <= 4000; second += 10)
        {
            Add(second, second);
        }

        Assert.All(Add(4010, 4010).Trend, point => Assert.True(point.Age <= BooksHistory.Length.TotalSeconds));
    }

    private AccountLine Add(int second, long count) =>
        _history
            .Add(
                s_start.AddSeconds(second),
                [new Account("orders", "steps", count, count, ImmutableSortedDictionary<string, long>.Empty, 0, 10, "full")]
            )
            .Single();
}
