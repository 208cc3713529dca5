using System.Collections.Immutable;
using System.Globalization;
using Grains.Interfaces.Orders;
using Grains.Orders.Rows;
using Grains.Storage;

namespace Grains.Orders.Consumers;

/// <summary>
/// What one subscriber has to do in one partition: which change is handled next, and what of it goes into the next commit. It does no I/O,
/// and is told the time.
/// </summary>
/// <remarks>
/// <para>Changes are taken in the feed's order. The cursor passes a change when what became of it is in the same commit: its rows, a dead
/// letter, or a row in which it waits to be tried again. One
/// that is still being handled after <see cref="Grace"/> is passed too, with a row of that kind, so that a slow one does not hold up the
/// others.</para>
/// <para>At most <see cref="MaxWindow"/> changes are taken and not passed, <see cref="MaxWaiting"/> wait in rows, and <see cref="MaxDead"/>
/// are dead. When as many wait or are dead as may,
/// the cursor stands where the next one would be too many; the feed keeps what comes after it. The same when <see cref="MaxUntold"/> notes
/// wait for the audit, and while nothing can be tried
/// (<see cref="DeliveryResult.Deferred"/>).</para>
/// <para>Memory runs ahead of the store: when a commit fails, all of this is thrown away with its owner, and begun again from what is
/// stored.</para>
/// </remarks>
public sealed class DeliveryScheduler : IPartitionWork
{
    /// <summary>Changes that are taken and not passed: 16 KiB each at most.</summary>
    public const int MaxWindow = 512;

    /// <summary>Changes that wait in rows, and in memory beside.</summary>
    public const int MaxWaiting = 1000;

    /// <summary>Dead letters.</summary>
    public const int MaxDead = 100_000;

    /// <summary>Notes that the audit has yet to be told.</summary>
    public const int MaxUntold = 10_000;

    /// <summary>Orders that were erased and of which a change may still be on its way here in an event.</summary>
    public const int MaxErased = 10_000;

    /// <summary>A change that is being handled for longer does not hold up the cursor.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(250);

    /// <summary>For what a halting subscriber does between tries, at most.</summary>
    private static readonly TimeSpan LongestRest = TimeSpan.FromMinutes(1);

    private readonly SubscriberRules _rules;
    private readonly IOrderProjector? _projector;
    private readonly SubscriberHeadRow _head;
    private readonly TimeProvider _clock;
    private readonly Func<double> _chance;
    private readonly OrderLines _lines;
    private readonly OutcomeWriter _outcomes;
    private readonly Queue<ChangeItem> _window = new();
    private readonly Dictionary<long, ChangeItem> _waiting = [];
    private readonly Queue<ChangeItem> _settled = new();
    private readonly Queue<IPartitionWork> _others = new();
    private readonly HashSet<OrderId> _erased = [];
    private CommitBuilder? _filledLast;
    private int _running;
    private int _promised;
    private Deferral _deferral;

    /// <param name="hasNoteTaker">There is an audit to be told what became of deliveries.</param>
    public DeliveryScheduler(
        SubscriberRules rules,
        IOrderSubscriber subscriber,
        SubscriberHeadRow head,
        TimeProvider clock,
        Func<double> chance,
        bool hasNoteTaker = false
    )
    {
        _rules = rules;
        _projector = subscriber as IOrderProjector;
        _head = head;
        _clock = clock;
        _chance = chance;
        _lines = new(rules.KeepsOrder, clock);
        _outcomes = new(rules, head, clock, hasNoteTaker);
        Next = head.Cursor;
    }

    /// <summary>The next revision to be taken.</summary>
    public long Next { get; private set; }

    /// <summary>Changes that may be taken now.</summary>
    public int Room => Stopped is null ? MaxWindow - _window.Count : 0;

    /// <summary>Changes that are being handled.</summary>
    public int Running => _running;

    /// <summary>Something can go into a commit, and nobody has handed this to the writer yet.</summary>
    public bool WantsCommit => !IsHandedIn && HasFillable;

    /// <summary>The writer has this, and will fill it into its next commits.</summary>
    public bool IsHandedIn { get; set; }

