using System.Collections.Immutable;
using System.Security.Cryptography;
using Orleans.Concurrency;

namespace Grains.Interfaces.Orders;

/// <summary>
/// One endpoint that is told of orders' changes: it owns the endpoint's row, and decides when a request goes out. The key is the endpoint's
/// id (<see cref="WebhookId"/>).
/// </summary>
/// <remarks>All verbs may be asked of an id that there is no endpoint of; they say so by null or false.</remarks>
[Alias("orders.IWebhookEndpointGrain")]
public interface IWebhookEndpointGrain : IGrainWithStringKey
{
    /// <summary>
    /// Tries once to tell the endpoint, and answers what it came to, within 28 s. Where as many requests are in flight as may, it waits in
    /// line for up to 10 s; where that is not enough, where the
    /// rate is used up or the circuit is open, nothing is sent, and the answer says when to come again.
    /// </summary>
    [Alias("Send")]
    Task<WebhookReply> Send(OrderChange change, CancellationToken cancel = default);

    /// <summary>The types of events that it asks for; none: every change of an order. Null when there is no such endpoint.</summary>
    [Alias("Events")]
    Task<ImmutableArray<string>?> Events(CancellationToken cancel = default);

    /// <summary>How it is. Nothing secret is in it.</summary>
    [Alias("Show")]
    Task<WebhookEndpoint?> Show(CancellationToken cancel = default);

    /// <summary>
    /// From now on messages are signed with a new secret, and for its grace with the one before, too. Durable when it answers. The same
    /// secret again changes nothing.
    /// </summary>
    /// <param name="secret">As the endpoint's owner wants it; null: one is made.</param>
    [Alias("Rotate")]
    Task<WebhookRotated?> Rotate(string? secret, CancellationToken cancel = default);

    /// <summary>
    /// Requests go out again, slowly at first. Durable when it answers. What became a dead letter meanwhile stays one until it is replayed.
    /// </summary>
    [Alias("Enable")]
    Task<WebhookEndpoint?> Enable(CancellationToken cancel = default);

    /// <summary>
    /// Changes what is set; the rest stays. Durable when it answers. For the list, which has every subscriber of the endpoint go by it.
    /// </summary>
    [Alias("Edit")]
    Task<WebhookEdited> Edit(EditWebhook change, CancellationToken cancel = default);

    /// <summary>
    /// Sends nothing until <see cref="Resume"/>: what comes waits in the feed, and no dead letter comes of it. Durable when it answers.
    /// </summary>
    [Alias("Pause")]
    Task<WebhookEndpoint?> Pause(CancellationToken cancel = default);

    /// <summary>Sends again what has waited, slowly at first. Durable when it answers.</summary>
    [Alias("Resume")]
    Task<WebhookEndpoint?> Resume(CancellationToken cancel = default);

    /// <summary>Tries once to tell this endpoint what happened to another one, as <see cref="Send"/> does.</summary>
    [Alias("Notify")]
    Task<WebhookReply> Notify(EndpointEvent happened, CancellationToken cancel = default);

    /// <summary>
    /// Tells others what happened to this endpoint, as far as it is due. Called after it happened, and every few seconds after.
    /// </summary>
    [Alias("Announce"), OneWay]
    Task Announce();

    /// <summary>
    /// Sends a test message now, past line, rate and circuit, and to a disabled endpoint as well. It changes nothing of the endpoint's
    /// state.
    /// </summary>
    [Alias("Test")]
    Task<WebhookTested?> Test(CancellationToken cancel = default);

    /// <summary>
    /// Removes its row: nothing goes out any more. Durable when it answers. For the list, which takes away what its subscribers keep. False
    /// when there is none.
    /// </summary>
    [Alias("Remove")]
    Task<bool> Remove(CancellationToken cancel = default);
}

/// <summary>An endpoint's id: ten lower-case letters and digits, by chance.</summary>
public static class WebhookId
{
    public const int Length = 10;

    /// <summary>Without i, l, o and u, which are taken for others.</summary>
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

    public static string New() => RandomNumberGenerator.GetString(Alphabet, Length);

    public static bool IsOne(string? text) =>
        text is { Length: Length } && text.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character));
}

public enum WebhookSent
{
    /// <summary>The endpoint took it.</summary>
    Delivered,

    /// <summary>It did not, and it is to be tried again.</summary>
    Failed,

    /// <summary>Nothing was sent; it can be asked for again after a while.</summary>
    NotNow,

    /// <summary>The endpoint is disabled, before or by this try: nothing goes out until somebody enables it.</summary>
    Disabled,

    /// <summary>It is nothing that this endpoint wants, or there is no such endpoint (any more).</summary>
    NotWanted,
}

/// <param name="Reason">A word or two: <c>http-204</c>, <c>timeout</c>, <c>circuit-open</c>.</param>
/// <param name="Detail">A sentence. Nothing personal.</param>
/// <param name="After">Not now: when to come again. Failed: what the endpoint asked to wait for, if it did.</param>
[GenerateSerializer, Immutable, Alias("orders.WebhookReply")]
public sealed record WebhookReply(
    [property: Id(0)] WebhookSent Sent,
    [property: Id(1)] string Reason,
    [property: Id(2)] string Detail,
    [property: Id(3)] TimeSpan? After
)
{
    /// <summary>
    /// The beginning of what the endpoint answered, at most <see cref="HandlingTry.MaxAnswerBytes"/> bytes; null where nothing can be read.
    /// </summary>
    [Id(4)]
    public string? Answer { get; init; }
}

