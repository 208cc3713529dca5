using System.Collections.Immutable;
using System.Globalization;
using Grains.Interfaces.Orders;
using Grains.Orders.Rows;
using Grains.Storage;

namespace Grains.Orders.Consumers;

/// <summary>
/// What a subscriber keeps for one partition of orders, opened by its owner: <see cref="DeliveryScheduler"/> decides what goes into commits,
/// <see cref="PartitionWriter"/> makes them, this reads.
/// </summary>
internal sealed class SubscriberPartition : ISubscriberStore
{
    private const int RowsAtOnce = 100;

    /// <summary>Dead letters that are replayed or discarded in one commit.</summary>
    private const int LettersInCommit = 20;

    private readonly ITableStore _store;
    private readonly TimeProvider _clock;
    private readonly SubscriberKey _key;
    private readonly string _partition;
    private readonly SubscriberHeadRow _head;
    private readonly IOrderSubscriber _subscriber;
    private readonly bool _hasNoteTaker;
    private readonly string? _channel;
    private readonly Dictionary<string, long> _sources = new(StringComparer.Ordinal);
    private Task _alone = Task.CompletedTask;
    private SubscriberHeadRow _written;

    private SubscriberPartition(
        ITableStore store,
        SubscriberEntry entry,
        SubscriberKey key,
        SubscriberHeadRow head,
        string? headETag,
        bool hasNoteTaker,
        TimeProvider clock,
        Func<double> chance
    )
    {
        _store = store;
        _clock = clock;
        _key = key;
        _partition = SubscriberTable.Partition(key);
        _head = head;
        _hasNoteTaker = hasNoteTaker;
        _written = head with { };
        Committed = _written;
        _subscriber = entry.Make(key.Partition);
        _channel = entry.Rules.Channel;
        Desk = new(entry.Rules, _subscriber, head, clock, chance, hasNoteTaker) { Told = head.Notes };
        Writer = new(store, SubscriberTable.Name, _partition, Head, headETag, HeadCommitted);
    }

    public string Name => _key.Name;

    public int Partition => _key.Partition;

    public DeliveryScheduler Desk { get; }

    public PartitionWriter Writer { get; }

    public IOrderSubscriber Subscriber => _subscriber;

    /// <summary>The head row as it was committed last.</summary>
    public SubscriberHeadRow Committed { get; private set; }

    /// <summary>The audit may have to be told something.</summary>
    public bool HasNotes { get; private set; }

    /// <summary>Opens the partition and fences it: when this returns, an earlier owner can commit no more.</summary>
    /// <param name="register">Lists the subscriber with the feed before anything is read, from a revision or from now on (null), and
    /// answers where it begins.</param>
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
        var partition = SubscriberTable.Partition(key);
        var row = await store.Get(SubscriberTable.Name, partition, PartitionWriter.HeadKey, cancel);
        var head = row is null ? SubscriberHeadRow.Begun(clock.GetUtcNow()) : OrderJson.Read<SubscriberHeadRow>(row.Payload);
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
        var opened = new SubscriberPartition(store, entry, key, head, row?.ETag, hasNoteTaker, clock, chance);
        if (otherFeed is not null)
        {
            opened.Desk.Stop(otherFeed);
        }

        await opened._subscriber.Open(opened, head.State ?? ReadOnlyMemory<byte>.Empty, cancel);
        await opened.Writer.CommitHead();
        await opened.RestoreWaiting(cancel);
        if (await store.Scan(SubscriberTable.Name, partition, KeyRange.Prefix(SubscriberTable.NotePrefix), 1, cancel) is [var note])
        {
            opened.HasNotes = true;
            opened.Desk.Told = OrderJson.Read<OrderNote>(note.Payload).Number - 1;
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

    public ValueTask<TableRow?> Get(string key, CancellationToken cancel = default) =>
        _store.Get(SubscriberTable.Name, _partition, key, cancel);

    public ValueTask<IReadOnlyList<TableRow>> Scan(KeyRange range, int take, CancellationToken cancel = default) =>
        _store.Scan(SubscriberTable.Name, _partition, range, take, cancel);

    public Task Commit(DeliveryResult handled) => Commit(new RowsWork(this, handled));

    /// <summary>All goes through the desk, which fills a commit once and seals it.</summary>
    private Task Commit(IPartitionWork errand)
    {
        Desk.Errand(errand);
        return Writer.Commit(Desk);
    }

    public async Task<ImmutableArray<DeadLetter>> DeadLetters(long from, string? reason, int take, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfLessThan(take, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(take, ISubscriberGrain.MaxTake);
        var rows = await DeadRows(from, reason, take, cancel);
        return
        [
            .. rows.Select(row => new DeadLetter(
                _key.Name,
                _key.Partition,
                row.Change,
                row.Reason!,
                row.Detail ?? "",
                row.At ?? default,
                row.History
            )),
        ];
    }

    /// <inheritdoc cref="ISubscriberGrain.Replay"/>
    public Task<int> Replay(long? revision, string? reason, string by, CancellationToken cancel) =>
        Letters(revision, reason, by, isReplay: true, cancel);

    /// <inheritdoc cref="ISubscriberGrain.Discard"/>
    public Task<int> Discard(long? revision, string? reason, string by, CancellationToken cancel) =>
        Letters(revision, reason, by, isReplay: false, cancel);

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
            await EraseAlone(orders, cancel);
            return orders.Length;
        });

