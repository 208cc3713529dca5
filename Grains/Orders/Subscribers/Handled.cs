using Grains.Interfaces.Orders;
using Grains.Storage;

namespace Grains.Orders.Subscribers;

public enum HandledAs
{
    Done,
    Later,
    Failed,

    /// <summary>Nothing was tried, and nothing can be just now.</summary>
    NotNow,
}

/// <summary>What a subscriber that has a channel did with a change that it is through with.</summary>
public enum DoneAs
{
    /// <summary>Not told apart: subscribers without a channel.</summary>
    Done,

    /// <summary>It was told to the other side, and taken.</summary>
    Delivered,

    /// <summary>Nobody was told, for the reason given: the customer does not want it, the address is suppressed.</summary>
    Suppressed,

    /// <summary>It was never meant for this one: it is no notification, and is not counted as one.</summary>
    NotWanted,
}

/// <summary>
/// What became of a change at a subscriber: exactly one of done, to be tried again, failed for good, or not tried because nothing can be
/// just now.
/// </summary>
public sealed class Handled
{
    /// <summary>Rows of one change.</summary>
    public const int MaxRows = 50;

    private static readonly Handled Nothing = new(HandledAs.Done, [], null, null, "", "", null);
    private static readonly Handled Unwanted = new(HandledAs.Done, [], null, null, "", "", null) { As = DoneAs.NotWanted };

    private Handled(
        HandledAs outcome,
        IReadOnlyList<RowChange> rows,
        Func<CommitBuilder, bool>? fill,
        Action? filled,
        string reason,
        string detail,
        TimeSpan? after
    )
    {
        Outcome = outcome;
        Rows = rows;
        Fill = fill;
        Filled = filled;
        Reason = reason;
        Detail = detail;
        After = after;
        foreach (var row in rows)
        {
            Bytes += row.Payload.Length;
            if (SubscriberTable.IsReserved(row.Key))
            {
                throw new ArgumentException(
                    $"The key \"{row.Key}\" is one of those that are kept for all subscribers: take another beginning.",
                    nameof(rows)
                );
            }
        }
    }

    public HandledAs Outcome { get; }

    /// <summary>Of one that is done, where the subscriber has a <see cref="SubscriberRules.Channel"/>.</summary>
    public DoneAs As { get; private init; }

    public IReadOnlyList<RowChange> Rows { get; }

    public int Bytes { get; }

    /// <summary>A word or two, by which dead letters are grouped. Nothing personal.</summary>
    public string Reason { get; }

    /// <summary>A sentence. Nothing personal.</summary>
    public string Detail { get; }

    /// <summary>
    /// The same outcome without its sentence, for an order that was erased meanwhile: a server's answer may repeat an address.
    /// </summary>
    internal Handled WithoutDetail() =>
        Detail.Length == 0 ? this : new(Outcome, Rows, Fill, Filled, Reason, "", After) { As = As, Notes = Notes };

    /// <summary>When to try again; null: as the rules say.</summary>
    public TimeSpan? After { get; }

    /// <summary>What the audit is to be told, in the same commit.</summary>
    public IReadOnlyList<OrderNote> Notes { get; init; } = [];

    internal Func<CommitBuilder, bool>? Fill { get; }

    internal Action? Filled { get; }

    /// <summary>Done, and there is nothing to be kept of it.</summary>
    public static Handled Done() => Nothing;

    /// <summary>Done, with rows that are committed together with the cursor: at most <see cref="MaxRows"/>.</summary>
    /// <param name="filled">Called when the rows are in a commit: what it changes in memory goes with them. If the commit fails the
    /// subscriber is made anew.</param>
    public static Handled Done(IReadOnlyList<RowChange> rows, Action? filled = null) =>
        rows.Count <= MaxRows
            ? new(HandledAs.Done, rows, null, filled, "", "", null)
            : throw new ArgumentException($"A change may leave {MaxRows} rows; these are {rows.Count}.", nameof(rows));

    /// <summary>
    /// Done; what is to be kept is put into the commit by this, which answers false when there is no room and is asked again for the next.
    /// </summary>
    public static Handled Done(Func<CommitBuilder, bool> fill) => new(HandledAs.Done, [], fill, null, "", "", null);

    /// <summary>It was told, and taken.</summary>
    /// <param name="reason">A word or two: <c>http-204</c>.</param>
    /// <param name="detail">A sentence, without anything personal: it is kept for <c>orders deliveries</c>.</param>
    public static Handled Delivered(string reason, string detail) =>
        new(HandledAs.Done, [], null, null, reason, detail, null) { As = DoneAs.Delivered };

    /// <summary>Nobody is to be told, and why.</summary>
    /// <inheritdoc cref="Delivered"/>
    public static Handled Suppressed(string reason, string detail) =>
        new(HandledAs.Done, [], null, null, reason, detail, null) { As = DoneAs.Suppressed };

    /// <summary>It is nothing for this subscriber, and nothing is kept of it.</summary>
    public static Handled NotWanted() => Unwanted;

    /// <summary>
    /// Nothing was tried: the other side is not to be asked before <paramref name="after"/> has passed. No attempt is counted and no row is
    /// written (but for one that took longer than
    /// <see cref="ChangeDesk.Grace"/> to say so: it waits in a row by then, which has counted it); until then nothing else is begun in this
    /// partition, and what comes waits in the feed.
    /// </summary>
    public static Handled NotNow(string reason, string detail, TimeSpan after) =>
        new(HandledAs.NotNow, [], null, null, reason, detail, after);

    /// <summary>It did not work, and may later.</summary>
    public static Handled Later(string reason, string detail) => new(HandledAs.Later, [], null, null, reason, detail, null);

    /// <inheritdoc cref="Later(string, string)"/>
    public static Handled Later(string reason, string detail, TimeSpan after) =>
        new(HandledAs.Later, [], null, null, reason, detail, after);

    /// <summary>It will not work however often it is tried.</summary>
    public static Handled Failed(string reason, string detail) => new(HandledAs.Failed, [], null, null, reason, detail, null);
}
