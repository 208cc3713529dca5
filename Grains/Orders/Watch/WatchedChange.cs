using Grains.Interfaces.Orders;

namespace Grains.Orders.Watch;

/// <summary>A change on its way to watchers: one object, however many there are.</summary>
public sealed class WatchedChange(OrderChange change)
{
    private byte[]? _written;
    private byte[]? _writtenWithPrevious;

    public OrderChange Change => change;

    /// <summary>That it takes in memory, about.</summary>
    public int Bytes { get; } = SizeOf(change.Order);

    /// <summary>The change as its door writes it: written once for all watchers, or twice when two come at the same time.</summary>
    public byte[] Written(bool previous, Func<OrderChange, bool, byte[]> write) =>
        previous ? _writtenWithPrevious ??= write(change, true) : _written ??= write(change, false);

    /// <summary>The order, and the same again as text, twice, with and without the order before.</summary>
    private static int SizeOf(Order order)
    {
        const int Fixed = 600;
        const int OfLine = 80;
        var texts = order.Customer.Length + (order.Notes?.Length ?? 0) + (order.Email?.Length ?? 0);
        foreach (var line in order.Lines)
        {
            texts += OfLine + line.Sku.Length;
        }

        return Fixed + (texts * 4);
    }
}
