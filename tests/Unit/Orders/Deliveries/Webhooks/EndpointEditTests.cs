using Grains.Interfaces.Orders;
using Grains.Net;
using Grains.Orders.Deliveries.Webhooks;
using Xunit;

namespace Unit.Orders.Deliveries.Webhooks;

/// <summary>What an endpoint's owner changes, and what others are told of an endpoint.</summary>
public sealed class EndpointEditTests
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
    public void WhatIsNotNamedStays()
    {
        var edited = _new.Edit(null, null, 5, null, Start);
        Assert.Equal((_new.Url, 5.0, _new.Grace, _new.Secret), (edited.Url, edited.PerSecond, edited.Grace, edited.Secret));
        Assert.Equal("Edited: its rate is 5 a second.", edited.History[^1].Text);
        Assert.Null(edited.Edit(null, null, 0, null, Start).PerSecond);
    }

    [Fact]
    public void TheSameAgainChangesNothing() =>
        Assert.Same(_new, _new.Edit(new(_new.Url), ["order.paid"], null, EndpointState.Overlap, Start));

    [Fact]
    public void AnotherUrlIsAFreshStartAndItsQueryIsNotInTheHistory()
    {
        var edited = _new.Tried(Bad, Start).Edit(new("https://other.example/in?key=2"), null, null, null, Start);
        Assert.Equal((null, 0), (edited.FailingSince, edited.Failures));
        Assert.Equal("Edited: the URL is https://other.example/in?….", edited.History[^1].Text);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(3600, 2)]
    public void AfterARotationTheOldSecretSignsForTheEndpointsGrace(double seconds, int secrets)
    {
        var rotated = _new.Edit(null, null, null, TimeSpan.FromSeconds(seconds), Start).Rotate(WebhookSecret.New(), Start);
        Assert.Equal(secrets, rotated.Secrets(Start).Length);
        Assert.Single(rotated.Secrets(Start.AddSeconds(seconds)));
    }

    [Fact]
    public void APauseIsNotedOnceAndEnds()
    {
        var paused = _new.Pause(Start);
        Assert.Same(paused, paused.Pause(Start.AddDays(1)));
        Assert.Equal(Start, paused.PausedSince);
        Assert.Null(paused.Resume(Start.AddDays(1)).PausedSince);
        Assert.Same(_new, _new.Resume(Start));
    }

    [Theory]
    [InlineData("http://example.org/", null, null, null, "url")]
    [InlineData(null, "order.eaten", null, null, "events")]
    [InlineData(null, null, 0.01, null, "perSecond")]
    [InlineData(null, null, -1.0, null, "perSecond")]
    [InlineData(null, null, double.NaN, null, "perSecond")]
    [InlineData(null, null, 1e9, null, "perSecond")]
    [InlineData(null, null, null, -1.0, "graceSeconds")]
    [InlineData(null, null, null, 1e7, "graceSeconds")]
    [InlineData(null, null, null, null, "")]
    public void WhatIsWrongIsNamed(string? url, string? events, double? rate, double? grace, string name)
    {
        var change = new EditWebhook(url, events is null ? null : [events], rate, grace is { } time ? TimeSpan.FromSeconds(time) : null);
        Assert.Equal(name, WebhookEdit.Fault(change, allowHttp: false, AddressRanges.None, out _, out _)?.Name);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(-1.0)]
    [InlineData(1e300)]
    public void AGraceThatNoTimeCanBeMadeOfIsRefusedOverHttp(double seconds) =>
        Assert.NotNull(new EditWebhookForm(GraceSeconds: seconds).Read().Fault);

    [Fact]
    public void WhatHappensToAnEndpointIsAnEventForOthers()
    {
        var endpoint = _new.Tried(Bad, Start)
            .Tried(Bad, Start.AddSeconds(1))
            .Tried(Good, Start.AddSeconds(2))
            .Rotate(WebhookSecret.New(), Start.AddSeconds(3))
            .Disable("By its owner.", Start.AddSeconds(4))
            .Enable(Start.AddSeconds(5));
        Assert.Equal(
            ["webhook.failing", "webhook.recovered", "webhook.rotated", "webhook.disabled", "webhook.recovered"],
            endpoint.Untold.Select(happened => happened.Type)
        );
    }

    [Fact]
    public void ForOneEventTooManyTheOldestIsDroppedAndCounted()
    {
        var endpoint = _new;
        for (var i = 0; i <= EndpointState.MaxUntold; i++)
        {
            endpoint = endpoint.Rotate(WebhookSecret.New(), Start.AddSeconds(i));
        }

        Assert.Equal((EndpointState.MaxUntold, 1), (endpoint.Untold.Length, endpoint.Dropped));
        Assert.Equal(Start.AddSeconds(1), endpoint.Untold[0].At);
    }

    [Fact]
    public void ARowOfAVersionWithoutThemIsRead()
    {
        var row = System.Text.Encoding.UTF8.GetBytes(
            """{"url":"https://example.org/","events":[],"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw","isEnabled":true}"""
        );
        var state = EndpointTable.Read(new("0123456789", row, "1"));
        Assert.Equal((null, null, null, 0), (state.PausedSince, state.PerSecond, state.Grace, state.Untold.Length));
    }

    [Fact]
    public void EventsThatWaitToBeToldAreStoredAndReadBack()
    {
        var happened = _new.Tried(Bad, Start);
        happened = happened.For(happened.Untold[0], ["b", EventTarget.Operator], Start);
        var read = EndpointTable.Read(new("0123456789", EndpointTable.Write(happened), "1"));
        Assert.Equal(["b", EventTarget.Operator], read.Untold[0].Targets.Select(target => target.Name));
    }

    [Fact]
    public async Task EachTargetIsToldOnItsOwnScheduleUntilItIsToldOrGivenUp()
    {
        var (state, told) = (_new.Tried(Bad, Start), new List<(string Target, DateTimeOffset At)>());
        var now = Start;
        var announcement = new EndpointAnnouncement(
            [TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30)],
            (change, _) => Task.FromResult<EndpointState?>(state = change(state)),
            (target, _) =>
            {
                told.Add((target, now));
                return Task.FromResult(
                    target switch
                    {
                        "down" => new WebhookReply(WebhookSent.Failed, "http-500", "", null),
                        "off" => new WebhookReply(WebhookSent.Disabled, "endpoint-disabled", "", null),
                        "paused" when now < Start.AddMinutes(2) => new WebhookReply(
                            WebhookSent.NotNow,
                            "paused",
                            "",
                            TimeSpan.FromMinutes(1)
                        ),
                        _ => new WebhookReply(WebhookSent.Delivered, "http-204", "", null),
                    }
                );
            }
        );
        for (; now <= Start.AddMinutes(3); now = now.AddSeconds(1))
        {
            await announcement.Run(state, _ => Task.FromResult<IReadOnlyList<string>>(["up", "down", "off", "paused"]), now);
        }

        Assert.Empty(state.Untold);
        Assert.Equal([0.0], Seconds("up"));
        Assert.Equal([0.0, 5.0, 35.0], Seconds("down"));
        Assert.Equal([0.0], Seconds("off"));
        Assert.Equal([0.0, 60.0, 120.0], Seconds("paused"));
        Assert.Equal(
            [
                "off was not told of webhook.failing of 2026-03-01 12:00:00Z: endpoint-disabled.",
                "down was not told of webhook.failing of 2026-03-01 12:00:00Z: http-500.",
            ],
            state.History.TakeLast(2).Select(note => note.Text)
        );

        double[] Seconds(string target) => [.. told.Where(one => one.Target == target).Select(one => (one.At - Start).TotalSeconds)];
    }

    [Fact]
    public void AnEventHasOneIdForEveryTryAndNoFullStopInIt()
    {
        var happened = _new.Tried(Bad, Start).Untold[0];
        Assert.Matches("^msg_endpoint_0123456789_[0-9a-f]+_failing$", EndpointAnnouncement.IdOf("0123456789", happened));
    }
}
