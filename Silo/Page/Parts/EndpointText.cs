using System.Globalization;
using Grains.Interfaces.Orders;

namespace Silo.Page.Parts;

/// <summary>An endpoint in a word or two.</summary>
internal static class EndpointText
{
    /// <summary>How many of the last requests it took, in per cent; a dash before there was one.</summary>
    public static string Success(WebhookEndpoint endpoint) =>
        endpoint.Tries > 0 ? (endpoint.Delivered / (double)endpoint.Tries).ToString("P0", CultureInfo.InvariantCulture) : "-";

    /// <summary>What the last request came to, and when; a dash before there was one.</summary>
    public static string Last(WebhookEndpoint endpoint) =>
        endpoint.LastTries is [var last, ..] ? $"{last.Reason} {Numbers.Time(last.At)}" : "-";
}
