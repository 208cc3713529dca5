using System.Net;
using System.Net.Sockets;
using Grains.Crawling;
using Grains.Crawling.Frontier;
using Grains.Crawling.Hosts;
using Grains.Crawling.Pages;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Unit.Crawling;

/// <summary>Hosts of one address take turns there: who, when, and what a host waits for.</summary>
public sealed class AddressPaceTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 30, 9, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly HostKey A = new("a.example");
    private static readonly HostKey B = new("b.example");
    private static readonly HostKey C = new("c.example");
    private readonly AddressPace _pace = new();

    [Fact]
    public void TheFirstHasItsTurnAtOnceAndTheOthersWaitForTheDelayAfterItsEnd()
    {
        var first = Take(A, at: 0);
        var second = Take(B, at: 0);
        var third = Take(C, at: 0);
        _pace.GiveBack(A, first.Number, At(3));

        Assert.Equal((1L, TimeSpan.Zero, 0), (first.Number, first.Wait, first.Ahead));
        Assert.Equal((0L, Second, 1), (second.Number, second.Wait, second.Ahead));
        Assert.Equal((0L, 2 * Second, 2), (third.Number, third.Wait, third.Ahead));
        Assert.Equal((0L, 0.5 * Second), (Take(B, at: 3.5).Number, Take(B, at: 3.5).Wait));
        Assert.Equal(2, Take(B, at: 4).Number);
    }

    [Fact]
    public void WhoAskedFirstIsNextAlsoWhenAnotherAsksAgainSooner()
    {
        var first = Take(A, at: 0);
        Take(B, at: 0);
        Take(C, at: 0);
        _pace.GiveBack(A, first.Number, At(1));

        Assert.Equal((0L, 1), (Take(C, at: 2).Number, Take(C, at: 2).Ahead));
        Assert.Equal(2, Take(B, at: 2).Number);
    }

    [Theory]
    [InlineData(1, 5)]
    [InlineData(5, 1)]
    public void TheLongerDelayOfBothCounts(int before, int after)
    {
        _pace.GiveBack(A, Take(A, at: 0, delay: before).Number, At(10));

        Assert.Equal(0, Take(B, at: 14.9, delay: after).Number);
        Assert.Equal(2, Take(B, at: 15, delay: after).Number);
    }

    [Fact]
    public void ATurnThatNobodyGivesBackEndsByItsTimeAndTheDelayRunsFromThere()
    {
        Take(A, at: 0);

        Assert.Equal(0, Take(B, at: 29.9).Number);
        Assert.Equal(0, Take(B, at: 30).Number);
        Assert.Equal(2, Take(B, at: 31).Number);
    }

    [Fact]
    public void WhoHasTheTurnAndAsksAgainHasLostItAndWaitsForTheDelay()
    {
        Take(A, at: 0);

        Assert.Equal((0L, Second), (Take(A, at: 5).Number, Take(A, at: 5).Wait));
        Assert.Equal(2, Take(A, at: 6).Number);
    }

    [Fact]
    public void ATurnThatIsOverIsNotGivenBackTwice()
    {
        var first = Take(A, at: 0);
        _pace.GiveBack(A, first.Number, At(1));
        var second = Take(B, at: 2);
        _pace.GiveBack(A, first.Number, At(2));
        _pace.GiveBack(B, first.Number, At(2));

        Assert.Equal((2L, "b.example"), (second.Number, _pace.Holder));
    }

    [Fact]
    public void WhoDoesNotAskAgainLosesItsPlace()
    {
        var first = Take(A, at: 0);
        Take(B, at: 0); // To ask again after a second.
        Take(C, at: 0);
        _pace.GiveBack(A, first.Number, At(1));

        Assert.Equal(0, Take(C, at: 11).Number);
        Assert.Equal(2, Take(C, at: 11.1).Number);
    }

    [Fact]
    public void APlaceIsKeptForSoManyHostsAndNoMore()
    {
        var first = Take(A, at: 0);
        for (var host = 0; host < AddressPace.MaxWaiting; host++)
        {
            Take(new($"h{host}.example"), at: 0);
        }

        Assert.Equal(AddressPace.MaxWaiting + 1, Take(B, at: 0).Ahead);
        Assert.Equal(AddressPace.MaxWaiting + 1, Take(C, at: 0).Ahead);
        _pace.GiveBack(A, first.Number, At(1));
        Assert.Equal(2, Take(new("h0.example"), at: 2).Number);
    }

    /// <summary>As hosts do: each asks when it was told to, and again after its turn.</summary>
    [Theory]
    [InlineData(2, 1)]
    [InlineData(50, 1)]
    [InlineData(7, 0)]
    public void NoTurnBeginsSoonerAfterTheLastThanTheDelayAndEachHostHasAsMany(int hosts, int delay)
    {
        var random = new Random(hosts);
        var queue = new PriorityQueue<(int Host, long Turn), DateTimeOffset>();
        Enumerable.Range(0, hosts).ToList().ForEach(host => queue.Enqueue((host, 0), Start));
        var turns = new int[hosts];
        var (free, all) = (Start, 0);
        while (all < 10 * hosts)
        {
            queue.TryDequeue(out var next, out var now);
            var host = new HostKey($"h{next.Host}.example");
            if (next.Turn != 0)
            {
                _pace.GiveBack(host, next.Turn, now);
                free = now + (delay * Second);
                queue.Enqueue((next.Host, 0), now);
                continue;
            }

            var turn = _pace.Take(host, delay * Second, 60 * Second, new(now, now));
            if (turn.Number == 0)
            {
                Assert.True(turn.Wait >= AddressPace.LeastWait);
                queue.Enqueue((next.Host, 0), now + turn.Wait);
                continue;
            }

            Assert.True(now >= free, $"A turn began {free - now} too soon.");
            (turns[next.Host], all) = (turns[next.Host] + 1, all + 1);
            queue.Enqueue((next.Host, turn.Number), now + TimeSpan.FromMilliseconds(random.Next(1, 3_000)));
        }

        Assert.True(turns.Max() - turns.Min() <= 1, string.Join(' ', turns));
    }

    [Fact]
    public void AHostTakesATurnUsesItOnceAndGivesItBack()
    {
        var gate = Gate();
        Assert.True(gate.WantsTurn(At(0)));
        gate.Ask();
        Assert.False(gate.WantsTurn(At(0)));
        gate.Answered("192.0.2.7", new(Number: 4, TimeSpan.Zero, Ahead: 0), At(0), startBy: At(10));
        Assert.True(gate.MayStart(At(9)));
        gate.Start();
        Assert.False(gate.MayStart(At(9)));
        Assert.Equal(0, gate.ToGiveBack(At(20)));
        gate.End();

        Assert.Equal(4, gate.ToGiveBack(At(9)));
        gate.GiveBack();
        Assert.Equal((0L, false), (gate.ToGiveBack(At(9)), gate.WantsTurn(At(9))));
        gate.Settled(At(9));
        Assert.True(gate.WantsTurn(At(9)));
    }

    [Fact]
    public void ATurnThatIsNotUsedInTimeIsGivenBack()
    {
        var gate = Gate();
        gate.Answered("192.0.2.7", new(Number: 4, TimeSpan.Zero, Ahead: 0), At(0), startBy: At(10));

        Assert.Equal((true, At(10), 0L), (gate.MayStart(At(9.9)), gate.Next(At(9.9)), gate.ToGiveBack(At(9.9))));
        Assert.Equal((false, 4L), (gate.MayStart(At(10)), gate.ToGiveBack(At(10))));
    }

    /// <summary>A host whose robots.txt could not be had took turn after turn, and let each pass by.</summary>
    [Fact]
    public void ATurnForWhichThereIsNothingIsGivenBackAtOnceAndNotAskedForBeforeThereIs()
    {
        var gate = Gate();
        gate.Answered("192.0.2.7", new(Number: 4, TimeSpan.Zero, Ahead: 0), At(0), startBy: At(10));
        Assert.True(gate.HasTurn);
        gate.PutOff(At(30));

        Assert.Equal((false, 4L), (gate.MayStart(At(1)), gate.ToGiveBack(At(1))));
        gate.GiveBack();
        gate.Settled(At(1));
        Assert.Equal((false, false, At(30)), (gate.HasTurn, gate.WantsTurn(At(29)), gate.Next(At(29))));
        Assert.True(gate.WantsTurn(At(30)));
        gate.GoOn();
        Assert.True(gate.WantsTurn(At(2)));
    }

    [Fact]
    public void WhileOthersAreBeforeItAHostSaysSoAndAsksWhenItWasToldTo()
    {
        var gate = Gate();
        gate.Answered("192.0.2.7", new(Number: 0, 3 * Second, Ahead: 2), At(0), startBy: At(10));

        Assert.Equal("It waits for its turn at 192.0.2.7 (--per-ip); hosts before it there: 2.", gate.Why);
        Assert.Equal((false, false, At(3)), (gate.MayStart(At(2)), gate.WantsTurn(At(2)), gate.Next(At(2))));
        Assert.True(gate.WantsTurn(At(3)));
    }

    [Fact]
    public void AHostWithoutAddressNeedsNoTurnForTheRequestThatFindsSo()
    {
        var gate = Gate();
        gate.Answered(address: null, default, At(0), startBy: At(10));
        Assert.True(gate.MayStart(At(1)));
        gate.Start();
        gate.End();

        Assert.Equal((false, 0L, true), (gate.MayStart(At(1)), gate.ToGiveBack(At(1)), gate.WantsTurn(At(1))));
    }

    [Fact]
    public void WhereNoCrawlAsksForItNothingNeedsATurn()
    {
        var gate = new AddressGate();

        Assert.Equal((true, false, null, null), (gate.MayStart(At(0)), gate.WantsTurn(At(0)), gate.Next(At(0)), gate.Why));
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public void WithSeveralRequestsAtOnceATurnCountsFromStartToStart(int concurrency, bool isGivenBack)
    {
        var politeness = new Politeness(new(), new RetryPolicy(3, Second, 100 * Second, () => 0.5));
        politeness.Set([
            new()
            {
                Seeds = [],
                PerIp = true,
                Concurrency = concurrency,
            },
        ]);
        var now = new HostTime(At(0), At(0));
        Assert.True(politeness.WantsTurn(now));
        Assert.False(politeness.MayStart(now));
        politeness.Address.Answered("192.0.2.7", new(Number: 4, TimeSpan.Zero, Ahead: 0), At(0), startBy: At(10));
        Assert.Equal((true, 1), (politeness.MayStart(now), politeness.MayStartAtOnce(At(0))));
        politeness.Start(new(new("abcdefghij"), 1), At(0));

        Assert.Equal(isGivenBack, politeness.Address.ToGiveBack(At(0)) == 4);
        politeness.End(new(new("abcdefghij"), 1), At(1));
        Assert.Equal(4, politeness.Address.ToGiveBack(At(1)));
    }

    [Theory]
    [InlineData("b.example", "192.0.2.7")]
    [InlineData("b.example:8080", "192.0.2.7")]
    [InlineData("192.0.2.1:8080", "192.0.2.1")]
    [InlineData("[2001:db8::1]:8080", "2001:db8::1")]
    [InlineData("[::ffff:192.0.2.1]", "192.0.2.1")]
    [InlineData("none.example", null)]
    [InlineData("unknown.example", null)]
    public async Task OfSeveralAddressesTheLowestStandsForAll(string host, string? address)
    {
        var addresses = new HostAddresses(
            (name, _) =>
                name switch
                {
                    "b.example" => Task.FromResult(
                        Array.ConvertAll(["2001:db8::1", "192.0.2.77", "::ffff:192.0.2.7", "192.0.2.100"], IPAddress.Parse)
                    ),
                    "none.example" => Task.FromResult<IPAddress[]>([]),
                    _ => throw new SocketException((int)SocketError.HostNotFound),
                }
        );

        Assert.Equal(address, await addresses.Find(new(host), TestContext.Current.CancellationToken));
    }

    private static AddressGate Gate() => new() { IsOn = true };

    private AddressTurn Take(HostKey host, double at, int delay = 1) => _pace.Take(host, delay * Second, 30 * Second, new(At(at), At(at)));

    private static DateTimeOffset At(double seconds) => Start + TimeSpan.FromSeconds(seconds);
}
