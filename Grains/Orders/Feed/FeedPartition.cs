using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Grains.Orders.Lifecycle;
using Grains.Orders.Rows;
using Grains.Storage;

namespace Grains.Orders.Feed;

/// <summary>
/// A partition of orders, opened by its owner: <see cref="OrderFeed"/> decides what goes into commits, <see cref="PartitionWriter"/> makes
/// them, this reads.
/// </summary>
internal sealed class FeedPartition
{
    /// <summary>Rows of changes that are read at once: each may have 400 KB.</summary>
    private const int RowsAtOnce = 4;

    private readonly OwnedPartition _rows;
    private readonly TimeProvider _clock;
    private readonly FeedHeadRow _head;
    private readonly Action<Task> _observe;
    private readonly Dictionary<OrderId, Task<OrderEntry>> _reading = [];
    private Task _erasing = Task.CompletedTask;

    private FeedPartition(
        OwnedPartition rows,
        TimeProvider clock,
        TimeProvider guards,
        FeedHeadRow head,
        Action<CommittedChanges> announce,
        Action<Task> observe
    )
    {
        _rows = rows;
        _clock = clock;
        _head = head;
        _observe = observe;
        Feed = new(head, clock, guards, announce);
        Writer = rows.Own(Feed.Head, Feed.HeadCommitted);
    }

    public OrderFeed Feed { get; }

    public PartitionWriter Writer { get; }

    /// <summary>Orders whose rows are being read at this moment.</summary>
    public int BeingRead => _reading.Count;

    /// <summary>Opens the partition and fences it: when this returns, an earlier owner can commit no more.</summary>
    /// <param name="observe">Takes commits that nobody awaits.</param>
    /// <param name="guards">For the deadlines of steps; null: <paramref name="clock"/>.</param>
    public static async Task<FeedPartition> Open(
        ITableStore store,
        TimeProvider clock,
        int number,
        Action<CommittedChanges> announce,
        Action<Task> observe,
        TimeProvider? guards = null
    )
    {
        var rows = await OwnedPartition.Read(store, OrderTable.Name, OrderTable.Partition(number));
        var head = rows.Head is { } stored ? OrderJson.Read<FeedHeadRow>(stored) : new FeedHeadRow();
        head.Epoch++;
        head.Id ??= Guid.NewGuid().ToString("N");
        if (head.Waiting > 0)
        {
            // They waited when the last owner ended, and nobody was told that they were taken: who asked asks again.
            head.Refuse("unanswered", head.Waiting);
            head.Waiting = 0;
        }

        var opened = new FeedPartition(rows, clock, guards ?? clock, head, announce, observe);
        await rows.Fence();
        await foreach (var row in rows.ScanAll(KeyRange.Prefix(OrderTable.SubscriberPrefix)))
        {
            opened.Feed.Restore(row.Key[OrderTable.SubscriberPrefix.Length..], OrderJson.Read<SubscriberRow>(row.Payload));
        }

        await opened.LookForDue();
        return opened;
    }

    /// <summary>Durable when it answers.</summary>
    public async Task<FeedReply> Keep(FeedRequest request)
    {
        var reply = Feed.Keep(request, await Entry(request.Order.Id));
        Commit();
        return await reply;
    }

    /// <summary>Puts what waits into commits.</summary>
    public void Commit()
    {
        if (Feed.WantsCommit)
        {
            _observe(WhenLost(Flush()));
        }
    }

    /// <summary>Durable when it answers: what waits, and what nobody waits for.</summary>
    public Task Flush()
    {
        Feed.IsHandedIn = true;
        return Writer.Commit(Feed);
    }

