using System.Collections.Immutable;
using System.Globalization;
using Grains.Interfaces.Orders;
using Grains.Orders.Rows;
using Grains.Storage;

namespace Grains.Orders.Consumers;

/// <summary>
/// What a subscriber keeps for one partition of orders, opened by its owner: <see cref="DeliveryScheduler"/> decides what goes into
/// commits,
/// <see cref="PartitionWriter"/> makes them, this reads.
/// </summary>
internal sealed class SubscriberPartition : ISubscriberStore
{
    private const int RowsAtOnce = 100;

    private readonly OwnedPartition _rows;
    private readonly SubscriberKey _key;
    private readonly SubscriberHeadRow _head;
    private readonly bool _hasNoteTaker;
    private readonly Dictionary<string, long> _sources = new(StringComparer.Ordinal);
    private Task _alone = Task.CompletedTask;
    private SubscriberHeadRow _written;

    private SubscriberPartition(
        OwnedPartition rows,
        SubscriberEntry entry,
        SubscriberKey key,
        SubscriberHeadRow head,
        bool hasNoteTaker,
        TimeProvider clock,
        Func<double> chance
    )
    {
        _rows = rows;
        _key = key;
        _head = head;
        _hasNoteTaker = hasNoteTaker;
        _written = head with { };
        Committed = _written;
        Clock = clock;
        Subscriber = entry.Make(key.Partition);
        Channel = entry.Rules.Channel;
        Scheduler = new(entry.Rules, Subscriber, head, clock, chance, hasNoteTaker) { Told = head.Notes };
        Writer = rows.Own(Head, HeadCommitted);
        DeadLetters = new(this);
        Deliveries = new(this);
    }

    public SubscriberKey Key => _key;

    public DeliveryScheduler Scheduler { get; }

    public PartitionWriter Writer { get; }

    public IOrderSubscriber Subscriber { get; }

    /// <exception cref="NotSupportedException">The subscriber takes no notes.</exception>
    private IOrderNoteTaker NoteTaker =>
        Subscriber as IOrderNoteTaker ?? throw new NotSupportedException($"{Subscriber.GetType().Name} takes no notes.");

    /// <inheritdoc cref="SubscriberRules.Channel"/>
    public string? Channel { get; }

    public DeadLetterStore DeadLetters { get; }

    public DeliveryStore Deliveries { get; }

    public TimeProvider Clock { get; }

    /// <summary>The head row as it was committed last.</summary>
    public SubscriberHeadRow Committed { get; private set; }

    /// <summary>The audit has yet to be told something.</summary>
    public bool HasNotes => Committed.Notes > Scheduler.Told;

    /// <summary>Opens the partition and fences it: when this returns, an earlier owner can commit no more.</summary>
    /// <param name="register">
    /// Lists the subscriber with the feed before anything is read, from a revision or from now on (null), and answers where it begins.
    /// </param>
    public static async Task<SubscriberPartition> Open(
        ITableStore store,
        SubscriberEntry entry,
        SubscriberKey key,
        bool hasNoteTaker,
        Func<long?, Task<long>> register,
        TimeProvider clock,
        Func<double> chance,
        CancellationToken cancel
    )
    {
        var rows = await OwnedPartition.Read(store, SubscriberTable.Name, SubscriberTable.Partition(key), cancel);
        var head = rows.Head is { } row ? OrderJson.Read<SubscriberHeadRow>(row) : SubscriberHeadRow.Begun(clock.GetUtcNow());
        var listed = await register(
            head.Cursor > 0 ? head.Cursor
            : entry.Rules.FromStart ? 1
            : null
        );
        if (head.Cursor == 0)
        {
            head.Cursor = listed;
        }

        var otherFeed = OtherFeed(
            await store.Get(OrderTable.Name, OrderTable.Partition(key.Partition), PartitionWriter.HeadKey, cancel),
            head
        );
        head.Epoch++;
        var opened = new SubscriberPartition(rows, entry, key, head, hasNoteTaker, clock, chance);
        if (otherFeed is not null)
        {
            opened.Scheduler.Stop(otherFeed);
        }

        if (opened.Subscriber is IOrderProjector projector)
        {
            await projector.Open(opened, head.State ?? ReadOnlyMemory<byte>.Empty, cancel);
        }

        await rows.Fence();
        await opened.RestoreWaiting(cancel);
        if (await rows.Scan(KeyRange.Prefix(SubscriberTable.NotePrefix), 1, cancel) is [var note])
        {
            opened.Scheduler.Told = OrderJson.Read<OrderNote>(note.Payload).Number - 1;
        }

        return opened;
    }

