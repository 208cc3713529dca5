using System.Collections.Immutable;
using System.Text.Json;
using Grains.Interfaces.Logs;
using Grains.Logs.Batching;
using Grains.Logs.Segments;
using Grains.Storage;

namespace Grains.Logs.Rows;

/// <summary>
/// A shard's rows: read at the start, and held in memory as they are committed. Every change is one piece of work for the partition's
/// <see cref="PartitionWriter"/>.
/// </summary>
public sealed class LogPartition
{
    /// <summary>
    /// So long after it left the manifest an object may still be read by a query that began before; longer than any query may take.
    /// </summary>
    public static readonly TimeSpan ReadersNeed = TimeSpan.FromMinutes(5);

    /// <summary>Counts by hour and service are kept for so long; the sums for ever.</summary>
    public static readonly TimeSpan CountsKept = TimeSpan.FromDays(400);

    /// <summary>Rows of one page while the partition is read: a segment's row may have some 30 KiB.</summary>
    private const int Page = 200;

    private readonly ITableStore _store;
    private readonly string _partition;
    private readonly SortedDictionary<long, FlushRow> _flushes = [];
    private readonly SortedDictionary<long, DoomedRow> _doomed = [];
    private readonly SortedSet<string> _unreadable = new(StringComparer.Ordinal);
    private LogHead _head;
    private int _folds;

    private LogPartition(ITableStore store, string partition, TableRow? head)
    {
        _store = store;
        _partition = partition;
        _head = head is { } row ? LogJson.Read<LogHead>(row.Payload) : new(0, 1, Tally.None, default);
        _head = _head with { Epoch = _head.Epoch + 1 };
        Manifest = new(_head.Epoch);
        Writer = new(store, LogTable.Name, partition, () => LogJson.Write(_head), head?.ETag, static () => { });
    }

    public PartitionWriter Writer { get; }

    public Manifest Manifest { get; }

    public KnownRequests Requests { get; } = new();

    /// <summary>
    /// Keys of rows that cannot be read: they hide no others, stay as they are, and what they stood for is missing. While there are any, no
    /// object is swept: one of them may name it.
    /// </summary>
    public IReadOnlyCollection<string> UnreadableRows => _unreadable;

    public long Epoch => _head.Epoch;

    public ServiceCount Total => _head.Total;

    /// <summary>When the last segment was committed.</summary>
    public DateTimeOffset Flushed => _head.Flushed;

    /// <summary>Reads everything and takes the partition over: whoever held it before can commit nothing more.</summary>
    public static async Task<LogPartition> Open(ITableStore store, long shard, CancellationToken cancel)
    {
        var name = LogTable.Partition(shard);
        var partition = new LogPartition(store, name, await store.Get(LogTable.Name, name, PartitionWriter.HeadKey, cancel));
        await partition.Writer.CommitHead();

        // After the fence: what is read now is what there is.
        await foreach (var row in partition.Rows(LogTable.SegmentPrefix, cancel))
        {
            if (partition.TryRead<LogSegment>(row) is { } segment)
            {
                partition.Manifest.Add(LogTable.Number(row.Key), segment);
            }
        }

        await foreach (var row in partition.Rows(LogTable.FlushPrefix, cancel))
        {
            if (partition.TryRead<FlushRow>(row) is { } flush)
            {
                partition._flushes.Add(LogTable.Number(row.Key), flush);
                partition.Requests.Restore(flush.Requests.Span);
            }
        }

        await foreach (var row in partition.Rows(LogTable.DoomedPrefix, cancel))
        {
            if (partition.TryRead<DoomedRow>(row) is { } doomed)
            {
                partition._doomed.Add(LogTable.Number(row.Key), doomed);
            }
        }

        return partition;
    }

    /// <summary>
    /// A number for a row or an object, never given before nor again: a segment may be named by one before anything is committed.
    /// </summary>
    public long NextNumber()
    {
        _head = _head with { Next = _head.Next + 1 };
        return _head.Next - 1;
    }

