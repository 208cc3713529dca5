using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Grains.Orders.Rows;

namespace Grains.Orders.Consumers;

internal enum ItemState
{
    /// <summary>An earlier change of its order comes first.</summary>
    Behind,

    /// <summary>It may be begun.</summary>
    Ready,

    Running,

    /// <summary>What became of it is known, and goes into the next commit that has room.</summary>
    Finished,

    /// <summary>It is tried again when it is due.</summary>
    Resting,
}

/// <summary>A change that a subscriber has taken and is not through with.</summary>
internal sealed class ChangeItem(OrderChange change)
{
    /// <summary>Characters of what is kept of a try.</summary>
    private const int MaxTry = 600;

    public OrderChange Change { get; set; } = change;

    public long Revision => Change.Revision;

    public OrderId OrderId => Change.OrderId;

    public ItemState State { get; set; }

    public int Attempts { get; set; }

    public ImmutableArray<HandlingTry> History { get; set; } = [];

    public DeliveryResult? Outcome { get; set; }

    /// <summary>The row in which it waits; null while the cursor has not passed it.</summary>
    public string? Key { get; set; }

    public DateTimeOffset BegunAt { get; set; }

    public DateTimeOffset Due { get; set; }

    /// <summary>It stands in its order's line.</summary>
    public bool IsInLine { get; set; }

    /// <summary>The last try as tracing names it, for the link from the next.</summary>
    public string? LastTry { get; set; }

    public KeptChangeRow Row() => KeptChangeRow.Of(Change, Attempts, History);

    public void Tried(DateTimeOffset at, string what, string? answer)
    {
        if (History.Length >= KeptChangeRow.MaxHistory)
        {
            History = History.RemoveAt(0);
        }

        History = History.Add(new(at, what.Length > MaxTry ? what[..MaxTry] : what) { Answer = answer });
    }
}
