using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Grains.Orders.Consumers;
using Grains.Orders.Rows;
using Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using Orleans.Placement;

namespace Grains.Orders;

/// <summary>
/// One subscriber in one partition: <see cref="FeedConsumer"/> reads and begins, <see cref="DeliveryScheduler"/> decides,
/// <see cref="SubscriberPartition"/> keeps.
/// </summary>
/// <remarks>
/// Reentrant, because commits are gathered (<see cref="PartitionWriter"/>) and changes are handled side by side. It holds because
/// everything
/// between two awaits is decided in memory at once, an answer comes when what it rests on is durable, and when a commit fails the
/// activation ends.
/// Over 150 lines, because it has the 12 verbs of its contract: each is a line or two.
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
    /// <summary>Between two looks for deliveries that need not be kept any more.</summary>
    private static readonly TimeSpan ForgetEvery = TimeSpan.FromMinutes(1);

    /// <summary>A wake-up forgets for so long at most: others wait for it.</summary>
    private static readonly TimeSpan ForgetFor = TimeSpan.FromSeconds(2);

    /// <summary>Changes that are read from the feed at once to be sent again.</summary>
    private const int ReadAhead = 100;

    private readonly CancellationTokenSource _stopping = new();
    private CancellationToken _stop;
    private IGrainFactory _grains = null!;
    private SubscriberKey _key;
    private SubscriberEntry? _entry;
    private Task<OpenSubscriber?>? _opening;
    private OpenSubscriber? _open;
    private DueTimer _timer = null!;
    private DateTimeOffset _forgetAt;

    /// <summary>Not by the grain's own factory: work that ends after the activation may still look at it.</summary>
    private IOrderFeedGrain Feed => _grains.GetGrain<IOrderFeedGrain>(_key.Partition);

    private ISubscriberGrain? Audit =>
        catalog.NoteTaker is { } name ? _grains.GetGrain<ISubscriberGrain>(new SubscriberKey(name, _key.Partition).ToString()) : null;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        (_stop, _grains) = (_stopping.Token, GrainFactory);
        _key = SubscriberKey.Parse(this.GetPrimaryKeyString());
        _entry = catalog.Find(_key.Name);
        var timer = this.RegisterGrainTimer(
            OnTimer,
            new GrainTimerCreationOptions(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan) { Interleave = true, KeepAlive = true }
        );
        _timer = new(clock, wait => timer.Change(wait, Timeout.InfiniteTimeSpan));
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _stopping.Cancel();
        metrics.OnGoesOn(_key);
        return Task.CompletedTask;
    }

    public void Dispose() => _stopping.Dispose();

    public async Task Tell(OrdersChanged changed) => (await TryOpen())?.Consumer.Take(changed);

    public async Task Wake(CancellationToken cancel)
    {
        if (await TryOpen() is not { } open)
        {
            return;
        }

        await open.Consumer.Look(cancel);
        Observe(open.Notes.Send(), "tell the audit");
        if (_entry?.Rules.Channel is not null && clock.GetUtcNow() is var now && now >= _forgetAt)
        {
            _forgetAt = now + ForgetEvery;
            await Forget(now - options.Value.KeepDeliveries, cancel);
        }
    }

    public async Task<SubscriberState> Show(CancellationToken cancel)
    {
        if (await TryOpen() is { } open)
        {
            return State(open.Rows.Committed, open.Rows.Scheduler.Halt, open.Rows.Writer.Commits);
        }

        var row = await store.Get(SubscriberTable.Name, SubscriberTable.Partition(_key), PartitionWriter.HeadKey, cancel);
        return State(row is null ? new() : OrderJson.Read<SubscriberHeadRow>(row.Payload), "this program does not have it any more", 0);
    }

    public async Task<ImmutableArray<Delivery>> Deliveries(OrderId order, CancellationToken cancel) =>
        await TryOpen() is { } open && _entry!.Rules.Channel is not null ? await open.Rows.Deliveries.Of(order, cancel) : [];

    public async Task<ImmutableArray<DeadLetter>> DeadLetters(long from, string? reason, int take, CancellationToken cancel) =>
        await (await Here()).Rows.DeadLetters.List(from, reason, take, cancel);

    public Task<int> Replay(long? revision, string? reason, string by, CancellationToken cancel) =>
        Do(rows => rows.DeadLetters.Replay(revision, reason, by, cancel));

    public Task<int> Discard(long? revision, string? reason, string by, CancellationToken cancel) =>
        Do(rows => rows.DeadLetters.Discard(revision, reason, by, cancel));

    public Task<ResentPart> Resend(ResendPart what, string by, CancellationToken cancel)
    {
        var changes = new ChangeReader(Feed, what.Order is null ? ReadAhead : 1);
        return Do(rows => rows.Deliveries.Resend(what, by, revision => changes.Read(revision, cancel), cancel));
    }

    public async Task Reload(CancellationToken cancel) => ((await TryOpen())?.Rows.Subscriber as IReloadingSubscriber)?.Reload();

    public Task Record(string source, ImmutableArray<OrderNote> notes, CancellationToken cancel) =>
        Do(async rows =>
        {
            await rows.Record(source, notes, cancel);
            return notes.Length;
        });

    public Task Erase(ImmutableArray<OrderId> orders, CancellationToken cancel) =>
        Do(async rows =>
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(orders.Length, ISubscriberGrain.MaxErase);
            await rows.Erase(orders, cancel);
            return orders.Length;
        });

    public async Task<bool> Remove(CancellationToken cancel)
    {
        if (_entry is not null && !catalog.IsOfFamily(_key.Name))
        {
            return false;
        }

        await Leave();
        await new SubscriberRemoval(store, _key, Audit).Run(cancel);
        await Feed.Remove(_key.Name, cancel);
        LogRemoved(_key);
        return true;
    }

    /// <summary>As many as there are, for they come with every commit; with the next wake-up it goes on.</summary>
    private async Task Forget(DateTimeOffset before, CancellationToken cancel)
    {
        for (var began = guards.GetTimestamp(); await Do(rows => rows.Deliveries.Forget(before, cancel)); )
        {
            if (guards.GetElapsedTime(began) >= ForgetFor)
            {
                _forgetAt = default;
                return;
            }
        }
    }

    /// <summary>
    /// It takes nothing any more, and what is being committed comes to its end. An activation after this one finds that it is not there.
    /// </summary>
    private async Task Leave()
    {
        _entry = null;
        _open?.Consumer.End();
        await _stopping.CancelAsync();
        if (_opening is { } opening)
        {
            // It would store it again after it was removed. What it fails of, whoever opens is told.
            await ((Task)opening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            _open = opening.IsCompletedSuccessfully ? await opening : null;
            _open?.Consumer.End();
        }

        if (_open is { Rows.Writer.Lost: null } open)
        {
            await open.Rows.Writer.CommitHead();
        }

        DeactivateOnIdle();
    }

    /// <summary>
    /// Null when this program does not have it, or it came and went. Opened once however many ask; what fails is tried again by the next
    /// who asks.
    /// </summary>
    private async ValueTask<OpenSubscriber?> TryOpen()
    {
        if (_entry is null || _open is not null)
        {
            return _entry is null ? null : _open;
        }

        var opening = _opening ??= Open(_entry);
        try
        {
            _open = await opening;
        }
        catch
        {
            _opening = _opening == opening ? null : _opening;
            throw;
        }

        return _entry is null ? null : _open;
    }

    private async Task<OpenSubscriber?> Open(SubscriberEntry entry)
    {
        if (entry.IsThere is { } isThere && !await isThere(_stop))
        {
            _entry = null;
            DeactivateOnIdle();
            return null;
        }

        var rows = await SubscriberPartition.Open(
            store,
            entry,
            _key,
            catalog.NoteTaker is not null,
            from => Feed.Register(_key.Name, from),
            clock,
            chance,
            _stop
        );
        var readTo = (await Feed.Head(_stop)).Head;
        if (rows.Scheduler.Stopped is { } why)
        {
            LogStopped(_key, why);
            metrics.OnStopped(_key, why);
        }
        else
        {
            metrics.OnGoesOn(_key);
        }

        NoteSender? notes = null;
        var host = new ConsumerHost(Observe, End, metrics.OnTried, _timer, _stop);
        var consumer = new FeedConsumer(rows, entry.Rules, Feed, readTo, host, clock, guards, logger)
        {
            HasNotes = () => Observe(notes!.Send(), "tell the audit"),
        };
        notes = new(rows, Audit, consumer.Go, End, logger, _stop);
        return new(rows, consumer, notes);
    }

    private async ValueTask<OpenSubscriber> Here() =>
        await TryOpen() ?? throw new InvalidOperationException($"This program has no subscriber \"{_key.Name}\" any more.");

    private async Task<T> Do<T>(Func<SubscriberPartition, Task<T>> act)
    {
        var open = await Here();
        try
        {
            return await act(open.Rows);
        }
        catch (PartitionLostException lost)
        {
            End(lost);
            throw;
        }
        finally
        {
            open.Consumer.Go();
            Observe(open.Notes.Send(), "tell the audit");
        }
    }

    private SubscriberState State(SubscriberHeadRow head, string? halt, long commits) =>
        new(
            _key.Name,
            _key.Partition,
            head.Cursor,
            Math.Max(_open?.Consumer.Known ?? 0, head.Cursor - 1),
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
            IsStopped = _open?.Rows.Scheduler.Stopped is not null,
        };

    private Task OnTimer(CancellationToken cancel)
    {
        _timer.WentOff();
        _open?.Consumer.Go();
        return Task.CompletedTask;
    }

    /// <summary>For what nobody awaits: a failure ends the activation.</summary>
    private void Observe(Task work, string what) => this.Observe(work, logger, _stop, what);

    private void End(PartitionLostException lost)
    {
        if (!_stop.IsCancellationRequested)
        {
            _stopping.Cancel();
            LogLost(_key, lost.Message);
            DeactivateOnIdle();
        }
    }

    private sealed record OpenSubscriber(SubscriberPartition Rows, FeedConsumer Consumer, NoteSender Notes);
}
