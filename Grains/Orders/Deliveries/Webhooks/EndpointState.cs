using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization;

namespace Grains.Orders.Deliveries.Webhooks;

/// <summary>Something that happened to an endpoint: one line for whoever looks after it.</summary>
public sealed record EndpointNote(DateTimeOffset At, string Text);

/// <summary>Something that happened to an endpoint, until everybody is told who is to be.</summary>
/// <param name="Text">A sentence.</param>
public sealed record UntoldEvent(string Type, DateTimeOffset At, string Text)
{
    /// <summary>It is decided who is to be told: <see cref="Targets"/>.</summary>
    public bool HasTargets { get; init; }

    public ImmutableArray<EventTarget> Targets
    {
        get;
        init => field = value.IsDefault ? [] : value;
    } = [];
}

/// <param name="Name">An endpoint's id, or <see cref="Operator"/>.</param>
/// <param name="Attempts">Tries in vain.</param>
/// <param name="Due">When it is tried next.</param>
public sealed record EventTarget(string Name, int Attempts, DateTimeOffset Due)
{
    /// <summary>The operator, by mail (<c>Mail:Operator</c>).</summary>
    public const string Operator = "operator";
}

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

    /// <summary>Types of events that it asks for; none: every change of an order.</summary>
    public ImmutableArray<string> Events
    {
        get;
        init => field = value.IsDefault ? [] : value;
    } = [];

    /// <summary>As <see cref="WebhookSecret.Text"/>.</summary>
    public required string Secret { get; init; }

    public string? OldSecret { get; init; }

    public DateTimeOffset? OldSecretUntil { get; init; }

    public required bool IsEnabled { get; init; }

    /// <summary>
    /// Since when nothing is sent because its owner wants it so: what comes waits in the feed. Null while it is not paused.
    /// </summary>
    public DateTimeOffset? PausedSince { get; init; }

    /// <summary>Requests per second that were set for it; null: as the silo's setting says.</summary>
    public double? PerSecond { get; init; }

    /// <summary>How long messages are signed with the old secret, too; null: <see cref="Overlap"/>.</summary>
    public TimeSpan? Grace { get; init; }

    /// <summary>Events about it that others have yet to be told, the oldest first: at most <see cref="MaxUntold"/>.</summary>
    public ImmutableArray<UntoldEvent> Untold
    {
        get;
        init => field = value.IsDefault ? [] : value;
    } = [];

    /// <summary>Events that were dropped untold, because <see cref="MaxUntold"/> waited already.</summary>
    public long Dropped { get; init; }

    /// <summary>Events that wait to be told; for a further one the oldest is dropped, and counted.</summary>
    public const int MaxUntold = 20;

    /// <summary>When the first failure came that no success followed; null when the last try was a success, or there was none.</summary>
    public DateTimeOffset? FailingSince { get; init; }

    /// <summary>Failed tries since then.</summary>
    public int Failures { get; init; }

    public ImmutableArray<EndpointNote> History
    {
        get;
        init => field = value.IsDefault ? [] : value;
    } = [];

    public static EndpointState New(Uri url, ImmutableArray<string> events, WebhookSecret secret, DateTimeOffset now) =>
        new EndpointState
        {
            Url = url.AbsoluteUri,
            Events = events,
            Secret = secret.Text,
            IsEnabled = true,
        }.Note(now, $"Added for {Asked(events)}.");

    public bool Wants(string type) => IsEnabled && WebhookEvents.Includes(Events, type);

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
                ? (this with { FailingSince = null, Failures = 0 }).Happened(
                    WebhookEvents.Recovered,
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
            failed = failed.Happened(WebhookEvents.Failing, now, $"Fails: {outcome.Detail}");
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
    /// From now on it is signed with this one, and for <see cref="Grace"/> with the one before, too. One that is older still is signed with
    /// no
    /// more.
    /// </summary>
    public EndpointState Rotate(WebhookSecret secret, DateTimeOffset now)
    {
        if (secret.Text == Secret)
        {
            return this;
        }

        var until = now + (Grace ?? Overlap);
        var text = until > now ? $"Secret rotated; the old one signs until {Time(until)}." : "Secret rotated; the old one signs no more.";
        return (this with { Secret = secret.Text, OldSecret = Secret, OldSecretUntil = until }).Happened(WebhookEvents.Rotated, now, text);
    }

    /// <summary>Changes what is set, and notes what that was.</summary>
    /// <param name="url">As <see cref="WebhookUrl"/> allows. Another one is a fresh start: it has not failed yet.</param>
    /// <param name="events">In full.</param>
    /// <param name="perSecond">0: as the silo's setting says.</param>
    public EndpointState Edit(Uri? url, ImmutableArray<string>? events, double? perSecond, TimeSpan? grace, DateTimeOffset now)
    {
        var (next, changes) = (this, new List<string>());
        if (url is not null && url.AbsoluteUri != Url)
        {
            next = next with { Url = url.AbsoluteUri, FailingSince = null, Failures = 0 };
            changes.Add($"the URL is {next.ShownUrl}");
        }

        if (events is { } asked && !asked.SequenceEqual(Events))
        {
            next = next with { Events = asked };
            changes.Add($"it is told of {Asked(asked)}");
        }

        var rate = perSecond is 0 ? null : perSecond ?? PerSecond;
        if (rate != PerSecond)
        {
            next = next with { PerSecond = rate };
            changes.Add(
                rate is null ? "its rate is the silo's" : string.Create(CultureInfo.InvariantCulture, $"its rate is {rate} a second")
            );
        }

        if (grace is { } time && time != (Grace ?? Overlap))
        {
            next = next with { Grace = time };
            changes.Add($"after a rotation the old secret signs for {time}");
        }

        return changes.Count == 0 ? this : next.Note(now, $"Edited: {string.Join("; ", changes)}.");
    }

    public EndpointState Pause(DateTimeOffset now) =>
        PausedSince is null ? (this with { PausedSince = now }).Note(now, "Paused: what comes waits.") : this;

    public EndpointState Resume(DateTimeOffset now) =>
        PausedSince is { } since ? (this with { PausedSince = null }).Note(now, $"Resumed; it was paused since {Time(since)}.") : this;

    public EndpointState Enable(DateTimeOffset now) =>
        IsEnabled
            ? this
            : (this with { IsEnabled = true, FailingSince = null, Failures = 0 }).Happened(WebhookEvents.Recovered, now, "Enabled.");

    /// <param name="why">A sentence.</param>
    public EndpointState Disable(string why, DateTimeOffset now) =>
        IsEnabled ? (this with { IsEnabled = false }).Happened(WebhookEvents.Disabled, now, DisabledMark + why) : this;

    /// <summary>Without its secrets, and without what may be one in its URL's query.</summary>
    public override string ToString() => $"{new Uri(Url).GetLeftPart(UriPartial.Path)} ({(IsEnabled ? "enabled" : "disabled")})";

    /// <summary>Who is to be told of the event: decided once, when it is first told.</summary>
    public EndpointState For(UntoldEvent happened, IEnumerable<string> targets, DateTimeOffset now) =>
        With(happened, [.. targets.Select(name => new EventTarget(name, 0, now))]);

    /// <summary>The target was told, or needs not be.</summary>
    public EndpointState Told(UntoldEvent happened, string target) =>
        Find(happened) is { } found ? With(found, found.Targets.RemoveAll(one => one.Name == target)) : this;

    /// <summary>The target was tried in vain, and is tried again after this wait; null: it is given up, and the history says so.</summary>
    /// <param name="why">In a word or two.</param>
    public EndpointState NotTold(UntoldEvent happened, string target, TimeSpan? wait, string why, DateTimeOffset now) =>
        Find(happened) is not { } found ? this
        : wait is { } time
            ? With(
                found,
                [.. found.Targets.Select(one => one.Name == target ? one with { Attempts = one.Attempts + 1, Due = now + time } : one)]
            )
        : Told(found, target).Note(now, $"{target} was not told of {happened.Type} of {Time(happened.At)}: {why}.");

    /// <summary>The target could not be tried just now: after this wait it is. No attempt is counted.</summary>
    public EndpointState Later(UntoldEvent happened, string target, TimeSpan wait, DateTimeOffset now) =>
        Find(happened) is { } found
            ? With(found, [.. found.Targets.Select(one => one.Name == target ? one with { Due = now + wait } : one)])
            : this;

    private UntoldEvent? Find(UntoldEvent happened) => Untold.FirstOrDefault(one => one.At == happened.At && one.Type == happened.Type);

    private EndpointState With(UntoldEvent happened, ImmutableArray<EventTarget> targets)
    {
        var index = Find(happened) is { } found ? Untold.IndexOf(found) : -1;
        return index < 0 ? this
            : targets.IsEmpty ? this with { Untold = Untold.RemoveAt(index) }
            : this with { Untold = Untold.SetItem(index, Untold[index] with { HasTargets = true, Targets = targets }) };
    }

    private EndpointState Happened(string type, DateTimeOffset now, string text)
    {
        var (kept, dropped) = Untold.Length >= MaxUntold ? (Untold.RemoveAt(0), Dropped + 1) : (Untold, Dropped);
        return Note(now, text) with { Untold = kept.Add(new(type, now, text)), Dropped = dropped };
    }

    private static string Asked(ImmutableArray<string> events) => events.IsEmpty ? "every change" : string.Join(", ", events);

    private EndpointState Note(DateTimeOffset now, string text) =>
        this with
        {
            History = (History.Length >= MaxNotes ? History.RemoveRange(0, History.Length - MaxNotes + 1) : History).Add(new(now, text)),
        };

    private static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
