using Grains.Interfaces.Orders;
using Grains.Orders.Rows;
using Grains.Storage;

namespace Grains.Orders.Consumers;

public enum DeliveryOutcome
{
    Done,
    Later,
    Failed,

    /// <summary>Nothing was tried, and nothing can be just now.</summary>
    Deferred,
}

/// <summary>
/// What became of a change at a subscriber: exactly one of done, to be tried again, failed for good, or not tried because nothing can be
/// just now.
/// </summary>
public sealed class DeliveryResult
{
    /// <summary>Rows of one change.</summary>
    public const int MaxRows = 50;

    private static readonly DeliveryResult Nothing = new(DeliveryOutcome.Done, [], null, null, "", "", null);
    private static readonly DeliveryResult Unwanted = new(DeliveryOutcome.Done, [], null, null, "", "", null) { As = DoneAs.Filtered };

    private DeliveryResult(
        DeliveryOutcome outcome,
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

    public DeliveryOutcome Outcome { get; }

    /// <summary>Of one that is done, where the subscriber has a <see cref="SubscriberRules.Channel"/>.</summary>
    public DoneAs As { get; private init; }

    /// <summary>The outcome in a word, for tracing; null: nothing was tried.</summary>
    public string? Word =>
        Outcome switch
        {
            DeliveryOutcome.Deferred => null,
            DeliveryOutcome.Done => As.ToString(),
            _ => Outcome.ToString(),
        };

    /// <summary>It did not work, now or for good.</summary>
    public bool IsError => Outcome is DeliveryOutcome.Later or DeliveryOutcome.Failed;

    public IReadOnlyList<RowChange> Rows { get; }

    public int Bytes { get; }

    /// <summary>A word or two, by which dead letters are grouped. Nothing personal.</summary>
    public string Reason { get; }

    /// <summary>A sentence. Nothing personal.</summary>
    public string Detail { get; }

    /// <summary>
    /// The same outcome without its sentence, for an order that was erased meanwhile: a server's answer may repeat an address.
    /// </summary>
    internal DeliveryResult WithoutDetail() =>
        Detail.Length == 0 && Answer is null ? this : new(Outcome, Rows, Fill, Filled, Reason, "", After) { As = As, Notes = Notes };

    /// <summary>The same, with the beginning of what the other side answered.</summary>
    /// <param name="answer">At most <see cref="HandlingTry.MaxAnswerBytes"/> bytes; null: nothing that can be read.</param>
    public DeliveryResult With(string? answer) =>
        answer is null
            ? this
            : new(Outcome, Rows, Fill, Filled, Reason, Detail, After)
            {
                As = As,
                Notes = Notes,
                Answer = answer,
            };

    /// <summary>The beginning of what the other side answered; null where it answered nothing that can be read.</summary>
    public string? Answer { get; private init; }

    /// <summary>When to try again; null: as the rules say.</summary>
    public TimeSpan? After { get; }

    /// <summary>What the audit is to be told, in the same commit.</summary>
    public IReadOnlyList<OrderNote> Notes { get; init; } = [];

    internal Func<CommitBuilder, bool>? Fill { get; }

    internal Action? Filled { get; }

    /// <summary>Done, and there is nothing to be kept of it.</summary>
    public static DeliveryResult Done() => Nothing;

    /// <summary>Done, with rows that are committed together with the cursor: at most <see cref="MaxRows"/>.</summary>
    /// <param name="filled">Called when the rows are in a commit: what it changes in memory goes with them. If the commit fails the
    /// subscriber is made anew.</param>
    public static DeliveryResult Done(IReadOnlyList<RowChange> rows, Action? filled = null) =>
        rows.Count <= MaxRows
            ? new(DeliveryOutcome.Done, rows, null, filled, "", "", null)
            : throw new ArgumentException($"A change may leave {MaxRows} rows; these are {rows.Count}.", nameof(rows));

    /// <summary>
    /// Done; what is to be kept is put into the commit by this, which answers false when there is no room and is asked again for the next.
    /// </summary>
    public static DeliveryResult Done(Func<CommitBuilder, bool> fill) => new(DeliveryOutcome.Done, [], fill, null, "", "", null);

    /// <summary>It was told, and taken.</summary>
    /// <param name="reason">A word or two: <c>http-204</c>.</param>
    /// <param name="detail">A sentence, without anything personal: it is kept for <c>orders deliveries</c>.</param>
    public static DeliveryResult Delivered(string reason, string detail) =>
        new(DeliveryOutcome.Done, [], null, null, reason, detail, null) { As = DoneAs.Delivered };

    /// <summary>Nobody is to be told, and why.</summary>
    /// <inheritdoc cref="Delivered"/>
    public static DeliveryResult Suppressed(string reason, string detail) =>
        new(DeliveryOutcome.Done, [], null, null, reason, detail, null) { As = DoneAs.Suppressed };

    /// <summary>It is nothing for this subscriber, and nothing is kept of it.</summary>
    public static DeliveryResult Filtered() => Unwanted;

    /// <summary>
    /// Nothing was tried: the other side is not to be asked before <paramref name="after"/> has passed. No attempt is counted and no row is
    /// written (but for one that took longer than
    /// <see cref="DeliveryScheduler.Grace"/> to say so: it waits in a row by then, which has counted it); until then nothing else is begun
    /// in this
    /// partition, and what comes waits in the feed.
    /// </summary>
    public static DeliveryResult Deferred(string reason, string detail, TimeSpan after) =>
        new(DeliveryOutcome.Deferred, [], null, null, reason, detail, after);

    /// <summary>It did not work, and may later.</summary>
    public static DeliveryResult Later(string reason, string detail) => new(DeliveryOutcome.Later, [], null, null, reason, detail, null);

    /// <inheritdoc cref="Later(string, string)"/>
    public static DeliveryResult Later(string reason, string detail, TimeSpan after) =>
        new(DeliveryOutcome.Later, [], null, null, reason, detail, after);

    /// <summary>It will not work however often it is tried.</summary>
    public static DeliveryResult Failed(string reason, string detail) => new(DeliveryOutcome.Failed, [], null, null, reason, detail, null);
}