/// <summary>An endpoint as it is. Nothing secret is in it.</summary>
/// <param name="Url">Without what its query says: that may be a secret.</param>
/// <param name="Events">Types of changes that it wants; none: all.</param>
/// <param name="DisabledBecause">A sentence; null while it is enabled.</param>
/// <param name="FailingSince">When the first failure came that no success followed.</param>
/// <param name="Failures">Failed tries since then. What came after the last write, a minute at most, is forgotten with a crash.</param>
/// <param name="OldSecretUntil">So long messages are signed with the secret before, too; null when they are not.</param>
/// <param name="Circuit"><c>closed</c>, <c>open</c> or <c>half-open</c>.</param>
/// <param name="Rate">Requests per second that are allowed now.</param>
/// <param name="InFlight">Requests that are under way.</param>
/// <param name="Window">So many may be under way now.</param>
/// <param name="InLine">Changes that wait for a place.</param>
/// <param name="History">The oldest first.</param>
[GenerateSerializer, Immutable, Alias("orders.WebhookEndpoint")]
public sealed record WebhookEndpoint(
    [property: Id(0)] string Id,
    [property: Id(1)] string Url,
    [property: Id(2)] ImmutableArray<string> Events,
    [property: Id(3)] bool IsEnabled,
    [property: Id(4)] string? DisabledBecause,
    [property: Id(5)] DateTimeOffset? FailingSince,
    [property: Id(6)] int Failures,
    [property: Id(7)] DateTimeOffset? OldSecretUntil,
    [property: Id(8)] string Circuit,
    [property: Id(9)] double Rate,
    [property: Id(10)] int InFlight,
    [property: Id(11)] int Window,
    [property: Id(12)] int InLine,
    [property: Id(13)] ImmutableArray<WebhookNote> History
)
{
    /// <summary>Since when it is paused; null while it is not.</summary>
    [Id(14)]
    public DateTimeOffset? PausedSince { get; init; }

    /// <summary>Requests per second that were set for this endpoint; null: as <c>Webhooks:PerSecond</c> says.</summary>
    [Id(15)]
    public double? PerSecond { get; init; }

    /// <summary>How long messages are signed with the old secret, too, after a rotation.</summary>
    [Id(16)]
    public TimeSpan Grace { get; init; }

    /// <summary>Events about this endpoint that others have yet to be told.</summary>
    [Id(17)]
    public int Untold { get; init; }

    /// <summary>Events about this endpoint that nobody was told: too many waited.</summary>
    [Id(18)]
    public long Dropped { get; init; }

    /// <summary>The last requests that were sent, 100 at most, tests not counted; forgotten when its grain is.</summary>
    [Id(19)]
    public int Tries { get; init; }

    /// <summary>Of <see cref="Tries"/>, those that the endpoint took.</summary>
    [Id(20)]
    public int Delivered { get; init; }

    /// <summary>What the last ten of <see cref="Tries"/> came to, the newest first.</summary>
    [Id(21)]
    public ImmutableArray<WebhookTry> LastTries
    {
        get => field.IsDefault ? [] : field;
        init;
    } = [];
}

/// <summary>A request to an endpoint, and what it came to. Nothing personal is in it.</summary>
/// <param name="Reason">A word or two: <c>http-204</c>, <c>timeout</c>.</param>
/// <param name="Detail">A sentence.</param>
[GenerateSerializer, Immutable, Alias("orders.WebhookTry")]
public sealed record WebhookTry(
    [property: Id(0)] DateTimeOffset At,
    [property: Id(1)] bool IsDelivered,
    [property: Id(2)] string Reason,
    [property: Id(3)] string Detail
);

[GenerateSerializer, Immutable, Alias("orders.WebhookNote")]
public sealed record WebhookNote([property: Id(0)] DateTimeOffset At, [property: Id(1)] string Text);

/// <param name="Secret">The new one, shown here only; null when it was refused.</param>
/// <param name="OldSecretUntil">So long messages are signed with the old one, too.</param>
/// <param name="Error">Why it was refused: a sentence.</param>
[GenerateSerializer, Immutable, Alias("orders.WebhookRotated")]
public sealed record WebhookRotated(
    [property: Id(0)] string? Secret,
    [property: Id(1)] DateTimeOffset? OldSecretUntil,
    [property: Id(2)] string? Error
);

/// <summary>What a test came to.</summary>
/// <param name="MessageId">The <c>webhook-id</c> that was sent.</param>
/// <param name="Status">What was answered; null where nothing was.</param>
/// <param name="Took">From the first byte out to the last one in.</param>
[GenerateSerializer, Immutable, Alias("orders.WebhookTested")]
public sealed record WebhookTested(
    [property: Id(0)] string MessageId,
    [property: Id(1)] bool IsDelivered,
    [property: Id(2)] string Reason,
    [property: Id(3)] string Detail,
    [property: Id(4)] int? Status,
    [property: Id(5)] TimeSpan Took
);
