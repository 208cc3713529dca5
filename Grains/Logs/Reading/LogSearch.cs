using System.Collections.Immutable;
using System.Data;
using System.Globalization;
using System.Runtime.CompilerServices;
using DuckDB.NET.Data;
using Grains.Interfaces.Logs;
using Grains.Logs.Queries;
using Grains.Logs.Records;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Grains.Logs.Reading;

/// <summary>
/// Finds records. Segments are read in order of time, a few and then more at once, and records are told as soon as no segment that is left
/// can hold one that comes before:
/// a question for the newest hundred reads little, however much is kept.
/// </summary>
/// <remarks>
/// When segments are merged meanwhile, it goes on with the merged ones. Those that cannot be read are left out, and named at the end.
/// </remarks>
public sealed class LogSearch(
    ISegmentSource source,
    SegmentCache cache,
    UnreadableSegments unreadable,
    QueryPlaces places,
    IOptions<LogReadingOptions> options,
    [FromKeyedServices(Clocks.Guards)] TimeProvider guards
)
{
    public async IAsyncEnumerable<FoundLogs> Find(SearchLogs ask, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        var began = guards.GetTimestamp();
        if (Fault(ask) is { } fault)
        {
            yield return new(Nothing, fault);
            yield break;
        }

        using var place = await places.Take(cancel);
        if (place is null)
        {
            yield return new(Nothing, new(QueryOutcome.Busy, places.Busy, 0, 0, 0, 0, guards.GetElapsedTime(began)));
            yield break;
        }

        using var run = new SearchRun(ask, LogQuery.Parse(ask.Query).Root, cache, unreadable, options.Value, guards);
        run.GoOn(await source.Segments(cancel));
        while (run.End is null)
        {
            ImmutableArray<LogBlock> pages;
            try
            {
                pages = await run.Next(cancel);
            }
            catch (SegmentsUnreadableException found)
            {
                run.LeaveOut(found);
                run.GoOn(await source.Segments(cancel));
                continue;
            }

            foreach (var page in pages)
            {
                yield return new(page, null);
            }
        }

        yield return new(Nothing, run.End with { Took = guards.GetElapsedTime(began) });
    }

    internal static LogBlock Nothing { get; } = Empty();

    private static QueryEnd? Fault(SearchLogs ask)
    {
        if (ask.Limit is < 1 or > SearchLogs.MaxLimit)
        {
            return Wrong($"The limit is 1 to {SearchLogs.MaxLimit} records; this is {ask.Limit}.");
        }

        return LogQuery.TryParse(ask.Query, out _, out var error) ? null : Wrong(error.Show(ask.Query), error.Column);
    }

    internal static QueryEnd Wrong(string sentence, int column = 0) => new(QueryOutcome.Wrong, sentence, column, 0, 0, 0, TimeSpan.Zero);

    private static LogBlock Empty()
    {
        using var builder = new LogBlockBuilder();
        return builder.Build();
    }
}

/// <summary>One search, step by step.</summary>
internal sealed class SearchRun : IDisposable
{
    /// <summary>Segments of the first step; each further one takes twice as many, up to <see cref="MostSegments"/>.</summary>
    private const int FirstSegments = 4;

    private const int MostSegments = 64;

    /// <summary>Where more than this are asked for, a step takes fewer segments: what it sorts must find room.</summary>
    private const int FewRecords = 10_000;

    private const long RecordsOfLargeSteps = 250_000;

    /// <summary>Bytes of a page, about.</summary>
    private const int PageBytes = 512 * 1024;

    /// <summary>Bytes that may have been found and not told yet.</summary>
    private const long MaxWaitingBytes = 256L * 1024 * 1024;

    private readonly SearchLogs _ask;
    private readonly QueryNode _root;
    private readonly SegmentCache _cache;
    private readonly UnreadableSegments _known;
    private readonly UnreadableFound _unreadable;
    private readonly LogReadingOptions _options;
    private readonly WorkingTime _time;
    private readonly List<LogBlock> _blocks = [];
    private readonly LogBlockBuilder _page = new();
    private List<Found> _found = [];
    private ImmutableArray<LogSegment> _left;
    private DuckSession? _session;
    private ulong _from;
    private ulong _to;
    private int _remaining;
    private int _atOnce = FirstSegments;
    private int _read;
    private int _kept;
    private long _records;

