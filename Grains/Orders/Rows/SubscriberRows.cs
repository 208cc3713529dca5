using System.Collections.Immutable;
using Grains.Books;
using Grains.Interfaces.Orders;

namespace Grains.Orders.Rows;

/// <summary>The head row of a subscriber's partition: the fence, the cursor, and the counters for the books.</summary>
public sealed record SubscriberHeadRow
{
    /// <summary>Rises with every activation, so that a new owner's first commit ends the one before.</summary>
    public long Epoch { get; set; }

    /// <summary>The first revision that it has yet to take; 0: it has not begun.</summary>
    public long Cursor { get; set; }

    /// <summary>The feed that the cursor belongs to; null in rows of an earlier version.</summary>
    public string? FeedId { get; set; }

    public long In { get; set; }

    public long Done { get; set; }

    /// <summary>Rows that wait to be tried again. Counted where they come and go, as all of these are.</summary>
    public long Waiting { get; set; }

    public ImmutableSortedDictionary<string, long> Dead { get; set; } = ImmutableSortedDictionary<string, long>.Empty;

    public long Discarded { get; set; }

    /// <summary>Revisions that were not kept any more when they were to be read.</summary>
    public long Missed { get; set; }

    /// <summary>The number of the last note for the audit, which knows by it what it was told before.</summary>
    public long Notes { get; set; }

    /// <summary>The subscriber's own.</summary>
    public byte[]? State { get; set; }

    public long AllDead { get; set; }

    /// <summary>Reasons beyond this many are counted under one name.</summary>
    public const int MaxReasons = 50;

    public const string OtherReasons = "other";

    /// <summary>Of <see cref="Done"/>, those that were nothing for it.</summary>
    public long NotWanted { get; set; }

    /// <summary>Of <see cref="Done"/>, those of which nobody was to be told, by reason.</summary>
    public ImmutableSortedDictionary<string, long> Suppressed { get; set; } = ImmutableSortedDictionary<string, long>.Empty;

    /// <summary>
    /// Of one that was not there before, or was removed: its notes are numbered from the time on (100 ns each), so that they come after all
    /// that one of the same name gave before it.
    /// </summary>
    public static SubscriberHeadRow Begun(DateTimeOffset now) => new() { Notes = now.UtcTicks };

    public void CountDone(DoneAs how, string reason)
    {
        Done++;
        if (how == DoneAs.Filtered)
        {
            NotWanted++;
        }
        else if (how == DoneAs.Suppressed)
        {
            Suppressed = Suppressed.Plus(Suppressed.ContainsKey(reason) || Suppressed.Count < MaxReasons ? reason : OtherReasons, 1);
        }
    }

    /// <summary>The name under which dead letters with this reason are counted and kept.</summary>
    public string Group(string reason) => Dead.ContainsKey(reason) || Dead.Count < MaxReasons ? reason : OtherReasons;

    public void CountDead(string group, int by)
    {
        AllDead += by;
        var count = Dead.GetValueOrDefault(group) + by;
        Dead = count > 0 ? Dead.SetItem(group, count) : Dead.Remove(group);
    }
}

/// <summary>A change that is kept by a subscriber: it waits, or is dead.</summary>
/// <param name="Attempts">That were made since it came, or was replayed.</param>
/// <param name="History">The last <see cref="MaxHistory"/> attempts.</param>
/// <param name="Reason">Of a dead letter.</param>
public sealed record KeptChangeRow(
    long Revision,
    Order Order,
    OrderStatus? PreviousStatus,
    DateTimeOffset? PreviousAt,
    int Attempts,
    ImmutableArray<HandlingTry> History,
    string? Reason = null,
    string? Detail = null,
    DateTimeOffset? At = null,
    string? Trace = null
)
{
    public const int MaxHistory = 12;

    public OrderChange Change => new(Revision, Order, PreviousStatus, PreviousAt) { Trace = Trace };

    public static KeptChangeRow Of(OrderChange change, int attempts, ImmutableArray<HandlingTry> history) =>
        new(change.Revision, change.Order, change.PreviousStatus, change.PreviousAt, attempts, history, Trace: change.Trace);
}

/// <summary>What became of a change at a subscriber that has a channel. Its order is in the key.</summary>
/// <param name="Attempts">That were made.</param>
/// <param name="History">The last <see cref="KeptChangeRow.MaxHistory"/> of them.</param>
public sealed record DeliveryRow(
    long Revision,
    long Version,
    string Type,
    DeliveryStatus Status,
    string Reason,
    string Detail,
    int Attempts,
    DateTimeOffset At,
    ImmutableArray<HandlingTry> History
);

/// <summary>The last number that was recorded of a source of notes.</summary>
public sealed record SourceRow(string Source, long Number);
