using System.Collections.Immutable;
using System.Globalization;
using Grains.Interfaces.Orders;
using Microsoft.Extensions.Logging;

namespace Grains.Orders.Watch;

/// <summary>All watches of this process, over one <see cref="PartitionHub"/> per partition.</summary>
public sealed partial class OrderWatches : IDisposable
{
    /// <summary>Watches at once.</summary>
    public const int MaxWatchers = 10_000;

    /// <summary>
    /// Watches that read the feed for themselves at the same time, so that those who come from far back take nobody's time.
    /// </summary>
    public const int MaxCatchingUp = 8;

    /// <summary>For the oldest that is kept.</summary>
    public const string Start = "start";

    /// <summary>
    /// Looks at the head, a second apart, before a cursor above it is taken for another cluster's: an activation that was left behind knows
    /// less.
    /// </summary>
    private const int LooksAtHead = 5;

    private readonly IOrderChanges _feed;
    private readonly ILogger<OrderWatches> _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _catchingUp = new(MaxCatchingUp);
    private readonly Ticker _pulse;
    private ImmutableArray<PartitionHub> _hubs;
    private int _watchers;

    public OrderWatches(IOrderChanges feed, TimeProvider clock, ILogger<OrderWatches> logger)
    {
        (_feed, Clock, _logger) = (feed, clock, logger);
        _pulse = new(clock, () => Volatile.Read(ref _watchers));
    }

    public int Count => Volatile.Read(ref _watchers);

    internal TimeProvider Clock { get; }

    internal SharedBatches Shared { get; } = new();

    internal Task Beat => _pulse.Next;

    /// <summary>
    /// Begins a watch after <paramref name="from"/>, a cursor; of all orders or of one. From <see cref="Start"/> it begins with the oldest
    /// change that is kept, from null
    /// with the first one that is committed after this was asked.
    /// </summary>
    /// <param name="order">An id. The order need not be there yet.</param>
    public async Task<WatchOpening> Open(string? from, string? order, CancellationToken cancel)
    {
        var partitions = await _feed.Partitions(cancel);
        if (_hubs.IsDefault)
        {
            ImmutableInterlocked.InterlockedInitialize(
                ref _hubs,
                [
                    .. Enumerable
                        .Range(0, partitions)
                        .Select(partition => new PartitionHub(partition, _feed, Clock, _pulse.Beat, Failed, _stopping.Token)),
                ]
            );
        }

        OrderId? only = null;
        if (order is not null)
        {
            if (!OrderId.TryParse(order, out var id) || id.Partition >= partitions)
            {
                return new(
                    null,
                    WatchRefusal.Invalid,
                    $"There is no order \"{(order.Length > 80 ? order[..80] + "…" : order)}\", and there can be none of this id."
                );
            }

            only = id;
        }

        var next = new long[only is null ? partitions : 1];
        if (from is not (null or Start))
        {
            if (!WatchCursor.TryRead(from, partitions, out var cursor, out var error))
            {
                return new(null, WatchRefusal.Invalid, error);
            }

            if (cursor.Only is { } its && its != only?.Partition)
            {
                return new(null, WatchRefusal.Invalid, "The cursor is of a watch of one order, and does for that order only.");
            }

            for (var place = 0; place < next.Length; place++)
            {
                next[place] = cursor.Next[cursor.Only is null && only is { } one ? one.Partition : place];
            }
        }

        if (Interlocked.Increment(ref _watchers) > MaxWatchers)
        {
            Leave();
            return new(
                null,
                WatchRefusal.Full,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{MaxWatchers:N0} watches are open in this process, which is all that there may be. Come again later."
                )
            );
        }

        var watcher = new Watcher(this, _hubs, only, next);
        try
        {
            var refused = from switch
            {
                Start => null,
                null => await FromNow(next, only, cancel),
                _ => await Check(next, only, cancel),
            };
            if (refused is null)
            {
                return new(watcher);
            }

            watcher.Dispose();
            return refused;
        }
        catch
        {
            watcher.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _pulse.Dispose();
        _stopping.Dispose();
        _catchingUp.Dispose();
    }

    internal void Leave() => Interlocked.Decrement(ref _watchers);

    /// <summary>One read of the feed for one watcher.</summary>
    internal async Task<OrderChanges> CatchUp(int partition, long from, int take, CancellationToken cancel)
    {
        await _catchingUp.WaitAsync(cancel);
        try
        {
            return await _feed.Read(partition, from, take, cancel);
        }
        finally
        {
            _catchingUp.Release();
        }
    }

    internal void Failed(int partition, Exception reason) => LogNotRead(partition, reason.Message);

    private async Task<WatchOpening?> FromNow(long[] next, OrderId? only, CancellationToken cancel)
    {
        await Task.WhenAll(next.Select(async (_, place) => next[place] = (await _feed.Head(only?.Partition ?? place, cancel)).Head + 1));
        return null;
    }

    /// <summary>What the hubs do not know to be there is asked of the feed.</summary>
    private async Task<WatchOpening?> Check(long[] next, OrderId? only, CancellationToken cancel)
    {
        for (var look = 1; ; look++)
        {
            int? ahead = null;
            var heads = await Task.WhenAll(next.Select((revision, place) => HeadFor(only?.Partition ?? place, revision, cancel)));
            for (var place = 0; place < next.Length; place++)
            {
                if (heads[place] is not { } head || next[place] == WatchCursor.Oldest)
                {
                    continue;
                }

                if (next[place] < head.Lowest)
                {
                    var lowest = next.Zip(heads, (revision, known) => revision < known?.Lowest ? WatchCursor.Oldest : revision).ToArray();
                    return WatchOpening.Compacted(
                        Watcher.Compacted(_hubs.Length, only?.Partition, only?.Partition ?? place, next[place], head.Lowest, lowest)
                    );
                }

                if (next[place] > head.Head + 1)
                {
                    ahead = place;
                }
            }

            if (ahead is not { } above)
            {
                return null;
            }

            if (look == LooksAtHead)
            {
                return new(
                    null,
                    WatchRefusal.Invalid,
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"The cursor is of another cluster: it has seen change {next[above] - 1} of partition "
                            + $"{only?.Partition ?? above}, and the last one here is {heads[above]!.Value.Head}."
                    )
                );
            }

            await Task.Delay(TimeSpan.FromSeconds(1), Clock, cancel);
        }
    }

    /// <summary>Null where the hub shows that the revision is there, or the next to come.</summary>
    private async Task<FeedHead?> HeadFor(int partition, long revision, CancellationToken cancel)
    {
        var hub = _hubs[partition];
        return hub.From(revision) == HubView.Here || hub.Last + 1 == revision ? null : await _feed.Head(partition, cancel);
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The changes of orders {Partition} could not be read for those who watch, and are read again in a moment: {Why}"
    )]
    private partial void LogNotRead(int partition, string why);
}
