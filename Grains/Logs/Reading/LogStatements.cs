using System.Collections.Immutable;
using System.Data;
using DuckDB.NET.Data;
using Grains.Interfaces.Logs;
using Grains.Logs.Queries;
using Grains.Logs.Segments;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Grains.Logs.Reading;

/// <summary>
/// Answers a SELECT over the view <c>logs</c>. Nothing else is to be reached by it, in two ways that do not trust each other: <see cref="SqlGate"/> lets through what it knows, and the
/// database has no access to any file but the segments, and no settings to change.
/// </summary>
public sealed class LogStatements(
    ISegmentSource source, SegmentCache cache, QueryPlaces places, IOptions<LogReadingOptions> options, [FromKeyedServices(Clocks.Guards)] TimeProvider guards)
{
    /// <summary>The view that statements are about.</summary>
    public const string View = "logs";

    /// <summary>Bytes of rows in an answer.</summary>
    public const int MaxBytes = 16 * 1024 * 1024;

    private const int MaxRestarts = 3;

    private readonly SqlGate _gate = new(View);

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

        var time = new WorkingTime(options.Value.QueryTime, guards);
        for (var restarts = 0; ; restarts++)
        {
            var all = await source.Segments(cancel);
            var span = SegmentFilter.Within(QueryNode.Every.One, ask.Since, ask.Until);
            var segments = SegmentFilter.Of(all, LogHints.Of(span));
            var read = new QueryEnd(QueryOutcome.Whole, null, 0, segments.Length, all.Length, segments.Sum(segment => (long)segment.Records), TimeSpan.Zero);
            var reply = await Run(ask, span, segments, read, time, restarts < MaxRestarts, cancel);
            if (reply is not null)
            {
                return reply with { End = reply.End with { Took = guards.GetElapsedTime(began) } };
            }
        }
    }

    private static string? Fault(AskSql ask) => ask switch
    {
        { Limit: < 1 or > AskSql.MaxRows } => $"The limit is 1 to {AskSql.MaxRows} rows; this is {ask.Limit}.",
        { Sql.Length: > AskSql.MaxLength } => $"A statement has at most {AskSql.MaxLength} characters; this one has {ask.Sql.Length}.",
        _ when string.IsNullOrWhiteSpace(ask.Sql) => $"A SELECT is asked, such as: select service, count(*) from {View} group by service",
        _ when ask.Sql.Contains('\0', StringComparison.Ordinal) => "A statement has no character 0.",
        _ => null,
    };

    /// <summary>Null: a segment went away, and it is worth asking again.</summary>
    private async Task<SqlReply?> Run(AskSql ask, QueryNode span, ImmutableArray<LogSegment> segments, QueryEnd read, WorkingTime time, bool mayAskAgain, CancellationToken cancel)
    {
        try
        {
            return await time.Work(async stop =>
            {
                using var files = await cache.Open(segments, stop);
                try
                {
                    return await Task.Run(() => Answer(ask, span, files.Paths, read, stop), CancellationToken.None);
                }
                catch (DuckDBException) when (mayAskAgain && files.Paths.Any(path => !File.Exists(path)))
                {
                    return null;
                }
            }, cancel);
        }
        catch (SegmentGoneException) when (mayAskAgain)
        {
            return null;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return Reply(read with { Outcome = QueryOutcome.Time, Sentence = time.Over });
        }
        catch (InsufficientMemoryException)
        {
            return Reply(read with { Outcome = QueryOutcome.Memory, Sentence = $"It needed more than {options.Value.QueryMemory} bytes (Logs:QueryMemory). Ask for less, or for a shorter time." });
        }
        catch (SegmentsTooLargeException large)
        {
            return Reply(read with { Outcome = QueryOutcome.Memory, Sentence = large.Message });
        }
        catch (Exception unreadable) when (unreadable is InvalidCastException or System.Reflection.TargetInvocationException)
        {
            return Reply(LogSearch.Wrong("A column has values that cannot be handed over as they are; to_json(…) around it makes them text."));
        }
        catch (DuckDBException wrong)
        {
            return Reply(LogSearch.Wrong(wrong.Message));
        }
    }

    private SqlReply Answer(AskSql ask, QueryNode span, IReadOnlyList<string> paths, QueryEnd read, CancellationToken stop)
    {
        using var session = DuckSession.ForStatements(options.Value.QueryMemory, paths, [ViewOf(span, paths)]);
        var serialized = session.Read($"SELECT json_serialize_sql({LogSql.Literal(ask.Sql)})", reader => reader.Read() ? reader.GetString(0) : "", stop);
        return _gate.Fault(serialized) is { } fault ? Reply(LogSearch.Wrong(fault)) : session.Read(ask.Sql, reader => Rows(reader, ask.Limit, read, stop), stop);
    }

    /// <summary>The columns of a segment under friendlier types: attributes are JSON, and a severity has its name.</summary>
    private static string ViewOf(QueryNode span, IReadOnlyList<string> paths)
    {
        var from = paths.Count > 0 ? $"{DuckSession.Files(paths)} WHERE {LogSql.Where(span)}" : $"({Nothing}) WHERE false";
        return $"""
            CREATE VIEW {View} AS SELECT time, severity, CASE WHEN severity < 1 OR severity > 24 THEN NULL ELSE ['trace', 'debug', 'info', 'warn', 'error', 'fatal'][((severity - 1) // 4) + 1] END AS severity_name,
            severity_text, service, host, body, CAST(attributes AS JSON) AS attributes, trace_id, span_id, event_name, observed, time_nanos, observed_nanos FROM {from}
            """;
    }

    private static string Nothing { get; } =
        $"SELECT {string.Join(", ", SegmentSchema.Names.Select(name => $"CAST(NULL AS {(name is "time" or "observed" ? "TIMESTAMPTZ" : name.EndsWith("_nanos", StringComparison.Ordinal) || name == "severity" ? "INTEGER" : "VARCHAR")}) AS {name}"))}";

    private static SqlReply Rows(IDataReader reader, int limit, QueryEnd read, CancellationToken stop)
    {
        var columns = Enumerable.Range(0, reader.FieldCount).ToArray();
        using var row = new SqlRow();
        var rows = ImmutableArray.CreateBuilder<string>();
        var bytes = 0L;
        var end = read;
        while (reader.Read())
        {
            stop.ThrowIfCancellationRequested();
            if (rows.Count == limit)
            {
                end = read with { Outcome = QueryOutcome.Limit, Sentence = $"There are more than {limit} rows." };
                break;
            }

            rows.Add(row.Write(reader));
            bytes += rows[^1].Length;
            if (bytes > MaxBytes)
            {
                end = read with { Outcome = QueryOutcome.Size, Sentence = $"The answer became larger than {MaxBytes} bytes and was ended after {rows.Count} rows." };
                break;
            }
        }

        return new([.. columns.Select(reader.GetName)], [.. columns.Select(reader.GetDataTypeName)], rows.DrainToImmutable(), end);
    }

    private static SqlReply Reply(QueryEnd end) => new([], [], [], end);
}
