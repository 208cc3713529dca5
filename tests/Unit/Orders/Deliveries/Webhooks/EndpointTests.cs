using Grains.Orders.Deliveries;
using Grains.Orders.Deliveries.Webhooks;
using Grains.Storage;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Unit.Orders.Deliveries.Webhooks;

public sealed class EndpointStateTests
{
    private static readonly DateTimeOffset Start = Given.Start;
    private static readonly WebhookOutcome Good = WebhookOutcome.Answered(204, null, Start);
    private static readonly WebhookOutcome Bad = WebhookOutcome.Answered(500, null, Start);

    private readonly EndpointState _new = EndpointState.New(
        new("https://example.org/hooks?key=1"),
        ["order.paid"],
        WebhookSecret.New(),
        Start
    );

    [Fact]
    public void OneThatWasStoredBeforeEventsOfEndpointsIsReadAndChangedAndStored()
    {
        var row =
            """{"url":"https://example.org/hooks","events":["order.paid"],"secret":"whsec_x","isEnabled":true,"failures":0,"history":[]}""";

        var read = EndpointTable.Read(new TableRow("e", System.Text.Encoding.UTF8.GetBytes(row), "1"));
        var changed = read.Disable("By its owner.", Start);

        Assert.Empty(read.Untold);
        Assert.Equal(changed.DisabledBecause, EndpointTable.Read(new TableRow("e", EndpointTable.Write(changed), "1")).DisabledBecause);
    }

    [Fact]
    public void ItWantsWhatItNamedAndWithoutNamesEverything()
    {
        Assert.True(_new.Wants("order.paid"));
        Assert.False(_new.Wants("order.placed"));
        Assert.True((_new with { Events = [] }).Wants("order.placed"));
        Assert.False(_new.Disable("By its owner.", Start).Wants("order.paid"));
    }

    [Fact]
    public void AnEventThatDoesNotExistIsNamed()
    {
        Assert.Null(WebhookEvents.Fault(["order.paid", "order.refunded"]));
        Assert.Equal(
            "\"order.payed\" is no event; events are order.placed, order.paid, order.shipped, order.completed, order.cancelled, "
                + "order.refunded, webhook.failing, webhook.disabled, webhook.recovered, webhook.rotated.",
            WebhookEvents.Fault(["order.paid", "order.payed"])
        );
    }

    [Fact]
    public void OneThatFailsForFiveDaysIsDisabledWithANoteInItsHistory()
    {
        var endpoint = _new.Tried(Bad, Start).Tried(Bad, Start.AddDays(5) - TimeSpan.FromTicks(1));
        Assert.True(endpoint.IsEnabled);

        endpoint = endpoint.Tried(Bad, Start.AddDays(5));

        Assert.False(endpoint.IsEnabled);
        Assert.Equal(
            [
                "Added for order.paid.",
                "Fails: Answered 500.",
                "Disabled. Nothing but failures since 2026-03-01 12:00:00Z, 3 tries in all; the last one: Answered 500.",
            ],
            endpoint.History.Select(note => note.Text)
        );
    }

    [Fact]
    public void ASuccessInBetweenBeginsTheFiveDaysAnew()
    {
        var endpoint = _new.Tried(Bad, Start).Tried(Good, Start.AddDays(4)).Tried(Bad, Start.AddDays(5)).Tried(Bad, Start.AddDays(9));

        Assert.True(endpoint.IsEnabled);
        Assert.Equal(Start.AddDays(5), endpoint.FailingSince);
        Assert.Equal("Answers again; it had failed since 2026-03-01 12:00:00Z, 1 try in all.", endpoint.History[2].Text);
        Assert.False(endpoint.Tried(Bad, Start.AddDays(10)).IsEnabled);
    }

    [Fact]
    public void AnAnswer410DisablesItAtOnce()
    {
        var endpoint = _new.Tried(WebhookOutcome.Answered(410, null, Start), Start);

        Assert.False(endpoint.IsEnabled);
        Assert.Equal("Disabled. Answered 410: the endpoint says that it is gone for good.", endpoint.History[^1].Text);
    }

    [Fact]
    public void AClockThatGoesBackAnHourNeitherDisablesNorLengthens()
    {
        var endpoint = _new.Tried(Bad, Start).Tried(Bad, Start.AddHours(-1));

        Assert.Equal(Start.AddHours(-1), endpoint.FailingSince);
        Assert.True(endpoint.IsEnabled);
        Assert.False(endpoint.Tried(Bad, Start.AddHours(-1).AddDays(5)).IsEnabled);
    }

    [Fact]
    public void WhatEndsAfterItWasDisabledChangesNothing()
    {
        var endpoint = _new.Disable("By its owner.", Start);

        Assert.Same(endpoint, endpoint.Tried(Bad, Start));
        Assert.Same(endpoint, endpoint.Tried(Good, Start));
    }

