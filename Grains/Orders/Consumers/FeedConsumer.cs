using System.Diagnostics;
using System.Runtime.CompilerServices;
using Grains.Interfaces.Orders;
using Grains.Orders.Rows;
using Grains.Orders.Tracing;
using Grains.Storage;
using Microsoft.Extensions.Logging;

namespace Grains.Orders.Consumers;

/// <summary>What a consumer of the feed needs of the grain that it runs in.</summary>
/// <param name="Observe">Takes work that nobody awaits, and its name: a failure ends the activation.</param>
/// <param name="Lost">Nothing can be committed any more: the activation ends.</param>
/// <param name="Tried">A channel, what a try came to, and the time since the change.</param>
/// <param name="Timer">Calls <see cref="FeedConsumer.Go"/> when something is due.</param>
/// <param name="Stop">The activation ends.</param>
internal sealed record ConsumerHost(
    Action<Task, string> Observe,
    Action<PartitionLostException> Lost,
    Action<string, DeliveryResult, TimeSpan> Tried,
    DueTimer Timer,
    CancellationToken Stop
);

/// <summary>
/// Reads one partition's feed for one subscriber: takes what is announced, reads what is missing, begins what can be begun, and hands in
/// what can
/// be committed.
/// </summary>
/// <remarks>
/// Runs on the scheduler of the grain that owns the partition; everything between two awaits is decided in memory at once.
/// </remarks>
/// <param name="readTo">
/// What was committed up to there is read from the feed: an event of then may have what was erased since, of which only the activation
/// before
/// was told.
/// </param>
internal sealed partial class FeedConsumer(
    SubscriberPartition partition,
    SubscriberRules rules,
    IOrderFeedGrain feed,
    long readTo,
    ConsumerHost host,
    TimeProvider clock,
    TimeProvider guards,
    ILogger logger
)
{
    /// <summary>Changes in one answer of the feed.</summary>
    private const int ReadAtOnce = 256;

    /// <summary>The feed is told of the cursor this often at most: it only keeps changes a little longer.</summary>
    private static readonly TimeSpan AdvanceEvery = TimeSpan.FromSeconds(2);

    private DateTimeOffset _advanceAt;
    private long _advanced;
    private bool _isReading;
    private bool _isEnded;

    /// <summary>The feed's last revision, as far as it is known here.</summary>
    public long Known { get; private set; }

    /// <summary>Called after a commit that left notes for the audit.</summary>
    public Action HasNotes { get; init; } = static () => { };

    private DeliveryScheduler Scheduler => partition.Scheduler;

    /// <summary>Changes were committed. It takes those that come next; where some are missing, it reads the feed.</summary>
    public void Take(OrdersChanged changed)
    {
        Known = Math.Max(Known, changed.Last);
        if (changed.First <= Scheduler.Next && changed.First > readTo)
        {
            Scheduler.Take(changed.Changes);
        }

        Go();
    }

    /// <summary>Looks at the feed's head: an announcement may be lost.</summary>
    public async Task Look(CancellationToken cancel)
    {
        Known = Math.Max(Known, (await feed.Head(cancel)).Head);
        Advance();
        Go();
    }

    /// <summary>It takes, begins and commits nothing any more.</summary>
    public void End() => _isEnded = true;

    /// <summary>
    /// Begins what can be begun, hands in what can be committed, and reads on where some are missing. While the activation ends, what was
    /// done is
    /// still committed.
    /// </summary>
    public void Go()
    {
        if (partition.Writer.Lost is not null || _isEnded)
        {
            return;
        }

        while (!host.Stop.IsCancellationRequested && Scheduler.Begin() is { } item)
        {
            Handle(item);
        }

        if (Scheduler.WantsCommit)
        {
            Scheduler.IsHandedIn = true;
            Observe(Commit());
        }

        if (host.Stop.IsCancellationRequested)
        {
            return;
        }

        if (Scheduler.Next <= Known && Scheduler.Room > 0 && !_isReading)
        {
            Observe(Read());
        }

        host.Timer.Set(Scheduler.NextTime);
    }

    private void Handle(ChangeItem item)
    {
        Task<DeliveryResult> handling;
        var around = Activity.Current;
        var tracing = rules.Channel is null ? null : OrdersTracing.Delivers(rules.Name, item.Change, item.Attempts, item.LastTry);
        try
        {
            var within = rules.Within;
            var cancel = within is null ? null : CancellationTokenSource.CreateLinkedTokenSource(host.Stop);
            var handled = partition.Subscriber.Handle(new(item.Change, item.Attempts), cancel?.Token ?? host.Stop);
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
            LogThrew(partition.Key, item.Change.OrderId, item.Revision, item.Attempts, e);
            Finish(item, DeliveryScheduler.Threw(e), tracing);
            return;
        }
        finally
        {
            Activity.Current = around; // What is begun next is no part of this try.
        }

        Observe(Await(item, handling, tracing));
    }

    private void Finish(ChangeItem item, DeliveryResult result, Activity? tracing)
    {
        if (tracing is not null)
        {
            item.LastTry = OrdersTracing.Tried(tracing, result.Word, result.Reason, result.IsError) ?? item.LastTry;
        }

        if (rules.Channel is { } channel)
        {
            host.Tried(channel, result, clock.GetUtcNow() - item.Change.At);
        }

        Scheduler.Finish(item, result);
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
                return await handled.WaitAsync(bound, guards, host.Stop);
            }
            catch (TimeoutException) when (!handled.IsCompleted)
            {
                await cancel!.CancelAsync();
                return DeliveryResult.Later(DeliveryReasons.TookTooLong, $"It was not through within {bound.TotalSeconds:0.#} s.");
            }
        }
    }

    private async Task Await(ChangeItem item, Task<DeliveryResult> handling, Activity? tracing)
    {
        try
        {
            Finish(item, await handling, tracing);
        }
        catch (OperationCanceledException) when (host.Stop.IsCancellationRequested)
        {
            return; // The next activation begins it again.
        }
        catch (Exception e)
        {
            LogThrew(partition.Key, item.Change.OrderId, item.Revision, item.Attempts, e);
            Finish(item, DeliveryScheduler.Threw(e), tracing);
        }

        Go();
    }

    private async Task Commit()
    {
        try
        {
            await partition.Writer.Commit(Scheduler);
        }
        catch (PartitionLostException lost)
        {
            host.Lost(lost);
            return;
        }

        Advance();
        if (partition.HasNotes)
        {
            HasNotes();
        }

        Go();
    }

    private async Task Read()
    {
        _isReading = true;
        try
        {
            var read = await feed.Read(Scheduler.Next, Math.Min(ReadAtOnce, Scheduler.Room), host.Stop);
            Known = Math.Max(Known, read.Head);
            if (read.IsCompacted && read.Next > Scheduler.Next)
            {
                var first = Scheduler.Next;
                if (Scheduler.Skip(read.Next))
                {
                    LogMissed(partition.Key, first, read.Next - 1);
                }
            }
            else
            {
                Scheduler.Take(read.Changes);
            }
        }
        catch (Exception e)
        {
            if (!host.Stop.IsCancellationRequested)
            {
                LogNotRead(partition.Key, Scheduler.Next, e);
            }

            return; // With the next event or wake-up it is tried again.
        }
        finally
        {
            _isReading = false;
        }

        Go();
    }

    /// <summary>Tells the feed how far it is: not with each commit, for the feed only keeps changes a little longer.</summary>
    private void Advance()
    {
        var now = clock.GetUtcNow();
        if (now >= _advanceAt && partition.Committed.Cursor > _advanced)
        {
            _advanceAt = now + AdvanceEvery;
            _advanced = partition.Committed.Cursor;
            Observe(feed.Advance(partition.Key.Name, _advanced));
        }
    }

    private void Observe(Task work, [CallerArgumentExpression(nameof(work))] string what = "") => host.Observe(work, what);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Subscriber {Key}: order {OrderId}, revision {Revision}, attempt {Attempt} failed")]
    private partial void LogThrew(SubscriberKey key, OrderId orderId, long revision, int attempt, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "Subscriber {Key} missed revisions {First} to {Last}: they are not kept any more")]
    private partial void LogMissed(SubscriberKey key, long first, long last);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Subscriber {Key} could not read the feed from {From} and will try again")]
    private partial void LogNotRead(SubscriberKey key, long from, Exception exception);
}
