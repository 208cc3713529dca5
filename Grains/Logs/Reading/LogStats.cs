using System.Collections.Immutable;
using System.Data;
using System.Globalization;
using DuckDB.NET.Data;
using Grains.Interfaces.Logs;
using Grains.Logs.Queries;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Grains.Logs.Reading;

/// <summary>Counts records by time, service and severity.</summary>
/// <remarks>
/// When segments are merged meanwhile, it goes on with the merged ones. Those that cannot be read are left out, and named at the end.
/// </remarks>
public sealed class LogStats(
    ISegmentSource source,
    SegmentCache cache,
    UnreadableSegments unreadable,
    QueryPlaces places,
    IOptions<LogReadingOptions> options,
    [FromKeyedServices(Clocks.Guards)] TimeProvider guards
)
{
    /// <summary>Rows that the count may have before the smaller services are put together.</summary>
    private const int MaxCells = 500_000;

    public async Task<StatsReply> Count(AskStats ask, CancellationToken cancel = default)
    {
        var began = guards.GetTimestamp();
        var reply = new StatsReply(ask.Since, ask.Until, ask.Buckets, [], 0, 0, LogSearch.Wrong(""));
        if (Fault(ask) is { } fault)
        {
            return reply with { End = fault };
        }

        using var place = await places.Take(cancel);
        if (place is null)
        {
            return reply with { End = new(QueryOutcome.Busy, places.Busy, 0, 0, 0, 0, guards.GetElapsedTime(began)) };
        }

        var node = SegmentFilter.Within(LogQuery.Parse(ask.Query).Root, ask.Since, ask.Until);
        var time = new WorkingTime(options.Value.CallTime(guards.GetElapsedTime(began)), guards);
        var found = new UnreadableFound(unreadable);
        while (true)
        {
            var (all, shards) = await source.Segments(cancel);
            found.Without(shards);
            unreadable.Keep(all);
            var segments = found.Readable(SegmentFilter.Of(all, LogHints.Of(node)));
            reply = reply with
            {
                RawBytes = segments.Sum(segment => segment.RawBytes),
                StoredBytes = segments.Sum(segment => segment.Bytes),
                End = new(
                    QueryOutcome.Whole,
                    null,
                    0,
                    segments.Length,
                    all.Length,
                    segments.Sum(segment => (long)segment.Records),
                    TimeSpan.Zero
                ),
            };
            try
            {
                var cells = segments.IsEmpty ? [] : await time.Work(stop => Read(ask, node, segments, stop), cancel);
                unreadable.Remove(segments);
                return reply with { Cells = cells, End = found.In(reply.End with { Took = guards.GetElapsedTime(began) }) };
            }
            catch (SegmentsUnreadableException these)
            {
                found.Add(these);
                cache.Discard(these.Faults.Select(fault => fault.Name));
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                return Stopped(QueryOutcome.Time, time.Over);
            }
            catch (InsufficientMemoryException)
            {
                return Stopped(
                    QueryOutcome.Memory,
                    $"It needed more than {options.Value.QueryMemory} bytes (Logs:QueryMemory). Ask for a shorter time."
                );
            }
            catch (SegmentsTooLargeException large)
            {
                return Stopped(QueryOutcome.Memory, large.Message);
            }
        }

        StatsReply Stopped(QueryOutcome outcome, string sentence) =>
            reply with
            {
                End = found.In(reply.End with { Outcome = outcome, Sentence = sentence, Took = guards.GetElapsedTime(began) }),
            };
    }

    private static QueryEnd? Fault(AskStats ask)
    {
        if (ask.Buckets is < 1 or > AskStats.MaxBuckets)
        {
            return LogSearch.Wrong($"The time has 1 to {AskStats.MaxBuckets} parts; this is {ask.Buckets}.");
        }

        if (ask.Until <= ask.Since)
        {
            return LogSearch.Wrong("The end of the time lies after its beginning.");
        }

        return LogQuery.TryParse(ask.Query, out _, out var error) ? null : LogSearch.Wrong(error.Show(ask.Query), error.Column);
    }

    private async Task<ImmutableArray<StatsCell>> Read(
        AskStats ask,
        QueryNode node,
        ImmutableArray<LogSegment> segments,
        CancellationToken stop
    )
    {
        using var files = await cache.Open(segments, stop);
        var micros = (ask.Until - ask.Since).Ticks / TimeSpan.TicksPerMicrosecond;
        var step = Math.Max(1, (micros + ask.Buckets - 1) / ask.Buckets);
        var sql = string.Create(
            CultureInfo.InvariantCulture,
            $"""
            SELECT CAST((epoch_us(time) - {(ask.Since - DateTimeOffset.UnixEpoch).Ticks
                / TimeSpan.TicksPerMicrosecond}) // {step} AS INTEGER) AS bucket, service,
            CAST(CASE WHEN severity < 1 THEN 0 ELSE ((severity - 1) // 4) * 4 + 1 END AS INTEGER) AS class, count(*)
            FROM {DuckSession.Files(files.Paths)} WHERE {LogSql.Where(node)} GROUP BY ALL
            """
        );
        try
        {
            return await Task.Run(
                () =>
                {
                    using var session = DuckSession.ForConditions(options.Value.QueryMemory);
                    return session.Read(sql, reader => Cells(reader, stop), stop);
                },
                CancellationToken.None
            );
        }
        catch (DuckDBException failure)
        {
            throw await Task.Run(
                () => SegmentProbe.Explain(failure, segments, files, options.Value.QueryMemory, stop),
                CancellationToken.None
            ) ?? (Exception)failure;
        }
    }

    private static ImmutableArray<StatsCell> Cells(IDataReader reader, CancellationToken stop)
    {
        var cells = new List<StatsCell>();
        while (reader.Read())
        {
            stop.ThrowIfCancellationRequested();
            if (cells.Count == MaxCells)
            {
                throw new InsufficientMemoryException("More services than can be counted.");
            }

            cells.Add(new(reader.GetInt32(0), reader.GetString(1), (byte)reader.GetInt32(2), reader.GetInt64(3)));
        }

        var largest = cells
            .GroupBy(cell => cell.Service)
            .OrderByDescending(service => service.Sum(cell => cell.Records))
            .ThenBy(service => service.Key, StringComparer.Ordinal)
            .Take(StatsReply.MaxServices)
            .Select(service => service.Key)
            .ToHashSet();
        return
        [
            .. cells
                .Select(cell => largest.Contains(cell.Service) ? cell : cell with { Service = StatsReply.Others })
                .GroupBy(cell => (cell.Bucket, cell.Service, cell.Severity))
                .Select(same => same.First() with { Records = same.Sum(cell => cell.Records) })
                .OrderBy(cell => cell.Bucket)
                .ThenBy(cell => cell.Service, StringComparer.Ordinal)
                .ThenBy(cell => cell.Severity),
        ];
    }
}
