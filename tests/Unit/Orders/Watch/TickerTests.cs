using Grains.Orders.Watch;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Unit.Orders.Watch;

public sealed class TickerTests
{
    private readonly FakeTimeProvider _clock = new(Given.Start);

    [Fact]
    public void AFewWhoWaitAreWokenAtOnce()
    {
        using var pulse = new Ticker(_clock, () => 10);
        for (var beat = 0; beat < 3; beat++)
        {
            var next = pulse.Next;
            Assert.False(next.IsCompleted);
            pulse.Beat();
            Assert.True(next.IsCompletedSuccessfully);
        }
    }

    [Fact]
    public void WhoWaitsIsWokenEverySecond()
    {
        using var pulse = new Ticker(_clock, () => 1);
        var next = pulse.Next;
        _clock.Advance(TimeSpan.FromMilliseconds(999));
        Assert.False(next.IsCompleted);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(next.IsCompletedSuccessfully);
        Assert.False(pulse.Next.IsCompleted);
    }

    [Theory]
    [InlineData(1000, 60)]
    [InlineData(2500, 150)]
    [InlineData(5000, 200)]
    [InlineData(10_000, 200)]
    public void ManyWhoWaitShareTheirWakeUps(int waiting, int milliseconds)
    {
        using var pulse = new Ticker(_clock, () => waiting);
        pulse.Beat();
        var next = pulse.Next;
        pulse.Beat();
        pulse.Beat();
        _clock.Advance(TimeSpan.FromMilliseconds(milliseconds - 1));
        Assert.False(next.IsCompleted);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(next.IsCompletedSuccessfully);
        Assert.False(pulse.Next.IsCompleted);
    }
}
