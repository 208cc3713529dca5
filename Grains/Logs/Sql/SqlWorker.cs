using System.Data;
using System.Text;
using System.Text.Json;
using DuckDB.NET.Data;
using Grains.Interfaces.Logs;
using Grains.Logs.Queries;
using Grains.Logs.Reading;
using Grains.Logs.Segments;

namespace Grains.Logs.Sql;

/// <summary>
/// Answers a SELECT over the view <c>logs</c>, frame by frame. Nothing else is to be reached by it, in two ways that do not trust each
/// other: <see cref="SqlGate"/> lets through
/// what it knows, and the database opens no file but the segments and has no settings to change. Its time is not bounded here: whoever runs
/// it ends its process.
/// </summary>
public static class SqlWorker
{
    /// <summary>The view that statements are about.</summary>
    public const string View = "logs";

    private const int MaxSentence = 2_000;

    private static readonly SqlGate Gate = new(View);

    /// <summary>Runs one statement: writes the columns, a frame a row, and how it ended.</summary>
    public static void Answer(SqlRequest request, Stream output)
    {
        var end = Run(request, output);
        SqlFrames.Write(output, SqlFrameKind.End, end, SqlJson.Default.SqlEnd);
        output.Flush();
    }

    /// <summary>Opens a database once, so that its library is loaded before the first statement comes.</summary>
    public static void WarmUp()
    {
        using var session = DuckSession.ForConditions(memory: 64 * 1024 * 1024);
        _ = session.Read("SELECT json_serialize_sql('SELECT 1')", reader => reader.Read(), CancellationToken.None);
    }

    private static SqlEnd Run(SqlRequest request, Stream output)
    {
        try
        {
            return Answered(request, output);
        }
        catch (OutOfMemoryException)
        {
            return new(
                QueryOutcome.Memory,
                $"It needed more than {request.Memory} bytes (Logs:QueryMemory). Ask for less, or for a shorter time.",
                []
            );
        }
        catch (JsonException)
        {
            return Wrong("The statement is nested more deeply than it can be looked at.");
        }
        catch (Exception unreadable)
            when (unreadable
                    is InvalidCastException
                        or System.Reflection.TargetInvocationException
                        or OverflowException
                        or NotSupportedException
            )
        {
            return Wrong("A column has values that cannot be handed over as they are; to_json(…) around it makes them text.");
        }
    }

    private static SqlEnd Answered(SqlRequest request, Stream output)
    {
        DuckSession session;
        try
        {
            session = DuckSession.ForStatements(request.Memory, request.Paths, ViewOf(request));
        }
        catch (DuckDBException failure)
        {
            return OfFiles(request) ?? Wrong(WithoutPaths(failure.Message, request.Paths));
        }

        using (session)
        {
            try
            {
                var serialized = session.Read(
                    $"SELECT json_serialize_sql({LogSql.Literal(request.Sql)})",
                    reader => reader.Read() ? reader.GetString(0) : "",
                    CancellationToken.None
                );
                return Gate.Fault(serialized) is { } fault
                    ? Wrong(fault)
                    : session.Read(request.Sql, reader => Rows(reader, request, output), CancellationToken.None);
            }
            catch (DuckDBException failure)
            {
                return (SegmentProbe.MayBeOfFiles(failure, request.Paths) ? OfFiles(request) : null)
                    ?? Wrong(WithoutPaths(failure.Message, request.Paths));
            }
        }
    }

    /// <summary>Null: all files can be read.</summary>
    private static SqlEnd? OfFiles(SqlRequest request) =>
        SegmentProbe.Unreadable(request.Paths, request.Memory, CancellationToken.None) is { IsEmpty: false } unreadable
            ? new(QueryOutcome.Partial, null, unreadable)
            : null;

    /// <summary>A message may hold a value of any length: <c>error(…)</c> makes one.</summary>
    private static SqlEnd Wrong(string sentence) =>
        new(QueryOutcome.Wrong, sentence.Length <= MaxSentence ? sentence : string.Concat(sentence.AsSpan(0, MaxSentence), "…"), []);

    /// <summary>A message without the places of files.</summary>
    private static string WithoutPaths(string message, IEnumerable<string> paths)
    {
        var text = new StringBuilder(message);
        foreach (var path in paths)
        {
            text.Replace(path, "a segment");
        }

        return text.ToString();
    }

    /// <summary>The columns of a segment under friendlier types: attributes are JSON, and a severity has its name.</summary>
    private static string ViewOf(SqlRequest request)
    {
        var span = SegmentFilter.Within(QueryNode.Every.One, request.From, request.To);
        var from = request.Paths.Count > 0 ? $"{DuckSession.Files(request.Paths)} WHERE {LogSql.Where(span)}" : $"({Nothing}) WHERE false";
        return $"""
            CREATE VIEW {View} AS SELECT time, severity,
            CASE WHEN severity < 1 OR severity > 24 THEN NULL
            ELSE ['trace', 'debug', 'info', 'warn', 'error', 'fatal'][((severity - 1) // 4) + 1] END AS severity_name,
            severity_text, service, host, body, CAST(attributes AS JSON) AS attributes,
            trace_id, span_id, event_name, observed, time_nanos, observed_nanos FROM {from}
            """;
    }

    private static string Nothing { get; } =
        $"SELECT {string.Join(", ", SegmentSchema.Names.Select(name => $"CAST(NULL AS {SegmentSchema.DuckType(name)}) AS {name}"))}";

    private static SqlEnd Rows(IDataReader reader, SqlRequest request, Stream output)
    {
        var numbers = Enumerable.Range(0, reader.FieldCount).ToArray();
        var columns = JsonSerializer.SerializeToUtf8Bytes(
            new([.. numbers.Select(reader.GetName)], [.. numbers.Select(reader.GetDataTypeName)]),
            SqlJson.Default.SqlColumns
        );
        if (columns.Length > request.MaxBytes)
        {
            return TooLarge(request, rows: 0);
        }

        var bytes = 0L;
        SqlFrames.Write(output, SqlFrameKind.Columns, columns);
        using var row = new SqlRow();
        for (var rows = 0; reader.Read(); rows++)
        {
            if (rows == request.Limit)
            {
                return new(QueryOutcome.Limit, $"There are more than {request.Limit} rows.", []);
            }

            if (!TryWrite(row, reader, out var written) || (bytes += written.Length) > request.MaxBytes)
            {
                return TooLarge(request, rows);
            }

            SqlFrames.Write(output, SqlFrameKind.Row, written);
        }

        return new(QueryOutcome.Whole, null, []);
    }

    /// <summary>False: the row is so large that there is no memory to write it down.</summary>
    private static bool TryWrite(SqlRow row, IDataReader reader, out ReadOnlySpan<byte> written)
    {
        try
        {
            written = row.Write(reader);
            return true;
        }
        catch (Exception full) when (full is OutOfMemoryException || full.InnerException is OutOfMemoryException)
        {
            written = default;
            return false;
        }
    }

    private static SqlEnd TooLarge(SqlRequest request, int rows) =>
        new(QueryOutcome.Size, $"The answer became larger than {request.MaxBytes} bytes and was ended after {rows} rows.", []);
}
