using Grains.Interfaces.Orders;

namespace Grains.Orders.Feed;

/// <summary>
/// The orders that were asked for lately: at least <paramref name="capacity"/> of them and at most twice as many, in two generations, and
/// those of which something waits.
/// An order that is not here is as the store has it.
/// </summary>
public sealed class OrderCache(int capacity)
{
    private readonly Dictionary<OrderId, OrderEntry> _waiting = [];
    private Dictionary<OrderId, OrderEntry> _young = [];
    private Dictionary<OrderId, OrderEntry> _old = [];

    public int Count => _waiting.Count + _young.Count + _old.Count;

    public OrderEntry? Find(OrderId id)
    {
        if (_waiting.TryGetValue(id, out var entry) || _young.TryGetValue(id, out entry))
        {
            return entry;
        }

        if (_old.Remove(id, out entry))
        {
            Keep(entry);
        }

        return entry;
    }

    /// <summary>It was asked for; while something of it waits it stays whatever comes.</summary>
    public void Keep(OrderEntry entry)
    {
        if (entry.Waiting > 0)
        {
            _young.Remove(entry.Id);
            _old.Remove(entry.Id);
            _waiting[entry.Id] = entry;
            return;
        }

        _waiting.Remove(entry.Id);
        _old.Remove(entry.Id);
        _young[entry.Id] = entry;
        if (_young.Count >= capacity)
        {
            (_old, _young) = (_young, _old);
            _young.Clear();
        }
    }
}
