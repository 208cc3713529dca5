using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Grains.Interfaces.Logs;
using Grains.Logs.Reading;

namespace Grains.Logs.Sql;

/// <summary>One statement, with everything that the process which runs it is given.</summary>
/// <param name="From">The view holds records of this time and after: nanoseconds since 1970.</param>
/// <param name="To">And up to this one, included.</param>
/// <param name="Paths">Files of the segments that the view is made of. No other file can be read.</param>
/// <param name="Limit">Rows at most.</param>
/// <param name="MaxBytes">Bytes of rows at most, as UTF-8.</param>
/// <param name="Memory">Bytes that the database may take for tables, sorts and joins.</param>
/// <param name="DataBytes">Bytes of memory of its own that the process may have in all. Linux enforces it; elsewhere only the parent
/// looks.</param>
public sealed record SqlRequest(
    string Sql,
    ulong From,
    ulong To,
    IReadOnlyList<string> Paths,
    int Limit,
    int MaxBytes,
    long Memory,
    long DataBytes
);

/// <summary>What a statement gave, or why it gave nothing.</summary>
/// <param name="Types">DuckDB's, one a column.</param>
/// <param name="Rows">Each is a JSON array with a value per column.</param>
public sealed record SqlAnswer(ImmutableArray<string> Columns, ImmutableArray<string> Types, ImmutableArray<string> Rows, SqlEnd End)
{
    /// <summary>An answer without rows.</summary>
    public static SqlAnswer Of(SqlEnd end) => new([], [], [], end);
}

/// <summary>How a statement ended.</summary>
/// <param name="Sentence">Why it was not answered whole; null when it was.</param>
/// <param name="Unreadable">Segments that it stumbled over: then there are no rows, and it is worth asking again without them.</param>
public sealed record SqlEnd(QueryOutcome Outcome, string? Sentence, ImmutableArray<UnreadablePath> Unreadable);

/// <summary>The columns of an answer; they come before its rows.</summary>
public sealed record SqlColumns(ImmutableArray<string> Names, ImmutableArray<string> Types);

/// <summary>Runs statements where they can do no harm.</summary>
public interface ISqlRunner
{
    /// <summary>Runs one statement to its end: the answer says how it ended, whatever became of whoever ran it.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> said so. Nothing of the statement runs any more.</exception>
    Task<SqlAnswer> Run(SqlRequest request, CancellationToken stop);
}

[JsonSerializable(typeof(SqlRequest))]
[JsonSerializable(typeof(SqlColumns))]
[JsonSerializable(typeof(SqlEnd))]
internal sealed partial class SqlJson : JsonSerializerContext;
