using CsCheck;
using Grains.Crawling.Frontier;
using Xunit;

namespace Unit.Crawling;

public sealed class HostClockTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch;
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void WithConcurrencyOneTheDelayRunsFromTheReportedEnd()
    {
        var clock = new HostClock { Delay = Second };
        clock.Start(Start);

        Assert.Null(clock.Next);
        clock.End(Start + (5 * Second));

        Assert.Equal(Start + (6 * Second), clock.Next);
        Assert.False(clock.MayStart(Start + (6 * Second) - TimeSpan.FromTicks(1)));
        Assert.True(clock.MayStart(Start + (6 * Second)));
    }

    [Fact]
    public void WithMoreTheDelayRunsFromTheStart()
    {
        var clock = new HostClock { Delay = Second, Concurrency = 2 };
        clock.Start(Start);

        Assert.Equal(Start + Second, clock.Next);
        clock.Start(Start + Second);
        Assert.Null(clock.Next);
        clock.End(Start + (5 * Second));

        Assert.Equal(Start + (5 * Second), clock.Next);
    }

    [Fact]
    public void WithoutADelayAsManyMayStartAtOnceAsMayBeInFlight()
    {
        var clock = new HostClock { Concurrency = 3 };
        clock.Start(Start);

        Assert.Equal(2, clock.MayStartAtOnce(Start));
        clock.Delay = Second;
        Assert.Equal(1, clock.MayStartAtOnce(Start));
    }

    [Fact]
    public void AskingToWaitNeverShortensAWait()
    {
        var clock = new HostClock();
        clock.WaitUntil(Start + (9 * Second));
        clock.WaitUntil(Start + Second);

        Assert.Equal(Start + (9 * Second), clock.Next);
    }

    [Fact]
    public void WhateverComesRequestsStartADelayApartAndNoMoreThanMayAreInFlight() =>
        Gen.Select(Gen.Int[1, 4], Gen.Int[0, 5], Gen.Select(Gen.Int[0, 3], Gen.Bool).Array[1, 60]).Sample((concurrency, delay, steps) =>
        {
            var clock = new HostClock { Concurrency = concurrency, Delay = delay * Second };
            var now = Start;
            DateTimeOffset? last = null;
            var inFlight = 0;
            foreach (var (seconds, ends) in steps)
            {
                now += seconds * Second;
                if (ends && inFlight > 0)
                {
                    clock.End(now);
                    inFlight--;
                }
                else if (clock.MayStart(now))
                {
                    Assert.False(last is { } before && now - before < delay * Second);
                    clock.Start(now);
                    last = now;
                    inFlight++;
                }

                Assert.InRange(inFlight, 0, concurrency);
                Assert.Equal(inFlight, clock.InFlight);
            }
        });
}
