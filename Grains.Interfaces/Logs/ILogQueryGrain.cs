using System.Collections.Immutable;

namespace Grains.Interfaces.Logs;

/// <summary>
/// One question over what is stored, answered by the silo that takes it. The key is made for the question and used once.
/// What was acknowledged before the question was asked is found.
/// </summary>
[Alias("logs.ILogQueryGrain")]
public interface ILogQueryGrain : IGrainWithGuidKey
{
    /// <summary>
    /// The records that match, in order of time, page by page as they are found. The last page, and no other, has
    /// <see cref="FoundLogs.End"/>. Who stops asking for a minute has ended it.
    /// </summary>
    [Alias("Search")]
    IAsyncEnumerable<FoundLogs> Search(SearchLogs ask, CancellationToken cancel = default);

    /// <summary>The rows of one SELECT over the view <c>logs</c>.</summary>
    [Alias("Sql")]
    Task<SqlReply> Sql(AskSql ask, CancellationToken cancel = default);

    /// <summary>How many records there were, by time, service and severity.</summary>
    [Alias("Stats")]
    Task<StatsReply> Stats(AskStats ask, CancellationToken cancel = default);

    /// <summary>What is set for the pipeline at the silo that answers.</summary>
    [Alias("Settings")]
    Task<LogSettings> Settings(CancellationToken cancel = default);
}

/// <param name="Query">In the language of queries; empty: every record.</param>
/// <param name="Since">Records of this time and after; null: from the first.</param>
/// <param name="Until">Records before this time; null: to the last.</param>
/// <param name="Limit">Records at most: 1 to <see cref="MaxLimit"/>.</param>
[GenerateSerializer, Immutable, Alias("logs.SearchLogs")]
public sealed record SearchLogs(
    [property: Id(0)] string Query,
    [property: Id(1)] DateTimeOffset? Since,
    [property: Id(2)] DateTimeOffset? Until,
    [property: Id(3)] int Limit,
    [property: Id(4)] bool OldestFirst
)
{
    public const int DefaultLimit = 100;

    public const int MaxLimit = 1_000_000;
}

/// <summary>Some of what was found, at most about a megabyte of it.</summary>
[GenerateSerializer, Immutable, Alias("logs.FoundLogs")]
public sealed record FoundLogs([property: Id(0)] LogBlock Records, [property: Id(1)] QueryEnd? End);

/// <summary>How a question ended, and what was read for it.</summary>
/// <param name="Sentence">What is wrong or why it stopped; null when everything was read.</param>
/// <param name="Column">Of the sign in the query that is wrong, from 1; 0 when it is not about one.</param>
/// <param name="SegmentsRead">Opened, of those that are kept.</param>
/// <param name="RecordsRead">In the segments that were opened.</param>
[GenerateSerializer, Immutable, Alias("logs.QueryEnd")]
public sealed record QueryEnd(
    [property: Id(0)] QueryOutcome Outcome,
    [property: Id(1)] string? Sentence,
    [property: Id(2)] int Column,
    [property: Id(3)] int SegmentsRead,
    [property: Id(4)] int Segments,
    [property: Id(5)] long RecordsRead,
    [property: Id(6)] TimeSpan Took
)
{
    /// <summary>Names of unreadable segments that are given with an answer.</summary>
    public const int MaxUnreadableNames = 20;

    /// <summary>Segments that might have held an answer and cannot be read: what is in them is missing from it.</summary>
    [Id(7)]
    public int Unreadable { get; init; }

    /// <summary>Their names, the first <see cref="MaxUnreadableNames"/>; default from a silo of an earlier version.</summary>
    [Id(8)]
    public ImmutableArray<string> UnreadableSegments { get; init; } = [];
}

[GenerateSerializer, Alias("logs.QueryOutcome")]
public enum QueryOutcome
{
    /// <summary>Everything was looked at.</summary>
    Whole,

    /// <summary>As many as were asked for; there may be more.</summary>
    Limit,

    /// <summary>The time was over before everything was looked at.</summary>
    Time,

