using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Grains.Net;

namespace Grains.Orders.Deliveries.Webhooks;

/// <summary>Checks what is asked to change of an endpoint.</summary>
internal static class WebhookEdit
{
    /// <param name="url">As it is asked for; null: it stays.</param>
    /// <param name="events">In full; null: they stay.</param>
    /// <returns>What is wrong first: the setting by its name in JSON, and a sentence; null when nothing is.</returns>
    public static (string Name, string Fault)? Fault(
        EditWebhook change,
        bool allowHttp,
        AddressRanges ranges,
        out Uri? url,
        out ImmutableArray<string>? events
    )
    {
        (url, events) = (null, change.Events is { IsDefault: false } asked ? WebhookEvents.InFull(asked) : null);
        if (change.IsEmpty)
        {
            return ("", "Nothing is to change: name a URL, events, a rate or a grace.");
        }

        if (change.Url is not null && !WebhookUrl.TryParse(change.Url, allowHttp, ranges, out url, out var error))
        {
            return ("url", error);
        }

        return events is { } names && WebhookEvents.Fault(names) is { } fault ? ("events", fault) : change.OutOfBounds();
    }
}
