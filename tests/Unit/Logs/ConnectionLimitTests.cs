using Grains.Logs.Syslog;
using Xunit;

namespace Unit.Logs;

public sealed class ConnectionLimitTests
{
    private const int Max = 8;

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ConnectionLimit<string> _limit = new(Max);

    [Fact]
    public void TheConnectionThatWasIdleLongestMakesRoomForTheNext()
    {
        Fill(peer: "a");
        _limit.Seen("0", Start.AddSeconds(1));

        Assert.True(_limit.TryAdd("next", "a", Start.AddSeconds(6), out var evicted));
        Assert.Equal("1", evicted);
        Assert.Equal(Max, _limit.Count);
    }

    [Fact]
    public void WhenNoneIsIdleOfOnePeerItsNextConnectionIsRefused()
    {
        Fill(peer: "a");

        Assert.False(_limit.TryAdd("next", "a", Start.AddSeconds(4), out var evicted));
        Assert.Null(evicted);
        Assert.Equal(Max, _limit.Count);
    }

    [Fact]
    public void AnotherPeerGetsTheRoomOfTheOneThatHasTheMost()
    {
        Fill(peer: "a");
        _limit.Seen("0", Start.AddSeconds(1));

        Assert.True(_limit.TryAdd("next", "b", Start.AddSeconds(2), out var evicted));
        Assert.Equal("1", evicted);
    }

    [Fact]
    public void WhenNoPeerHasMoreThanAQuarterAndNoneIsIdleTheNextIsRefused()
    {
        for (var number = 0; number < Max; number++)
        {
            Assert.True(_limit.TryAdd($"{number}", $"peer {number % 4}", Start, out _));
        }

        Assert.False(_limit.TryAdd("next", "b", Start.AddSeconds(4), out _));
    }

    [Fact]
    public void AConnectionThatEndedMakesRoom()
    {
        Fill(peer: "a");
        _limit.Remove("3");

        Assert.True(_limit.TryAdd("next", "a", Start, out var evicted));
        Assert.Null(evicted);
    }

    private void Fill(string peer)
    {
        for (var number = 0; number < Max; number++)
        {
            Assert.True(_limit.TryAdd($"{number}", peer, Start, out _));
        }
    }
}