    [Fact]
    public void EnabledAgainItHasFiveDaysAgain()
    {
        var endpoint = _new.Tried(Bad, Start).Tried(Bad, Start.AddDays(6)).Enable(Start.AddDays(7));

        Assert.True(endpoint.IsEnabled);
        Assert.True(endpoint.Tried(Bad, Start.AddDays(7)).IsEnabled);
        Assert.Same(endpoint, endpoint.Enable(Start.AddDays(8)));
    }

    [Fact]
    public void AfterARotationBothSecretsSignForADay()
    {
        var (old, fresh, later) = (WebhookSecret.Parse(_new.Secret), WebhookSecret.New(), WebhookSecret.New());
        var endpoint = _new.Rotate(fresh, Start);

        Assert.Equal([fresh, old], endpoint.Secrets(Start));
        Assert.Equal([fresh, old], endpoint.Secrets(Start.AddDays(1) - TimeSpan.FromTicks(1)));
        Assert.Equal([fresh], endpoint.Secrets(Start.AddDays(1)));
        Assert.Equal([later, fresh], endpoint.Rotate(later, Start.AddHours(1)).Secrets(Start.AddHours(1)));
        Assert.Same(endpoint, endpoint.Rotate(fresh, Start.AddHours(1)));
    }

    [Fact]
    public void ItsHistoryHasFiftyNotesAtMostAndTheOldestGoFirst()
    {
        var endpoint = _new;
        for (var i = 0; i < 40; i++)
        {
            endpoint = endpoint.Tried(Bad, Start.AddMinutes(i)).Tried(Good, Start.AddMinutes(i));
        }

        Assert.Equal(50, endpoint.History.Length);
        Assert.Equal(Start.AddMinutes(39), endpoint.History[^1].At);
        Assert.Equal(Start.AddMinutes(15), endpoint.History[0].At);
    }

    [Fact]
    public void AsTextItHasNeitherItsSecretNorItsQuery() => Assert.Equal("https://example.org/hooks (enabled)", _new.ToString());
}

public sealed class EndpointWindowTests
{
    private static readonly WebhookOutcome Good = WebhookOutcome.Answered(204, null, Given.Start);

    [Fact]
    public void ABacklogIsRampedFromOneAtOnceTwiceAsManyEachRound()
    {
        var window = new EndpointWindow(16);
        var rounds = new List<int>();
        for (var round = 0; round < 6; round++)
        {
            rounds.Add(Fill(window));
            Empty(window, Good);
        }

        Assert.Equal([1, 2, 4, 8, 16, 16], rounds);
    }

    [Theory]
    [InlineData(500, 1)]
    [InlineData(503, 1)]
    [InlineData(429, 1)]
    [InlineData(400, 4)]
    [InlineData(301, 4)]
    public void AnEndpointThatIsDownHasOneAgainAndOneThatRefusesHasNot(int status, int left)
    {
        var window = new EndpointWindow(16);
        for (var i = 0; i < 3; i++)
        {
            Assert.True(window.TryEnter());
            window.Leave(Good);
        }

        Assert.True(window.TryEnter());
        window.Leave(WebhookOutcome.Answered(status, null, Given.Start));

        Assert.Equal(left, window.Limit);
    }

    [Fact]
    public void WhatIsInFlightWhenItClosesIsWaitedFor()
    {
        var window = new EndpointWindow(4);
        for (var i = 0; i < 4; i++)
        {
            Fill(window);
            Empty(window, Good);
        }

        Assert.Equal(4, Fill(window));
        window.Leave(WebhookOutcome.Failed(WebhookFailure.Timeout, "Late."));

        Assert.False(window.TryEnter());
        Assert.Equal(3, window.InFlight);
    }

    [Fact]
    public void APlaceIsNotGivenBackTwice() => Assert.Throws<InvalidOperationException>(() => new EndpointWindow(1).Leave(Good));

    private static int Fill(EndpointWindow window)
    {
        var entered = 0;
        while (window.TryEnter())
        {
            entered++;
        }

        return entered;
    }

    private static void Empty(EndpointWindow window, WebhookOutcome outcome)
    {
        while (window.InFlight > 0)
        {
            window.Leave(outcome);
        }
    }
}

public sealed class EndpointPaceTests
{
    private static readonly DateTimeOffset Start = Given.Start;

    [Fact]
    public void ItBeginsWithASixteenthAndDoublesEveryFiveSeconds()
    {
        var pace = new SendRate(160, Start);

        Assert.Equal([10, 20, 40, 80, 160, 160], Enumerable.Range(0, 6).Select(step => pace.Rate(Start.AddSeconds(5 * step))));
        Assert.Equal(10, pace.Rate(Start.AddSeconds(5) - TimeSpan.FromTicks(1)));
    }

