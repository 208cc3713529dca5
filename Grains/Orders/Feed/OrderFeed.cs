using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Grains.Orders.Rows;
using Grains.Orders.Tracing;
using Grains.Storage;

namespace Grains.Orders.Feed;

/// <summary>Changes of one commit, for those who want to know.</summary>
/// <param name="Bytes">Of all of them as JSON.</param>
public readonly record struct CommittedChanges(ImmutableArray<OrderChange> Changes, int Bytes);

/// <summary>
/// One partition's steps on their way into commits: what comes first, in time and for the right version is queued; <see cref="Fill"/> puts
/// as many as there is room for
/// into a commit, each order's row, indexes and deadline beside one row with all changes under the next revisions. It does no I/O.
/// </summary>
/// <remarks>
/// Memory runs ahead of the store: a step is decided against what waits. So every answer, also one that only tells how things are, comes
/// when what it
/// rests on is durable. When a commit fails, all of this is thrown away with its owner.
/// </remarks>
public sealed class OrderFeed(FeedHeadRow head, TimeProvider clock, TimeProvider guards, Action<CommittedChanges> announce) : IPartitionWork
{
    /// <summary>Steps that may wait for a commit.</summary>
    public const int MaxWaiting = 2000;

    /// <summary>Orders of which the last version is in memory, at least.</summary>
    public const int CachedOrders = 1024;

    /// <summary>Of the changes of one commit: they are one row.</summary>
    public const int MaxChangesBytes = 384 * 1024;

    /// <summary>Of rows of subscribers in one commit, so that steps go on beside them.</summary>
    private const int SubscriberRows = 16;

    /// <summary>An order's row, its index rows and its deadline.</summary>
    private const int RowsOfStep = 4;

    /// <summary>What a change has beside its order.</summary>
    private const int ChangeBytes = 168;

    private readonly Queue<WaitingStep> _waiting = new();
    private readonly List<WaitingStep> _inCommit = [];
    private readonly Dictionary<string, SubscriberRow> _subscribers = new(StringComparer.Ordinal);
    private readonly HashSet<string> _untold = new(StringComparer.Ordinal);
    private FeedHeadRow _written = head with { };

    public OrderCache Orders { get; } = new(CachedOrders);

    public ChangeTail Tail { get; } = new(head.Revision);

    /// <summary>The head row as it was committed last.</summary>
    public FeedHeadRow Committed { get; private set; } = head with { };

    /// <summary>The earliest deadline that memory knows of; null: none.</summary>
    public DateTimeOffset? NextDue { get; set; }

    public IReadOnlyDictionary<string, SubscriberRow> Subscribers => _subscribers;

    /// <summary>The subscribers' names.</summary>
    public ImmutableArray<string> Listed { get; private set; } = [];

    /// <summary>Something is to be written that nobody waits for: counters, cursors.</summary>
    public bool HasUntold => _untold.Count > 0 || _written.In != head.In || !ReferenceEquals(_written.Refused, head.Refused);

    /// <summary>Steps wait, and nobody has handed this to the writer yet.</summary>
    public bool WantsCommit => _waiting.Count > 0 && !IsHandedIn;

    /// <summary>The writer has this, and will fill it into its next commits.</summary>
    public bool IsHandedIn { get; set; }

    /// <summary>What the next head row says, for the writer. It is taken for committed by <see cref="HeadCommitted"/>.</summary>
    public byte[] Head()
    {
        _written = head with { };
        return OrderJson.Write(_written);
    }

    public void HeadCommitted() => Committed = _written;

    /// <summary>
    /// Queues a step, or answers it at once. The entry is this order's, from <see cref="Orders"/> or as the store has it.
    /// </summary>
    public Task<FeedReply> Keep(FeedRequest request, OrderEntry entry)
    {
        entry = Orders.Find(entry.Id) ?? entry;
        if (entry.Find(request.Id) is { } known)
        {
            return known.Mark == request.Mark
                ? WhenDurable(entry, new(FeedOutcome.Repeated, entry.After(known), known.Refusal))
                : WhenDurable(entry, Refuse(OrderRefusal.KeyReused, entry));
        }

        if (request.Deadline < guards.GetUtcNow())
        {
            return WhenDurable(entry, Refuse(OrderRefusal.Expired, entry));
        }

        if (_waiting.Count >= MaxWaiting)
        {
            return WhenDurable(entry, Refuse(OrderRefusal.Busy, entry));
        }

        if (request.Seen != entry.Version)
        {
            return WhenDurable(entry, new(FeedOutcome.Moved, entry.Order, OrderRefusal.None));
        }

        if (entry.Order is { } erased && Erasure.IsDone(erased))
        {
            request = request with { Order = Erasure.Of(request.Order) }; // Whoever decided it may have the order in memory from before.
        }

        Check(request);
        var previous = entry.Order;
        entry.Take(request);
        var step = new WaitingStep(entry, previous, request.Order, request.Refusal, entry.Steps, request.Trace)
        {
            Since = clock.GetUtcNow(),
        };
        _waiting.Enqueue(step);
        head.In++;
        head.Waiting++;
        entry.Waiting++;
        entry.Durable = step.Done.Task;
        Orders.Keep(entry);
        return step.Done.Task;
    }

