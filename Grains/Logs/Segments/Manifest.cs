using System.Collections.Immutable;
using Grains.Interfaces.Logs;

namespace Grains.Logs.Segments;

/// <summary>The segments of a shard that are part of the log, and what changed lately, for readers that follow.</summary>
/// <remarks>Not thread-safe. Holds the last <see cref="KeptChanges"/> changes; a reader that is further behind gets everything.</remarks>
public sealed class Manifest(long epoch)
{
    public const int KeptChanges = 4096;

    private readonly SortedDictionary<long, LogSegment> _segments = [];
    private readonly Queue<Change> _changes = new();
    private long _revision;

    public int Count => _segments.Count;

    /// <summary>By the number of their row: in the order in which they were written.</summary>
    public IEnumerable<KeyValuePair<long, LogSegment>> Segments => _segments;

    public bool Contains(long number) => _segments.ContainsKey(number);

    public long Bytes { get; private set; }

    public long RawBytes { get; private set; }

    public long Records { get; private set; }

    public void Add(long number, LogSegment segment)
    {
        _segments.Add(number, segment);
        Weigh(segment, 1);
        Changed(segment, null);
    }

    public void Remove(long number)
    {
        if (_segments.Remove(number, out var segment))
        {
            Weigh(segment, -1);
            Changed(null, segment.Name);
        }
    }

    /// <summary>What a reader with this mark does not know yet.</summary>
    public ManifestDelta Since(ManifestMark known)
    {
        var now = new ManifestMark(epoch, _revision);
        if (known.Epoch != epoch || known.Revision > _revision || _revision - known.Revision > _changes.Count)
        {
            return new(now, IsWhole: true, [.. _segments.Values], []);
        }

        var news = _changes.Skip((int)(_changes.Count - (_revision - known.Revision))).ToList();
        var removed = news.Select(change => change.Removed).OfType<string>().ToImmutableArray();
        var gone = removed.ToHashSet(StringComparer.Ordinal);
        return new(
            now,
            IsWhole: false,
            [.. news.Select(change => change.Added).OfType<LogSegment>().Where(segment => !gone.Contains(segment.Name))],
            removed
        );
    }

    private void Changed(LogSegment? added, string? removed)
    {
        _revision++;
        _changes.Enqueue(new(added, removed));
        if (_changes.Count > KeptChanges)
        {
            _changes.Dequeue();
        }
    }

    private void Weigh(LogSegment segment, int sign)
    {
        Bytes += sign * segment.Bytes;
        RawBytes += sign * segment.RawBytes;
        Records += sign * segment.Records;
    }

    private readonly record struct Change(LogSegment? Added, string? Removed);
}
