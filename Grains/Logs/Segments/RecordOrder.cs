using System.Runtime.InteropServices;
using Grains.Interfaces.Logs;

namespace Grains.Logs.Segments;

/// <summary>A record's place: the block, and its number there.</summary>
public readonly record struct RecordPlace(int Block, int Record);

/// <summary>
/// In which order records lie in a segment: by service (as bytes), then by time, then as they came. Alike compresses well, and a query for
/// one service reads one stretch.
/// </summary>
public static class RecordOrder
{
    public static RecordPlace[] Of(IReadOnlyList<LogBlock> blocks)
    {
        var services = new ServiceNumbers();
        var places = new RecordPlace[blocks.Sum(block => block.Count)];
        var keys = new (int Service, ulong Time)[places.Length];
        var next = 0;
        var inOrder = true;
        for (var block = 0; block < blocks.Count; block++)
        {
            var times = blocks[block].Times;
            for (var record = 0; record < times.Length; record++)
            {
                places[next] = new(block, record);
                keys[next] = (services.Of(blocks[block][record].Service), times[record]);
                inOrder &= next == 0 || keys[next - 1].CompareTo(keys[next]) <= 0;
                next++;
            }
        }

        if (inOrder && services.Count <= 1)
        {
            return places;
        }

        var ranks = services.Ranks();
        var numbers = new int[places.Length];
        for (var index = 0; index < keys.Length; index++)
        {
            keys[index].Service = ranks[keys[index].Service];
            numbers[index] = index;
        }

        numbers.AsSpan().Sort((left, right) => keys[left].CompareTo(keys[right]) is var order and not 0 ? order : left.CompareTo(right));
        return Array.ConvertAll(numbers, number => places[number]);
    }

    /// <summary>A number for each different service, as they are met; most records have the service of the one before.</summary>
    private sealed class ServiceNumbers
    {
        private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
        private readonly List<byte[]> _names = [];
        private int _last = -1;

        public int Count => _names.Count;

        public int Of(ReadOnlySpan<byte> service)
        {
            if (_last >= 0 && service.SequenceEqual(_names[_last]))
            {
                return _last;
            }

            ref var number = ref CollectionsMarshal.GetValueRefOrAddDefault(
                _numbers,
                System.Text.Encoding.Latin1.GetString(service),
                out var known
            );
            if (!known)
            {
                number = _names.Count;
                _names.Add(service.ToArray());
            }

            return _last = number;
        }

        /// <summary>The place of each number when the names are sorted by their bytes.</summary>
        public int[] Ranks()
        {
            var sorted = Enumerable.Range(0, _names.Count).ToArray();
            Array.Sort(sorted, (left, right) => _names[left].AsSpan().SequenceCompareTo(_names[right]));
            var ranks = new int[sorted.Length];
            for (var rank = 0; rank < sorted.Length; rank++)
            {
                ranks[sorted[rank]] = rank;
            }

            return ranks;
        }
    }
}
