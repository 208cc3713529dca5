using System.Threading.Channels;
using Doubles;
using Grains.Orders.Deliveries.Webhooks;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Unit.Orders.Deliveries.Webhooks;

public sealed class EndpointGateTests
{
    private static readonly WebhookOutcome Taken = WebhookOutcome.Answered(204, null, default);
    private static readonly WebhookOutcome TimedOut = WebhookOutcome.Failed(WebhookFailure.Timeout, "It did not answer.");

    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly Channel<TaskCompletionSource<WebhookOutcome>> _out = Channel.CreateUnbounded<TaskCompletionSource<WebhookOutcome>>();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WhoFindsNoPlaceWaitsInLineAndGoesWhenOneIsFree()
    {
        var gate = Gate(most: 1);
        var first = gate.Send(Holds, CancellationToken.None);
        var second = gate.Send(Holds, CancellationToken.None);
        Assert.Equal((1, 1, 1), (_out.Reader.Count, gate.InFlight, gate.InLine));

        _clock.Advance(TimeSpan.FromSeconds(1));
        (await Out()).SetResult(Taken);
        await first;
        var next = await Out();
        Assert.Equal((1, 0), (gate.InFlight, gate.InLine));
        next.SetResult(Taken);
        Assert.Equal(WebhookVerdict.Delivered, (await second).Verdict);
        Assert.Equal(0, gate.InFlight);
    }

    [Fact]
    public async Task AfterTenSecondsInLineItIsToldToComeAgain()
    {
        var gate = Gate(most: 1);
        var first = gate.Send(Holds, CancellationToken.None);
        var second = gate.Send(Holds, CancellationToken.None);
        _clock.Advance(EndpointGate.Patience - TimeSpan.FromTicks(1));
        Assert.False(second.IsCompleted);
        _clock.Advance(TimeSpan.FromTicks(1));
        var turnedAway = await second;

        Assert.Equal((true, "no-place", EndpointGate.NoPlaceWait), (turnedAway.IsNoAttempt, turnedAway.Reason, turnedAway.RetryAfter));
        Assert.Equal(0, gate.InLine);
        (await Out()).SetResult(Taken);
        await first;
        Assert.Equal(0, gate.InFlight);
    }

    [Fact]
    public async Task AFullLineTurnsAwayAtOnce()
    {
        var gate = Gate(most: 1);
        var waiting = Enumerable.Range(0, EndpointGate.MaxInLine + 1).Select(_ => gate.Send(Holds, CancellationToken.None)).ToList();
        Assert.Equal((1, EndpointGate.MaxInLine), (gate.InFlight, gate.InLine));
        Assert.Equal("no-place", (await gate.Send(Holds, CancellationToken.None)).Reason);
        _clock.Advance(EndpointGate.Patience);
        await Task.WhenAll(waiting.Skip(1));
        Assert.Equal(0, gate.InLine);
    }