    /// <inheritdoc cref="IOrderFeedGrain.Read"/>
    public async Task<OrderChanges> Read(long from, int take, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(from, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(take, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(take, IOrderFeedGrain.MaxTake);
        var head = Feed.Committed;
        if (from < head.Lowest)
        {
            return Compacted();
        }

        if (from > head.Revision)
        {
            return new([], head.Revision, head.Lowest, from);
        }

        var changes =
            from >= Feed.Tail.First
                ? Feed.Tail.Read(from, take, IOrderFeedGrain.MaxReadBytes)
                : await ReadRows(from, take, head.Revision, cancel);
        head = Feed.Committed;
        return changes is [var first, ..] && first.Revision == from
            ? new(changes, head.Revision, head.Lowest, from + changes.Length)
            : Compacted();
    }

    /// <summary>Cancels orders that should have been paid by now, a hundred at most; true when there may be more.</summary>
    public async Task<bool> CancelDue()
    {
        const int AtOnce = 100;
        var now = _clock.GetUtcNow();
        var due = await _rows.Scan(OrderTable.DueUntil(now), AtOnce);
        await Task.WhenAll(due.Select(row => GiveUp(OrderTable.DueIn(row.Key).Id, now)));
        await LookForDue();
        return due.Count == AtOnce;
    }

    /// <summary>
    /// Removes changes that are older than <paramref name="keep"/> and that every listed subscriber has read, a few rows of them; true when
    /// there may be more.
    /// </summary>
    public async Task<bool> Compact(TimeSpan keep)
    {
        var until = _clock.GetUtcNow() - keep;
        var rows = await _rows.Scan(KeyRange.Prefix(OrderTable.ChangesPrefix), RowsAtOnce);
        var old = rows.TakeWhile(row =>
                OrderTable.LastRevision(row.Key) < Feed.Unread
                && OrderJson.Read<ChangesRow>(row.Payload).Changes[^1].Order.UpdatedAt < until
            )
            .Select(row => row.Key)
            .ToList();
        if (old.Count == 0)
        {
            return false;
        }

        await Writer.Commit(new DropChanges(old, _head));
        return old.Count == RowsAtOnce;
    }

    /// <inheritdoc cref="IOrderFeedGrain.Erase"/>
    public async Task<FeedErased> Erase(string customer, CancellationToken cancel)
    {
        // One at a time: an order's row is written by the one erasure that holds it in memory.
        var (before, done) = (_erasing, new TaskCompletionSource());
        _erasing = done.Task;
        try
        {
            await before;
            return await Erasure.Erase(customer, cancel);
        }
        finally
        {
            done.SetResult();
        }
    }

    /// <inheritdoc cref="IOrderFeedGrain.ForgetCustomer"/>
    public Task ForgetCustomer(string customer, ImmutableArray<OrderId> orders) => Erasure.Forget(customer, orders);

    private FeedErasure Erasure => new(_rows, Feed, _head, Entry);

    private async Task WhenLost(Task commit)
    {
        try
        {
            await commit;
        }
        catch (PartitionLostException lost)
        {
            Feed.Lose(lost);
        }
    }

    /// <summary>
    /// Rows go from the store a moment before their commit is known here; what is compacted by then says the head that is being written.
    /// </summary>
    private OrderChanges Compacted() => new([], Feed.Committed.Revision, _head.Lowest, _head.Lowest) { IsCompacted = true };

    private async Task<ImmutableArray<OrderChange>> ReadRows(long from, int take, long last, CancellationToken cancel)
    {
        var changes = ImmutableArray.CreateBuilder<OrderChange>();
        var range = OrderTable.ChangesFrom(from);
        for (var (bytes, more) = (0, true); more && changes.Count < take && bytes < IOrderFeedGrain.MaxReadBytes; )
        {
            var rows = await _rows.Scan(range, RowsAtOnce, cancel);
            foreach (var row in rows)
            {
                foreach (var change in OrderJson.Read<ChangesRow>(row.Payload).Read(OrderTable.LastRevision(row.Key)))
                {
                    if (change.Revision >= from && change.Revision <= last && changes.Count < take)
                    {
                        changes.Add(change);
                    }
                }

                bytes += row.Payload.Length;
                if (bytes >= IOrderFeedGrain.MaxReadBytes)
                {
                    break;
                }
            }

            more = rows.Count == RowsAtOnce;
            range = rows.Count == 0 ? range : range.After(rows[^1].Key);
        }

        return changes.DrainToImmutable();
    }

    private async Task GiveUp(OrderId id, DateTimeOffset now)
    {
        var entry = await Entry(id);
        if (entry.Order is { } order && OrderLifecycle.IsOverdue(order, now))
        {
            var kept = Feed.Keep(
                new(
                    default,
                    OrderStep.Cancel,
                    nameof(OrderStep.Cancel),
                    order.Version,
                    OrderLifecycle.GiveUp(order, now),
                    OrderRefusal.None,
                    Deadline: null
                ),
                entry
            );
            Commit();
            await kept;
        }
    }

    private async Task LookForDue()
    {
        // What is committed while this is read sets it by itself.
        Feed.NextDue = null;
        if (
            await _rows.Scan(KeyRange.Prefix(OrderTable.DuePrefix), 1) is [var row]
            && OrderTable.DueIn(row.Key).At is var next
            && !(Feed.NextDue <= next)
        )
        {
            Feed.NextDue = next;
        }
    }

    /// <summary>What is known of the order: read once however many ask, so that nobody goes on from an older row than another.</summary>
    private async ValueTask<OrderEntry> Entry(OrderId id)
    {
        if (Feed.Orders.Find(id) is { } known)
        {
            return known;
        }

        if (!_reading.TryGetValue(id, out var reading))
        {
            reading = ReadEntry(id);
            if (!reading.IsCompleted)
            {
                _reading[id] = reading; // One that answered at once has left already, and would stay for ever.
            }
        }

        return await reading;
    }

    private async Task<OrderEntry> ReadEntry(OrderId id)
    {
        try
        {
            var row = await _rows.Get(OrderTable.Order(id));
            var entry = new OrderEntry(id, row is null ? null : OrderJson.Read<OrderRow>(row.Payload));
            Feed.Orders.Keep(entry);
            return entry;
        }
        finally
        {
            _reading.Remove(id);
        }
    }

    private sealed class DropChanges(List<string> keys, FeedHeadRow head) : IPartitionWork
    {
        public bool Fill(CommitBuilder commit)
        {
            if (!commit.HasRoom(keys.Count, bytes: 0))
            {
                return false;
            }

            foreach (var key in keys)
            {
                commit.Add(RowChange.Delete(key));
            }

            head.Lowest = OrderTable.LastRevision(keys[^1]) + 1;
            return true;
        }
    }
}
