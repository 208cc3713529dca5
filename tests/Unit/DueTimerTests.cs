using Grains;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Unit;

public sealed class DueTimerTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly FakeTimeProvider _clock = new(Start);
    private readonly List<TimeSpan> _armed = [];
    private readonly DueTimer _timer;

    public DueTimerTests()
    {
        _timer = new(_clock, _armed.Add);
    }

    [Fact]
    public void ItIsSetToWhateverComesFirst()
    {
        _timer.Set(Start.AddSeconds(10));
        _timer.Set(Start.AddSeconds(20));
        _timer.Set(Start.AddSeconds(5));
        _timer.Set(null);
        Assert.Equal([TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(5)], _armed);
    }

    [Fact]
    public void WhatIsDueAlreadyComesAtOnceAndNothingLaterThanAnHour()
    {
        _timer.Set(Start.AddDays(-1));
        _timer.WentOff();
        _timer.Set(Start.AddDays(1));
        Assert.Equal([DueTimer.ShortestWait, DueTimer.LongestWait], _armed);
    }

    [Fact]
    public void AfterItWentOffItIsSetAgain()
    {
        _timer.Set(Start.AddSeconds(1));
        _clock.Advance(TimeSpan.FromSeconds(1));
        _timer.WentOff();
        _timer.Set(Start.AddSeconds(3));
        Assert.Equal([TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)], _armed);
    }
}