    /// <summary>The number of the last note that the audit was told.</summary>
    public long Told
    {
        get => _outcomes.Told;
        set => _outcomes.Told = value;
    }

    /// <summary>Why the cursor stands, or nothing of what waits may be tried; null while neither is so.</summary>
    public string? Halt => Stopped ?? (_window.TryPeek(out var first) ? HaltAt(first) : null) ?? (_lines.HasReady ? Deferred : null);

    /// <summary>Why nothing is taken or begun for as long as its owner lives; null while that is not so.</summary>
    public string? Stopped { get; private set; }

    /// <summary>When something is to be looked at again without anybody's asking; null: not by itself.</summary>
    public DateTimeOffset? NextTime
    {
        get
        {
            if (Stopped is not null)
            {
                return null;
            }

            var next = _lines.NextDue;
            if (_window.TryPeek(out var first) && first.State == ItemState.Running && _waiting.Count < MaxWaiting && !_rules.Halts)
            {
                var overdue = first.BegunAt + Grace;
                next = next < overdue ? next : overdue;
            }

            if (_lines.HasReady && _deferral.Holds(_clock.GetUtcNow()))
            {
                next = next < _deferral.Until ? next : _deferral.Until;
            }

            return next;
        }
    }

    private bool HasFillable =>
        _others.Count > 0 || _settled.TryPeek(out var settled) && CanSettle(settled) || _window.TryPeek(out var first) && CanPass(first);

    /// <summary>From here on nothing is taken or begun: the cursor stands, and what waits goes on waiting.</summary>
    public void Stop(string why) => Stopped = why;

    /// <summary>A change that waited when the last owner ended.</summary>
    internal void Restore(string key, KeptChangeRow row)
    {
        var item = new ChangeItem(row.Change)
        {
            Attempts = row.Attempts,
            History = row.History,
            Key = key,
            Due = SubscriberTable.DueIn(key),
        };
        _waiting.Add(item.Revision, item);
        _lines.Rest(item);
    }

    /// <summary>Takes those that come next, as many as there is room for; others are left out.</summary>
    public void Take(ImmutableArray<OrderChange> changes)
    {
        foreach (var change in changes)
        {
            if (change.Revision == Next && Room > 0)
            {
                Next++;
                var item = new ChangeItem(
                    _erased.Count > 0 && _erased.Contains(change.OrderId) ? change with { Order = Erasure.Of(change.Order) } : change
                );
                _window.Enqueue(item);
                _lines.Join(item);
            }
        }
    }

    /// <summary>
    /// What was to be read is not kept any more: it goes on from there. Only where nothing is taken and not passed; false otherwise.
    /// </summary>
    public bool Skip(long to)
    {
        if (_window.Count > 0)
        {
            return false;
        }

        _head.Missed += to - Next;
        Next = to;
        _head.Cursor = to;
        return true;
    }

    /// <summary>The next change to be handled; null when there is none, or as many are being handled as may.</summary>
    internal ChangeItem? Begin()
    {
        if (Stopped is not null)
        {
            return null;
        }

        var now = _clock.GetUtcNow();
        _lines.WakeDue(now);
        if (_running >= _rules.AtOnce || _deferral.Holds(now) || !_lines.TryNext(out var next))
        {
            return null;
        }

        _running++;
        next.Attempts++;
        next.BegunAt = now;
        next.State = ItemState.Running;
        return next;
    }