    /// <summary>Counts a refusal of which nothing else is kept.</summary>
    public void Count(OrderRefusal refusal)
    {
        head.In++;
        head.Refuse(Reason(refusal));
    }

    /// <summary>Lists a subscriber, durable with the next commit that is filled. Answers its cursor.</summary>
    public long Register(string name, long? from)
    {
        if (_subscribers.TryGetValue(name, out var known))
        {
            return known.Cursor;
        }

        var cursor = Math.Clamp(from ?? head.Revision + 1, head.Lowest, head.Revision + 1);
        Put(name, new(cursor, clock.GetUtcNow()));
        Listed = [.. _subscribers.Keys];
        return cursor;
    }

    public void Restore(string name, SubscriberRow row)
    {
        _subscribers[name] = row;
        Listed = [.. _subscribers.Keys];
    }

    public void Advance(string name, long cursor)
    {
        if (_subscribers.TryGetValue(name, out var known) && known.Cursor < cursor && cursor <= Committed.Revision + 1)
        {
            Put(name, new(cursor, clock.GetUtcNow()));
        }
    }

    /// <summary>False when it was not listed. Durable with the next commit that is filled.</summary>
    public bool Remove(string name)
    {
        if (!_subscribers.Remove(name))
        {
            return false;
        }

        Listed = [.. _subscribers.Keys];
        _untold.Add(name);
        return true;
    }

    /// <summary>The first revision that may not be compacted because a subscriber has yet to read it.</summary>
    public long Unread => _subscribers.Count == 0 ? long.MaxValue : _subscribers.Values.Min(row => row.Cursor);

    public bool Fill(CommitBuilder commit)
    {
        FillSubscribers(commit);
        var steps = FillSteps(commit, out var changes, out var bytes);
        if (changes.Length > 0)
        {
            var written = steps
                .Where(step => step.IsChange)
                .Select(step => new WrittenChange(step.Written!, step.Previous?.Status, step.Previous?.UpdatedAt, step.Trace));
            commit.Add(RowChange.Insert(OrderTable.Changes(head.Revision), OrderJson.WriteChanges([.. written], bytes)));
        }

        if (steps.Count > 0)
        {
            _inCommit.AddRange(steps);
            commit.WhenCommitted(() => Complete(steps, new(changes, bytes)));
        }

        IsHandedIn = _waiting.Count > 0 || _untold.Count > 0;
        return !IsHandedIn;
    }

    /// <summary>The owner ends: whoever waits is told.</summary>
    public void Lose(Exception lost)
    {
        foreach (var step in _inCommit.Concat(_waiting))
        {
            step.Done.TrySetException(lost);
        }

        _inCommit.Clear();
        _waiting.Clear();
    }

    private static void Check(FeedRequest request)
    {
        if (request.Order.Version != request.Seen + (request.Refusal == OrderRefusal.None ? 1 : 0))
        {
            throw new ArgumentException(
                $"A step on version {request.Seen} of {request.Order.Id} leads to the next version, or when refused to none; "
                    + $"this leads to {request.Order.Version}.",
                nameof(request)
            );
        }
    }

    private static async Task<FeedReply> WhenDurable(OrderEntry entry, FeedReply reply)
    {
        await entry.Durable;
        return reply;
    }

    private FeedReply Refuse(OrderRefusal refusal, OrderEntry entry)
    {
        Count(refusal);
        return new(FeedOutcome.Refused, entry.Order, refusal);
    }

    private void Put(string name, SubscriberRow row)
    {
        _subscribers[name] = row;
        _untold.Add(name);
    }

    private void FillSubscribers(CommitBuilder commit)
    {
        foreach (var name in _untold.Take(SubscriberRows).ToList())
        {
            var key = OrderTable.Subscriber(name);
            var change = _subscribers.TryGetValue(name, out var row) ? RowChange.Put(key, OrderJson.Write(row)) : RowChange.Delete(key);
            if (commit.HasRoom(rows: 1, change.Payload.Length) && !commit.Has(key))
            {
                commit.Add(change);
                _untold.Remove(name);
            }
        }
    }

