using System.Collections.Immutable;

namespace Grains.Orders.Deliveries.Webhooks;

/// <summary>The types of events that an endpoint can ask for: changes of orders, and what happens to other endpoints.</summary>
public static class WebhookEvents
{
    /// <summary>Another endpoint began to fail.</summary>
    public const string Failing = "webhook.failing";

    /// <summary>Another endpoint was disabled: changes for it become dead letters.</summary>
    public const string Disabled = "webhook.disabled";

    /// <summary>Another endpoint that had failed answers again, or was enabled again.</summary>
    public const string Recovered = "webhook.recovered";

    /// <summary>Another endpoint signs with a new secret.</summary>
    public const string Rotated = "webhook.rotated";

    private const string EndpointPrefix = "webhook.";

    private const string OrderPrefix = "order.";

    /// <summary>What happens to endpoints. An endpoint is told of these only where it names them.</summary>
    public static readonly ImmutableArray<string> OfEndpoints = [Failing, Disabled, Recovered, Rotated];

    /// <summary>Everything that an endpoint can ask for.</summary>
    public static readonly ImmutableArray<string> All = [.. ChangeTypes.All, .. OfEndpoints];

    /// <summary>
    /// Whether an endpoint that asks for these is told of this type. One that asks for nothing is told of every change of an order.
    /// </summary>
    public static bool Includes(ImmutableArray<string> asked, string type) =>
        asked.Contains(type) || (asked.IsEmpty && !type.StartsWith(EndpointPrefix, StringComparison.Ordinal));

    /// <summary><c>paid</c> is short for <c>order.paid</c>; what is named twice is named once.</summary>
    public static ImmutableArray<string> InFull(ImmutableArray<string> asked) =>
        [
            .. asked
                .Select(name => name.Contains('.', StringComparison.Ordinal) ? name : OrderPrefix + name)
                .Distinct(StringComparer.Ordinal),
        ];

    /// <returns>A sentence that names the first event that does not exist; null when all do.</returns>
    public static string? Fault(ImmutableArray<string> asked) =>
        asked.FirstOrDefault(name => !All.Contains(name)) is { } unknown
            ? $"\"{(unknown.Length > 40 ? unknown[..40] + "…" : unknown)}\" is no event; events are {string.Join(", ", All)}."
            : null;
}