    private async Task EraseAlone(ImmutableArray<OrderId> orders, CancellationToken cancel)
    {
        var ids = orders.ToHashSet();
        var inRows = Desk.Erase(ids);
        await Writer.CommitHead(); // What was filled into a commit before has the data still: it is read once it is there.
        foreach (var some in inRows.Chunk(LettersInCommit))
        {
            await Commit(new RewriteWork(this, some));
        }

        var rows = new List<RowChange>();
        for (var from = 0L; ; )
        {
            var dead = await DeadRows(from, reason: null, ISubscriberGrain.MaxTake, cancel);
            rows.AddRange(
                dead.Where(row => ids.Contains(row.Order.Id))
                    .Select(row => RowChange.Put(SubscriberTable.Dead(row.Revision), OrderJson.Write(Erasure.Of(row))))
            );
            if (dead.Count < ISubscriberGrain.MaxTake)
            {
                break;
            }

            from = dead[^1].Revision + 1;
        }

        if (_channel is not null)
        {
            foreach (var order in orders)
            {
                // One that is under way writes its row itself when it is done, without its free text.
                var underWay = Desk.Of(order).Select(item => item.Change.Version).ToHashSet();
                rows.AddRange(
                    (await Scan(SubscriberTable.DeliveriesOf(order), RowsAtOnce, cancel))
                        .Where(row => !underWay.Contains(OrderJson.Read<DeliveryRow>(row.Payload).Version))
                        .Select(row => RowChange.Put(row.Key, OrderJson.Write(Erasure.Of(OrderJson.Read<DeliveryRow>(row.Payload)))))
                );
            }
        }

        foreach (var some in rows.Chunk(DeliveryResult.MaxRows))
        {
            await Commit(new EraseWork(this, some));
        }

        await Commit(await _subscriber.Erase(ids, _clock.GetUtcNow(), cancel));
    }

    /// <summary>The next notes that the audit has yet to be told.</summary>
    public async Task<ImmutableArray<OrderNote>> NextNotes()
    {
        var rows = await Scan(KeyRange.Prefix(SubscriberTable.NotePrefix), DeliveryResult.MaxRows);
        return [.. rows.Select(row => OrderJson.Read<OrderNote>(row.Payload))];
    }

    /// <summary>The audit has them.</summary>
    public async Task DropNotes(ImmutableArray<OrderNote> told)
    {
        await Commit(new EraseWork(this, [.. told.Select(note => RowChange.Delete(SubscriberTable.Note(note.Number)))]));
        Desk.Told = told[^1].Number;
        HasNotes = told[^1].Number < _head.Notes;
    }

    /// <inheritdoc cref="ISubscriberGrain.Deliveries"/>
    public async Task<ImmutableArray<Delivery>> Deliveries(OrderId order, CancellationToken cancel)
    {
        // Before and after: what goes into a commit in between is in one of them, or in the rows.
        var before = Desk.Of(order).ToList();
        var rows = await Scan(SubscriberTable.DeliveriesOf(order), RowsAtOnce, cancel);
        var found = new SortedDictionary<long, Delivery>();
        foreach (var row in rows.Select(row => OrderJson.Read<DeliveryRow>(row.Payload)))
        {
            found[row.Version] = new(_key.Name, row.Version, row.Type, row.Status, row.Reason, row.Attempts, row.At, null, row.History);
        }

        // What is under way is the later word: a dead letter that was replayed waits again.
        var under = Desk.Of(order).ToList();
        foreach (var item in before.Where(item => !found.ContainsKey(item.Change.Version)).Concat(under))
        {
            found[item.Change.Version] = new(
                _key.Name,
                item.Change.Version,
                item.Change.Type,
                DeliveryStatus.Waiting,
                item.History is [.., var last] ? last.What.Split(':')[0] : null,
                item.Attempts,
                null,
                Desk.NextTry(item),
                item.History
            );
        }

        return [.. found.Values];
    }

