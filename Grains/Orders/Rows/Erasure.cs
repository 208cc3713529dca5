using System.Collections.Immutable;
using Grains.Interfaces.Orders;

namespace Grains.Orders.Rows;

/// <summary>
/// An order without what is personal in it: who ordered, where they are written to and in which language, and their notes.
/// </summary>
public static class Erasure
{
    /// <summary>Stands where the customer stood.</summary>
    public const string Customer = "erased";

    public static Order Of(Order order) => order with { Customer = Customer, Email = null, Language = null, Notes = null };

    /// <summary>
    /// A try without its free text, in which a mail server or an endpoint may have repeated an address or a name: only the group of its
    /// outcome stays.
    /// </summary>
    public static ImmutableArray<HandlingTry> Of(ImmutableArray<HandlingTry> history) =>
        history.IsDefaultOrEmpty ? history : [.. history.Select(tried => tried with { What = tried.What.Split(':')[0], Answer = null })];

    public static KeptChangeRow Of(KeptChangeRow row) =>
        row with
        {
            Order = Of(row.Order),
            History = Of(row.History),
            Detail = row.Detail is null ? null : "",
        };

    public static DeliveryRow Of(DeliveryRow row) => row with { Detail = "", History = Of(row.History) };

    public static bool IsDone(Order order) => order is { Customer: Customer, Email: null, Language: null, Notes: null };
}
