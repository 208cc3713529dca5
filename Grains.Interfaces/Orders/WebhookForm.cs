using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Grains.Interfaces.Orders;

/// <summary>An endpoint as programs read it, over HTTP and from the console.</summary>
/// <param name="Url">Without what its query says.</param>
/// <param name="Circuit"><c>closed</c>, <c>open</c> or <c>half-open</c>.</param>
/// <param name="Rate">Requests per second that are allowed now.</param>
/// <param name="Window">Requests that may be under way now.</param>
/// <param name="InLine">Changes that wait for a place.</param>
/// <param name="PausedSince">Null while it is not paused.</param>
/// <param name="PerSecond">Requests per second that were set for it; null: as the silo's setting says.</param>
/// <param name="GraceSeconds">How long messages are signed with the old secret, too, after a rotation.</param>
/// <param name="Untold">Events about it that others have yet to be told.</param>
/// <param name="Dropped">Events about it that nobody was told: too many waited.</param>
/// <param name="Deliveries">In an answer about one endpoint.</param>
/// <param name="Secret">In the answer to who added it, and nowhere else.</param>
public sealed record WebhookForm(
    string Id,
    string Url,
    ImmutableArray<string> Events,
    bool Enabled,
    string? DisabledBecause,
    DateTimeOffset? FailingSince,
    int Failures,
    DateTimeOffset? OldSecretUntil,
    string Circuit,
    double Rate,
    int InFlight,
    int Window,
    int InLine,
    ImmutableArray<WebhookNoteForm> History,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] WebhookDeliveriesForm? Deliveries = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Secret = null,
    DateTimeOffset? PausedSince = null,
    double? PerSecond = null,
    double GraceSeconds = 0,
    int Untold = 0,
    long Dropped = 0
)
{
    /// <summary>What the subscribers that stand for endpoints are called.</summary>
    public const string Kind = "webhook";

    /// <summary>Why changes for a disabled endpoint are dead letters.</summary>
    public const string DisabledReason = "endpoint-disabled";

    public static WebhookForm Of(WebhookEndpoint endpoint) =>
        new(
            endpoint.Id,
            endpoint.Url,
            endpoint.Events,
            endpoint.IsEnabled,
            endpoint.DisabledBecause,
            endpoint.FailingSince,
            endpoint.Failures,
            endpoint.OldSecretUntil,
            endpoint.Circuit,
            endpoint.Rate,
            endpoint.InFlight,
            endpoint.Window,
            endpoint.InLine,
            [.. endpoint.History.Select(note => new WebhookNoteForm(note.At, note.Text))],
            PausedSince: endpoint.PausedSince,
            PerSecond: endpoint.PerSecond,
            GraceSeconds: endpoint.Grace.TotalSeconds,
            Untold: endpoint.Untold,
            Dropped: endpoint.Dropped
        );

    /// <summary>Of the subscriber that stands for the endpoint.</summary>
    public static string SubscriberOf(string id) => $"{Kind}-{id}";
}

public sealed record WebhookNoteForm(DateTimeOffset At, string Text);

/// <summary>How far the endpoint is, over all partitions.</summary>
/// <param name="Lag">Changes that it has yet to be told of, those that wait for a try again not counted.</param>
/// <param name="Waiting">Changes that are tried again later, or are being tried.</param>
public sealed record WebhookDeliveriesForm(long Lag, long Waiting, long Dead, ImmutableSortedDictionary<string, long> DeadByReason)
{
    public static WebhookDeliveriesForm Of(IReadOnlyCollection<SubscriberState> states) =>
        new(
            states.Sum(state => state.Lag),
            states.Sum(state => state.Waiting),
            states.Sum(state => state.Dead.Values.Sum()),
            states
                .SelectMany(state => state.Dead)
                .GroupBy(reason => reason.Key, StringComparer.Ordinal)
                .ToImmutableSortedDictionary(reason => reason.Key, reason => reason.Sum(pair => pair.Value), StringComparer.Ordinal)
        );
}

public sealed record WebhookListForm(ImmutableArray<WebhookForm> Webhooks);

/// <summary>What is asked for an endpoint.</summary>
/// <param name="Events">Types of changes: <c>order.paid</c>, or <c>paid</c>; all without it.</param>
/// <param name="Secret"><c>whsec_…</c>; one is made without it.</param>
public sealed record AddWebhookForm(string Url, ImmutableArray<string>? Events = null, string? Secret = null)
{
    /// <summary>Of a body.</summary>
    public const int MaxBytes = 8 * 1024;

    public AddWebhook Read() => new(Url, Events is { IsDefault: false } events ? events : [], Secret);
}

/// <param name="OldSecretUntil">So long messages are signed with the old one, too; null when the secret was the same.</param>
public sealed record WebhookRotatedForm(string Id, string Secret, DateTimeOffset? OldSecretUntil);

/// <param name="Dead">Changes that lie among the dead letters because it was disabled.</param>
/// <param name="Replay">The command that hands them to it again; null when there are none.</param>
public sealed record WebhookEnabledForm(string Id, bool Enabled, long Dead, string? Replay)
{
    public static WebhookEnabledForm Of(WebhookEndpoint endpoint, WebhookDeliveriesForm deliveries)
    {
        var dead = deliveries.DeadByReason.GetValueOrDefault(WebhookForm.DisabledReason);
        return new(
            endpoint.Id,
            endpoint.IsEnabled,
            dead,
            dead == 0
                ? null
                : $"orders dead-letters replay --subscriber {WebhookForm.SubscriberOf(endpoint.Id)} --reason {WebhookForm.DisabledReason}"
        );
    }
}

/// <param name="MessageId">The <c>webhook-id</c> that was sent.</param>
/// <param name="Status">What was answered; null where nothing was.</param>
public sealed record WebhookTestedForm(
    string Id,
    string MessageId,
    bool Delivered,
    string Reason,
    string Detail,
    int? Status,
    double Milliseconds
)
{
    public static WebhookTestedForm Of(string id, WebhookTested tested) =>
        new(
            id,
            tested.MessageId,
            tested.IsDelivered,
            tested.Reason,
            tested.Detail,
            tested.Status,
            Math.Round(tested.Took.TotalMilliseconds, 1)
        );
}
