using System.Collections.Immutable;
using System.Globalization;
using Orleans.Concurrency;

namespace Grains.Interfaces.Orders;

/// <summary>
/// What one subscriber does in one partition of orders: it owns the durable cursor, what waits to be tried again, and the dead letters. The
/// key is a <see cref="SubscriberKey"/>.
/// </summary>
[Alias("orders.ISubscriberGrain")]
public interface ISubscriberGrain : IGrainWithStringKey
{
    /// <summary>Changes were committed. It takes those that come next; where some are missing, it reads the feed.</summary>
    [Alias("Tell"), OneWay]
    Task Tell(OrdersChanged changed);

    /// <summary>Sees to what is due and to what it has not heard of. Called when a silo starts and every few seconds after.</summary>
    [Alias("Wake")]
    Task Wake(CancellationToken cancel = default);

    /// <summary>How far it is, from committed counters.</summary>
    [Alias("Show")]
    Task<SubscriberState> Show(CancellationToken cancel = default);

    /// <summary>Dead letters from <paramref name="from"/> (a revision) on, with this reason or any: 1 to <see cref="MaxTake"/>.</summary>
    [Alias("DeadLetters")]
    Task<ImmutableArray<DeadLetter>> DeadLetters(long from, string? reason, int take, CancellationToken cancel = default);

    /// <summary>
    /// Hands dead letters to the subscriber again, as if they came for the first time; durable when it answers, and recorded in the audit.
    /// Answers how many: fewer than there are when
    /// as many wait as may.
    /// </summary>
    /// <param name="revision">This one; null: all with the reason.</param>
    /// <param name="reason">Null: whatever the reason.</param>
    /// <param name="by">Who asks for it, for the history.</param>
    [Alias("Replay")]
    Task<int> Replay(long? revision, string? reason, string by, CancellationToken cancel = default);

    /// <summary>
    /// Removes dead letters for good; counted as discarded in the books, and recorded in the audit. Parameters and answer as of
    /// <see cref="Replay"/>.
    /// </summary>
    [Alias("Discard")]
    Task<int> Discard(long? revision, string? reason, string by, CancellationToken cancel = default);

    /// <summary>
    /// Records what happened elsewhere, in the order of the numbers: for the audit. What was recorded under a number before is not recorded
    /// again. Durable when it answers.
    /// </summary>
    /// <param name="source">Who tells it; its numbers rise.</param>
    [Alias("Record")]
    Task Record(string source, ImmutableArray<OrderNote> notes, CancellationToken cancel = default);

    /// <summary>
    /// Erases what is personal of these orders from everything that is kept here; durable when it answers. At most <see cref="MaxErase"/>
    /// orders. Erasing twice is erasing once.
    /// </summary>
    [Alias("Erase")]
    Task Erase(ImmutableArray<OrderId> orders, CancellationToken cancel = default);

    /// <summary>
    /// What became of an order's changes here, by version: of a subscriber that has a channel, as long as deliveries are kept
    /// (<c>Orders:KeepDeliveries</c>).
    /// </summary>
    [Alias("Deliveries")]
    Task<ImmutableArray<Delivery>> Deliveries(OrderId order, CancellationToken cancel = default);

    /// <summary>
    /// Removes all that is kept of a subscriber that this program does not have any more, or of one that comes and goes; that one takes
    /// nothing from then on. False when the program has it, and always
    /// will.
    /// </summary>
    [Alias("Remove")]
    Task<bool> Remove(CancellationToken cancel = default);

    /// <summary>
    /// Hands deliveries that were made to the subscriber again, under the same id; durable when it answers, and recorded in the audit.
    /// Fewer
    /// than there are when as many wait as may: <see cref="ResentPart.Next"/> says from when to go on.
    /// </summary>
    /// <param name="by">Who asks for it, for the history.</param>
    [Alias("Resend")]
    Task<ResentPart> Resend(ResendPart what, string by, CancellationToken cancel = default);

    /// <summary>The settings of the destination have changed: what is handled after this answers is handled by the new ones.</summary>
    [Alias("Reload")]
    Task Reload(CancellationToken cancel = default);

    /// <summary>Dead letters in one answer at most.</summary>
    const int MaxTake = 200;

    /// <summary>Orders that are erased in one call at most.</summary>
    const int MaxErase = 50;
}

