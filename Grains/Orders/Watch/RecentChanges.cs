using Grains.Interfaces.Orders;

namespace Grains.Orders.Watch;

/// <summary>
/// The last changes of a partition in order and without gaps: at most <see cref="MaxChanges"/>, and about <see cref="MaxBytes"/>. Not for
/// several threads.
/// </summary>
/// <param name="last">The last revision before it begins.</param>
public sealed class RecentChanges(long last)
{
    public const int MaxChanges = 1024;

    public const int MaxBytes = 4 * 1024 * 1024;

    private readonly WatchedChange?[] _ring = new WatchedChange?[MaxChanges];
    private int _count;
    private int _bytes;

    /// <summary>The first revision that is here; one above the last when there is none.</summary>
    public long First => Last - _count + 1;

    public long Last { get; private set; } = last;

    /// <summary>Takes the change that follows the last one; false for any other.</summary>
    public bool Add(OrderChange change)
    {
        if (change.Revision != Last + 1)
        {
            return false;
        }

        var watched = new WatchedChange(change);
        Last++;
        _count++;
        _bytes += watched.Bytes;
        while (_count > MaxChanges || (_bytes > MaxBytes && _count > 1))
        {
            ref var oldest = ref _ring[First % MaxChanges];
            _bytes -= oldest!.Bytes;
            oldest = null;
            _count--;
        }

        _ring[Last % MaxChanges] = watched;
        return true;
    }

    /// <summary>One that is here.</summary>
    public WatchedChange this[long revision] => _ring[revision % MaxChanges]!;
}
