using System.Text.Json.Serialization;

namespace Grains.Interfaces.Orders;

/// <summary>A change of an order as programs read it, over HTTP and from the console.</summary>
/// <param name="Cursor">To go on after this change.</param>
/// <param name="Order">As it was after the change.</param>
/// <param name="Previous">As it was before, if that was asked for; absent for an order that was placed.</param>
public sealed record WatchForm(
    string Cursor,
    string OrderId,
    long Version,
    string Type,
    DateTimeOffset At,
    OrderForm Order,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] OrderForm? Previous
)
{
    public static WatchForm Of(string cursor, OrderChange change, bool previous) =>
        new(
            cursor,
            change.OrderId.Value,
            change.Version,
            change.Type,
            change.At,
            OrderForm.Of(change.Order),
            previous && change.Previous is { } before ? OrderForm.Of(before) : null
        );
}