    /// <summary>What became of it.</summary>
    internal void Finish(ChangeItem item, DeliveryResult handled)
    {
        _running--;
        handled = Erasure.IsDone(item.Change.Order) ? handled.WithoutDetail() : handled;
        var now = _clock.GetUtcNow();
        if (handled.Outcome == DeliveryOutcome.Deferred)
        {
            item.Attempts--;
            _deferral = new($"{handled.Reason}: {handled.Detail}", now, now + handled.After!.Value);
            _lines.Ready(item);
            return;
        }

        if (handled.Outcome != DeliveryOutcome.Done || handled.As is DoneAs.Delivered or DoneAs.Suppressed)
        {
            item.Tried(now, $"{handled.Reason}: {handled.Detail}", handled.Answer);
        }

        if (handled.Outcome == DeliveryOutcome.Failed && _rules.Halts)
        {
            handled = DeliveryResult.Later(handled.Reason, handled.Detail);
        }

        if (handled.Outcome == DeliveryOutcome.Later)
        {
            item.Due = now + Pause(item, handled);
            if (_rules.Halts)
            {
                _lines.Rest(item);
                return;
            }

            if (item.Attempts > _rules.Backoff.Count)
            {
                handled = DeliveryResult.Failed(handled.Reason, handled.Detail);
            }
        }

        item.Outcome = handled;
        item.State = ItemState.Finished;
        if (item.Key is not null)
        {
            _settled.Enqueue(item);
        }

        if (handled.Outcome != DeliveryOutcome.Later || !_rules.KeepsOrder)
        {
            _lines.Leave(item);
        }
    }

    /// <summary>Exception's part in a change's history: the type names the group.</summary>
    internal static DeliveryResult Threw(Exception e) =>
        DeliveryResult.Later(
            e.GetType().Name,
            e.Message.ReplaceLineEndings(" ") is var text && text.Length > 500 ? text[..500] : e.Message.ReplaceLineEndings(" ")
        );

    /// <summary>Dead letters are to be handed to the subscriber again: so many may be now.</summary>
    internal int RoomToWait => Math.Max(0, MaxWaiting - _waiting.Count - _promised);

    /// <summary>A dead letter comes back, in a commit that is being filled.</summary>
    internal void Revive(KeptChangeRow row, CommitBuilder commit)
    {
        var now = _clock.GetUtcNow();
        var item = new ChangeItem(row.Change)
        {
            History = row.History,
            Due = now,
            Key = SubscriberTable.Waiting(now, row.Revision),
        };
        commit.Add(RowChange.Insert(item.Key, OrderJson.Write(item.Row())));
        _head.CountDead(row.Reason!, -1);
        Add(item);
        AfterCommit(item, commit);
    }

    /// <summary>
    /// A change that was delivered is to be told once more, in a commit that is being filled: it counts as one more that came.
    /// </summary>
    internal void Resend(OrderChange change, ImmutableArray<HandlingTry> history, CommitBuilder commit)
    {
        var now = _clock.GetUtcNow();
        var item = new ChangeItem(_erased.Contains(change.OrderId) ? change with { Order = Erasure.Of(change.Order) } : change)
        {
            History = history,
            Due = now,
            Key = SubscriberTable.Waiting(now, change.Revision),
        };
        commit.Add(RowChange.Insert(item.Key, OrderJson.Write(item.Row())));
        _head.In++;
        Add(item);
        AfterCommit(item, commit);
    }

    /// <summary>The change waits here already: it is being told, or will be.</summary>
    internal bool Has(long revision) => _waiting.ContainsKey(revision) || _window.Any(item => item.Revision == revision);

    /// <summary>A dead letter goes for good, in a commit that is being filled.</summary>
    internal void CountDiscarded(KeptChangeRow row)
    {
        _head.CountDead(row.Reason!, -1);
        _head.Discarded++;
    }

    private void Add(ChangeItem item)
    {
        _waiting.Add(item.Revision, item);
        _head.Waiting++;
        _promised++;
    }

    private void AfterCommit(ChangeItem item, CommitBuilder commit) =>
        commit.WhenCommitted(() =>
        {
            _promised--;
            _lines.Join(item);
        });

    /// <summary>The changes of an order that are taken and not done with, in their order.</summary>
    internal IEnumerable<ChangeItem> Of(OrderId order) =>
        _window.Where(item => item.Key is null).Concat(_waiting.Values).Where(item => item.OrderId == order).OrderBy(item => item.Revision);

    /// <summary>When an item is looked at next; null for one that is at it, or stands behind an earlier one.</summary>
    internal DateTimeOffset? NextTry(ChangeItem item) =>
        item.State switch
        {
            ItemState.Resting => item.Due,
            ItemState.Ready => _deferral.Holds(_clock.GetUtcNow()) ? _deferral.Until : _clock.GetUtcNow(),
            _ => null,
        };

