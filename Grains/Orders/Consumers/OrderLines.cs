using System.Diagnostics.CodeAnalysis;
using Grains.Interfaces.Orders;

namespace Grains.Orders.Consumers;

/// <summary>
/// Which of the changes that a subscriber has taken may be begun: the oldest first, of an order one after the other, and those that rest
/// when
/// they are due.
/// </summary>
/// <param name="keepsOrder">An order's later changes wait while an earlier one rests.</param>
internal sealed class OrderLines(bool keepsOrder, TimeProvider clock)
{
    private readonly PriorityQueue<ChangeItem, long> _ready = new();
    private readonly PriorityQueue<ChangeItem, DateTimeOffset> _resting = new();

    /// <summary>By order: what stands behind the change that comes first; null while nothing does.</summary>
    private readonly Dictionary<OrderId, Queue<ChangeItem>?> _lines = [];

    /// <summary>When the first of those that rest is due; null: none rests.</summary>
    public DateTimeOffset? NextDue => _resting.TryPeek(out _, out var due) ? due : null;

    public bool HasReady => _ready.Count > 0;

    /// <summary>What is due by now may be begun.</summary>
    public void WakeDue(DateTimeOffset now)
    {
        while (_resting.TryPeek(out var item, out var due) && due <= now)
        {
            _resting.Dequeue();
            if (item.IsInLine)
            {
                Ready(item);
            }
            else
            {
                Join(item);
            }
        }
    }

    /// <summary>The next one to be begun.</summary>
    public bool TryNext([NotNullWhen(true)] out ChangeItem? next) => _ready.TryDequeue(out next, out _);

    /// <summary>It is tried again when it is due.</summary>
    public void Rest(ChangeItem item)
    {
        item.State = ItemState.Resting;
        item.Outcome = null;
        if (keepsOrder && !item.IsInLine)
        {
            Join(item); // It holds its place while it rests.
            return;
        }

        _resting.Enqueue(item, item.Due);
    }

    /// <summary>To the end of its order's line; where there is none it comes at once, or when it is due.</summary>
    public void Join(ChangeItem item)
    {
        var isResting = item.State == ItemState.Resting && item.Due > clock.GetUtcNow();
        item.IsInLine = true;
        if (_lines.TryGetValue(item.OrderId, out var line))
        {
            item.State = ItemState.Behind;
            (_lines[item.OrderId] = line ?? new()).Enqueue(item);
            return;
        }

        _lines.Add(item.OrderId, null);
        ComeFirst(item, isResting);
    }

    /// <summary>It may be begun.</summary>
    public void Ready(ChangeItem item)
    {
        item.State = ItemState.Ready;
        _ready.Enqueue(item, item.Revision);
    }

    /// <summary>It is done with, or lets others of its order go on: the one behind it comes first.</summary>
    public void Leave(ChangeItem item)
    {
        if (!item.IsInLine)
        {
            return;
        }

        item.IsInLine = false;
        if (_lines[item.OrderId] is { Count: > 0 } line)
        {
            ComeFirst(line.Dequeue(), isResting: false);
        }
        else
        {
            _lines.Remove(item.OrderId);
        }
    }

    private void ComeFirst(ChangeItem item, bool isResting)
    {
        if (isResting)
        {
            item.State = ItemState.Resting;
            _resting.Enqueue(item, item.Due);
            return;
        }

        Ready(item);
    }
}
