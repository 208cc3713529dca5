using System.Collections.Immutable;
using Grains.Interfaces.Logs;
using Grains.Logs.Queries;
using Grains.Logs.Reading;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Grains.Logs.Sql;

/// <summary>
/// Answers a SELECT over the view <c>logs</c>. The statement itself runs elsewhere (<see cref="ISqlRunner"/>), and is given the paths of
/// the segments' files.
/// </summary>
/// <remarks>
/// When segments are merged meanwhile, it goes on with the merged ones. Those that cannot be read are left out, and named at the end.
/// </remarks>
/// <param name="places">For statements alone, so that they keep nobody from searching.</param>
public sealed class LogStatements(
    ISegmentSource source,
    SegmentCache cache,
    UnreadableSegments unreadable,
    QueryPlaces places,
    ISqlRunner runner,
    IOptions<LogReadingOptions> options,
    [FromKeyedServices(Clocks.Guards)] TimeProvider guards
)
{
    /// <summary>Bytes of rows in an answer.</summary>
    public const int MaxBytes = 16 * 1024 * 1024;

    public async Task<SqlReply> Ask(AskSql ask, CancellationToken cancel = default)
    {
        var began = guards.GetTimestamp();
        if (Fault(ask) is { } fault)
        {
            return Reply(LogSearch.Wrong(fault));
        }

        using var place = await places.Take(cancel);
        if (place is null)
        {
            return Reply(new(QueryOutcome.Busy, places.Busy, 0, 0, 0, 0, guards.GetElapsedTime(began)));
        }

        var time = new WorkingTime(options.Value.CallTime(guards.GetElapsedTime(began)), guards);
        var found = new UnreadableFound(unreadable);
        var span = SegmentFilter.Within(QueryNode.Every.One, ask.Since, ask.Until);
        while (true)
        {
            var (all, shards) = await source.Segments(cancel);
            found.Without(shards);
            unreadable.Keep(all);
            var segments = found.Readable(SegmentFilter.Of(all, LogHints.Of(span)));
            var read = new QueryEnd(
                QueryOutcome.Whole,
                null,
                0,
                segments.Length,
                all.Length,
                segments.Sum(segment => (long)segment.Records),
                TimeSpan.Zero
            );
            try
            {
                var answer = await time.Work(stop => Run(ask, segments, stop), cancel);
                if (answer.End.Outcome == QueryOutcome.Wrong)
                {
                    return Reply(LogSearch.Wrong(answer.End.Sentence!));
                }

                if (answer.End.Outcome is QueryOutcome.Whole)
                {
                    unreadable.Remove(segments);
                }

                return new(answer.Columns, answer.Types, answer.Rows, Ended(answer.End.Outcome, answer.End.Sentence));
            }
            catch (SegmentsUnreadableException these)
            {
                found.Add(these);
                cache.Discard(these.Faults.Select(unread => unread.Name));
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                return Reply(Ended(QueryOutcome.Time, time.Over));
            }
            catch (SegmentsTooLargeException large)
            {
                return Reply(Ended(QueryOutcome.Memory, large.Message));
            }

            QueryEnd Ended(QueryOutcome outcome, string? sentence) =>
                found.In(read with { Outcome = outcome, Sentence = sentence, Took = guards.GetElapsedTime(began) });
        }
    }

    private static string? Fault(AskSql ask) =>
        ask switch
        {
            { Limit: < 1 or > AskSql.MaxRows } => $"The limit is 1 to {AskSql.MaxRows} rows; this is {ask.Limit}.",
            { Sql.Length: > AskSql.MaxLength } => $"A statement has at most {AskSql.MaxLength} characters; this one has {ask.Sql.Length}.",
            _ when string.IsNullOrWhiteSpace(ask.Sql) =>
                $"A SELECT is asked, such as: select service, count(*) from {SqlWorker.View} group by service",
            _ when ask.Sql.Contains('\0', StringComparison.Ordinal) => "A statement has no character 0.",
            _ => null,
        };

    private async Task<SqlAnswer> Run(AskSql ask, ImmutableArray<LogSegment> segments, CancellationToken stop)
    {
        // The files stay in the cache until nobody runs the statement any more.
        using var files = await cache.Open(segments, stop);
        var (from, to) = SegmentFilter.Nanoseconds(ask.Since, ask.Until);
        var answer = await runner.Run(
            new(ask.Sql, from, to, files.Paths, ask.Limit, MaxBytes, options.Value.QueryMemory, options.Value.SqlProcessBytes()),
            stop
        );
        ImmutableArray<SegmentFault> missing = answer.End.Unreadable.IsEmpty
            ? []
            : [.. segments.Zip(files.Paths).Where(file => !File.Exists(file.Second)).Select(file => SegmentFault.Missing(file.First.Name))];
        return missing.IsEmpty
            ? SegmentProbe.Damaged(answer.End.Unreadable, segments, files) is { } damaged
                ? throw damaged
                : answer
            : throw new SegmentsUnreadableException(missing);
    }

    private static SqlReply Reply(QueryEnd end) => new([], [], [], end);
}
