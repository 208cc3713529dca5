using System.Collections.Immutable;
using System.Globalization;
using Grains.Interfaces.Orders;

namespace Grains.Orders.Watch;

/// <summary>
/// One watch: how far it has come, and what comes next. It asks and is never told, so a slow one keeps nobody waiting and piles nothing up:
/// what the hubs have no more
/// it reads from the feed, from its own place on. Each change comes once, in order per partition and so per order, and none is left out.
/// Not for several threads.
/// </summary>
/// <remarks>In memory it is its places, and while it works one answer: <see cref="MaxBytes"/>, or what the feed gives at once.</remarks>
public sealed class Watcher : IDisposable
{
    /// <summary>Bytes of changes in one answer, about, unless the first has more.</summary>
    public const int MaxBytes = 256 * 1024;

    /// <summary>After a failed read of the feed.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1);

    private readonly OrderWatches _watches;
    private readonly ImmutableArray<PartitionHub> _hubs;
    private readonly OrderId? _order;
    private readonly long[] _next;
    private readonly List<WatchedChange> _taken = [];
    private readonly List<WatchItem> _items = [];
    private WatchCompacted? _compacted;
    private long? _failedAt;
    private int _turn;
    private int _bytes;
    private bool _isLeft;

    /// <param name="next">By partition; of one order's watch, that order's alone.</param>
    internal Watcher(OrderWatches watches, ImmutableArray<PartitionHub> hubs, OrderId? order, long[] next)
    {
        (_watches, _hubs, _order, _next) = (watches, hubs, order, next);
        foreach (var hub in Hubs)
        {
            hub.Join();
        }
    }

    /// <summary>To go on after all that was given.</summary>
    public string Cursor => WatchCursor.Write(_hubs.Length, _order?.Partition, _next);

    private ReadOnlySpan<PartitionHub> Hubs => _order is { } order ? _hubs.AsSpan(order.Partition, 1) : _hubs.AsSpan();

    /// <summary>
    /// What comes next, at most <paramref name="take"/>, as soon as there is some. Nothing after <paramref name="quiet"/>, to a second:
    /// then all below the cursor was given.
    /// </summary>
    public async Task<WatchBatch> Next(int take, TimeSpan quiet, CancellationToken cancel)
    {
        var clock = _watches.Clock;
        var since = clock.GetTimestamp();
        while (true)
        {
            var beat = _watches.Beat;
            if (_order is null && _watches.Shared.From(_next, take) is { } shared)
            {
                return shared;
            }

            var from = _order is null ? _next.ToArray() : null;
            var (moved, behind) = TakeFromHubs(take);
            if (behind is { } partition && _items.Count < take && !(_failedAt is { } failed && clock.GetElapsedTime(failed) < Rest))
            {
                moved |= await CatchUp(partition, take, cancel);
            }

            if (_items.Count > 0 || _compacted is not null || clock.GetElapsedTime(since) >= quiet)
            {
                return Answer(behind is null && (_items.Count < take || take >= SharedBatches.Take) ? from : null);
            }

            if (!moved)
            {
                await beat.WaitAsync(cancel);
            }
        }
    }

    public void Dispose()
    {
        if (_isLeft)
        {
            return;
        }

        _isLeft = true;
        foreach (var hub in Hubs)
        {
            hub.Leave();
        }

        _watches.Leave();
    }

    private int PartitionOf(int place) => _order?.Partition ?? place;

    /// <param name="from">Where it begins, when others may have it too.</param>
    private WatchBatch Answer(long[]? from)
    {
        var (items, bytes) = (_items.ToImmutableArray(), _bytes);
        _items.Clear();
        _bytes = 0;
        if (from is null || items.IsEmpty)
        {
            // What was taken before the gap was seen goes first.
            return new(items, Cursor, items.IsEmpty ? _compacted : null);
        }

        var batch = new WatchBatch(items, items[^1].Cursor) { IsShared = true };
        _watches.Shared.Add(from, _next, batch, bytes);
        return batch;
    }

    /// <summary>From each partition its share, another one first each time; and which one has to be read from the feed.</summary>
    private (bool Moved, int? Behind) TakeFromHubs(int take)
    {
        var (moved, behind) = (false, (int?)null);
        var share = Math.Max(8, take / _next.Length);
        _turn++;
        for (var i = 0; i < _next.Length && _items.Count < take && _bytes < MaxBytes; i++)
        {
            var place = (_turn + i) % _next.Length;
            var hub = Hubs[place];
            switch (hub.From(_next[place]))
            {
                case HubView.Here:
                    // A thousand changes of others in the order's partition are nothing: all that is here is looked through.
                    hub.Take(_next[place], _order is null ? Math.Min(share, take - _items.Count) : RecentChanges.MaxChanges, _taken);
                    moved |= Give(place, _taken, take, MaxBytes);
                    _taken.Clear();
                    break;
                case HubView.Behind:
                    behind ??= place;
                    break;
            }
        }

        return (moved, behind);
    }

    /// <summary>Reads the feed from its own place on, once; false when it came no further.</summary>
    private async Task<bool> CatchUp(int place, int take, CancellationToken cancel)
    {
        OrderChanges read;
        try
        {
            read = await _watches.CatchUp(
                PartitionOf(place),
                Math.Max(1, _next[place]),
                _order is null ? take - _items.Count : IOrderFeedGrain.MaxTake,
                cancel
            );
            _failedAt = null;
        }
        catch (Exception reason) when (!cancel.IsCancellationRequested)
        {
            // The feed is on its way to another silo, or the cluster is away. Nothing was given, so nothing is missing.
            _failedAt = _watches.Clock.GetTimestamp();
            _watches.Failed(PartitionOf(place), reason);
            return false;
        }

        if (!read.IsCompacted)
        {
            var moved = _next[place] == WatchCursor.Oldest;
            _next[place] = Math.Max(1, _next[place]);
            return Give(place, read.Changes.Select(change => new WatchedChange(change)), take, int.MaxValue) || moved;
        }

        if (_next[place] == WatchCursor.Oldest)
        {
            _next[place] = read.Next;
            return true;
        }

        if (_next[place] < read.Lowest)
        {
            var lowest = _next.ToArray();
            lowest[place] = WatchCursor.Oldest;
            _compacted = Compacted(_hubs.Length, _order?.Partition, PartitionOf(place), _next[place], read.Lowest, lowest);
        }

        return false;
    }

    internal static WatchCompacted Compacted(int partitions, int? only, int partition, long next, long lowest, ReadOnlySpan<long> from)
    {
        var cursor = WatchCursor.Write(partitions, only, from);
        return new(
            string.Create(
                CultureInfo.InvariantCulture,
                $"What comes after this cursor is not kept any more: change {next} of partition {partition} is next, and the "
                    + $"lowest that is kept is {lowest} (Orders:KeepChanges). Without what is missing it goes on from {cursor}"
            ),
            cursor
        );
    }

    private bool Give(int place, IEnumerable<WatchedChange> changes, int take, int maxBytes)
    {
        var moved = false;
        foreach (var watched in changes)
        {
            if (_items.Count >= take || (_bytes >= maxBytes && _items.Count > 0))
            {
                break;
            }

            _next[place] = watched.Change.Revision + 1;
            moved = true;
            if (_order is null || watched.Change.OrderId == _order)
            {
                _bytes += watched.Bytes;
                _items.Add(new(Cursor, watched));
            }
        }

        return moved;
    }
}
