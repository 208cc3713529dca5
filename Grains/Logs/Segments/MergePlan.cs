using Grains.Interfaces.Logs;

namespace Grains.Logs.Segments;

/// <summary>
/// Which small segments become one: those of one class and hour of arrival, smallest first, so that a record is written again few times
/// (size-tiered, as in O'Neil's log-structured merge tree).
/// </summary>
public static class MergePlan
{
    /// <summary>Rows that one commit replaces.</summary>
    public const int MaxSegments = 90;

    /// <summary>
    /// Bytes of records, before compression, that one merge takes: all of them are in memory meanwhile, about three times over. A row group
    /// is full with them as a rule, and more would
    /// not make it smaller. Measured in a flood of 40 s: a silo's peak is 784 MiB with 24 MiB, and 1,141 MiB with 64.
    /// </summary>
    public const long MaxRawBytes = 24 * 1024 * 1024;

    /// <summary>A segment of this size is left alone.</summary>
    public const long LargeRawBytes = 12 * 1024 * 1024;

    /// <summary>So many make a merge worth it while their hour goes on.</summary>
    public const int Worth = 8;

    /// <summary>A segment is left for this long, so that a burst is merged at once.</summary>
    public static readonly TimeSpan Settled = TimeSpan.FromSeconds(60);

    /// <summary>
    /// However many there are, one that is younger is left alone: the live tail looks five times a second, later on a busy machine, and
    /// what was merged before it looked its viewers would miss.
    /// </summary>
    public static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);

    /// <summary>The numbers of segments to merge now; empty when nothing is worth it. Those of the oldest hour first.</summary>
    public static IReadOnlyList<long> Next(IEnumerable<KeyValuePair<long, LogSegment>> segments, DateTimeOffset now)
    {
        var groups = segments
            .Where(entry => entry.Value.RawBytes < LargeRawBytes)
            .GroupBy(entry => (entry.Value.Arrived, entry.Value.Class))
            .OrderBy(group => group.Key.Arrived);
        foreach (var group in groups)
        {
            // No more come into an hour that is long over: what is left of it becomes one.
            var isOver = now >= group.Key.Arrived + TimeSpan.FromHours(1) + TimeSpan.FromMinutes(5);
            var smallest = group
                .Where(entry => now - entry.Value.Written >= Fresh)
                .OrderBy(entry => entry.Value.RawBytes)
                .ThenBy(entry => entry.Key)
                .ToList();
            var ready = smallest.Exists(entry => now - entry.Value.Written >= Settled) || smallest.Count >= MaxSegments;
            var chosen = Fitting(smallest);
            if (!isOver)
            {
                // One that is as large as all others together is not written again for their sake.
                while (
                    chosen.Count > 0
                    && chosen[^1].Value.RawBytes * 2 > chosen.Sum(entry => entry.Value.RawBytes)
                    && chosen.Count < MaxSegments
                )
                {
                    chosen.RemoveAt(chosen.Count - 1);
                }
            }

            if (ready && chosen.Count >= (isOver ? 2 : Worth))
            {
                return [.. chosen.Select(entry => entry.Key)];
            }
        }

        return [];
    }

    private static List<KeyValuePair<long, LogSegment>> Fitting(List<KeyValuePair<long, LogSegment>> smallestFirst)
    {
        var chosen = new List<KeyValuePair<long, LogSegment>>();
        var raw = 0L;
        foreach (var entry in smallestFirst)
        {
            raw += entry.Value.RawBytes;
            if (chosen.Count == MaxSegments || raw > MaxRawBytes)
            {
                break;
            }

            chosen.Add(entry);
        }

        return chosen;
    }
}
