using System.Collections.Immutable;
using Grains.Interfaces.Logs;

namespace Grains.Logs.Reading;

/// <summary>
/// The segments that this silo found to be unreadable: for its health, its metrics, and so that the next question need not look through a
/// damaged file again. A segment leaves the list when it
/// is read, when it is no longer part of the log, and is looked at anew after <see cref="TrustedFor"/>. Thread-safe.
/// </summary>
public sealed class UnreadableSegments(TimeProvider clock)
{
    /// <summary>Segments that are named; of more only the first are.</summary>
    public const int MaxNamed = 1_000;

    /// <summary>
    /// For so long a segment that was found to be damaged is passed over without being opened: somebody may put it right.
    /// </summary>
    public static readonly TimeSpan TrustedFor = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, Entry> _segments = new(StringComparer.Ordinal);

    /// <summary>Names and reasons, in order of the names.</summary>
    public ImmutableArray<SegmentFault> All
    {
        get
        {
            lock (_lock)
            {
                return [.. _segments.Select(segment => new SegmentFault(segment.Key, segment.Value.Reason, MayPass: false))];
            }
        }
    }

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _segments.Count;
            }
        }
    }

    public void Add(string name, string reason)
    {
        lock (_lock)
        {
            if (_segments.Count < MaxNamed || _segments.ContainsKey(name))
            {
                _segments[name] = new(reason, clock.GetTimestamp());
            }
        }
    }

    /// <summary>Whether it was found to be unreadable lately, and why.</summary>
    public bool IsKnown(string name, out string reason)
    {
        lock (_lock)
        {
            var known = _segments.TryGetValue(name, out var entry) && clock.GetElapsedTime(entry.Found) < TrustedFor;
            reason = known ? entry.Reason : "";
            return known;
        }
    }

    /// <summary>These were read.</summary>
    public void Remove(IEnumerable<LogSegment> segments)
    {
        lock (_lock)
        {
            if (_segments.Count == 0)
            {
                return;
            }

            foreach (var segment in segments)
            {
                _segments.Remove(segment.Name);
            }
        }
    }

    /// <summary>These are all that are part of the log now.</summary>
    public void Keep(ImmutableArray<LogSegment> all)
    {
        lock (_lock)
        {
            if (_segments.Count == 0)
            {
                return;
            }

            var names = all.Select(segment => segment.Name).ToHashSet(StringComparer.Ordinal);
            foreach (var gone in _segments.Keys.Where(name => !names.Contains(name)).ToArray())
            {
                _segments.Remove(gone);
            }
        }
    }

    private readonly record struct Entry(string Reason, long Found);
}

/// <summary>What one question cannot read.</summary>
internal sealed class UnreadableFound(UnreadableSegments known)
{
    private readonly SortedDictionary<string, string> _unreadable = new(StringComparer.Ordinal);
    private readonly HashSet<string> _once = new(StringComparer.Ordinal);

    private ImmutableArray<SegmentFault> _shards = [];

    public int Count => _unreadable.Count;

    /// <summary>These shards do not answer now; the ones that did not before may.</summary>
    public void Without(ImmutableArray<SegmentFault> shards) => _shards = shards;

    /// <summary>Those that can be read as far as is known.</summary>
    /// <param name="wanted">Those that may hold an answer.</param>
    public ImmutableArray<LogSegment> Readable(ImmutableArray<LogSegment> wanted)
    {
        if (known.Count > 0)
        {
            foreach (var segment in wanted)
            {
                if (known.IsKnown(segment.Name, out var reason))
                {
                    _unreadable.TryAdd(segment.Name, reason);
                }
            }
        }

        return _unreadable.Count == 0 ? wanted : wanted.RemoveAll(segment => _unreadable.ContainsKey(segment.Name));
    }

    public void Add(SegmentsUnreadableException unreadable)
    {
        foreach (var fault in unreadable.Faults)
        {
            if (!fault.MayPass || !_once.Add(fault.Name))
            {
                _unreadable[fault.Name] = fault.Reason;
                known.Add(fault.Name, fault.Reason);
            }
        }
    }

    /// <summary>How a question ended, with what it could not read.</summary>
    public QueryEnd In(QueryEnd end)
    {
        if (_unreadable.Count == 0 && _shards.IsEmpty)
        {
            return end;
        }

        var marked = end with
        {
            Unreadable = _shards.Length + _unreadable.Count,
            UnreadableSegments = [.. _shards.Select(shard => shard.Name).Concat(_unreadable.Keys).Take(QueryEnd.MaxUnreadableNames)],
        };
        return end.Outcome is QueryOutcome.Whole ? marked with { Outcome = QueryOutcome.Partial, Sentence = Sentence() } : marked;
    }

    private string Sentence()
    {
        if (_shards is [var shard, ..])
        {
            var more = _shards.Length + _unreadable.Count - 1;
            return $"Part of the log cannot be read, and what is in it is missing: {shard.Name} {shard.Reason}"
                + (more > 0 ? $", and {more} more." : ".");
        }

        var (name, reason) = _unreadable.First();
        return _unreadable.Count == 1
            ? $"One segment cannot be read, and what is in it is missing: {name} {reason}."
            : $"{_unreadable.Count} segments cannot be read, and what is in them is missing; the first: {name} {reason}.";
    }
}
