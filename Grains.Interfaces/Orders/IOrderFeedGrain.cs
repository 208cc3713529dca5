using System.Collections.Immutable;
using Grains.Interfaces.Books;
using Orleans.Concurrency;

namespace Grains.Interfaces.Orders;

/// <summary>
/// The single writer of one partition of orders: state, change, indexes and deadline go into one commit, then the change is announced on
/// <see cref="OrderStreams.Changes"/>.
/// The key is the partition's number, from 0.
/// </summary>
[Alias("orders.IOrderFeedGrain")]
public interface IOrderFeedGrain : IGrainWithIntegerKey
{
    /// <summary>
    /// Keeps a step, taken or refused, under its id. Durable when it answers. For order grains; it decides nothing but whether the step
    /// comes first, in time,
    /// and for the version that the order has.
    /// </summary>
    [Alias("Keep")]
    Task<FeedReply> Keep(FeedRequest request);

    /// <summary>Counts a refusal of which nothing else is kept, in the books by the next commit, within a second.</summary>
    [Alias("Count"), OneWay]
    Task Count(OrderRefusal refusal);

    /// <summary>
    /// Committed changes from <paramref name="from"/> (a revision, 1 or more) in order and without gaps: at most <paramref name="take"/> (1
    /// to <see cref="MaxTake"/>) and about
    /// <see cref="MaxReadBytes"/>, one at least if there is one. From above the head there are none. Below the lowest kept there are none
    /// either, and
    /// <see cref="OrderChanges.IsCompacted"/> says so. Read on from <see cref="OrderChanges.Next"/>.
    /// </summary>
    [Alias("Read")]
    Task<OrderChanges> Read(long from, int take, CancellationToken cancel = default);

    /// <summary>What is there to be read.</summary>
    [Alias("Head")]
    Task<FeedHead> Head(CancellationToken cancel = default);

    /// <summary>
    /// Lists a subscriber before it reads, durable when it answers: from then on nothing is compacted that it has yet to read. Its cursor
    /// is the first revision
    /// that it has yet to read: <paramref name="from"/>, or the lowest kept if that is higher, or the head's successor when null. One that
    /// is listed keeps its cursor. Answers the cursor.
    /// </summary>
    [Alias("Register")]
    Task<long> Register(string subscriber, long? from, CancellationToken cancel = default);

    /// <summary>
    /// The first revision that the subscriber has yet to read. It is written with whatever is committed next, or within a second: the
    /// subscriber's own cursor, which it keeps
    /// with its effects, is the one that counts. A lower one than before, or one of somebody who is not listed, changes nothing.
    /// </summary>
    [Alias("Advance"), OneWay]
    Task Advance(string subscriber, long cursor);

    /// <summary>By name.</summary>
    [Alias("Subscribers")]
    Task<ImmutableArray<FeedSubscriber>> Subscribers(CancellationToken cancel = default);

    /// <summary>What it had yet to read may be compacted from now on. False when it was not listed.</summary>
    [Alias("Remove")]
    Task<bool> Remove(string subscriber, CancellationToken cancel = default);

    /// <summary>
    /// Takes what is personal of the customer's orders out of the orders' rows and the changes'; durable when it answers. They are found by
    /// the customer until <see cref="ForgetCustomer"/>, so that
    /// what ends halfway can be begun again. Changes above <see cref="FeedErased.Head"/> have nothing personal; those up to it may be on
    /// their way to somebody.
    /// </summary>
    [Alias("Erase")]
    Task<FeedErased> Erase(string customer, CancellationToken cancel = default);

    /// <summary>These orders are not found by the customer any more. Only those that were erased.</summary>
    [Alias("ForgetCustomer")]
    Task ForgetCustomer(string customer, ImmutableArray<OrderId> orders, CancellationToken cancel = default);

    /// <summary>The partition's account, from committed counters.</summary>
    [Alias("Account")]
    Task<Account> Account(CancellationToken cancel = default);

    /// <summary>Sees to what is due. Called when a silo starts and every few seconds after.</summary>
    [Alias("Wake")]
    Task Wake(CancellationToken cancel = default);

