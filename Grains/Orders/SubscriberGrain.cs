using System.Collections.Immutable;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using Grains.Interfaces.Orders;
using Grains.Orders.Consumers;
using Grains.Orders.Rows;
using Grains.Orders.Tracing;
using Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using Orleans.Placement;

namespace Grains.Orders;

/// <summary>
/// One subscriber in one partition: <see cref="DeliveryScheduler"/> decides, <see cref="SubscriberPartition"/> keeps; the rest is reading,
/// beginning and keeping time.
/// </summary>
/// <remarks>
/// Reentrant, because commits are gathered (<see cref="PartitionWriter"/>) and changes are handled side by side. It holds because
/// everything between two awaits is decided in memory at once,
/// an answer comes when what it rests on is durable, and when a commit fails the activation ends.
/// </remarks>
[Reentrant]
[PreferLocalPlacement]
[GrainType("subscriber")]
public sealed partial class SubscriberGrain(
    ITableStore store,
    SubscriberCatalog catalog,
    IOptions<OrdersOptions> options,
    OrdersMetrics metrics,
    TimeProvider clock,
    [FromKeyedServices(Clocks.Guards)] TimeProvider guards,
    Func<double> chance,
    ILogger<SubscriberGrain> logger
) : Grain, ISubscriberGrain, IDisposable
{
    /// <summary>Changes in one answer of the feed.</summary>
    private const int ReadAtOnce = 256;

    /// <summary>The feed is told of the cursor this often at most: it only keeps changes a little longer.</summary>
    private static readonly TimeSpan AdvanceEvery = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    /// <summary>Between two looks for deliveries that need not be kept any more.</summary>
    private static readonly TimeSpan ForgetEvery = TimeSpan.FromMinutes(1);

    /// <summary>A wake-up forgets for so long at most: others wait for it.</summary>
    private static readonly TimeSpan ForgetFor = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _stopping = new();
    private CancellationToken _stop;
    private IGrainFactory _grains = null!;
    private SubscriberKey _key;
    private SubscriberEntry? _entry;
    private Task<SubscriberPartition?>? _opening;
    private SubscriberPartition? _partition;
    private IGrainTimer? _timer;
    private DateTimeOffset _timerDue = DateTimeOffset.MaxValue;
    private DateTimeOffset _advanceAt;
    private DateTimeOffset _forgetAt;
    private long _advanced;
    private long _known;

    /// <summary>
    /// What was committed before this activation is read from the feed: an event of then may have what was erased since, of which only the
    /// activation before was told.
    /// </summary>
    private long _readTo;

    private bool _isReading;
    private bool _isTelling;

    private DeliveryScheduler Desk => _partition!.Desk;

    /// <summary>Not by the grain's own factory: work that ends after the activation may still look at it.</summary>
    private IOrderFeedGrain Feed => _grains.GetGrain<IOrderFeedGrain>(_key.Partition);

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        (_stop, _grains) = (_stopping.Token, GrainFactory);
        _key = SubscriberKey.Parse(this.GetPrimaryKeyString());
        _entry = catalog.Find(_key.Name);
        _timer = this.RegisterGrainTimer(
            OnTimer,
            new GrainTimerCreationOptions(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan) { Interleave = true, KeepAlive = true }
        );
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _stopping.Cancel();
        metrics.OnGoesOn(_key);
        return Task.CompletedTask;
    }

    public void Dispose() => _stopping.Dispose();

    public async Task Tell(OrdersChanged changed)
    {
        if (await TryOpen() is null)
        {
            return;
        }

        _known = Math.Max(_known, changed.Last);
        if (changed.First <= Desk.Next && changed.First > _readTo)
        {
            Desk.Take(changed.Changes);
        }

        Go();
    }

    public async Task Wake(CancellationToken cancel)
    {
        if (await TryOpen() is not { } partition)
        {
            return;
        }

        var head = await Feed.Head(cancel);
        _known = Math.Max(_known, head.Head);
        Advance();
        Observe(TellNotes());
        Go();
        if (_entry?.Rules.Channel is not null && clock.GetUtcNow() is var now && now >= _forgetAt)
        {
            _forgetAt = now + ForgetEvery;
            await Forget(now - options.Value.KeepDeliveries, cancel);
        }
    }

    /// <summary>As many as there are, for they come with every commit; with the next wake-up it goes on.</summary>
    private async Task Forget(DateTimeOffset before, CancellationToken cancel)
    {
        for (var began = guards.GetTimestamp(); await Do(partition => partition.Forget(before, cancel)); )
        {
            if (guards.GetElapsedTime(began) >= ForgetFor)
            {
                _forgetAt = default;
                return;
            }
        }
    }

    public async Task<SubscriberState> Show(CancellationToken cancel)
    {
        if (await TryOpen() is not { } partition)
        {
            var row = await store.Get(SubscriberTable.Name, SubscriberTable.Partition(_key), PartitionWriter.HeadKey, cancel);
            return State(row is null ? new() : OrderJson.Read<SubscriberHeadRow>(row.Payload), "this program does not have it any more", 0);
        }

        return State(partition.Committed, Desk.Halt, partition.Writer.Commits);
    }

    public async Task<ImmutableArray<Delivery>> Deliveries(OrderId order, CancellationToken cancel) =>
        await TryOpen() is { } partition && _entry!.Rules.Channel is not null ? await partition.Deliveries(order, cancel) : [];

    public async Task<ImmutableArray<DeadLetter>> DeadLetters(long from, string? reason, int take, CancellationToken cancel) =>
        await (await Here()).DeadLetters(from, reason, take, cancel);

    public Task<int> Replay(long? revision, string? reason, string by, CancellationToken cancel) =>
        Do(partition => partition.Replay(revision, reason, by, cancel));

    public Task<int> Discard(long? revision, string? reason, string by, CancellationToken cancel) =>
        Do(partition => partition.Discard(revision, reason, by, cancel));

    public Task Record(string source, ImmutableArray<OrderNote> notes, CancellationToken cancel) =>
        Do(async partition =>
        {
            await partition.Record(source, notes, cancel);
            return notes.Length;
        });

    public Task Erase(ImmutableArray<OrderId> orders, CancellationToken cancel) =>
        Do(async partition =>
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(orders.Length, ISubscriberGrain.MaxErase);
            await partition.Erase(orders, cancel);
            return orders.Length;
        });

    public async Task<bool> Remove(CancellationToken cancel)
    {
        if (_entry is not null && !catalog.IsOfFamily(_key.Name))
        {
            return false;
        }

        await Leave();
        await TellRest(cancel);

        // Nobody writes here: the rows go as they are met, the head last, so that a removal that ends halfway is found again.
        var partition = SubscriberTable.Partition(_key);
        for (var range = KeyRange.All; ; )
        {
            var rows = await store.Scan(SubscriberTable.Name, partition, range, StoreLimits.MaxCommitRows, cancel);
            var changes = rows.Where(row => row.Key != PartitionWriter.HeadKey).Select(row => RowChange.Delete(row.Key)).ToList();
            await Delete(partition, changes, cancel);
            if (rows.Count < StoreLimits.MaxCommitRows)
            {
                break;
            }

            range = range.After(rows[^1].Key);
        }

        await Delete(partition, [RowChange.Delete(PartitionWriter.HeadKey)], cancel);
        await Feed.Remove(_key.Name, cancel);
        LogRemoved(_key);
        return true;
    }

    /// <summary>
    /// It takes nothing any more, and what is being committed comes to its end. An activation after this one finds that it is not there.
    /// </summary>
    private async Task Leave()
    {
        _entry = null;
        await _stopping.CancelAsync();
        if (_opening is { } opening)
        {
            // It would store it again after it was removed. What it fails of, whoever opens is told.
            await ((Task)opening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            _partition = opening.IsCompletedSuccessfully ? await opening : null;
        }

        if (_partition is { Writer.Lost: null } partition)
        {
            await partition.Writer.CommitHead();
        }

        DeactivateOnIdle();
    }

    /// <summary>
    /// What the audit has yet to be told goes to it before the rows go. What it has been told already it knows by the numbers.
    /// </summary>
    private async Task TellRest(CancellationToken cancel)
    {
        if (catalog.NoteTaker is not { } taker)
        {
            return;
        }

        for (var range = KeyRange.Prefix(SubscriberTable.NotePrefix); ; )
        {
            var rows = await store.Scan(SubscriberTable.Name, SubscriberTable.Partition(_key), range, DeliveryResult.MaxRows, cancel);
            if (rows.Count > 0)
            {
                await Taker(taker).Record(_key.ToString(), [.. rows.Select(row => OrderJson.Read<OrderNote>(row.Payload))], cancel);
                range = range.After(rows[^1].Key);
            }

            if (rows.Count < DeliveryResult.MaxRows)
            {
                return;
            }
        }
    }

    private async Task Delete(string partition, List<RowChange> changes, CancellationToken cancel)
    {
        if (
            changes.Count > 0
            && await store.Commit(SubscriberTable.Name, partition, changes, cancel) is { Outcome: not CommitOutcome.Committed } failed
        )
        {
            throw new InvalidOperationException($"What is kept of {_key} could not be removed whole; ask again.", failed.Cause);
        }
    }

    /// <summary>
    /// Null when this program does not have it, or it came and went. Opened once however many ask; what fails is tried again by the next
    /// who asks.
    /// </summary>
    private async ValueTask<SubscriberPartition?> TryOpen()
    {
        if (_entry is null || _partition is not null)
        {
            return _entry is null ? null : _partition;
        }

        var opening = _opening ??= Open(_entry);
        try
        {
            _partition = await opening;
        }
        catch
        {
            _opening = _opening == opening ? null : _opening;
            throw;
        }

        return _entry is null ? null : _partition;
    }

    private async Task<SubscriberPartition?> Open(SubscriberEntry entry)
    {
        if (entry.IsThere is { } isThere && !await isThere(_stop))
        {
            _entry = null;
            DeactivateOnIdle();
            return null;
        }

        var partition = await SubscriberPartition.Open(
            store,
            entry,
            _key,
            catalog.NoteTaker is not null,
            from => Feed.Register(_key.Name, from),
            clock,
            chance,
            _stop
        );
        _readTo = (await Feed.Head(_stop)).Head;
        if (partition.Desk.Stopped is { } why)
        {
            LogStopped(_key, why);
            metrics.OnStopped(_key, why);
        }
        else
        {
            metrics.OnGoesOn(_key);
        }

        return partition;
    }

    private async ValueTask<SubscriberPartition> Here() =>
        await TryOpen() ?? throw new InvalidOperationException($"This program has no subscriber \"{_key.Name}\" any more.");

    private async Task<T> Do<T>(Func<SubscriberPartition, Task<T>> act)
    {
        var partition = await Here();
        try
        {
            return await act(partition);
        }
        catch (PartitionLostException lost)
        {
            End(lost);
            throw;
        }
        finally
        {
            Go();
            Observe(TellNotes());
        }
    }

    private SubscriberState State(SubscriberHeadRow head, string? halt, long commits) =>
        new(
            _key.Name,
            _key.Partition,
            head.Cursor,
            Math.Max(_known, head.Cursor - 1),
            head.In,
            head.Done,
            head.Waiting,
            head.Dead,
            head.Discarded,
            head.Missed,
            halt,
            commits
        )
        {
            NotWanted = head.NotWanted,
            Suppressed = head.Suppressed,
            Channel = _entry?.Rules.Channel,
            IsStopped = _partition?.Desk.Stopped is not null,
        };

    /// <summary>
    /// Begins what can be begun, hands in what can be committed, and reads on where some are missing. While the activation ends, what was
    /// done is still committed.
    /// </summary>
    private void Go()
    {
        if (_partition is null || _partition.Writer.Lost is not null || _entry is null)
        {
            return;
        }

        while (!_stop.IsCancellationRequested && Desk.Begin() is { } item)
        {
            Handle(item);
        }

        if (Desk.WantsCommit)
        {
            Desk.IsHandedIn = true;
            Observe(Commit());
        }

        if (_stop.IsCancellationRequested)
        {
            return;
        }

        if (Desk.Next <= _known && Desk.Room > 0 && !_isReading)
        {
            Observe(Read());
        }

        SetTimer();
    }

    private void Handle(ChangeItem item)
    {
        Task<DeliveryResult> handling;
        var around = Activity.Current;
        var tracing = _entry!.Rules.Channel is null ? null : OrdersTracing.Delivers(_key.Name, item.Change, item.Attempts, item.LastTry);
        try
        {
            var within = _entry!.Rules.Within;
            var cancel = within is null ? null : CancellationTokenSource.CreateLinkedTokenSource(_stop);
            var handled = _partition!.Subscriber.Handle(new(item.Change, item.Attempts), cancel?.Token ?? _stop);
            if (handled.IsCompletedSuccessfully)
            {
                cancel?.Dispose();
                Finish(item, handled.Result, tracing);
                return;
            }

            handling = Within(handled.AsTask(), within, cancel);
        }
        catch (Exception e)
        {
            LogThrew(_key, item.Change.OrderId, item.Revision, item.Attempts, e);
            Finish(item, DeliveryScheduler.Threw(e), tracing);
            return;
        }
        finally
        {
            Activity.Current = around; // What is begun next is no part of this try.
        }

        Observe(Await(item, handling, tracing));
    }

    private void Finish(ChangeItem item, DeliveryResult handled, Activity? tracing)
    {
        if (tracing is not null)
        {
            item.LastTry = OrdersTracing.Tried(tracing, handled.Word, handled.Reason, handled.IsError) ?? item.LastTry;
        }

        if (_entry?.Rules.Channel is { } channel)
        {
            metrics.OnTried(channel, handled, clock.GetUtcNow() - item.Change.At);
        }

        Desk.Finish(item, handled);
    }

    private async Task<DeliveryResult> Within(Task<DeliveryResult> handled, TimeSpan? within, CancellationTokenSource? cancel)
    {
        if (within is not { } bound)
        {
            return await handled;
        }

        using (cancel)
        {
            try
            {
                return await handled.WaitAsync(bound, guards, _stop);
            }
            catch (TimeoutException) when (!handled.IsCompleted)
            {
                await cancel!.CancelAsync();
                return DeliveryResult.Later("took too long", $"It was not through within {bound.TotalSeconds:0.#} s.");
            }
        }
    }

    /// <summary>For what nobody awaits: a failure ends the activation.</summary>
    private void Observe(Task work, [CallerArgumentExpression(nameof(work))] string what = "") => this.Observe(work, logger, _stop, what);

    private async Task Await(ChangeItem item, Task<DeliveryResult> handling, Activity? tracing)
    {
        try
        {
            Finish(item, await handling, tracing);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return; // The next activation begins it again.
        }
        catch (Exception e)
        {
            LogThrew(_key, item.Change.OrderId, item.Revision, item.Attempts, e);
            Finish(item, DeliveryScheduler.Threw(e), tracing);
        }

        Go();
    }

    private async Task Commit()
    {
        try
        {
            await _partition!.Writer.Commit(Desk);
        }
        catch (PartitionLostException lost)
        {
            End(lost);
            return;
        }

        Advance();
        if (_partition.HasNotes)
        {
            Observe(TellNotes());
        }

        Go();
    }

    private async Task Read()
    {
        _isReading = true;
        try
        {
            var read = await Feed.Read(Desk.Next, Math.Min(ReadAtOnce, Desk.Room), _stop);
            _known = Math.Max(_known, read.Head);
            if (read.IsCompacted && read.Next > Desk.Next)
            {
                var first = Desk.Next;
                if (Desk.Skip(read.Next))
                {
                    LogMissed(_key, first, read.Next - 1);
                }
            }
            else
            {
                Desk.Take(read.Changes);
            }
        }
        catch (Exception e)
        {
            if (!_stop.IsCancellationRequested)
            {
                LogNotRead(_key, Desk.Next, e);
            }

            return; // With the next event or wake-up it is tried again.
        }
        finally
        {
            _isReading = false;
        }

        Go();
    }

    /// <summary>Tells the feed how far it is: not with each commit, for it only keeps changes a little longer.</summary>
    private void Advance()
    {
        var now = clock.GetUtcNow();
        if (now >= _advanceAt && _partition!.Committed.Cursor > _advanced)
        {
            _advanceAt = now + AdvanceEvery;
            _advanced = _partition.Committed.Cursor;
            Observe(Feed.Advance(_key.Name, _advanced));
        }
    }

    /// <summary>Tells the audit what was kept for it. It is told again after a crash, and knows by the numbers.</summary>
    private async Task TellNotes()
    {
        if (_isTelling || _partition is not { HasNotes: true } partition || catalog.NoteTaker is not { } taker)
        {
            return;
        }

        _isTelling = true;
        try
        {
            while (await partition.NextNotes() is { Length: > 0 } notes)
            {
                await Taker(taker).Record(_key.ToString(), notes, _stop);
                await partition.DropNotes(notes);
                Go(); // It may have stood for them.
            }
        }
        catch (PartitionLostException lost) when (partition.Writer.Lost is not null)
        {
            End(lost);
        }
        catch (Exception e)
        {
            LogNotTold(_key, e); // The next wake-up tells it again.
        }
        finally
        {
            _isTelling = false;
        }
    }

    private ISubscriberGrain Taker(string name) => _grains.GetGrain<ISubscriberGrain>(new SubscriberKey(name, _key.Partition).ToString());

    private Task OnTimer(CancellationToken cancel)
    {
        _timerDue = DateTimeOffset.MaxValue;
        Go();
        return Task.CompletedTask;
    }

    /// <summary>The one timer is set to whatever comes first.</summary>
    private void SetTimer()
    {
        var now = clock.GetUtcNow();
        if (Desk.NextTime is not { } due || (_timerDue > now && _timerDue <= due))
        {
            return;
        }

        _timerDue = due;
        var wait = due - now;
        _timer!.Change(
            wait < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1)
                : wait > LongestWait ? LongestWait
                : wait,
            Timeout.InfiniteTimeSpan
        );
    }

    private void End(PartitionLostException lost)
    {
        if (!_stop.IsCancellationRequested)
        {
            _stopping.Cancel();
            LogLost(_key, lost.Message);
            DeactivateOnIdle();
        }
    }
}