    private List<WaitingStep> FillSteps(CommitBuilder commit, out ImmutableArray<OrderChange> changes, out int bytes)
    {
        var steps = new List<WaitingStep>();
        var made = ImmutableArray.CreateBuilder<OrderChange>();
        bytes = 0;
        while (_waiting.TryPeek(out var step))
        {
            var row = step.Write();
            var ofChange = step.IsChange ? step.Written!.Length + ChangeBytes : 0;
            if (
                bytes + ofChange > MaxChangesBytes
                || !commit.HasRoom(RowsOfStep + 1, row.Length + bytes + ofChange)
                || commit.Has(OrderTable.Order(step.Entry.Id))
            )
            {
                break;
            }

            _waiting.Dequeue();
            head.Waiting--;
            bytes += ofChange;
            steps.Add(step);
            if (step.IsChange)
            {
                head.Done++;
                made.Add(new(++head.Revision, step.Order, step.Previous?.Status, step.Previous?.UpdatedAt) { Trace = step.Trace });
                step.AddTo(commit, row);
            }
            else
            {
                head.Refuse(Reason(step.Refusal));
                commit.Add(RowChange.Put(OrderTable.Order(step.Entry.Id), row));
            }
        }

        changes = made.DrainToImmutable();
        return steps;
    }

    private void Complete(List<WaitingStep> steps, CommittedChanges committed)
    {
        _inCommit.Clear();
        var change = 0;
        foreach (var step in steps)
        {
            if (step.IsChange)
            {
                Tail.Add(committed.Changes[change++], step.Written!.Length);
            }

            if (--step.Entry.Waiting == 0)
            {
                Orders.Keep(step.Entry);
            }

            if (step.Order is { Status: OrderStatus.Placed, PayBefore: { } due } && !(NextDue <= due))
            {
                NextDue = due;
            }

            OrdersTracing.Committed(step.Trace, step.Since, step.Order);
            step.Done.SetResult(new(FeedOutcome.Kept, step.Order, step.Refusal));
        }

        if (committed.Changes.Length > 0)
        {
            announce(committed);
        }
    }

    /// <summary>For the books: <c>wrong-state</c>.</summary>
    public static string Reason(OrderRefusal refusal) =>
        refusal switch
        {
            OrderRefusal.Invalid => "invalid",
            OrderRefusal.NotFound => "not-found",
            OrderRefusal.WrongState => "wrong-state",
            OrderRefusal.TooLate => "too-late",
            OrderRefusal.Stale => "stale",
            OrderRefusal.KeyReused => "key-reused",
            OrderRefusal.InFlight => "in-flight",
            OrderRefusal.Expired => "expired",
            OrderRefusal.Busy => "busy",
            _ => throw new ArgumentOutOfRangeException(nameof(refusal), refusal, "No refusal."),
        };

    private sealed record WaitingStep(
        OrderEntry Entry,
        Order? Previous,
        Order Order,
        OrderRefusal Refusal,
        ImmutableArray<StepRow> Steps,
        string? Trace
    )
    {
        private byte[]? _row;

        public TaskCompletionSource<FeedReply> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public DateTimeOffset Since { get; init; }

        public bool IsChange => Refusal == OrderRefusal.None;

        /// <summary>The order as JSON, once <see cref="Write"/> was called.</summary>
        public byte[]? Written { get; private set; }

        /// <summary>The order's row.</summary>
        public byte[] Write() => _row ??= OrderJson.WriteOrder(Written = OrderJson.Write(Order), Steps);

        public void AddTo(CommitBuilder commit, byte[] row)
        {
            var place = OrderTable.Place(Order);
            if (Previous is null)
            {
                commit.Add(RowChange.Insert(OrderTable.Order(Order.Id), row));
                commit.Add(RowChange.Insert(OrderTable.CustomerPrefix(Order.Customer) + place, ReadOnlyMemory<byte>.Empty));
            }
            else
            {
                commit.Add(RowChange.Put(OrderTable.Order(Order.Id), row));
                commit.Add(RowChange.Delete(OrderTable.StatusPrefix(Previous.Status) + place));
            }

            commit.Add(RowChange.Insert(OrderTable.StatusPrefix(Order.Status) + place, ReadOnlyMemory<byte>.Empty));
            if (Order.PayBefore is { } due && (Previous is null || Previous.Status == OrderStatus.Placed))
            {
                var key = OrderTable.Due(due, Order.Id);
                commit.Add(Previous is null ? RowChange.Insert(key, ReadOnlyMemory<byte>.Empty) : RowChange.Delete(key));
            }
        }
    }
}