    /// <summary>Changes in one answer at most.</summary>
    const int MaxTake = 1000;

    /// <summary>Bytes of JSON in one answer, about.</summary>
    const int MaxReadBytes = 512 * 1024;

    /// <summary>Subscribers of a partition at most.</summary>
    const int MaxSubscribers = 64;
}

/// <param name="Seen">The version of the order that the step was decided on; 0: there is none.</param>
/// <param name="Order">As it is to be; with a refusal, as it is.</param>
/// <param name="Mark">What was asked, for telling repeats from others under the same id: the step, and the hash of an order that is
/// placed.</param>
[GenerateSerializer, Immutable, Alias("orders.FeedRequest")]
public sealed record FeedRequest(
    [property: Id(0)] StepId Id,
    [property: Id(1)] OrderStep Step,
    [property: Id(2)] string Mark,
    [property: Id(3)] long Seen,
    [property: Id(4)] Order Order,
    [property: Id(5)] OrderRefusal Refusal,
    [property: Id(6)] DateTimeOffset? Deadline
)
{
    /// <inheritdoc cref="OrderChange.Trace"/>
    [Id(7)]
    public string? Trace { get; init; }
}

public enum FeedOutcome
{
    /// <summary>It is durable.</summary>
    Kept,

    /// <summary>It was answered before: the answer is that of then.</summary>
    Repeated,

    /// <summary>The order has another version than was seen: decide again on <see cref="FeedReply.Order"/>.</summary>
    Moved,

    /// <summary>Refused here: <see cref="FeedReply.Refusal"/>.</summary>
    Refused,
}

/// <param name="Order">Kept or repeated: as that step left it. Moved: as it is now; null when there is none.</param>
/// <param name="Refusal">Of the step.</param>
[GenerateSerializer, Immutable, Alias("orders.FeedReply")]
public sealed record FeedReply(
    [property: Id(0)] FeedOutcome Outcome,
    [property: Id(1)] Order? Order,
    [property: Id(2)] OrderRefusal Refusal
);

/// <param name="Changes">In order, without gaps, the first one at the revision that was asked for.</param>
/// <param name="Head">The last committed revision; 0: there is none yet.</param>
/// <param name="Lowest">The lowest revision that is kept; the head's successor when none is.</param>
/// <param name="Next">From where to read on.</param>
[GenerateSerializer, Immutable, Alias("orders.OrderChanges")]
public sealed record OrderChanges(
    [property: Id(0)] ImmutableArray<OrderChange> Changes,
    [property: Id(1)] long Head,
    [property: Id(2)] long Lowest,
    [property: Id(3)] long Next
)
{
    /// <summary>What was asked for is not kept any more: <see cref="Next"/> is the lowest that is.</summary>
    [Id(4)]
    public bool IsCompacted { get; init; }
}

/// <inheritdoc cref="OrderChanges"/>
/// <param name="Commits">That this activation made, for measurements.</param>
[GenerateSerializer, Immutable, Alias("orders.FeedHead")]
public readonly record struct FeedHead([property: Id(0)] long Head, [property: Id(1)] long Lowest, [property: Id(2)] long Commits);

/// <param name="Cursor">The first revision that it has yet to read, as far as the feed knows.</param>
/// <param name="At">When it said so.</param>
[GenerateSerializer, Immutable, Alias("orders.FeedSubscriber")]
public sealed record FeedSubscriber([property: Id(0)] string Name, [property: Id(1)] long Cursor, [property: Id(2)] DateTimeOffset At);

/// <param name="Orders">The customer's orders of this partition.</param>
/// <param name="Changes">Kept changes that were erased now.</param>
/// <param name="Head">The last revision that was committed before.</param>
[GenerateSerializer, Immutable, Alias("orders.FeedErased")]
public sealed record FeedErased(
    [property: Id(0)] ImmutableArray<OrderId> Orders,
    [property: Id(1)] int Changes,
    [property: Id(2)] long Head
);