    /// <summary>Forgets what became of deliveries that were done with before then, some of them; true when there may be more.</summary>
    public async Task<bool> Forget(DateTimeOffset before, CancellationToken cancel)
    {
        const int AtOnce = 10;
        var expired = await Scan(SubscriberTable.ExpiredBy(before), AtOnce, cancel);
        foreach (var row in expired)
        {
            foreach (var keys in OrderJson.Read<IReadOnlyList<string>>(row.Payload).Chunk(DeliveryResult.MaxRows))
            {
                var old = await OlderThan(before, keys, cancel);
                await Commit(new EraseWork(this, [.. old.Select(key => RowChange.Delete(key))]));
            }
        }

        if (expired.Count > 0)
        {
            await Commit(new EraseWork(this, [.. expired.Select(row => RowChange.Delete(row.Key))]));
        }

        return expired.Count == AtOnce;
    }

    /// <summary>One that was replayed since is kept with its later outcome.</summary>
    private async Task<List<string>> OlderThan(DateTimeOffset before, string[] keys, CancellationToken cancel)
    {
        var old = new List<string>();
        foreach (var key in keys)
        {
            if (await Get(key, cancel) is { } row && OrderJson.Read<DeliveryRow>(row.Payload).At < before)
            {
                old.Add(key);
            }
        }

        return old;
    }

    private byte[] Head()
    {
        var state = _subscriber.State;
        if (state.Length > IOrderSubscriber.MaxState)
        {
            throw new InvalidOperationException($"The state of {_key} has {state.Length} bytes; {IOrderSubscriber.MaxState} are the most.");
        }

        _head.State = state.Length == 0 ? null : state.ToArray();
        _written = _head with { };
        return OrderJson.Write(_written);
    }

    private void HeadCommitted()
    {
        HasNotes |= _written.Notes > Committed.Notes;
        Committed = _written;
    }

    private async Task RestoreWaiting(CancellationToken cancel)
    {
        var waiting = new List<(string Key, KeptChangeRow Row)>();
        for (var range = KeyRange.Prefix(SubscriberTable.WaitingPrefix); ; )
        {
            var rows = await Scan(range, RowsAtOnce, cancel);
            waiting.AddRange(rows.Select(row => (row.Key, OrderJson.Read<KeptChangeRow>(row.Payload))));
            if (rows.Count < RowsAtOnce)
            {
                break;
            }

            range = range.After(rows[^1].Key);
        }

        foreach (var (key, row) in waiting.OrderBy(item => item.Row.Revision))
        {
            Desk.Restore(key, row);
        }
    }

    private async Task<List<KeptChangeRow>> DeadRows(long from, string? reason, int take, CancellationToken cancel)
    {
        var found = new List<KeptChangeRow>();
        for (var range = SubscriberTable.DeadFrom(from); found.Count < take; )
        {
            var rows = await Scan(range, RowsAtOnce, cancel);
            found.AddRange(
                rows.Select(row => OrderJson.Read<KeptChangeRow>(row.Payload)).Where(row => reason is null || row.Reason == reason)
            );
            if (rows.Count < RowsAtOnce)
            {
                break;
            }

            range = range.After(rows[^1].Key);
        }

        return found.Count > take ? found[..take] : found;
    }

    private async Task<int> Letters(long? revision, string? reason, string by, bool isReplay, CancellationToken cancel)
    {
        var done = 0;
        for (var from = revision ?? 0; ; )
        {
            var rows = await Alone(() => SomeLetters(from, revision, reason, by, isReplay, cancel));
            done += rows.Count;
            if (revision is not null || rows.Count < LettersInCommit)
            {
                return done;
            }

            from = rows[^1].Revision + 1;
        }
    }

    private async Task<List<KeptChangeRow>> SomeLetters(
        long from,
        long? revision,
        string? reason,
        string by,
        bool isReplay,
        CancellationToken cancel
    )
    {
        var rows = await DeadRows(from, reason, LettersInCommit, cancel);
        rows = revision is { } one ? [.. rows.Where(row => row.Revision == one)] : rows;
        if (isReplay && rows.Count > Desk.RoomToWait)
        {
            rows = rows[..Desk.RoomToWait];
        }

        if (rows.Count > 0)
        {
            await Commit(new LettersWork(this, rows, by, isReplay));
        }

        return rows;
    }

    /// <summary>
    /// One at a time, from the reading of dead letters' rows to the commit that replaces them: else the later one goes on from rows that
    /// are gone, and brings them back.
    /// </summary>
    private async Task<T> Alone<T>(Func<Task<T>> act)
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