/// <summary>A subscriber in a partition: <c>audit/3</c>.</summary>
public readonly record struct SubscriberKey(string Name, int Partition)
{
    /// <summary>Characters of a name at most.</summary>
    public const int MaxName = 40;

    /// <summary>A name has 1 to <see cref="MaxName"/> lower-case letters, digits and dashes, and starts with a letter.</summary>
    public static bool IsName(string text) =>
        text.Length is > 0 and <= MaxName
        && char.IsAsciiLetterLower(text[0])
        && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name}/{Partition}");

    public static SubscriberKey Parse(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return
            slash > 0
            && IsName(text[..slash])
            && int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var partition)
            && partition < OrderId.MaxPartitions
            ? new(text[..slash], partition)
            : throw new FormatException($"A subscriber in a partition is called name/number; this is \"{text}\".");
    }
}

/// <param name="Cursor">The first revision that it has yet to take.</param>
/// <param name="Head">The feed's last revision, as far as it has heard.</param>
/// <param name="In">Changes that it took.</param>
/// <param name="Done">Of these, those that it is through with.</param>
/// <param name="Waiting">Of these, those that are tried again later, or are still being handled.</param>
/// <param name="Dead">Of these, those that lie among the dead letters, by reason.</param>
/// <param name="Discarded">Dead letters that were removed.</param>
/// <param name="Missed">Revisions that were not kept any more when it came to read them.</param>
/// <param name="Halt">Why it does not go on; null while it does.</param>
/// <param name="Commits">That this activation made, for measurements.</param>
[GenerateSerializer, Immutable, Alias("orders.SubscriberState")]
public sealed record SubscriberState(
    [property: Id(0)] string Name,
    [property: Id(1)] int Partition,
    [property: Id(2)] long Cursor,
    [property: Id(3)] long Head,
    [property: Id(4)] long In,
    [property: Id(5)] long Done,
    [property: Id(6)] long Waiting,
    [property: Id(7)] ImmutableSortedDictionary<string, long> Dead,
    [property: Id(8)] long Discarded,
    [property: Id(9)] long Missed,
    [property: Id(10)] string? Halt,
    [property: Id(11)] long Commits
)
{
    /// <summary>Of those that it is through with, those that were nothing for it.</summary>
    [Id(12)]
    public long NotWanted { get; init; }

    /// <summary>Of those that it is through with, those of which nobody was to be told, by reason.</summary>
    [Id(13)]
    public ImmutableSortedDictionary<string, long> Suppressed { get; init; } = ImmutableSortedDictionary<string, long>.Empty;

    /// <summary>On which it tells customers or other systems; null: it tells nobody.</summary>
    [Id(14)]
    public string? Channel { get; init; }

    /// <summary>Its cursor and the feed do not belong together: it takes nothing, and its books say nothing of the orders.</summary>
    [Id(15)]
    public bool IsStopped { get; init; }

    /// <summary>Changes that it has yet to take.</summary>
    public long Lag => Math.Max(0, Head + 1 - Cursor);
}

/// <summary>A change that a subscriber could not handle, for good.</summary>
/// <param name="Reason">A word or two, by which they are grouped.</param>
/// <param name="Detail">A sentence.</param>
/// <param name="At">When it was given up.</param>
/// <param name="History">What was tried, the oldest first; the last few tries.</param>
[GenerateSerializer, Immutable, Alias("orders.DeadLetter")]
public sealed record DeadLetter(
    [property: Id(0)] string Subscriber,
    [property: Id(1)] int Partition,
    [property: Id(2)] OrderChange Change,
    [property: Id(3)] string Reason,
    [property: Id(4)] string Detail,
    [property: Id(5)] DateTimeOffset At,
    [property: Id(6)] ImmutableArray<HandlingTry> History
);

/// <param name="What">What came of it: a sentence.</param>
[GenerateSerializer, Immutable, Alias("orders.HandlingTry")]
public sealed record HandlingTry([property: Id(0)] DateTimeOffset At, [property: Id(1)] string What)
{
    /// <summary>Bytes of an answer that are kept.</summary>
    public const int MaxAnswerBytes = 1024;

    /// <summary>The beginning of what the other side answered, as text; null where it answered nothing that can be read.</summary>
    [Id(2)]
    public string? Answer { get; init; }
}

/// <summary>What the audit is told beside changes. Nothing in it is personal.</summary>
/// <param name="Number">Rises with each note of a source, from 1.</param>
/// <param name="Kind">As the audit numbers its entries' kinds.</param>
/// <param name="Order">The order that it is about.</param>
/// <param name="Type">What happened, in a word or two.</param>
/// <param name="Detail">Up to 1,000 characters.</param>
[GenerateSerializer, Immutable, Alias("orders.OrderNote")]
public sealed record OrderNote(
    [property: Id(0)] long Number,
    [property: Id(1)] byte Kind,
    [property: Id(2)] OrderId Order,
    [property: Id(3)] long Version,
    [property: Id(4)] string Type,
    [property: Id(5)] DateTimeOffset At,
    [property: Id(6)] string Detail
);
