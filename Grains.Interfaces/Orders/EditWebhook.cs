using System.Collections.Immutable;

namespace Grains.Interfaces.Orders;

/// <summary>What is to change of an endpoint. What is null stays as it is.</summary>
/// <param name="Events">Types of events; none: every change of an order.</param>
/// <param name="PerSecond">Requests per second; 0: as <c>Webhooks:PerSecond</c> says.</param>
/// <param name="Grace">How long messages are signed with the old secret, too, after a rotation: 0 to <see cref="MaxGrace"/>.</param>
[GenerateSerializer, Immutable, Alias("orders.EditWebhook")]
public sealed record EditWebhook(
    [property: Id(0)] string? Url = null,
    [property: Id(1)] ImmutableArray<string>? Events = null,
    [property: Id(2)] double? PerSecond = null,
    [property: Id(3)] TimeSpan? Grace = null
)
{
    /// <summary>Requests per second at least, where they are set.</summary>
    public const double LeastPerSecond = 0.1;

    /// <summary>Requests per second at most.</summary>
    public const double MostPerSecond = 100_000;

    public static readonly TimeSpan MaxGrace = TimeSpan.FromDays(30);

    /// <summary>Nothing is to change.</summary>
    public bool IsEmpty => Url is null && Events is null && PerSecond is null && Grace is null;

    /// <returns>A sentence about a number that is out of its bounds, and the setting that it is of; null when none is.</returns>
    public (string Name, string Fault)? OutOfBounds() =>
        PerSecond is { } rate && rate != 0 && !(rate is >= LeastPerSecond and <= MostPerSecond)
            ? (
                "perSecond",
                FormattableString.Invariant(
                    $"Requests per second are {LeastPerSecond} to {MostPerSecond:0}, or 0 for the silo's setting; this is {rate}."
                )
            )
        : Grace is { } grace && (grace < TimeSpan.Zero || grace > MaxGrace)
            ? (
                "graceSeconds",
                FormattableString.Invariant(
                    $"The grace of a rotation is 0 to {MaxGrace.TotalDays:0} days; this is {grace.TotalSeconds:0.###} seconds."
                )
            )
        : null;

    /// <summary>Without what may be a secret in the URL.</summary>
    public override string ToString() => "a change of a webhook";
}

/// <param name="Endpoint">As it is now; null when there is none, or the change was refused.</param>
/// <param name="Refused">The setting that was refused, by its name in JSON; null when none was.</param>
/// <param name="Error">Why: a sentence.</param>
[GenerateSerializer, Immutable, Alias("orders.WebhookEdited")]
public sealed record WebhookEdited(
    [property: Id(0)] WebhookEndpoint? Endpoint,
    [property: Id(1)] string? Refused = null,
    [property: Id(2)] string? Error = null
);

/// <summary>Something that happened to an endpoint, for other endpoints and for the operator.</summary>
/// <param name="Id">The same on every try: a receiver knows a repeat by it.</param>
/// <param name="Type"><c>webhook.failing</c>, <c>webhook.disabled</c>, <c>webhook.recovered</c> or <c>webhook.rotated</c>.</param>
/// <param name="Endpoint">The id of the endpoint that it happened to.</param>
/// <param name="Url">Without what its query says: that may be a secret.</param>
/// <param name="Text">A sentence.</param>
[GenerateSerializer, Immutable, Alias("orders.EndpointEvent")]
public sealed record EndpointEvent(
    [property: Id(0)] string Id,
    [property: Id(1)] string Type,
    [property: Id(2)] DateTimeOffset At,
    [property: Id(3)] string Endpoint,
    [property: Id(4)] string Url,
    [property: Id(5)] string Text
);

/// <summary>What is asked to change of an endpoint, over HTTP. What is left out, or null, stays as it is.</summary>
/// <param name="Events">Types of events: <c>order.paid</c>, or <c>paid</c>; an empty list: every change of an order.</param>
/// <param name="PerSecond">Requests per second; 0: as the silo's setting says.</param>
/// <param name="GraceSeconds">How long messages are signed with the old secret, too, after a rotation.</param>
public sealed record EditWebhookForm(
    string? Url = null,
    ImmutableArray<string>? Events = null,
    double? PerSecond = null,
    double? GraceSeconds = null
)
{
    /// <summary>What was asked for, or a sentence about a number that no time can be made of.</summary>
    public (EditWebhook? Change, string? Fault) Read() =>
        GraceSeconds is { } seconds && !(seconds >= 0 && seconds <= EditWebhook.MaxGrace.TotalSeconds)
            ? (
                null,
                FormattableString.Invariant(
                    $"The grace of a rotation is 0 to {EditWebhook.MaxGrace.TotalSeconds:0} seconds; this is {seconds}."
                )
            )
            : (
                new(
                    Url,
                    Events is { IsDefault: false } events ? events : null,
                    PerSecond,
                    GraceSeconds is { } grace ? TimeSpan.FromSeconds(grace) : null
                ),
                null
            );
}
