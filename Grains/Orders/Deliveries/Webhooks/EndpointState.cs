using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization;

namespace Grains.Orders.Deliveries.Webhooks;

/// <summary>Something that happened to an endpoint: one line for whoever looks after it.</summary>
public sealed record EndpointNote(DateTimeOffset At, string Text);

/// <summary>An endpoint as it is stored, and the rules of its life. Immutable: each verb answers what it is from then on.</summary>
/// <remarks>
/// It is disabled by its owner, by a 410, and when nothing but failures came for <see cref="FailsFor"/>; its owner enables it again.
/// </remarks>
public sealed record EndpointState
{
    /// <summary>
    /// So long after the first failure that no success followed, the next failure disables it, unless a setting says otherwise.
    /// </summary>
    public static readonly TimeSpan FailsFor = TimeSpan.FromDays(5);

    /// <summary>So long messages are signed with the old secret, too.</summary>
    public static readonly TimeSpan Overlap = TimeSpan.FromHours(24);

    /// <summary>Of its history; the oldest note goes first.</summary>
    public const int MaxNotes = 50;

    public required string Url { get; init; }

    private const string DisabledMark = "Disabled. ";

    /// <summary>Types that it wants; none: all. They never change.</summary>
    public ImmutableArray<string> Events { get; init; } = [];

    /// <summary>As <see cref="WebhookSecret.Text"/>.</summary>
    public required string Secret { get; init; }

    public string? OldSecret { get; init; }

    public DateTimeOffset? OldSecretUntil { get; init; }

    public required bool IsEnabled { get; init; }

    /// <summary>When the first failure came that no success followed; null when the last try was a success, or there was none.</summary>
    public DateTimeOffset? FailingSince { get; init; }

    /// <summary>Failed tries since then.</summary>
    public int Failures { get; init; }

    public ImmutableArray<EndpointNote> History { get; init; } = [];

    public static EndpointState New(Uri url, ImmutableArray<string> events, WebhookSecret secret, DateTimeOffset now) =>
        new EndpointState
        {
            Url = url.AbsoluteUri,
            Events = events,
            Secret = secret.Text,
            IsEnabled = true,
        }.Note(now, $"Added for {(events.IsEmpty ? "every change" : string.Join(", ", events))}.");

    /// <summary><c>paid</c> is short for <c>order.paid</c>; what is named twice is named once.</summary>
    public static ImmutableArray<string> InFull(ImmutableArray<string> events) =>
        [.. events.Select(name => name.Contains('.', StringComparison.Ordinal) ? name : "order." + name).Distinct(StringComparer.Ordinal)];

    /// <summary>Whether the names of events are ones that exist.</summary>
    /// <returns>A sentence that names the first which is not; null when all are.</returns>
    public static string? Fault(ImmutableArray<string> events) =>
        events.FirstOrDefault(name => !ChangeTypes.All.Contains(name)) is { } unknown
            ? $"\"{(unknown.Length > 40 ? unknown[..40] + "…" : unknown)}\" is no event; events are "
                + $"{string.Join(", ", ChangeTypes.All)}."
            : null;

    public bool Wants(string type) => IsEnabled && (Events.IsEmpty || Events.Contains(type));

    /// <summary>What a message is signed with at this time, the newest first.</summary>
    public ImmutableArray<WebhookSecret> Secrets(DateTimeOffset now) =>
        OldSecret is { } old && now < OldSecretUntil
            ? [WebhookSecret.Parse(Secret), WebhookSecret.Parse(old)]
            : [WebhookSecret.Parse(Secret)];

    /// <summary>Why it is disabled, as its history has it; null while it is enabled.</summary>
    [JsonIgnore]
    public string? DisabledBecause =>
        IsEnabled
            ? null
            : History.LastOrDefault(note => note.Text.StartsWith(DisabledMark, StringComparison.Ordinal))?.Text[DisabledMark.Length..]
                ?? "Nobody said why.";

    /// <summary>Without what may be a secret in its query.</summary>
    [JsonIgnore]
    public string ShownUrl => new Uri(Url) is { Query.Length: > 0 } url ? url.GetLeftPart(UriPartial.Path) + "?…" : Url;

    /// <summary>What a try came to. One that was begun before it was disabled changes nothing any more.</summary>
    /// <param name="failsFor">How long nothing but failures may come; null: <see cref="FailsFor"/>.</param>
    public EndpointState Tried(WebhookOutcome outcome, DateTimeOffset now, TimeSpan? failsFor = null)
    {
        if (!IsEnabled || outcome.IsNoAttempt)
        {
            return this;
        }

        if (outcome.Verdict == WebhookVerdict.Delivered)
        {
            return FailingSince is { } failing
                ? (this with { FailingSince = null, Failures = 0 }).Note(
                    now,
                    $"Answers again; it had failed since {Time(failing)}, {Failures} {(Failures == 1 ? "try" : "tries")} in all."
                )
                : this;
        }

        // A clock that went back does not lengthen the time.
        var since = FailingSince is { } first && first <= now ? first : now;
        var failed = this with { FailingSince = since, Failures = Failures == int.MaxValue ? Failures : Failures + 1 };
        if (FailingSince is null)
        {
            failed = failed.Note(now, $"Fails: {outcome.Detail}");
        }

        return outcome.Verdict == WebhookVerdict.Disable ? failed.Disable(outcome.Detail, now)
            : now - since >= (failsFor ?? FailsFor)
                ? failed.Disable(
                    $"Nothing but failures since {Time(since)}, {failed.Failures} tries in all; the last one: {outcome.Detail}",
                    now
                )
            : failed;
    }

    /// <summary>
    /// From now on it is signed with this one, and for <see cref="Overlap"/> with the one before, too. One that is older still is signed
    /// with no more.
    /// </summary>
    public EndpointState Rotate(WebhookSecret secret, DateTimeOffset now) =>
        secret.Text == Secret
            ? this
            : (this with { Secret = secret.Text, OldSecret = Secret, OldSecretUntil = now + Overlap }).Note(
                now,
                $"Secret rotated; the old one signs until {Time(now + Overlap)}."
            );

    public EndpointState Enable(DateTimeOffset now) =>
        IsEnabled ? this : (this with { IsEnabled = true, FailingSince = null, Failures = 0 }).Note(now, "Enabled.");

    /// <param name="why">A sentence.</param>
    public EndpointState Disable(string why, DateTimeOffset now) =>
        IsEnabled ? (this with { IsEnabled = false }).Note(now, DisabledMark + why) : this;

    /// <summary>Without its secrets, and without what may be one in its URL's query.</summary>
    public override string ToString() => $"{new Uri(Url).GetLeftPart(UriPartial.Path)} ({(IsEnabled ? "enabled" : "disabled")})";

    private EndpointState Note(DateTimeOffset now, string text) =>
        this with
        {
            History = (History.Length >= MaxNotes ? History.RemoveRange(0, History.Length - MaxNotes + 1) : History).Add(new(now, text)),
        };

    private static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
