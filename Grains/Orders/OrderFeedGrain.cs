using System.Collections.Immutable;
using System.Globalization;
using Grains.Interfaces.Books;
using Grains.Interfaces.Orders;
using Grains.Orders.Consumers;
using Grains.Orders.Feed;
using Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;

namespace Grains.Orders;

/// <summary>
/// The single writer of one partition of orders: <see cref="OrderFeed"/> decides what goes into commits, <see cref="FeedPartition"/> makes
/// and reads them; the rest is telling and keeping time.
/// </summary>
/// <remarks>
/// Reentrant, because callers gather around one commit loop (<see cref="PartitionWriter"/>). It holds because everything between two awaits
/// is decided in memory at once,
/// an answer comes when what it rests on is durable, and when a commit fails the activation ends.
/// Over 150 lines, because it has the 12 verbs of its contract, most of a line or two, and one timer for three things that become due.
/// </remarks>
[Reentrant]
[GrainType("orderfeed")]
public sealed partial class OrderFeedGrain(
    ITableStore store,
    SubscriberCatalog catalog,
    IOptions<OrdersOptions> options,
    TimeProvider clock,
    [FromKeyedServices(Clocks.Guards)] TimeProvider guards,
    OrdersMetrics metrics,
    ILogger<OrderFeedGrain> logger
) : Grain, IOrderFeedGrain
{
    /// <summary>What nobody waits for is written after this at the latest.</summary>
    private static readonly TimeSpan TellWithin = TimeSpan.FromSeconds(1);

    /// <summary>Between two looks for changes that need not be kept any more.</summary>
    private static readonly TimeSpan CompactEvery = TimeSpan.FromMinutes(1);

    private FeedPartition _partition = null!;
    private DueTimer _timer = null!;
    private DateTimeOffset _compactAt;
    private DateTimeOffset? _tellAt;
    private bool _isBusy;
    private int _announcing;

    private int Number => (int)this.GetPrimaryKeyLong();

    private OrderFeed Feed => _partition.Feed;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (Number < 0 || Number >= options.Value.Partitions)
        {
            throw new InvalidOperationException($"The partitions of orders are 0 to {options.Value.Partitions - 1}; {Number} is none.");
        }

        var timer = this.RegisterGrainTimer(
            OnTimer,
            new GrainTimerCreationOptions(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan) { Interleave = true, KeepAlive = true }
        );
        _timer = new(clock, wait => timer.Change(wait, Timeout.InfiniteTimeSpan));
        _partition = await FeedPartition.Open(store, clock, Number, Announce, commit => this.Observe(commit, logger), guards);
        foreach (var name in catalog.Names)
        {
            // Listed with the first commit there is, so that none of them misses a change that comes before it looks here itself.
            Feed.Register(name, catalog.Find(name)!.Rules.FromStart ? 1 : null);
        }

        _compactAt = clock.GetUtcNow() + CompactEvery;
        SetTimer();
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (_partition is { Writer.Lost: null } && Feed.HasUntold)
        {
            try
            {
                await _partition.Flush().WaitAsync(cancellationToken);
            }
            catch (Exception e) when (e is PartitionLostException or OperationCanceledException)
            {
                LogLeftEarly(Number, e.Message);
            }
        }
    }

    public async Task<FeedReply> Keep(FeedRequest request)
    {
        try
        {
            var reply = await _partition.Keep(request);
            metrics.OnStep(request.Step, reply);
            SetTimer();
            return reply;
        }
        catch (PartitionLostException lost)
        {
            End(lost);
            throw;
        }
    }

    public Task Count(OrderRefusal refusal)
    {
        Feed.Count(refusal);
        SetTimer();
        return Task.CompletedTask;
    }

    public Task<OrderChanges> Read(long from, int take, CancellationToken cancel) => _partition.Read(from, take, cancel);

    public Task<FeedHead> Head(CancellationToken cancel) =>
        Task.FromResult(new FeedHead(Feed.Committed.Revision, Feed.Committed.Lowest, _partition.Writer.Commits));

    public async Task<long> Register(string subscriber, long? from, CancellationToken cancel)
    {
        if (!StoreLimits.IsKey(subscriber) || subscriber.Length > 100)
        {
            throw new ArgumentException(
                $"A subscriber's name has 1 to 100 characters of [0-9A-Za-z._~-]; this is \"{subscriber}\".",
                nameof(subscriber)
            );
        }

        if (Feed.Subscribers.Count >= IOrderFeedGrain.MaxSubscribers && !Feed.Subscribers.ContainsKey(subscriber))
        {
            throw new InvalidOperationException($"{IOrderFeedGrain.MaxSubscribers} subscribers are listed already; remove one first.");
        }

        var cursor = Feed.Register(subscriber, from);
        await Flush();
        return cursor;
    }

    public Task Advance(string subscriber, long cursor)
    {
        Feed.Advance(subscriber, cursor);
        SetTimer();
        return Task.CompletedTask;
    }

    public Task<ImmutableArray<FeedSubscriber>> Subscribers(CancellationToken cancel) =>
        Task.FromResult<ImmutableArray<FeedSubscriber>>([
            .. Feed
                .Subscribers.OrderBy(pair => pair.Key, StringComparer.Ordinal)
                .Select(pair => new FeedSubscriber(pair.Key, pair.Value.Cursor, pair.Value.At)),
        ]);

    public async Task<bool> Remove(string subscriber, CancellationToken cancel)
    {
        if (!Feed.Remove(subscriber))
        {
            return false;
        }

        await Flush();
        LogRemoved(Number, subscriber);
        return true;
    }

    public async Task<FeedErased> Erase(string customer, CancellationToken cancel)
    {
        try
        {
            return await _partition.Erase(customer, cancel);
        }
        catch (PartitionLostException lost)
        {
            End(lost);
            throw;
        }
    }

    public async Task ForgetCustomer(string customer, ImmutableArray<OrderId> orders, CancellationToken cancel)
    {
        try
        {
            await _partition.ForgetCustomer(customer, orders);
        }
        catch (PartitionLostException lost)
        {
            End(lost);
            throw;
        }
    }

    public async Task<Account> Account(CancellationToken cancel)
    {
        if (Feed.HasUntold)
        {
            await Flush();
        }

        var head = Feed.Committed;
        return new(
            "orders",
            "steps",
            head.In,
            head.Done,
            head.Refused,
            head.Waiting,
            OrderFeed.MaxWaiting,
            string.Create(
                CultureInfo.InvariantCulture,
                $"a step beyond {OrderFeed.MaxWaiting:N0} that wait in one partition is refused as busy, and counted"
            )
        );
    }

    public Task Wake(CancellationToken cancel)
    {
        SetTimer();
        return Task.CompletedTask;
    }

    private async Task OnTimer(CancellationToken cancel)
    {
        _timer.WentOff();
        if (_isBusy)
        {
            return; // Whoever is at it sets the timer again.
        }

        _isBusy = true;
        try
        {
            var now = clock.GetUtcNow();
            if (_tellAt <= now)
            {
                _tellAt = null;
                await (Feed.HasUntold ? _partition.Flush() : Task.CompletedTask);
            }

            await CancelDue();
            if (_compactAt <= now)
            {
                while (await _partition.Compact(options.Value.KeepChanges))
                {
                    await CancelDue(); // Exact to a second, also while much is removed.
                }

                _compactAt = clock.GetUtcNow() + CompactEvery;
            }
        }
        catch (PartitionLostException lost)
        {
            End(lost);
        }
        catch (Exception failed)
        {
            // What is due stays due: the next activation reads it again.
            LogFailed(Number, failed);
            DeactivateOnIdle();
        }
        finally
        {
            _isBusy = false;
            SetTimer();
        }
    }

    private async Task CancelDue()
    {
        while (Feed.NextDue <= clock.GetUtcNow() && await _partition.CancelDue())
        {
            await Task.Yield();
        }
    }

    /// <summary>The one timer is set to whatever comes first.</summary>
    private void SetTimer()
    {
        if (_isBusy)
        {
            return;
        }

        var now = clock.GetUtcNow();
        if (Feed.HasUntold)
        {
            _tellAt ??= now + TellWithin;
        }

        var due = _compactAt;
        due = _tellAt < due ? _tellAt.Value : due;
        due = Feed.NextDue < due ? Feed.NextDue.Value : due;
        _timer.Set(due);
    }

    private async Task Flush()
    {
        try
        {
            await _partition.Flush();
        }
        catch (PartitionLostException lost)
        {
            End(lost);
            throw;
        }
    }

    private void Announce(CommittedChanges committed)
    {
        metrics.OnCommit(committed);
        if (_announcing >= Announcements.MaxInFlight)
        {
            return; // Who listens sees by the next revision that some are missing, and reads them.
        }

        _announcing++;
        this.Observe(Tell(Announcements.Of(Number, committed, Feed.Listed)), logger);
    }

    /// <summary>An event that is lost costs time: the changes are in the store.</summary>
    private async Task Tell(OrdersChanged changed)
    {
        try
        {
            await this.GetStreamProvider(OrderStreams.Provider)
                .GetStream<OrdersChanged>(StreamId.Create(OrderStreams.Changes, Number))
                .OnNextAsync(changed);
        }
        catch (Exception e)
        {
            LogNotAnnounced(Number, changed.First, changed.Last, e);
        }
        finally
        {
            _announcing--;
        }
    }

    private void End(PartitionLostException lost)
    {
        Feed.Lose(lost);
        LogLost(Number, lost.Message);
        DeactivateOnIdle();
    }
}