    /// <summary>
    /// Why the cursor cannot be of this feed; null when it can, and then the feed is noted. Feed and subscriber are in tables of their own:
    /// when one of them is lost
    /// or restored from an older copy, revisions come again that the cursor has passed, and what they stand for would be told to nobody.
    /// </summary>
    private static string? OtherFeed(TableRow? row, SubscriberHeadRow head)
    {
        if (row is null)
        {
            return null;
        }

        const string Advice = "restore both tables from one copy, or move both away";
        var feed = OrderJson.Read<FeedHeadRow>(row.Payload);
        if (head.FeedId is not null && head.FeedId != feed.Id)
        {
            return $"its cursor is of another feed: table {OrderTable.Name} was lost or exchanged; {Advice}";
        }

        if (head.Cursor > feed.Revision + 1)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"its cursor {head.Cursor} is beyond the feed's head {feed.Revision}: table {OrderTable.Name} was lost or is "
                    + $"older; {Advice}"
            );
        }

        head.FeedId = feed.Id;
        return null;
    }

    public ValueTask<TableRow?> Get(string key, CancellationToken cancel = default) => _rows.Get(key, cancel);

    public ValueTask<IReadOnlyList<TableRow>> Scan(KeyRange range, int take, CancellationToken cancel = default) =>
        _rows.Scan(range, take, cancel);

    public IAsyncEnumerable<TableRow> ScanAll(KeyRange range, CancellationToken cancel) => _rows.ScanAll(range, RowsAtOnce, cancel);

    public Task Commit(DeliveryResult result) => Commit(new ResultWork(this, result));

    /// <summary>All goes through the scheduler, which fills a commit once and seals it.</summary>
    public Task Commit(IPartitionWork work)
    {
        Scheduler.Enqueue(work);
        return Writer.Commit(Scheduler);
    }

    /// <summary>Rows that stand for themselves, at most <see cref="DeliveryResult.MaxRows"/> to a commit.</summary>
    public async Task Commit(IEnumerable<RowChange> rows)
    {
        foreach (var some in rows.Chunk(DeliveryResult.MaxRows))
        {
            await Commit(new RowsWork(this, some));
        }
    }

    /// <inheritdoc cref="ISubscriberGrain.Record"/>
    public async Task Record(string source, ImmutableArray<OrderNote> notes, CancellationToken cancel)
    {
        if (!_sources.TryGetValue(source, out var last))
        {
            var row = await Get(SubscriberTable.Source(source), cancel);
            last = row is null ? 0 : OrderJson.Read<SourceRow>(row.Payload).Number;
            last = _sources.TryGetValue(source, out var meanwhile) ? meanwhile : last;
            _sources[source] = last;
        }

        // A repeat waits for the commit of the first as well: work is filled in the order in which it was handed in.
        await Commit(new NotesWork(this, source, notes));
    }

    /// <inheritdoc cref="ISubscriberGrain.Erase"/>
    public Task Erase(ImmutableArray<OrderId> orders, CancellationToken cancel) =>
        Alone(async () =>
        {
            await new SubscriberErasure(this).Run(orders, cancel);
            return orders.Length;
        });

    /// <summary>The next notes that the audit has yet to be told.</summary>
    public async Task<ImmutableArray<OrderNote>> NextNotes()
    {
        var rows = await Scan(KeyRange.Prefix(SubscriberTable.NotePrefix), DeliveryResult.MaxRows);
        return [.. rows.Select(row => OrderJson.Read<OrderNote>(row.Payload))];
    }

    /// <summary>The audit has them.</summary>
    public async Task DropNotes(ImmutableArray<OrderNote> told)
    {
        await Commit(told.Select(note => RowChange.Delete(SubscriberTable.Note(note.Number))));
        Scheduler.Told = told[^1].Number;
    }

    /// <summary>A note for the audit, in the commit of what it tells of. Nothing where there is no audit.</summary>
    public void Note(OrderNote note, CommitBuilder commit)
    {
        if (_hasNoteTaker)
        {
            Scheduler.Notes([note], commit);
        }
    }

    /// <summary>
    /// One at a time, from the reading of rows to the commit that replaces them: else the later one goes on from rows that are gone, and
    /// brings them back.
    /// </summary>
    public async Task<T> Alone<T>(Func<Task<T>> act)
    {
        var (before, done) = (_alone, new TaskCompletionSource());
        _alone = done.Task;
        try
        {
            await before;
            return await act();
        }
        finally
        {
            done.SetResult();
        }
    }

    private byte[] Head()
    {
        var state = Subscriber is IOrderProjector projector ? projector.State : ReadOnlyMemory<byte>.Empty;
        if (state.Length > IOrderProjector.MaxState)
        {
            throw new InvalidOperationException($"The state of {_key} has {state.Length} bytes; {IOrderProjector.MaxState} are the most.");
        }

        _head.State = state.Length == 0 ? null : state.ToArray();
        _written = _head with { };
        return OrderJson.Write(_written);
    }

    private void HeadCommitted()
    {
        Committed = _written;
    }

    private async Task RestoreWaiting(CancellationToken cancel)
    {
        var waiting = new List<(string Key, KeptChangeRow Row)>();
        await foreach (var row in ScanAll(KeyRange.Prefix(SubscriberTable.WaitingPrefix), cancel))
        {
            waiting.Add((row.Key, OrderJson.Read<KeptChangeRow>(row.Payload)));
        }

        foreach (var (key, row) in waiting.OrderBy(item => item.Row.Revision))
        {
            Scheduler.Restore(key, row);
        }
    }

    private sealed class NotesWork(SubscriberPartition partition, string source, ImmutableArray<OrderNote> notes) : IPartitionWork
    {
        private int _next;

        public bool Fill(CommitBuilder commit)
        {
            var (last, key) = (partition._sources[source], SubscriberTable.Source(source));
            var before = last;
            if (!partition.Scheduler.HasRoom(commit, DeliveryResult.MaxRows, 0) || commit.Has(key))
            {
                return false;
            }

            for (; _next < notes.Length; _next++)
            {
                if (notes[_next].Number <= last)
                {
                    continue;
                }

                var handled = partition.NoteTaker.Record(notes[_next]);
                if (!partition.Scheduler.HasRoom(commit, handled.Rows.Count + 2, handled.Bytes) || handled.Fill?.Invoke(commit) == false)
                {
                    break;
                }

                foreach (var row in handled.Rows)
                {
                    commit.Add(row);
                }

                handled.Filled?.Invoke();
                last = notes[_next].Number;
            }

            if (last > before)
            {
                partition._sources[source] = last;
                commit.Add(RowChange.Put(key, OrderJson.Write(new SourceRow(source, last))));
            }

            return _next == notes.Length;
        }
    }

    private sealed class ResultWork(SubscriberPartition partition, DeliveryResult result) : IPartitionWork
    {
        public bool Fill(CommitBuilder commit)
        {
            if (
                !partition.Scheduler.HasRoom(commit, result.Rows.Count + result.Notes.Count, result.Bytes)
                || result.Rows.Any(row => commit.Has(row.Key))
                || result.Fill?.Invoke(commit) == false
            )
            {
                return false;
            }

            foreach (var row in result.Rows)
            {
                commit.Add(row);
            }

            if (partition._hasNoteTaker)
            {
                partition.Scheduler.Notes(result.Notes, commit);
            }

            result.Filled?.Invoke();
            return true;
        }
    }

    /// <summary>As <see cref="RowWork"/>, with room left for what seals the commit.</summary>
    private sealed class RowsWork(SubscriberPartition partition, IReadOnlyList<RowChange> rows) : IPartitionWork
    {
        public bool Fill(CommitBuilder commit)
        {
            if (
                !partition.Scheduler.HasRoom(commit, rows.Count, rows.Sum(row => row.Payload.Length))
                || rows.Any(row => commit.Has(row.Key))
            )
            {
                return false;
            }

            foreach (var row in rows)
            {
                commit.Add(row);
            }

            return true;
        }
    }
}
