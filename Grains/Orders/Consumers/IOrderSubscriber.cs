using Grains.Interfaces.Orders;
using Grains.Orders.Rows;
using Grains.Storage;

namespace Grains.Orders.Consumers;

/// <summary>
/// Who wants to know of orders' changes. A further one is a class of this kind and a registration (<c>services.AddOrderSubscriber</c>, with
/// a <see cref="SubscriberRules"/>); one object is made for
/// each partition, and used by one thread at a time.
/// </summary>
/// <remarks>
/// <para>It is given every change at least once, an order's changes in their order where <see cref="SubscriberRules.KeepsOrder"/>. What is
/// to be kept of a change are rows: they are committed together
/// with the cursor, so they are there exactly once however often the change came. What reaches out of the cluster while a change is handled
/// comes before that commit: after a crash it is repeated, and
/// whoever is told has to know the repeat by its id. Those do it that have a <see cref="SubscriberRules.Channel"/>.</para>
/// <para>What is slow and need not be done here belongs out of here. Where it must: <see cref="SubscriberRules.AtOnce"/> changes of
/// different orders are handled side by side, and what takes longer than a moment is put among
/// those that wait, so that others go on.</para>
/// </remarks>
public interface IOrderSubscriber
{
    /// <summary>
    /// Handles a change. An exception is as <see cref="DeliveryResult.Later(string, string)"/>. It changes nothing that
    /// <see cref="IOrderProjector.State"/> tells: that is done where the commit is filled.
    /// </summary>
    ValueTask<DeliveryResult> Handle(Handling handling, CancellationToken cancel);
}

/// <summary>A subscriber that builds something of its own from the changes, in the cursor's commits: the audit's tree, counts.</summary>
public interface IOrderProjector : IOrderSubscriber
{
    /// <summary>Bytes of <see cref="State"/>.</summary>
    const int MaxState = 64 * 1024;

    /// <summary>Called once, before anything else: reads what it wants to have in memory.</summary>
    /// <param name="state">The <see cref="State"/> of the last commit; empty the first time.</param>
    ValueTask Open(ISubscriberStore store, ReadOnlyMemory<byte> state, CancellationToken cancel);

    /// <summary>
    /// Adds rows that are made once for a whole commit, after all else is in it: at most <see cref="SubscriberRules.RowsOfSeal"/>.
    /// </summary>
    void Seal(CommitBuilder commit);

    /// <summary>What is kept in the cursor's row, as it is after what was filled so far: at most <see cref="MaxState"/> bytes.</summary>
    ReadOnlyMemory<byte> State { get; }
}

/// <summary>A subscriber that is told what happens beside changes (<see cref="SubscriberRules.TakesNotes"/>).</summary>
public interface IOrderNoteTaker : IOrderSubscriber
{
    /// <summary>Records a note of something that happened elsewhere. It cannot be refused.</summary>
    DeliveryResult Record(OrderNote note);
}

/// <summary>A subscriber that keeps personal data in rows or files of its own.</summary>
public interface IErasingSubscriber : IOrderSubscriber
{
    /// <summary>
    /// The rows to be changed so that nothing personal of these orders is kept, and what the audit is to say of it. Committed together
    /// when it answers.
    /// </summary>
    ValueTask<DeliveryResult> Erase(IReadOnlyCollection<OrderId> orders, DateTimeOffset now, CancellationToken cancel);
}

/// <summary>A subscriber that keeps settings of its destination in memory.</summary>
public interface IReloadingSubscriber : IOrderSubscriber
{
    /// <summary>What is handled after this call is handled by the settings as they are stored now.</summary>
    void Reload();
}

/// <summary>
/// What a subscriber has in one partition. Rows of its own are those whose keys do not start with a letter and a dot that
/// <see cref="SubscriberTable"/> names.
/// </summary>
public interface ISubscriberStore
{
    ValueTask<TableRow?> Get(string key, CancellationToken cancel = default);

    ValueTask<IReadOnlyList<TableRow>> Scan(KeyRange range, int take, CancellationToken cancel = default);

    /// <summary>
    /// Commits rows of its own outside of a change, fenced as all are: what came of a delivery that was told of after a commit. Durable
    /// when it answers.
    /// </summary>
    Task Commit(DeliveryResult handled);
}

/// <summary>A change that is to be handled.</summary>
/// <param name="Attempt">1 for the first; a dead letter that is replayed starts again.</param>
public readonly record struct Handling(OrderChange Change, int Attempt);

/// <summary>How a subscriber is treated.</summary>
public sealed record SubscriberRules
{
    /// <summary>See <see cref="SubscriberKey.IsName"/>. It never changes: cursors are kept under it.</summary>
    public required string Name { get; init; }

    /// <summary>Begin with the oldest change that is kept; else with the first after it was registered.</summary>
    public bool FromStart { get; init; }

    /// <summary>Changes that are handled side by side in a partition, of different orders.</summary>
    public int AtOnce { get; init; } = 16;

    /// <summary>
    /// An order's later changes wait while an earlier one is tried again. Without it they go on, and the earlier one comes late.
    /// </summary>
    public bool KeepsOrder { get; init; } = true;

    /// <summary>For one attempt; after it, it failed. Null for what never waits.</summary>
    public TimeSpan? Within { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Between attempts, up to a fifth more by chance. After the last one it is a dead letter.</summary>
    public IReadOnlyList<TimeSpan> Backoff { get; init; } =
    [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(5)];

    /// <summary>It never gives up and skips nothing: what fails is tried until it succeeds, and all after it waits in the feed.</summary>
    public bool Halts { get; init; }

    /// <summary>
    /// It is told what happens beside changes: replays, discards, erasures, outcomes of deliveries. One subscriber only: the audit.
    /// </summary>
    public bool TakesNotes { get; init; }

    /// <summary>
    /// The channel on which it tells customers or other systems: <c>mail</c>, <c>webhooks</c>. What became of each change is then kept for
    /// <c>orders deliveries</c>, told to the audit, and counted
    /// in the books' line of the channel. Null: it tells nobody.
    /// </summary>
    public string? Channel { get; init; }

    /// <summary>Rows that <see cref="IOrderProjector.Seal"/> adds at most.</summary>
    public int RowsOfSeal { get; init; }
}