    [Fact]
    public void ABacklogGoesOutNoFasterThanTheRamp()
    {
        var pace = new SendRate(160, Start);
        var sent = new int[6];
        for (var now = Start; now < Start.AddSeconds(30); )
        {
            var wait = pace.Wait(now);
            if (wait == TimeSpan.Zero)
            {
                sent[(int)((now - Start).TotalSeconds / 5)]++;
            }

            now += wait;
        }

        Assert.Equal([50, 101, 201, 401, 801, 800], sent);
    }

    [Fact]
    public void AfterARestartItIsSlowAgain()
    {
        var pace = new SendRate(160, Start);
        Assert.Equal(160, pace.Rate(Start.AddMinutes(1)));

        pace.Restart(Start.AddMinutes(1));

        Assert.Equal(10, pace.Rate(Start.AddMinutes(1)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public void AClockThatJumpsAnHourNeitherStopsItNorLetsMoreThanASecondsOut(int hours)
    {
        var pace = new SendRate(16, Start);
        Assert.Equal(TimeSpan.Zero, pace.Wait(Start));

        var now = Start.AddHours(hours);
        var atOnce = 0;
        while (pace.Wait(now) == TimeSpan.Zero)
        {
            atOnce++;
        }

        Assert.InRange(atOnce, 0, 16);
        Assert.Equal(TimeSpan.Zero, pace.Wait(now.AddSeconds(1.01)));
    }

    [Fact]
    public void LessThanOneASecondIsARateToo()
    {
        var pace = new SendRate(0.5, Start.AddHours(-1));

        Assert.Equal(TimeSpan.Zero, pace.Wait(Start));
        Assert.Equal(TimeSpan.FromSeconds(2) + TimeSpan.FromTicks(1), pace.Wait(Start));
        Assert.Equal(TimeSpan.Zero, pace.Wait(Start.AddSeconds(2)));
    }
}

public sealed class EndpointBreakerTests
{
    private readonly FakeTimeProvider _clock = new(Given.Start);
    private int _sent;
    private int _closed;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AfterFiveFailuresNothingIsSentForFifteenSecondsAndThenOne()
    {
        var breaker = New();
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(EndpointCircuit.Closed, breaker.Circuit);
            await Send(breaker, 503);
        }

        Assert.Equal(EndpointCircuit.Open, breaker.Circuit);
        var refused = await Send(breaker, 204);
        Assert.True(refused.IsNoAttempt);
        Assert.Equal(TimeSpan.FromSeconds(15), refused.RetryAfter);
        Assert.Equal("Not sent: the endpoint failed too often just now, and is asked again in 15 s.", refused.Detail);
        Assert.Equal(5, _sent);

        _clock.Advance(TimeSpan.FromSeconds(15));
        Assert.Equal(WebhookVerdict.Delivered, (await Send(breaker, 204)).Verdict);
        Assert.Equal(EndpointCircuit.Closed, breaker.Circuit);
        Assert.Equal(1, _closed);
    }

    [Fact]
    public async Task WhatFailsWhenItIsTriedAgainWaitsTwiceAsLong()
    {
        var breaker = New();
        for (var i = 0; i < 5; i++)
        {
            await Send(breaker, 500);
        }

        var waits = new List<double>();
        for (var i = 0; i < 7; i++)
        {
            var wait = (await Send(breaker, 500)).RetryAfter!.Value;
            waits.Add(wait.TotalSeconds);
            _clock.Advance(wait);
            Assert.False((await Send(breaker, 500)).IsNoAttempt);
        }

        Assert.Equal([15, 30, 60, 120, 240, 300, 300], waits);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(301)]
    public async Task AnAnswerOfAnEndpointThatIsUpDoesNotOpenIt(int status)
    {
        var breaker = New();
        for (var i = 0; i < 20; i++)
        {
            await Send(breaker, status);
        }

        Assert.Equal(EndpointCircuit.Closed, breaker.Circuit);
        Assert.Equal(20, _sent);
    }

    [Fact]
    public async Task HalfOfThemFailingIsNeeded()
    {
        var breaker = New();
        for (var i = 0; i < 30; i++)
        {
            await Send(breaker, i % 3 == 2 ? 500 : 204);
        }

        Assert.Equal(EndpointCircuit.Closed, breaker.Circuit);
    }

    [Fact]
    public async Task ACallThatIsCancelledCountsForNothing()
    {
        var breaker = New();
        for (var i = 0; i < 10; i++)
        {
            await Assert.ThrowsAsync<OperationCanceledException>(() => breaker.Send(_ => throw new OperationCanceledException(), Cancel));
        }

        Assert.Equal(EndpointCircuit.Closed, breaker.Circuit);
    }

    private EndpointBreaker New() => new(_clock, () => _closed++);

    private Task<WebhookOutcome> Send(EndpointBreaker breaker, int status) =>
        breaker.Send(
            _ =>
            {
                _sent++;
                return Task.FromResult(WebhookOutcome.Answered(status, null, _clock.GetUtcNow()));
            },
            Cancel
        );
}