    /// <summary>
    /// Takes what is personal of orders out of memory, and of what may still come in an event: later commits do not bring it back. Answers
    /// those whose rows have it still.
    /// </summary>
    internal List<ChangeItem> Erase(IReadOnlySet<OrderId> orders)
    {
        if (_erased.Count + orders.Count > MaxErased)
        {
            _erased.Clear(); // Events live for a minute at most; so many are not erased in one.
        }

        _erased.UnionWith(orders);
        var inRows = new List<ChangeItem>();
        foreach (var item in _window.Concat(_waiting.Values).Where(item => orders.Contains(item.OrderId)))
        {
            item.Change = item.Change with { Order = Erasure.Of(item.Change.Order) };
            item.History = Erasure.Of(item.History);
            if (item.Key is not null)
            {
                inRows.Add(item);
            }
        }

        return inRows;
    }

    /// <summary>
    /// Writes its row as it is in memory. One that has left its row since then has none: it would be handled again, and counted twice.
    /// </summary>
    internal void Rewrite(ChangeItem item, CommitBuilder commit)
    {
        if (_waiting.TryGetValue(item.Revision, out var waiting) && waiting == item)
        {
            _outcomes.Add(commit, RowChange.Put(item.Key!, OrderJson.Write(item.Row())));
        }
    }

    /// <summary>Other work for this partition's commits. Whoever gives it hands this to the writer.</summary>
    internal void Enqueue(IPartitionWork work)
    {
        _others.Enqueue(work);
        IsHandedIn = true;
    }

    /// <inheritdoc cref="OutcomeWriter.HasRoom(CommitBuilder, int, int)"/>
    internal bool HasRoom(CommitBuilder commit, int rows, int bytes) => _outcomes.HasRoom(commit, rows, bytes);

    /// <inheritdoc cref="OutcomeWriter.Deliver(DeliveryRow, OrderId, CommitBuilder)"/>
    internal void Deliver(DeliveryRow row, OrderId order, CommitBuilder commit) => _outcomes.Deliver(row, order, commit);

    /// <inheritdoc cref="OutcomeWriter.Notes"/>
    internal void Notes(IEnumerable<OrderNote> notes, CommitBuilder commit) => _outcomes.Notes(notes, commit);

    public bool Fill(CommitBuilder commit)
    {
        if (ReferenceEquals(commit, _filledLast))
        {
            return false; // It is sealed: what is more goes into the next.
        }

        _filledLast = commit;
        _outcomes.Begin();
        var rest = new List<ChangeItem>();
        var hasRoom = true;
        while (hasRoom && _others.TryPeek(out var work) && (hasRoom = work.Fill(commit)))
        {
            _others.Dequeue();
        }

        while (hasRoom && _settled.TryPeek(out var settled) && CanSettle(settled) && (hasRoom = Settle(settled, commit, rest)))
        {
            _settled.Dequeue();
        }

        while (hasRoom && _window.TryPeek(out var item) && CanPass(item) && (hasRoom = Pass(item, commit, rest)))
        {
            _window.Dequeue();
            _head.Cursor = item.Revision + 1;
        }

        _outcomes.NameDeliveries(commit);
        _projector?.Seal(commit);
        commit.WhenCommitted(() => Complete(rest));
        IsHandedIn = HasFillable;
        return !IsHandedIn;
    }

    private void Complete(List<ChangeItem> rest)
    {
        foreach (var item in rest)
        {
            _lines.Rest(item);
        }
    }

