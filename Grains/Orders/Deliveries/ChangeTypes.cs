using System.Collections.Immutable;
using Grains.Interfaces.Orders;

namespace Grains.Orders.Deliveries;

/// <summary>The types of changes of orders, such as <c>order.placed</c>: what a customer or an endpoint can ask to be told.</summary>
public static class ChangeTypes
{
    public static readonly ImmutableArray<string> All = [.. Enum.GetValues<OrderStatus>().Select(OrderForm.ChangeType)];
}