    public SearchRun(
        SearchLogs ask,
        QueryNode root,
        SegmentCache cache,
        UnreadableSegments unreadable,
        LogReadingOptions options,
        TimeProvider guards
    )
    {
        (_ask, _root, _cache, _known, _unreadable, _options, _remaining) = (
            ask,
            root,
            cache,
            unreadable,
            new(unreadable),
            options,
            ask.Limit
        );
        _time = new(options.QueryTime, guards);
        (_from, _to) = (ask.Since is { } since ? LogForm.Nanoseconds(since) : 0, ulong.MaxValue);
        if (ask.Until is { } until)
        {
            var end = LogForm.Nanoseconds(until);
            (_from, _to) = end == 0 ? (1UL, 0UL) : (_from, end - 1);
        }
    }

    public QueryEnd? End { get; private set; }

    /// <summary>
    /// Begins with these segments, or goes on with them: what was told is not told again, and what was not is found anew.
    /// </summary>
    public void GoOn(KeptSegments kept)
    {
        var segments = kept.All;
        _unreadable.Without(kept.Shards);
        Forget();
        _known.Keep(segments);
        _kept = segments.Length;
        _left = _unreadable.Readable(SegmentFilter.Of(segments, LogHints.Of(SegmentFilter.Within(_root, _from, _to))));
        _left = _ask.OldestFirst
            ? _left.Sort((a, b) => a.MinTime.CompareTo(b.MinTime))
            : _left.Sort((a, b) => b.MaxTime.CompareTo(a.MaxTime));
    }

    /// <summary>These are not read; or they are asked for once more, when that may help.</summary>
    public void LeaveOut(SegmentsUnreadableException unreadable)
    {
        _unreadable.Add(unreadable);
        _cache.Discard(unreadable.Faults.Select(fault => fault.Name));
    }

    /// <summary>Reads some segments; what can be told now, in order.</summary>
    /// <exception cref="SegmentsUnreadableException">Some of them cannot be read: <see cref="LeaveOut"/>, and
    /// <see cref="GoOn"/>.</exception>
    public async Task<ImmutableArray<LogBlock>> Next(CancellationToken cancel)
    {
        var batch = Batch();
        if (batch.IsEmpty)
        {
            End = Ended(QueryOutcome.Whole, null);
            return Tell(_found.Count);
        }

        try
        {
            await _time.Work(stop => Read(batch, stop), cancel);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            End = Ended(QueryOutcome.Time, _time.Over);
            return Tell(_found.Count);
        }
        catch (InsufficientMemoryException)
        {
            End = Ended(
                QueryOutcome.Memory,
                $"It needed more than {_options.QueryMemory} bytes (Logs:QueryMemory). Ask for fewer records or a shorter time."
            );
            return Tell(_found.Count);
        }
        catch (SegmentsTooLargeException large)
        {
            End = Ended(QueryOutcome.Memory, large.Message);
            return Tell(_found.Count);
        }

        _known.Remove(batch);
        _left = _left.RemoveRange(0, batch.Length);
        _atOnce = Math.Min(2 * _atOnce, MostSegments);
        _read += batch.Length;
        _records += batch.Sum(segment => (long)segment.Records);
        if (_blocks.Sum(block => (long)block.Bytes.Length) > MaxWaitingBytes)
        {
            End = Ended(
                QueryOutcome.Memory,
                "More was found that is to be sorted than there is room for. Ask for fewer records or a shorter time."
            );
            return Tell(_found.Count);
        }

        return Tell(Sure());
    }

    public void Dispose()
    {
        Forget();
        _page.Dispose();
        _session?.Dispose();
    }

    private void Forget()
    {
        _blocks.ForEach(LogBlockBuilder.Return);
        _blocks.Clear();
        _found.Clear();
    }

    private ImmutableArray<LogSegment> Batch()
    {
        var take = 0;
        for (var records = 0L; take < _left.Length && take < _atOnce; take++)
        {
            records += _left[take].Records;
            if (take > 0 && _remaining > FewRecords && records > RecordsOfLargeSteps)
            {
                break;
            }
        }

        return _left[..take];
    }

    private async Task<bool> Read(ImmutableArray<LogSegment> batch, CancellationToken stop)
    {
        using var files = await _cache.Open(batch, stop);
        try
        {
            var block = await Task.Run(
                () =>
                    (_session ??= DuckSession.ForConditions(_options.QueryMemory)).Read(
                        Sql(files.Paths),
                        reader => Block(reader, stop),
                        stop
                    ),
                CancellationToken.None
            );
            Add(block);
            return true;
        }
        catch (DuckDBException failure)
        {
            _session?.Dispose(); // It may be invalid from now on.
            _session = null;
            throw await Task.Run(() => SegmentProbe.Explain(failure, batch, files, _options.QueryMemory, stop), CancellationToken.None)
                ?? (Exception)failure;
        }
    }