    [Fact]
    public async Task WhoeverGoesAwayLeavesNoPlaceTaken()
    {
        var gate = Gate(most: 1);
        using var first = new CancellationTokenSource();
        using var second = new CancellationTokenSource();
        var sending = gate.Send(Never, first.Token);
        var inLine = gate.Send(Holds, second.Token);

        // One after the other: the gate is for one thread at a time.
        await second.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => inLine);
        Assert.Equal((1, 0), (gate.InFlight, gate.InLine));
        await first.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        Assert.Equal(0, gate.InFlight);
    }

    [Fact]
    public async Task AUsedUpRateIsAnsweredAtOnceWithHowLong()
    {
        var gate = new EndpointGate(_clock, _clock, 4, perSecond: 16); // One a second at first.
        Assert.Equal(WebhookVerdict.Delivered, (await gate.Send(Takes, CancellationToken.None)).Verdict);
        var turnedAway = await gate.Send(Takes, CancellationToken.None);

        Assert.Equal((true, "rate"), (turnedAway.IsNoAttempt, turnedAway.Reason));
        Assert.Equal(1, turnedAway.RetryAfter!.Value.TotalSeconds, 6);
        _clock.Advance(turnedAway.RetryAfter.Value);
        Assert.Equal(WebhookVerdict.Delivered, (await gate.Send(Takes, CancellationToken.None)).Verdict);
    }

    [Fact]
    public async Task AShortWaitForTheRateIsWaitedHere()
    {
        var gate = new EndpointGate(_clock, _clock, 4, perSecond: 160); // Ten a second at first.
        await gate.Send(Takes, CancellationToken.None);
        var second = gate.Send(Takes, CancellationToken.None);
        Assert.False(second.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(0.11));
        Assert.Equal(WebhookVerdict.Delivered, (await second).Verdict);
    }

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public async Task ARetryAfterHoldsTheEndpointAndNotOnlyTheChangeItWasTheAnswerTo(int status)
    {
        var gate = Gate(most: 4);
        var calls = 0;
        await gate.Send(_ => Task.FromResult(WebhookOutcome.Answered(status, "30", default)), Cancel);

        var other = await gate.Send(_ => Count(ref calls), Cancel);
        Assert.Equal((true, "retry-after", TimeSpan.FromSeconds(30)), (other.IsNoAttempt, other.Reason, other.RetryAfter));
        _clock.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(TimeSpan.FromSeconds(1), (await gate.Send(_ => Count(ref calls), Cancel)).RetryAfter);
        Assert.Equal(0, calls);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(WebhookVerdict.Delivered, (await gate.Send(_ => Count(ref calls), Cancel)).Verdict);
    }

    [Fact]
    public async Task WhoWaitsInLineWhenARetryAfterComesIsHeldToo()
    {
        var gate = Gate(most: 1);
        var first = gate.Send(Holds, Cancel);
        var second = gate.Send(Holds, Cancel);
        (await Out()).SetResult(WebhookOutcome.Answered(429, "30", default));

        await first;
        Assert.Equal("retry-after", (await second).Reason);
        Assert.Equal(0, gate.InFlight);
    }

    [Fact]
    public async Task ARetryAfterThatIsNonsenseHoldsNobody()
    {
        var gate = Gate(most: 4);
        foreach (var header in (string[])["-1", "0", "99999999", "soon", "Thu, 01 Jan 1970 00:00:00 GMT"])
        {
            await gate.Send(_ => Task.FromResult(WebhookOutcome.Answered(429, header, DateTimeOffset.UnixEpoch)), Cancel);
            _clock.Advance(TimeSpan.FromSeconds(1));
            Assert.NotEqual("retry-after", (await gate.Send(Takes, Cancel)).Reason);
        }
    }

    [Fact]
    public async Task EnablingEndsTheWaitThatTheEndpointAskedFor()
    {
        var gate = Gate(most: 4);
        await gate.Send(_ => Task.FromResult(WebhookOutcome.Answered(429, "3600", default)), Cancel);
        gate.Restart();
        _clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(WebhookVerdict.Delivered, (await gate.Send(Takes, Cancel)).Verdict);
    }

    [Fact]
    public async Task AnOpenCircuitIsAnsweredAtOnceWithHowLongAndOneThatClosesBeginsSlowly()
    {
        var gate = await Opened();
        var calls = 0;
        var heldOff = await gate.Send(_ => Count(ref calls), CancellationToken.None);
        Assert.Equal((true, "circuit-open", EndpointBreaker.FirstBreak), (heldOff.IsNoAttempt, heldOff.Reason, heldOff.RetryAfter));
        _clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(TimeSpan.FromSeconds(10), (await gate.Send(_ => Count(ref calls), CancellationToken.None)).RetryAfter);
        Assert.Equal(0, calls);

        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(1000, gate.Rate);
        Assert.Equal(WebhookVerdict.Delivered, (await gate.Send(Takes, CancellationToken.None)).Verdict);
        Assert.Equal((EndpointCircuit.Closed, 1, 62.5), (gate.Circuit, gate.Window, gate.Rate));
    }

    [Fact]
    public async Task EnablingClosesTheCircuitAndBeginsSlowly()
    {
        var gate = await Opened();
        _clock.Advance(TimeSpan.FromSeconds(30));
        gate.Restart();
        Assert.Equal((EndpointCircuit.Closed, 1, 62.5), (gate.Circuit, gate.Window, gate.Rate));
        Assert.Equal(WebhookVerdict.Delivered, (await gate.Send(Takes, CancellationToken.None)).Verdict);
        Assert.Equal(2, gate.Window);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task AClockThatIsSetAnHourForthOrBackChangesNoWait(int hours)
    {
        var set = new SetClock(_clock);
        var gate = await Opened(set);
        await gate.Send(Takes, CancellationToken.None);
        set.Offset = TimeSpan.FromHours(hours);
        Assert.Equal(EndpointBreaker.FirstBreak, (await gate.Send(Takes, CancellationToken.None)).RetryAfter);
        _clock.Advance(EndpointBreaker.FirstBreak);
        Assert.Equal(WebhookVerdict.Delivered, (await gate.Send(Takes, CancellationToken.None)).Verdict);
        Assert.Equal(62.5, gate.Rate);
        set.Offset = TimeSpan.Zero;
        Assert.Equal(62.5, gate.Rate);
    }

    private static Task<WebhookOutcome> Takes(CancellationToken cancel) => Task.FromResult(Taken);

    private static Task<WebhookOutcome> Count(ref int calls)
    {
        calls++;
        return Task.FromResult(Taken);
    }

    private static async Task<WebhookOutcome> Never(CancellationToken cancel)
    {
        await new Gate().Pass(cancel);
        return Taken;
    }

    /// <summary>The next request that went out and is held.</summary>
    private ValueTask<TaskCompletionSource<WebhookOutcome>> Out() => _out.Reader.ReadAsync(Cancel);

    private EndpointGate Gate(int most) => new(_clock, _clock, most, perSecond: 16_000);

    private async Task<EndpointGate> Opened(TimeProvider? clock = null)
    {
        var gate = new EndpointGate(clock ?? _clock, _clock, 4, perSecond: 1000);
        _clock.Advance(TimeSpan.FromSeconds(25)); // At full rate, so that no try waits.
        for (var i = 0; i < EndpointBreaker.Least; i++)
        {
            await gate.Send(_ => Task.FromResult(TimedOut), CancellationToken.None);
        }

        Assert.Equal(EndpointCircuit.Open, gate.Circuit);
        return gate;
    }

    private Task<WebhookOutcome> Holds(CancellationToken cancel)
    {
        var held = new TaskCompletionSource<WebhookOutcome>();
        Assert.True(_out.Writer.TryWrite(held));
        return held.Task;
    }

    /// <summary>A clock that somebody sets: its time jumps, its timestamps do not.</summary>
    private sealed class SetClock(TimeProvider inner) : TimeProvider
    {
        public TimeSpan Offset { get; set; }

        public override long TimestampFrequency => inner.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => inner.GetUtcNow() + Offset;

        public override long GetTimestamp() => inner.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            inner.CreateTimer(callback, state, dueTime, period);
    }
}
