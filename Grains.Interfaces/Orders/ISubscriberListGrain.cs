using System.Collections.Immutable;

namespace Grains.Interfaces.Orders;

/// <summary>The subscribers of the cluster's orders as a whole. It keeps nothing. The key is always 0.</summary>
[Alias("orders.ISubscriberListGrain")]
public interface ISubscriberListGrain : IGrainWithIntegerKey
{
    /// <summary>
    /// Every subscriber in every partition, by name and number: those of this program, and those that are listed with a feed from before.
    /// </summary>
    [Alias("List")]
    Task<ImmutableArray<SubscriberState>> List(CancellationToken cancel = default);

    /// <summary>
    /// Removes one that this program does not have any more, with all that was kept of it: what it had yet to read may be compacted then.
    /// Answers why not, in a sentence; null when it is done.
    /// </summary>
    [Alias("Remove")]
    Task<string?> Remove(string name, CancellationToken cancel = default);

    /// <summary>Dead letters by subscriber, by partition and by revision.</summary>
    [Alias("DeadLetters")]
    Task<DeadLetterPage> DeadLetters(DeadLetterQuery query, CancellationToken cancel = default);

    /// <summary>One dead letter; null when there is none.</summary>
    [Alias("DeadLetter")]
    Task<DeadLetter?> DeadLetter(DeadLetterId id, CancellationToken cancel = default);

    /// <summary>Hands dead letters to their subscribers again (<see cref="ISubscriberGrain.Replay"/>).</summary>
    [Alias("Replay")]
    Task<DeadLetterReply> Replay(DeadLetterFilter filter, string by, CancellationToken cancel = default);

    /// <summary>Removes dead letters for good (<see cref="ISubscriberGrain.Discard"/>).</summary>
    [Alias("Discard")]
    Task<DeadLetterReply> Discard(DeadLetterFilter filter, string by, CancellationToken cancel = default);

    /// <summary>
    /// Erases what is personal of a customer's orders: from orders, changes, indexes, all that subscribers keep, and the audit's personal
    /// parts; the proofs hold. Durable when it answers; when it fails
    /// halfway, asking again finishes it. Orders that are placed under the name later are new ones.
    /// </summary>
    [Alias("Erase")]
    Task<EraseReply> Erase(string customer, CancellationToken cancel = default);

    /// <summary>What became of telling others of an order's changes: every subscriber that has a channel, by version.</summary>
    [Alias("Deliveries")]
    Task<OrderDeliveries> Deliveries(OrderId order, CancellationToken cancel = default);

    /// <summary>What happened to an order, who was told and how, and what the audit has of it; null when there is no such order.</summary>
    [Alias("Timeline")]
    Task<OrderTimeline?> Timeline(OrderId order, CancellationToken cancel = default);

    /// <summary>Makes deliveries once more that were made (<see cref="ISubscriberGrain.Resend"/>).</summary>
    [Alias("Resend")]
    Task<ResentReply> Resend(ResendDeliveries what, string by, CancellationToken cancel = default);

    /// <summary>Wakes every subscriber in every partition. Called when a silo starts and every few seconds after.</summary>
    [Alias("Wake")]
    Task Wake(CancellationToken cancel = default);
}

/// <summary>Names a dead letter: <c>mail/3/1f</c>, the subscriber, the partition, and the revision in hexadecimal digits.</summary>
[GenerateSerializer, Immutable, Alias("orders.DeadLetterId")]
public readonly record struct DeadLetterId(
    [property: Id(0)] string Subscriber,
    [property: Id(1)] int Partition,
    [property: Id(2)] long Revision
)
{
    public static DeadLetterId Of(DeadLetter letter) => new(letter.Subscriber, letter.Partition, letter.Change.Revision);

    public static bool TryParse(string? text, out DeadLetterId id)
    {
        id = default;
        if (
            text?.Split('/') is not [var name, var partition, var revision]
            || !SubscriberKey.IsName(name)
            || !int.TryParse(
                partition,
                System.Globalization.NumberStyles.None,
                System.Globalization.CultureInfo.InvariantCulture,
                out var number
            )
            || number >= OrderId.MaxPartitions
            || !long.TryParse(
                revision,
                System.Globalization.NumberStyles.AllowHexSpecifier,
                System.Globalization.CultureInfo.InvariantCulture,
                out var at
            )
            || at < 1
        )
        {
            return false;
        }

        id = new(name, number, at);
        return true;
    }

    public override string ToString() =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Subscriber}/{Partition}/{Revision:x}");
}

/// <summary>Which dead letters: one, or those of a subscriber, or with a reason, or both; all when nothing is said.</summary>
[GenerateSerializer, Immutable, Alias("orders.DeadLetterFilter")]
public sealed record DeadLetterFilter(
    [property: Id(0)] DeadLetterId? Id = null,
    [property: Id(1)] string? Subscriber = null,
    [property: Id(2)] string? Reason = null
);

/// <param name="Take">1 to <see cref="ISubscriberGrain.MaxTake"/>.</param>
/// <param name="After">The last one of the page before.</param>
[GenerateSerializer, Immutable, Alias("orders.DeadLetterQuery")]
public sealed record DeadLetterQuery(
    [property: Id(0)] string? Subscriber,
    [property: Id(1)] string? Reason,
    [property: Id(2)] int Take,
    [property: Id(3)] DeadLetterId? After
);

/// <param name="After">To go on; null when there are no more.</param>
[GenerateSerializer, Immutable, Alias("orders.DeadLetterPage")]
public sealed record DeadLetterPage([property: Id(0)] ImmutableArray<DeadLetter> Letters, [property: Id(1)] DeadLetterId? After);

/// <param name="Count">That were replayed or discarded.</param>
/// <param name="Left">That match and are still there: as many wait as may.</param>
[GenerateSerializer, Immutable, Alias("orders.DeadLetterReply")]
public sealed record DeadLetterReply([property: Id(0)] int Count, [property: Id(1)] long Left);

/// <param name="Orders">That were erased.</param>
/// <param name="Changes">In the feed.</param>
/// <param name="Error">Why it is not whole: a sentence; null when it is.</param>
[GenerateSerializer, Immutable, Alias("orders.EraseReply")]
public sealed record EraseReply([property: Id(0)] int Orders, [property: Id(1)] int Changes, [property: Id(2)] string? Error)
{
    /// <summary>
    /// Nothing of it is left in the files of the store either; false: somebody reads them, and it is tried again with each wake-up; null:
    /// the store has no files
    /// of its own, or is of an earlier version.
    /// </summary>
    [Id(3)]
    public bool? FilesCleaned { get; init; }
}