    /// <summary>Dead letters that go, in one commit with what the audit is to hear of it.</summary>
    private sealed class LettersWork(SubscriberPartition partition, List<KeptChangeRow> rows, string by, bool isReplay) : IPartitionWork
    {
        public bool Fill(CommitBuilder commit)
        {
            if (!partition.Desk.HasRoom(commit, rows.Count * 4, rows.Count * Order.MaxBytes * 2))
            {
                return false;
            }

            var now = partition._clock.GetUtcNow();
            foreach (var row in rows)
            {
                commit.Add(RowChange.Delete(SubscriberTable.Dead(row.Revision)));
                var what = isReplay ? "replayed" : "discarded";
                if (isReplay)
                {
                    ImmutableArray<HandlingTry> history =
                    [
                        .. row.History.TakeLast(KeptChangeRow.MaxHistory - 1),
                        new(now, $"replayed: by {by}"),
                    ];
                    partition.Desk.Revive(row with { History = history, Attempts = 0 }, commit);
                }
                else
                {
                    partition._head.CountDead(row.Reason!, -1);
                    partition._head.Discarded++;
                    if (partition._channel is not null)
                    {
                        ImmutableArray<HandlingTry> history =
                        [
                            .. row.History.TakeLast(KeptChangeRow.MaxHistory - 1),
                            new(now, $"discarded: by {by}"),
                        ];
                        partition.Desk.Deliver(
                            new(
                                row.Revision,
                                row.Order.Version,
                                row.Change.Type,
                                DeliveryStatus.Discarded,
                                row.Reason!,
                                row.Detail ?? "",
                                row.Attempts,
                                now,
                                history
                            ),
                            row.Order.Id,
                            commit
                        );
                    }
                }

                if (partition._hasNoteTaker)
                {
                    partition.Desk.Notes(
                        [
                            new(
                                0,
                                (byte)AuditEntryKind.Replay,
                                row.Order.Id,
                                row.Order.Version,
                                $"{partition._key.Name}.{what}",
                                now,
                                $"by {by}; {row.Reason}"
                            ),
                        ],
                        commit
                    );
                }
            }

            return true;
        }
    }

    private sealed class NotesWork(SubscriberPartition partition, string source, ImmutableArray<OrderNote> notes) : IPartitionWork
    {
        private int _next;

        public bool Fill(CommitBuilder commit)
        {
            var (last, key) = (partition._sources[source], SubscriberTable.Source(source));
            var before = last;
            if (!partition.Desk.HasRoom(commit, DeliveryResult.MaxRows, 0) || commit.Has(key))
            {
                return false;
            }

            for (; _next < notes.Length; _next++)
            {
                if (notes[_next].Number <= last)
                {
                    continue;
                }

                var handled = partition._subscriber.Record(notes[_next]);
                if (!partition.Desk.HasRoom(commit, handled.Rows.Count + 2, handled.Bytes) || handled.Fill?.Invoke(commit) == false)
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

    private sealed class RowsWork(SubscriberPartition partition, DeliveryResult handled) : IPartitionWork
    {
        public bool Fill(CommitBuilder commit)
        {
            if (
                !partition.Desk.HasRoom(commit, handled.Rows.Count + handled.Notes.Count, handled.Bytes)
                || handled.Rows.Any(row => commit.Has(row.Key))
                || handled.Fill?.Invoke(commit) == false
            )
            {
                return false;
            }

            foreach (var row in handled.Rows)
            {
                commit.Add(row);
            }

            if (partition._hasNoteTaker)
            {
                partition.Desk.Notes(handled.Notes, commit);
            }

            handled.Filled?.Invoke();
            return true;
        }
    }

    /// <summary>Changes that wait, written as they are in memory when the commit is filled.</summary>
    private sealed class RewriteWork(SubscriberPartition partition, ChangeItem[] items) : IPartitionWork
    {
        public bool Fill(CommitBuilder commit)
        {
            if (!partition.Desk.HasRoom(commit, items.Length, items.Length * Order.MaxBytes * 2))
            {
                return false;
            }

            foreach (var item in items)
            {
                partition.Desk.Rewrite(item, commit);
            }

            return true;
        }
    }

    private sealed class EraseWork(SubscriberPartition partition, IReadOnlyList<RowChange> rows) : IPartitionWork
    {
        public bool Fill(CommitBuilder commit)
        {
            if (!partition.Desk.HasRoom(commit, rows.Count, rows.Sum(row => row.Payload.Length)) || rows.Any(row => commit.Has(row.Key)))
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
