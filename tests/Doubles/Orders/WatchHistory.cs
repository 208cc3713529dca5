using System.Globalization;
using Grains.Interfaces.Orders;
using Grains.Orders.Watch;

namespace Doubles.Orders;

/// <summary>What a watch promises: etcd's guarantees for its watches (etcd, API guarantees), in this project's terms.</summary>
public enum WatchGuarantee
{
    /// <summary>An order's changes come by version, one after the other.</summary>
    OrderedByOrder,

    /// <summary>A partition's changes come by revision.</summary>
    OrderedByPartition,

    /// <summary>No change comes twice.</summary>
    Unique,

    /// <summary>State and change come in one piece, and are what was committed.</summary>
    Atomic,

    /// <summary>None is left out, up to the last one.</summary>
    Reliable,

    /// <summary>After a cursor comes what follows it, wherever the watch was broken off.</summary>
    Resumable,

    /// <summary>All below a progress notice was sent before it.</summary>
    Bookmarkable,

    /// <summary>The order as it was before comes along where it was asked for, and nowhere else.</summary>
    Previous,

    /// <summary>Where something is not kept any more there is an error that names the lowest that is, and no gap in silence.</summary>
    Compacted,
}

/// <param name="Watcher">Whose record shows it.</param>
/// <param name="What">A sentence.</param>
public sealed record WatchViolation(WatchGuarantee Guarantee, string Watcher, string What)
{
    public override string ToString() => $"{Guarantee} is broken for {Watcher}: {What}";
}

/// <summary>A change as it was told to a watcher.</summary>
/// <param name="Status">In the order that came along.</param>
/// <param name="OrderVersion">In the order that came along.</param>
/// <param name="PreviousVersion">In the order as it was before; null when none came.</param>
public sealed record ToldChange(
    string Cursor,
    string OrderId,
    long Version,
    string Type,
    long OrderVersion,
    string Status,
    long? PreviousVersion,
    string? PreviousStatus
);

/// <summary>What one watcher did and was told, in order. Written by one, read when all is over.</summary>
/// <param name="order">Of a watch of one order; null: of all.</param>
/// <param name="previous">Whether the previous value was asked for.</param>
public sealed class WatchRecord(string name, string? order, bool previous)
{
    private readonly Lock _gate = new();
    private readonly List<object> _entries = [];

    public string Name => name;

    public string? Order => order;

    public bool Previous => previous;

    /// <summary>The last cursor that it was told, which it comes back with.</summary>
    public string? Cursor { get; private set; }

    public IReadOnlyList<object> Entries
    {
        get
        {
            lock (_gate)
            {
                return [.. _entries];
            }
        }
    }

    public int Changes { get; private set; }

    /// <summary>It opens a watch: again, if it had one.</summary>
    /// <param name="from">As it asked: a cursor, "start", or null for now.</param>
    public void Opened(string? from) => Add(new Opening(from), from is null or OrderWatches.Start ? Cursor : from);

    public void Told(ToldChange change)
    {
        Changes++;
        Add(change, change.Cursor);
    }

    public void Progress(string cursor) => Add(new Notice(cursor), cursor);

    public void Compacted(string detail, string lowest) => Add(new Gap(detail, lowest), Cursor);

    /// <summary>The same record, with something done to its entries: for the tests of the checker.</summary>
    public WatchRecord With(Func<IReadOnlyList<object>, IEnumerable<object>> change)
    {
        var copy = new WatchRecord(name, order, previous);
        copy._entries.AddRange(change(Entries));
        return copy;
    }

    private void Add(object entry, string? cursor)
    {
        lock (_gate)
        {
            _entries.Add(entry);
            Cursor = cursor;
        }
    }

    public sealed record Opening(string? From);

    public sealed record Notice(string Cursor);

    public sealed record Gap(string Detail, string Lowest);
}

