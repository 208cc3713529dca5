using System.Collections.Immutable;
using Grains.Books;
using Grains.Interfaces.Orders;

namespace Grains.Orders.Rows;

/// <summary>
/// An order as it is stored: its last version, and the steps that were asked of it, taken or refused, so that each gets its first answer
/// again.
/// </summary>
public sealed record OrderRow(Order Order, ImmutableArray<StepRow> Steps);

/// <summary>A step that was answered.</summary>
/// <param name="Mark">What was asked: the step, and the hash of an order that was placed.</param>
/// <param name="Version">Of the order after it.</param>
/// <param name="Status">Of the order after it.</param>
/// <param name="At">When the order came to that version.</param>
public sealed record StepRow(string Id, string Mark, OrderRefusal Refusal, long Version, OrderStatus Status, DateTimeOffset At);

/// <summary>One change in the row of its commit; its revision follows from its place there.</summary>
public sealed record ChangeRow(Order Order, OrderStatus? PreviousStatus, DateTimeOffset? PreviousAt, string? Trace = null);

/// <summary>A <see cref="ChangeRow"/> whose order was written already.</summary>
public readonly record struct WrittenChange(byte[] Order, OrderStatus? PreviousStatus, DateTimeOffset? PreviousAt, string? Trace);

/// <summary>The changes of one commit, in order; the last one's revision is in the key.</summary>
public sealed record ChangesRow(ImmutableArray<ChangeRow> Changes)
{
    public ImmutableArray<OrderChange> Read(long last)
    {
        var first = last - Changes.Length + 1;
        var changes = ImmutableArray.CreateBuilder<OrderChange>(Changes.Length);
        for (var i = 0; i < Changes.Length; i++)
        {
            changes.Add(new(first + i, Changes[i].Order, Changes[i].PreviousStatus, Changes[i].PreviousAt) { Trace = Changes[i].Trace });
        }

        return changes.MoveToImmutable();
    }
}

public sealed record SubscriberRow(long Cursor, DateTimeOffset At);

/// <summary>The head row of a feed's partition: the fence, what there is to be read, and the counters for the books.</summary>
public sealed record FeedHeadRow
{
    /// <summary>Rises with every activation, so that a new owner's first commit ends the one before.</summary>
    public long Epoch { get; set; }

    /// <summary>The last revision; 0: none yet.</summary>
    public long Revision { get; set; }

    /// <summary>The lowest revision that is kept.</summary>
    public long Lowest { get; set; } = 1;

    /// <summary>Steps that came in, each once however often it was repeated.</summary>
    public long In { get; set; }

    /// <summary>Steps that were taken.</summary>
    public long Done { get; set; }

    public ImmutableSortedDictionary<string, long> Refused { get; set; } = ImmutableSortedDictionary<string, long>.Empty;

    /// <summary>Steps that waited for a later commit when this one was made. Counted where they come and go.</summary>
    public long Waiting { get; set; }

    /// <summary>
    /// Made when the partition is first opened: by it a subscriber knows the feed that its cursor belongs to. Null in rows of an earlier
    /// version.
    /// </summary>
    public string? Id { get; set; }

    public void Refuse(string reason, long count = 1) => Refused = Refused.Plus(reason, count);
}