    /// <summary>The batch's segments are part of the log, its requests are known, its records are counted.</summary>
    public Task Commit(Batch batch, IReadOnlyList<(long Number, LogSegment Segment)> segments, DateTimeOffset now)
    {
        var number = NextNumber();
        var flush = new FlushRow(now, KnownRequests.Ids(batch), batch.Tally.Counts);
        List<RowChange> changes =
        [
            RowChange.Insert(LogTable.Flush(number), LogJson.Write(flush)),
            .. segments.Select(entry => RowChange.Insert(LogTable.Segment(entry.Number), LogJson.Write(entry.Segment))),
        ];
        return Writer.Commit(
            new RowsWork(
                changes,
                filled: () =>
                    _head = _head with
                    {
                        Total = flush.Counts.Aggregate(_head.Total, Tally.Sum),
                        Flushed = segments.Count > 0 ? now : _head.Flushed,
                    },
                committed: () =>
                {
                    _flushes.Add(number, flush);
                    foreach (var (added, segment) in segments)
                    {
                        Manifest.Add(added, segment);
                    }
                }
            )
        );
    }

    /// <summary>One segment takes the place of others, whose objects are removed once nobody reads them any more.</summary>
    /// <param name="now">By the guards' clock: readers are at work.</param>
    public Task Replace(IReadOnlyList<long> replaced, long number, LogSegment merged, DateTimeOffset now) =>
        Remove(replaced, now, (number, merged));

    /// <summary>Segments leave the log.</summary>
    /// <inheritdoc cref="Replace"/>
    public Task Drop(IReadOnlyList<long> dropped, DateTimeOffset now) => Remove(dropped, now, added: null);

    /// <summary>
    /// Numbers of segments that have been kept for as long as their class says; at most <see cref="MergePlan.MaxSegments"/>.
    /// </summary>
    public IReadOnlyList<long> Expired(RetentionClasses classes, DateTimeOffset now) =>
        [
            .. Manifest
                .Segments.Where(entry => entry.Value.Arrived + TimeSpan.FromHours(1) + classes.Of(entry.Value.Class) <= now)
                .Select(entry => entry.Key)
                .Take(MergePlan.MaxSegments),
        ];

    /// <summary>Objects that may be removed now; at most one row's.</summary>
    /// <inheritdoc cref="Replace"/>
    public (long Number, DoomedRow Row)? NextDoomed(DateTimeOffset now) =>
        _doomed.FirstOrDefault() is { Value: { } row, Key: var number } && row.Due <= now ? (number, row) : null;

    /// <summary>The objects of this row are gone.</summary>
    public Task Removed(long doomed) =>
        Writer.Commit(
            new RowsWork([RowChange.Delete(LogTable.Doomed(doomed))], filled: static () => { }, committed: () => _doomed.Remove(doomed))
        );

    /// <summary>
    /// Flushes that no retry can mean any more are added to their hour's counts. Returns whether there were any; call again then.
    /// </summary>
    public async Task<bool> Fold(TimeSpan window, DateTimeOffset now, CancellationToken cancel)
    {
        if (_flushes.Count == 0 || _flushes.First().Value.At + window > now)
        {
            return false;
        }

        var hour = LogTable.HourOf(_flushes.First().Value.At);
        var old = _flushes
            .TakeWhile(entry => entry.Value.At + window <= now && LogTable.HourOf(entry.Value.At) == hour)
            .Take(MergePlan.MaxSegments)
            .ToList();
        var key = LogTable.Hour(hour);
        var tally = new Tally();
        if (await _store.Get(LogTable.Name, _partition, key, cancel) is { } stored)
        {
            if (TryRead<HourRow>(stored) is not { } counted)
            {
                return false; // Nothing is put in its place: the counts stay in the rows of their flushes.
            }

            tally.Add(counted.Counts);
        }

        foreach (var (_, flush) in old)
        {
            tally.Add(flush.Counts);
        }

        await Writer.Commit(
            new RowsWork(
                [
                    RowChange.Put(key, LogJson.Write(new HourRow(tally.Counts))),
                    .. old.Select(entry => RowChange.Delete(LogTable.Flush(entry.Key))),
                ],
                filled: static () => { },
                committed: () =>
                {
                    _folds++;
                    foreach (var (number, flush) in old)
                    {
                        _flushes.Remove(number);
                        Requests.Forget(flush.Requests.Span);
                    }
                }
            )
        );
        return true;
    }