    /// <summary>From its row to what became of it.</summary>
    private bool Settle(ChangeItem item, CommitBuilder commit, List<ChangeItem> rest)
    {
        var outcome = item.Outcome!;
        if (_outcomes.Has(item.Key!))
        {
            return false; // It was rewritten in this commit: it goes with the next.
        }

        if (
            !_outcomes.HasRoom(commit, outcome.Rows.Count + outcome.Notes.Count + 2, outcome.Bytes, item)
            || !_outcomes.Keep(outcome, commit)
        )
        {
            return false;
        }

        _outcomes.Add(commit, RowChange.Delete(item.Key!));
        if (outcome.Outcome == DeliveryOutcome.Later)
        {
            _outcomes.Wait(item, item.Due, commit);
            rest.Add(item);
            return true;
        }

        _waiting.Remove(item.Revision);
        _head.Waiting--;
        _outcomes.Count(item, outcome, commit);
        return true;
    }

    /// <summary>The cursor goes past it.</summary>
    private bool Pass(ChangeItem item, CommitBuilder commit, List<ChangeItem> rest)
    {
        if (item.State == ItemState.Finished && item.Outcome!.Outcome != DeliveryOutcome.Later)
        {
            if (
                !_outcomes.HasRoom(commit, item.Outcome.Rows.Count + item.Outcome.Notes.Count + 1, item.Outcome.Bytes, item)
                || !_outcomes.Keep(item.Outcome, commit)
            )
            {
                return false;
            }

            _head.In++;
            _outcomes.Count(item, item.Outcome, commit);
            return true;
        }

        if (!_outcomes.HasRoom(commit, 1, 0, item))
        {
            return false;
        }

        var isLater = item.State == ItemState.Finished;
        _head.In++;
        _head.Waiting++;
        _waiting.Add(item.Revision, item);
        _outcomes.Wait(item, isLater ? item.Due : _clock.GetUtcNow(), commit);
        if (isLater)
        {
            rest.Add(item);
        }

        return true;
    }

    private bool CanSettle(ChangeItem item) =>
        (item.Outcome!.Outcome != DeliveryOutcome.Failed || _head.AllDead < MaxDead) && !_outcomes.HasUntold;

    private bool CanPass(ChangeItem item) =>
        HaltAt(item) is null
        && item.State switch
        {
            ItemState.Finished or ItemState.Behind => true,
            ItemState.Running => !_rules.Halts && _clock.GetUtcNow() >= item.BegunAt + Grace,
            _ => false,
        };

    private string? Deferred =>
        _deferral.Holds(_clock.GetUtcNow())
            ? string.Create(CultureInfo.InvariantCulture, $"not before {_deferral.Until:HH:mm:ss}Z; {_deferral.Why}")
            : null;

    private string? HaltAt(ChangeItem first) =>
        first switch
        {
            { State: ItemState.Resting } => $"revision {first.Revision} is tried again and again: {first.History[^1].What}",
            { State: ItemState.Ready } when Deferred is { } deferred => deferred,
            { State: ItemState.Finished } when _outcomes.HasUntold => string.Create(
                CultureInfo.InvariantCulture,
                $"{MaxUntold:N0} outcomes wait for the audit, more may not"
            ),
            { State: ItemState.Finished, Outcome.Outcome: DeliveryOutcome.Done } => null,
            { State: ItemState.Finished, Outcome.Outcome: DeliveryOutcome.Failed } => _head.AllDead < MaxDead
                ? null
                : $"{MaxDead:N0} dead letters are kept at most; replay or discard some",
            _ => _waiting.Count + _promised < MaxWaiting ? null : $"{MaxWaiting:N0} changes wait to be tried again, more may not",
        };

    private TimeSpan Pause(ChangeItem item, DeliveryResult handled)
    {
        var index = Math.Min(item.Attempts, _rules.Backoff.Count) - 1;
        var usual = index < 0 ? TimeSpan.Zero : _rules.Backoff[index] * (1 + (_chance() / 5));
        if (_rules.Halts && usual > LongestRest)
        {
            usual = LongestRest;
        }

        return handled.After is { } after && after > usual ? after : usual;
    }

    /// <summary>Nothing is begun for a while: nothing could be tried.</summary>
    private readonly record struct Deferral(string Why, DateTimeOffset Since, DateTimeOffset Until)
    {
        /// <summary>A clock that went back does not lengthen it.</summary>
        public bool Holds(DateTimeOffset now) => now < Until && now >= Since;
    }
}