/// <summary>Recorded watches beside what was really committed, and the first thing that is wrong with them.</summary>
/// <param name="committed">By order, in the order of versions: what each change made of it, <c>placed</c>, <c>paid</c>…</param>
public sealed class WatchHistory(
    int partitions,
    IReadOnlyDictionary<string, IReadOnlyList<string>> committed,
    IReadOnlyList<WatchRecord> records
)
{
    /// <summary>All that is wrong, by guarantee: the first of each.</summary>
    public IReadOnlyList<WatchViolation> Violations() =>
        [
            .. records
                .SelectMany(record => new Reading(partitions, committed, record).Violations())
                .GroupBy(violation => violation.Guarantee)
                .Select(group => group.First()),
        ];

    /// <summary>Null when the guarantee holds.</summary>
    public WatchViolation? FirstViolation(WatchGuarantee guarantee) =>
        Violations().FirstOrDefault(violation => violation.Guarantee == guarantee);

    /// <summary>Goes through one record, with its place in every partition.</summary>
    private sealed class Reading(int partitions, IReadOnlyDictionary<string, IReadOnlyList<string>> committed, WatchRecord record)
    {
        private readonly List<WatchViolation> _found = [];
        private readonly Dictionary<string, long> _versions = [];
        private readonly HashSet<(string, long)> _told = [];
        private readonly long?[] _next = new long?[partitions];
        private readonly long[] _last = new long[partitions];
        private readonly HashSet<int> _afterCursor = [];
        private bool _fromStart;
        private bool _isGap;

        public List<WatchViolation> Violations()
        {
            var isFirst = true;
            foreach (var entry in record.Entries)
            {
                switch (entry)
                {
                    case WatchRecord.Opening opening:
                        Open(opening, isFirst);
                        isFirst = false;
                        break;
                    case WatchRecord.Notice notice:
                        Notice(notice);
                        break;
                    case ToldChange change:
                        Told(change);
                        break;
                    case WatchRecord.Gap gap:
                        Gap(gap);
                        break;
                }
            }

            if (!_isGap)
            {
                AllWasTold();
            }

            return _found;
        }

        private void Open(WatchRecord.Opening opening, bool isFirst)
        {
            if (opening.From is OrderWatches.Start)
            {
                _fromStart = true;
            }

            _afterCursor.Clear();
            if (opening.From is null or OrderWatches.Start)
            {
                if (!isFirst)
                {
                    Array.Clear(_next);
                }

                return;
            }

            Set(opening.From);
            _afterCursor.UnionWith(Enumerable.Range(0, partitions));
        }

        private void Notice(WatchRecord.Notice notice)
        {
            var cursor = Read(notice.Cursor);
            foreach (var (partition, next) in Places(cursor))
            {
                // Of one order's partition the others' changes are passed by; its own are checked when they come.
                if (record.Order is null && next != WatchCursor.Oldest && _next[partition] is { } known && known != next)
                {
                    Found(
                        WatchGuarantee.Bookmarkable,
                        $"a progress notice says that partition {partition} was sent up to {next - 1}, and it was up to {known - 1}"
                    );
                }
            }

            Set(notice.Cursor);
        }

        private void Told(ToldChange change)
        {
            var partition = OrderId.Parse(change.OrderId).Partition;
            var revision = Places(Read(change.Cursor)).First(place => place.Partition == partition).Next - 1;
            var what = $"version {change.Version} of {change.OrderId}, revision {revision} of partition {partition},";
            if (record.Order is not null && record.Order != change.OrderId)
            {
                Found(WatchGuarantee.Reliable, $"{what} came to a watch of {record.Order}");
            }

            if (!_told.Add((change.OrderId, change.Version)))
            {
                Found(WatchGuarantee.Unique, $"{what} came twice");
            }

            if (revision <= _last[partition])
            {
                Found(WatchGuarantee.OrderedByPartition, $"{what} came after revision {_last[partition]}");
            }

            var before =
                _versions.TryGetValue(change.OrderId, out var known) ? known
                : _fromStart && !_isGap ? 0
                : change.Version - 1;
            if (change.Version <= before)
            {
                Found(WatchGuarantee.OrderedByOrder, $"{what} came after version {before}");
            }
            else if (change.Version > before + 1)
            {
                Found(_isGap ? WatchGuarantee.Compacted : WatchGuarantee.Reliable, $"{what} came after version {before}");
            }

            CheckPlace(partition, revision, what);
            CheckOthers(change, partition, what);
            CheckWhole(change, what);
            CheckPrevious(change, what);
            _last[partition] = Math.Max(_last[partition], revision);
            _versions[change.OrderId] = Math.Max(before, change.Version);
            _afterCursor.Remove(partition);
            Set(change.Cursor);
        }

        /// <summary>A change moves the place in its own partition, by one, and no other.</summary>
        private void CheckOthers(ToldChange change, int partition, string what)
        {
            foreach (var (other, next) in Places(Read(change.Cursor)))
            {
                if (other != partition && _next[other] is { } known && known != WatchCursor.Oldest && known != next)
                {
                    Found(
                        _afterCursor.Contains(other) ? WatchGuarantee.Resumable : WatchGuarantee.Reliable,
                        $"{what} came with a cursor at revision {next} of partition {other}, where {known} was next"
                    );
                }
            }
        }

        private void CheckPlace(int partition, long revision, string what)
        {
            if (_next[partition] is not { } next || next == WatchCursor.Oldest)
            {
                return;
            }

            var wrong = record.Order is null ? revision != next : revision < next;
            if (wrong)
            {
                Found(
                    _afterCursor.Contains(partition) ? WatchGuarantee.Resumable
                        : revision < next ? WatchGuarantee.OrderedByPartition
                        : WatchGuarantee.Reliable,
                    $"{what} came where revision {next} was next"
                );
            }
        }

        private void CheckWhole(ToldChange change, string what)
        {
            if (change.OrderVersion != change.Version || "order." + change.Status != change.Type)
            {
                Found(
                    WatchGuarantee.Atomic,
                    $"{what} is {change.Type}, and came with the order at version {change.OrderVersion}, {change.Status}"
                );
            }
            else if (!committed.TryGetValue(change.OrderId, out var steps) || change.Version > steps.Count)
            {
                Found(WatchGuarantee.Atomic, $"{what} was never committed");
            }
            else if (steps[(int)change.Version - 1] != change.Status)
            {
                Found(WatchGuarantee.Atomic, $"{what} was committed as {steps[(int)change.Version - 1]}, and came as {change.Status}");
            }
        }

        private void CheckPrevious(ToldChange change, string what)
        {
            var expected = record.Previous && change.Version > 1 ? change.Version - 1 : (long?)null;
            if (change.PreviousVersion != expected)
            {
                Found(
                    WatchGuarantee.Previous,
                    $"{what} came with {change.PreviousVersion?.ToString(CultureInfo.InvariantCulture) ?? "no"} previous "
                        + $"version, and {expected?.ToString(CultureInfo.InvariantCulture) ?? "none"} was right"
                );
            }
            else if (
                expected is { } version
                && committed.TryGetValue(change.OrderId, out var steps)
                && version <= steps.Count
                && steps[(int)version - 1] != change.PreviousStatus
            )
            {
                Found(
                    WatchGuarantee.Previous,
                    $"{what} came with a previous order that is {change.PreviousStatus}, and it was {steps[(int)version - 1]}"
                );
            }
        }

        private void Gap(WatchRecord.Gap gap)
        {
            _isGap = true;
            if (
                !gap.Detail.Contains("the lowest that is kept is", StringComparison.Ordinal)
                || !WatchCursor.TryRead(gap.Lowest, partitions, out _, out _)
            )
            {
                Found(WatchGuarantee.Compacted, $"what was compacted is told as \"{gap.Detail}\", with \"{gap.Lowest}\" to go on from");
            }
        }

        private void AllWasTold()
        {
            foreach (var (order, steps) in committed)
            {
                if (record.Order is not null && record.Order != order)
                {
                    continue;
                }

                // Who watched from a later time saw of an older order what came then, and all from there on.
                if (_versions.TryGetValue(order, out var last) ? last < steps.Count : _fromStart)
                {
                    Found(WatchGuarantee.Reliable, $"{order} came to version {steps.Count}, and the last that was told is {last}");
                }
            }
        }

        private IEnumerable<(int Partition, long Next)> Places(WatchCursor cursor) =>
            cursor.Next.Select((next, place) => (cursor.Only ?? place, next));

        private void Set(string text)
        {
            foreach (var (partition, next) in Places(Read(text)))
            {
                _next[partition] = next;
            }
        }

        private WatchCursor Read(string text) =>
            WatchCursor.TryRead(text, partitions, out var cursor, out var error)
                ? cursor
                : throw new FormatException($"{record.Name} was told a cursor that is none: {error}");

        private void Found(WatchGuarantee guarantee, string what) => _found.Add(new(guarantee, record.Name, what + "."));
    }
}