    /// <summary>By hour of arrival and service, both hours included.</summary>
    public async Task<ImmutableArray<LogCount>> Counts(DateTimeOffset from, DateTimeOffset to, CancellationToken cancel)
    {
        while (true)
        {
            var folds = _folds;
            var hours = new SortedDictionary<DateTimeOffset, Tally>();
            await foreach (var row in Rows(LogTable.HourPrefix, cancel))
            {
                if (TryRead<HourRow>(row) is { } counted)
                {
                    Add(LogTable.HourOf(row.Key), counted.Counts);
                }
            }

            if (folds != _folds)
            {
                continue; // What was folded meanwhile would be counted twice, or not at all.
            }

            foreach (var flush in _flushes.Values)
            {
                Add(LogTable.HourOf(flush.At), flush.Counts);
            }

            return [.. hours.SelectMany(hour => hour.Value.Counts.Select(count => new LogCount(hour.Key, count)))];

            void Add(DateTimeOffset at, IEnumerable<ServiceCount> counts)
            {
                if (at >= LogTable.HourOf(from) && at <= to)
                {
                    if (!hours.TryGetValue(at, out var tally))
                    {
                        hours[at] = tally = new();
                    }

                    tally.Add(counts);
                }
            }
        }
    }

    /// <summary>Forgets counts of hours that are over for longer than <see cref="CountsKept"/>; some of them at a time.</summary>
    public async Task ForgetCounts(DateTimeOffset now, CancellationToken cancel)
    {
        var range = KeyRange.Prefix(LogTable.HourPrefix) with { To = LogTable.Hour(now - CountsKept) };
        var old = await _store.Scan(LogTable.Name, _partition, range, MergePlan.MaxSegments, cancel);
        if (old.Count > 0)
        {
            await Writer.Commit(
                new RowsWork([.. old.Select(row => RowChange.Delete(row.Key))], filled: static () => { }, committed: static () => { })
            );
        }
    }

    /// <summary>Objects that a row names, if only to have them removed.</summary>
    public HashSet<string> Named() =>
        [.. Manifest.Segments.Select(entry => entry.Value.Name), .. _doomed.Values.SelectMany(row => row.Names)];

    private Task Remove(IReadOnlyList<long> numbers, DateTimeOffset now, (long Number, LogSegment Segment)? added)
    {
        var names = Manifest.Segments.Where(entry => numbers.Contains(entry.Key)).Select(entry => entry.Value.Name).ToList();
        var doomed = NextNumber();
        var row = new DoomedRow(now + ReadersNeed, names);
        List<RowChange> changes =
        [
            RowChange.Insert(LogTable.Doomed(doomed), LogJson.Write(row)),
            .. numbers.Select(number => RowChange.Delete(LogTable.Segment(number))),
        ];
        if (added is { } merged)
        {
            changes.Add(RowChange.Insert(LogTable.Segment(merged.Number), LogJson.Write(merged.Segment)));
        }

        return Writer.Commit(
            new RowsWork(
                changes,
                filled: static () => { },
                committed: () =>
                {
                    foreach (var number in numbers)
                    {
                        Manifest.Remove(number);
                    }

                    if (added is { } entry)
                    {
                        Manifest.Add(entry.Number, entry.Segment);
                    }

                    _doomed.Add(doomed, row);
                }
            )
        );
    }

    /// <summary>Null: it cannot be read, and from now on that is known.</summary>
    private T? TryRead<T>(TableRow row)
        where T : class
    {
        try
        {
            return LogJson.Read<T>(row.Payload);
        }
        catch (JsonException)
        {
            _unreadable.Add(row.Key);
            return null;
        }
    }

    private async IAsyncEnumerable<TableRow> Rows(
        string prefix,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel
    )
    {
        for (var range = KeyRange.Prefix(prefix); ; )
        {
            var rows = await _store.Scan(LogTable.Name, _partition, range, Page, cancel);
            foreach (var row in rows)
            {
                yield return row;
            }

            if (rows.Count < Page)
            {
                yield break;
            }

            range = range.After(rows[^1].Key);
        }
    }

    /// <summary>Rows that are changed in one commit, whatever else is in it.</summary>
    private sealed class RowsWork(List<RowChange> changes, Action filled, Action committed) : IPartitionWork
    {
        public bool Fill(CommitBuilder commit)
        {
            if (!commit.HasRoom(changes.Count, changes.Sum(change => change.Payload.Length)))
            {
                return false;
            }

            foreach (var change in changes)
            {
                commit.Add(change);
            }

            filled();
            commit.WhenCommitted(committed);
            return true;
        }
    }
}