    private string Sql(IReadOnlyList<string> paths)
    {
        var order = _ask.OldestFirst ? "" : " DESC";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"""
            SELECT epoch_us(time), time_nanos, epoch_us(observed), observed_nanos,
            severity, severity_text, service, host, event_name, body, attributes, trace_id, span_id
            FROM {DuckSession.Files(paths)} WHERE {LogSql.Where(SegmentFilter.Within(_root, _from, _to))}
            ORDER BY time{order}, time_nanos{order}, file_row_number{order} LIMIT {_remaining}
            """
        );
    }

    private static LogBlock Block(IDataReader reader, CancellationToken stop)
    {
        using var builder = new LogBlockBuilder();
        Span<byte> trace = stackalloc byte[16];
        Span<byte> span = stackalloc byte[8];
        while (reader.Read())
        {
            stop.ThrowIfCancellationRequested();
            builder.Begin(Time(reader, 0), Time(reader, 2), reader.GetInt32(4), Id(reader, 11, trace), Id(reader, 12, span));
            for (var text = 5; text <= 10; text++)
            {
                builder.AddText(reader.IsDBNull(text) ? "" : reader.GetString(text));
            }

            builder.End();
        }

        return builder.Build();
    }

    private static ulong Time(IDataReader reader, int column) =>
        ((ulong)reader.GetInt64(column) * 1000) + (ulong)reader.GetInt32(column + 1);

    private static Span<byte> Id(IDataReader reader, int column, Span<byte> id)
    {
        if (reader.IsDBNull(column))
        {
            return default;
        }

        Convert.FromHexString(reader.GetString(column), id, out _, out _);
        return id;
    }

    /// <summary>Keeps what is found in order, and not more of it than can be told.</summary>
    private void Add(LogBlock block)
    {
        if (block.Count == 0)
        {
            LogBlockBuilder.Return(block);
            return;
        }

        _blocks.Add(block);
        var times = block.Times;
        for (var record = 0; record < times.Length; record++)
        {
            _found.Add(new(times[record], block, record));
        }

        // A stable sort: records of one time stay as they came.
        _found = [.. _ask.OldestFirst ? _found.OrderBy(found => found.Time) : _found.OrderByDescending(found => found.Time)];
        if (_found.Count > _remaining)
        {
            _found.RemoveRange(_remaining, _found.Count - _remaining);
        }
    }

    /// <summary>How many of those found come before everything that is left, whatever it holds.</summary>
    private int Sure()
    {
        if (_left.IsEmpty)
        {
            return _found.Count;
        }

        // Strictly before: of those at the edge some may be left, and when segments are merged meanwhile the search goes on from the edge.
        var edge = _ask.OldestFirst ? _left[0].MinTime : _left[0].MaxTime;
        var sure = _found.FindIndex(found => _ask.OldestFirst ? found.Time >= edge : found.Time <= edge);
        if (_ask.OldestFirst)
        {
            _from = Math.Max(_from, edge);
        }
        else
        {
            _to = Math.Min(_to, edge);
        }

        return sure < 0 ? _found.Count : sure;
    }

    private ImmutableArray<LogBlock> Tell(int count)
    {
        count = Math.Min(count, _remaining);
        var pages = ImmutableArray.CreateBuilder<LogBlock>();
        for (var index = 0; index < count; index++)
        {
            _page.Add(_found[index].Block[_found[index].Record]);
            _page.End();
            if (_page.Bytes >= PageBytes || index == count - 1)
            {
                // Not from the pool: it is read by others after it was handed over.
                var page = _page.Build();
                pages.Add(new(page.Bytes.ToArray()));
                LogBlockBuilder.Return(page);
                _page.Clear();
            }
        }

        _found.RemoveRange(0, count);
        _remaining -= count;
        if (_found.Count == 0)
        {
            Forget();
        }

        if (_remaining == 0)
        {
            End = Ended(QueryOutcome.Limit, null);
        }

        return pages.DrainToImmutable();
    }

    private QueryEnd Ended(QueryOutcome outcome, string? sentence) =>
        _unreadable.In(new(outcome, sentence, 0, _read, _kept, _records, TimeSpan.Zero));

    private readonly record struct Found(ulong Time, LogBlock Block, int Record);
}
