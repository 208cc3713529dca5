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
        clock.Start(Lease(1), Start);

        Assert.Null(clock.Next);
        clock.End(Lease(1), Start + (5 * Second));

        Assert.Equal(Start + (6 * Second), clock.Next);
        Assert.False(clock.MayStart(Start + (6 * Second) - TimeSpan.FromTicks(1)));
        Assert.True(clock.MayStart(Start + (6 * Second)));
    }

    [Fact]
    public void WithMoreTheDelayRunsFromTheStartAsItWasTold()
    {
        var clock = Answered(concurrency: 2);
        clock.Start(Lease(2), Start);

        Assert.Null(clock.Next);
        clock.Begun(Lease(2), Start + (Second / 2));
        Assert.Equal(Start + (1.5 * Second), clock.Next);
        clock.Start(Lease(3), Start + (2 * Second));
        clock.Begun(Lease(3), Start + (2 * Second));
        Assert.Null(clock.Next);
        clock.End(Lease(2), Start + (5 * Second));

        Assert.Equal(Start + (5 * Second), clock.Next);
    }

    [Fact]
    public void ALeaseThatEndsWithoutHavingTalkedOfItsStartCountsFromItsEnd()
    {
        var clock = Answered(concurrency: 2);
        clock.Start(Lease(2), Start);
        clock.End(Lease(2), Start + (5 * Second));

        Assert.Equal(Start + (6 * Second), clock.Next);
    }

    [Fact]
    public void TheFirstRequestEndsBeforeThereIsASecondOne()
    {
        var clock = new HostClock { Delay = Second, Concurrency = 2 };
        clock.Start(Lease(1), Start);
        clock.Begun(Lease(1), Start);

        Assert.Null(clock.Next);
        clock.End(Lease(1), Start + (3 * Second));

        Assert.Equal(Start + (4 * Second), clock.Next);
    }

    [Fact]
    public void WhoTellsOfAStartLateOrTwiceChangesNothing()
    {
        var clock = Answered(concurrency: 2);
        clock.Start(Lease(2), Start);
        clock.Begun(Lease(2), Start);
        clock.Begun(Lease(2), Start + (9 * Second));
        clock.Begun(Lease(1), Start + (9 * Second));

        Assert.Equal(Start + Second, clock.Next);
    }

    [Fact]
    public void WithoutADelayAsManyMayStartAtOnceAsMayBeInFlight()
    {
        var clock = new HostClock { Concurrency = 3 };
        clock.Start(Lease(1), Start);

        Assert.Equal(2, clock.MayStartAtOnce(Start));
        clock.End(Lease(1), Start);
        clock.Delay = Second;
        Assert.Equal(0, clock.MayStartAtOnce(Start));
        Assert.Equal(1, clock.MayStartAtOnce(Start + Second));
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
        Gen.Select(Gen.Int[1, 4], Gen.Int[0, 5], Gen.Select(Gen.Int[0, 3], Gen.Bool).Array[1, 60])
            .Sample(
                (concurrency, delay, steps) =>
                {
                    var clock = new HostClock { Concurrency = concurrency, Delay = delay * Second };
                    var now = Start;
                    DateTimeOffset? last = null;
                    var inFlight = new Queue<long>();
                    foreach (var ((seconds, ends), lease) in steps.Select((step, i) => (step, (long)i)))
                    {
                        now += seconds * Second;
                        if (ends && inFlight.TryDequeue(out var ended))
                        {
                            clock.End(Lease(ended), now);
                        }
                        else if (clock.MayStart(now))
                        {
                            // The request goes out a second after the lease was given.
                            clock.Start(Lease(lease), now);
                            now += Second;
                            Assert.False(last is { } before && now - before < delay * Second);
                            clock.Begun(Lease(lease), now);
                            last = now;
                            inFlight.Enqueue(lease);
                        }

                        Assert.InRange(inFlight.Count, 0, concurrency);
                        Assert.Equal(inFlight.Count, clock.InFlight);
                    }
                }
            );

    private static LeaseId Lease(long number) => new(new("0000000000"), number);

    /// <summary>A clock whose first request, number 1, was over a second before <see cref="Start"/>.</summary>
    private static HostClock Answered(int concurrency)
    {
        var clock = new HostClock { Delay = Second, Concurrency = concurrency };
        clock.Start(Lease(1), Start - (3 * Second));
        clock.End(Lease(1), Start - Second);
        return clock;
    }
}
