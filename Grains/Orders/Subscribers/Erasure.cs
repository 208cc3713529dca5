using Grains.Interfaces.Orders;

namespace Grains.Orders.Subscribers;

/// <summary>An order without what is personal in it: who ordered, where they are written to and in which language, and their notes.</summary>
public static class Erasure
{
    /// <summary>Stands where the customer stood.</summary>
    public const string Customer = "erased";

    public static Order Of(Order order) => order with { Customer = Customer, Email = null, Language = null, Notes = null };

    public static bool IsDone(Order order) => order is { Customer: Customer, Email: null, Language: null, Notes: null };
}
