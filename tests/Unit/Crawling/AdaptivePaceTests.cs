using CsCheck;
using Grains.Crawling.Frontier;
using Xunit;

namespace Unit.Crawling;

/// <summary>A host is asked more slowly when it is in trouble, and never faster than was asked for.</summary>
public sealed class AdaptivePaceTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch;
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly AdaptivePace _pace = new(TimeSpan.FromMinutes(10));

    [Fact]
    public void AHostThatAnswersWellIsAskedAsItWasAskedFor()
    {
        Answer(100, times: 50);

        Assert.Equal((TimeSpan.Zero, null), (_pace.Extra, _pace.Why));
    }

    [Fact]
    public void WhatIsRefusedDoublesTheDelayOnceInAsLongAsItLasts()
    {
        Assert.True(_pace.OnRefused("http-429", 2 * Second, Start));
        Assert.Equal(2 * Second, _pace.Extra);
        Assert.False(_pace.OnRefused("http-429", 2 * Second, Start + Second));
        Assert.Equal(2 * Second, _pace.Extra);
        Assert.True(_pace.OnRefused("http-503", 2 * Second, Start + (2 * Second)));
        Assert.Equal(4 * Second, _pace.Extra);
        Assert.Equal("3 failure(s) in a row, the last one http-503 at 1970-01-01 00:00:02Z.", _pace.Why);
    }

    [Fact]
    public void WithoutADelayItBeginsWithHalfASecondAndEndsAtAMinute()
    {
        var now = Start;
        for (var refused = 0; refused < 20; refused++)
        {
            _pace.OnRefused("http-429", TimeSpan.Zero, now);
            Assert.InRange(_pace.Extra, Second / 2, AdaptivePace.Most);
            now += AdaptivePace.Most;
        }

        Assert.Equal(AdaptivePace.Most, _pace.Extra);
        Assert.False(_pace.OnRefused("http-429", TimeSpan.Zero, now));
    }

    [Fact]
    public void EachAnswerTakesAFifthOffUntilNothingIsLeft()
    {
        _pace.OnRefused("http-503", Second, Start);
        Answer(100);

        Assert.Equal(0.8 * Second, _pace.Extra);
        Assert.Equal("It answers again after http-503 at 1970-01-01 00:00:00Z, and gets faster by and by.", _pace.Why);
        Answer(100, times: 20);
        Assert.Equal((TimeSpan.Zero, null), (_pace.Extra, _pace.Why));
    }

    [Fact]
    public void OneBrokenPageIsNotAHostInTroubleTwoInARowAre()
    {
        Assert.False(_pace.OnFailed("http-500", Second, Start));
        Answer(100);
        Assert.False(_pace.OnFailed("http-500", Second, Start));
        Assert.Equal(TimeSpan.Zero, _pace.Extra);
        Assert.True(_pace.OnFailed("timeout", 4 * Second, Start));
        Assert.Equal(2 * Second, _pace.Extra);
        Assert.True(_pace.OnFailed("timeout", 4 * Second, Start + (2 * Second)));
        Assert.Equal(3 * Second, _pace.Extra);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void AnswersThatTakeLongerAndLongerCostTheTimeThatTheyTakeMore(int concurrency)
    {
        Answer(100, times: 20);
        _pace.OnAnswered(2 * Second, concurrency);
        Assert.Equal(TimeSpan.Zero, _pace.Extra); // One slow page.
        _pace.OnAnswered(2 * Second, concurrency);

        // Of late 931 ms (a quarter of each new time), and 159 ms as a rule (a sixty-fourth of what is above it).
        Assert.Equal(772, _pace.Extra.TotalMilliseconds * concurrency, tolerance: 2);
        Assert.StartsWith("Its answers take 931 ms, where 159 ms are usual.", _pace.Why, StringComparison.Ordinal);
        Answer(100, times: 5);
        Assert.Equal(TimeSpan.Zero, _pace.Extra);
    }

    [Fact]
    public void ASuccessorGoesOnAsSlowly()
    {
        _pace.Restore(7 * Second);
        Assert.Equal(7 * Second, _pace.Extra);
        _pace.Restore(TimeSpan.FromHours(1));
        Assert.Equal(AdaptivePace.Most, _pace.Extra);
    }

    [Fact]
    public void WhateverComesAHostIsNeverAskedFasterNorMoreThanAMinuteSlower() =>
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, 100_000])
            .Array[1, 200]
            .Sample(steps =>
            {
                var pace = new AdaptivePace(TimeSpan.FromHours(1));
                var now = Start;
                foreach (var (kind, x) in steps)
                {
                    now += TimeSpan.FromMilliseconds(x);
                    switch (kind)
                    {
                        case 0:
                            pace.OnAnswered(TimeSpan.FromMilliseconds(x), 1 + (x % 8));
                            break;
                        case 1:
                            pace.OnRefused("http-429", TimeSpan.FromMilliseconds(x), now);
                            break;
                        default:
                            pace.OnFailed("timeout", TimeSpan.FromMilliseconds(x), now);
                            break;
                    }

                    Assert.InRange(pace.Extra, TimeSpan.Zero, AdaptivePace.Most);
                    Assert.Equal(pace.Extra == TimeSpan.Zero, pace.Why is null);
                }
            });

    private void Answer(int milliseconds, int times = 1)
    {
        for (var i = 0; i < times; i++)
        {
            _pace.OnAnswered(TimeSpan.FromMilliseconds(milliseconds), concurrency: 1);
        }
    }
}
