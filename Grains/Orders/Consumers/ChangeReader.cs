using System.Collections.Immutable;
using Grains.Interfaces.Orders;

namespace Grains.Orders.Consumers;

/// <summary>Reads single changes that are kept in the feed, and keeps what it read beside one for those that come next.</summary>
/// <param name="ahead">Changes that are read at once: 1 where the next one asked for is elsewhere.</param>
internal sealed class ChangeReader(IOrderFeedGrain feed, int ahead)
{
    private ImmutableArray<OrderChange> _read = [];

    /// <summary>Null: it is not kept any more.</summary>
    public async Task<OrderChange?> Read(long revision, CancellationToken cancel)
    {
        if (_read.IsEmpty || revision < _read[0].Revision || revision > _read[^1].Revision)
        {
            _read = (await feed.Read(revision, ahead, cancel)).Changes;
        }

        // They come in order and without gaps.
        var index = _read.IsEmpty ? -1 : revision - _read[0].Revision;
        return index >= 0 && index < _read.Length ? _read[(int)index] : null;
    }
}
