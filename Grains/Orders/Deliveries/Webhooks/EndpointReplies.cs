using Grains.Interfaces.Orders;

namespace Grains.Orders.Deliveries.Webhooks;

/// <summary>What an endpoint answers to whoever has something for it.</summary>
internal static class EndpointReplies
{
    /// <summary>A paused endpoint's changes ask again after this.</summary>
    private static readonly TimeSpan PausedWait = TimeSpan.FromSeconds(5);

    /// <summary>Why nothing goes out; null where it may. A pause comes first: what it holds back is no dead letter.</summary>
    public static WebhookReply? Withheld(EndpointState state) =>
        state.PausedSince is not null
            ? new(WebhookSent.NotNow, "paused", "The endpoint is paused: \"orders webhooks resume\" sends what waits.", PausedWait)
        : state.IsEnabled ? null
        : Disabled(state);

    public static WebhookReply NotWanted(string detail) => new(WebhookSent.NotWanted, "not-wanted", detail, After: null);

    /// <summary>The gate let nothing out.</summary>
    /// <param name="state">
    /// The endpoint as it was when it was asked, or as it is now where it changed while the request waited; null: there is none any more.
    /// </param>
    public static WebhookReply NotTried(WebhookOutcome outcome, EndpointState? state) =>
        state is null
            ? NotWanted("There is no such endpoint any more.")
            : Withheld(state) ?? new(WebhookSent.NotNow, outcome.Reason, outcome.Detail, outcome.RetryAfter);

    /// <summary>A request was sent.</summary>
    /// <param name="after">The endpoint as it is since; null: that is not known.</param>
    public static WebhookReply Tried(WebhookOutcome outcome, EndpointState? after)
    {
        var reply =
            outcome.Verdict == WebhookVerdict.Delivered ? new(WebhookSent.Delivered, outcome.Reason, outcome.Detail, After: null)
            : after is { IsEnabled: false } ? Disabled(after)
            : new WebhookReply(WebhookSent.Failed, outcome.Reason, outcome.Detail, outcome.RetryAfter);
        return reply with { Answer = outcome.Answer };
    }

    private static WebhookReply Disabled(EndpointState state) =>
        new(WebhookSent.Disabled, WebhookForm.DisabledReason, $"The endpoint is disabled: {state.DisabledBecause}", After: null);
}