    /// <summary>It needed more memory than a query has.</summary>
    Memory,

    /// <summary>The answer became larger than answers are.</summary>
    Size,

    /// <summary>Too many questions at once: ask again.</summary>
    Busy,

    /// <summary>The question is wrong.</summary>
    Wrong,

    /// <summary>Everything that can be read was looked at; some segments cannot be.</summary>
    Partial,

    /// <summary>The process that ran the statement crashed over it.</summary>
    Crash,
}

/// <param name="Sql">One SELECT, <see cref="MaxLength"/> characters at most.</param>
/// <param name="Since">The view holds records of this time and after; null: from the first.</param>
/// <param name="Until">And before this one; null: to the last.</param>
/// <param name="Limit">Rows at most: 1 to <see cref="MaxRows"/>.</param>
[GenerateSerializer, Immutable, Alias("logs.AskSql")]
public sealed record AskSql(
    [property: Id(0)] string Sql,
    [property: Id(1)] DateTimeOffset? Since,
    [property: Id(2)] DateTimeOffset? Until,
    [property: Id(3)] int Limit
)
{
    public const int MaxLength = 16 * 1024;

    public const int DefaultRows = 1_000;

    public const int MaxRows = 100_000;
}

/// <param name="Types">DuckDB's, one a column.</param>
/// <param name="Rows">Each is a JSON array with a value per column.</param>
[GenerateSerializer, Immutable, Alias("logs.SqlReply")]
public sealed record SqlReply(
    [property: Id(0)] ImmutableArray<string> Columns,
    [property: Id(1)] ImmutableArray<string> Types,
    [property: Id(2)] ImmutableArray<string> Rows,
    [property: Id(3)] QueryEnd End
);

/// <param name="Query">Only what matches; empty: every record.</param>
/// <param name="Buckets">Parts of the time: 1 to <see cref="MaxBuckets"/>.</param>
[GenerateSerializer, Immutable, Alias("logs.AskStats")]
public sealed record AskStats(
    [property: Id(0)] string Query,
    [property: Id(1)] DateTimeOffset Since,
    [property: Id(2)] DateTimeOffset Until,
    [property: Id(3)] int Buckets
)
{
    public const int MaxBuckets = 1_440;
}

/// <param name="Cells">Those that are not empty, in order of time, service, severity.</param>
/// <param name="RawBytes">Of the segments that were read, before compression; with their records this is what a record takes.</param>
/// <param name="StoredBytes">Of the same segments as they are stored.</param>
[GenerateSerializer, Immutable, Alias("logs.StatsReply")]
public sealed record StatsReply(
    [property: Id(0)] DateTimeOffset Since,
    [property: Id(1)] DateTimeOffset Until,
    [property: Id(2)] int Buckets,
    [property: Id(3)] ImmutableArray<StatsCell> Cells,
    [property: Id(4)] long RawBytes,
    [property: Id(5)] long StoredBytes,
    [property: Id(6)] QueryEnd End
)
{
    /// <summary>Services that are told apart; the records of others are under <see cref="Others"/>.</summary>
    public const int MaxServices = 30;

    public const string Others = "(others)";
}

/// <param name="Bucket">From 0: the part of the time.</param>
/// <param name="Severity">The lowest number of its name (1, 5, 9, 13, 17, 21), or 0: not said.</param>
[GenerateSerializer, Immutable, Alias("logs.StatsCell")]
public readonly record struct StatsCell(
    [property: Id(0)] int Bucket,
    [property: Id(1)] string Service,
    [property: Id(2)] byte Severity,
    [property: Id(3)] long Records
);

/// <summary>What decides how much the pipeline can hold, as it is set at one silo.</summary>
[GenerateSerializer, Immutable, Alias("logs.LogSettings")]
public sealed record LogSettings(
    [property: Id(0)] int Shards,
    [property: Id(1)] long BufferBytes,
    [property: Id(2)] TimeSpan Linger,
    [property: Id(3)] int SegmentBytes,
    [property: Id(4)] int SegmentRecords
);
