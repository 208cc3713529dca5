using System.Collections.Immutable;
using Grains.Interfaces.Orders;

namespace Grains.Orders.Feed;

/// <summary>
/// The last committed changes, so that whoever keeps up reads no rows: at most <see cref="MaxChanges"/>, and about <see cref="MaxBytes"/>.
/// </summary>
/// <param name="last">The last revision before it begins.</param>
public sealed class ChangeTail(long last)
{
    public const int MaxChanges = 2048;

    public const int MaxBytes = 4 * 1024 * 1024;

    private readonly (OrderChange Change, int Bytes)[] _ring = new (OrderChange, int)[MaxChanges];
    private long _last = last;
    private int _count;
    private int _bytes;

    /// <summary>The first revision that is here; one above the last when there is none.</summary>
    public long First => _last - _count + 1;

    /// <summary>The next change in order; after a gap everything before it is forgotten.</summary>
    public void Add(OrderChange change, int bytes)
    {
        if (change.Revision != _last + 1)
        {
            Array.Clear(_ring);
            (_count, _bytes) = (0, 0);
        }

        _last = change.Revision;
        _count++;
        _bytes += bytes;
        while (_count > MaxChanges || (_bytes > MaxBytes && _count > 1))
        {
            ref var oldest = ref _ring[(_last - _count + 1) % MaxChanges];
            _bytes -= oldest.Bytes;
            oldest = default;
            _count--;
        }

        _ring[_last % MaxChanges] = (change, bytes);
    }

    /// <summary>Puts each change in the place of the one that it is made from.</summary>
    public void Replace(Func<OrderChange, OrderChange> make)
    {
        for (var revision = First; revision <= _last; revision++)
        {
            ref var place = ref _ring[revision % MaxChanges];
            place.Change = make(place.Change);
        }
    }

    /// <summary>
    /// Changes from a revision that is here, in order: at most <paramref name="take"/>, and <paramref name="maxBytes"/> unless the first
    /// has more.
    /// </summary>
    public ImmutableArray<OrderChange> Read(long from, int take, int maxBytes)
    {
        var changes = ImmutableArray.CreateBuilder<OrderChange>((int)Math.Min(take, _last - from + 1));
        var bytes = 0;
        for (var revision = from; revision <= _last && changes.Count < take; revision++)
        {
            var (change, size) = _ring[revision % MaxChanges];
            bytes += size;
            if (bytes > maxBytes && changes.Count > 0)
            {
                break;
            }

            changes.Add(change);
        }

        return changes.DrainToImmutable();
    }
}
