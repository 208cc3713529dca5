using System.Collections.Immutable;

namespace Grains.Interfaces.Logs;

/// <summary>How a question ended, as programs get it.</summary>
/// <param name="Outcome"><c>whole</c>, <c>limit</c>, <c>time</c>, <c>memory</c>, <c>size</c>, <c>busy</c>, <c>wrong</c>, <c>partial</c> or
/// <c>crash</c>.</param>
/// <param name="Detail">Why, in a sentence; null when everything was looked at.</param>
/// <param name="Unreadable">Segments that cannot be read: what is in them is missing from the answer.</param>
/// <param name="UnreadableSegments">The names of the first <see cref="QueryEnd.MaxUnreadableNames"/> of them.</param>
public sealed record QueryEndForm(
    string Outcome,
    string? Detail,
    int SegmentsRead,
    int Segments,
    long RecordsRead,
    double TookMs,
    int Unreadable,
    ImmutableArray<string> UnreadableSegments
)
{
    public static QueryEndForm Of(QueryEnd end) =>
        new(
            end.Outcome.ToString().ToLowerInvariant(),
            end.Sentence,
            end.SegmentsRead,
            end.Segments,
            end.RecordsRead,
            Math.Round(end.Took.TotalMilliseconds, 1),
            end.Unreadable,
            end.UnreadableSegments.IsDefault ? [] : end.UnreadableSegments
        );
}

/// <summary>Counts by time, of all and of each service and severity, as programs get them.</summary>
/// <param name="StepSeconds">Of one part of the time; the number of parts is the length of each list.</param>
/// <param name="RawBytes">About what the records take before they are compressed, and <paramref name="StoredBytes"/> as they are stored: of
/// the segments that were read.</param>
public sealed record StatsForm(
    DateTimeOffset Since,
    DateTimeOffset Until,
    double StepSeconds,
    long Records,
    double RecordsPerSecond,
    long RawBytes,
    long StoredBytes,
    ImmutableArray<long> Counts,
    ImmutableArray<StatsLineForm> Services,
    ImmutableArray<StatsLineForm> Severities,
    QueryEndForm End
)
{
    public static StatsForm Of(StatsReply reply)
    {
        var records = reply.Cells.Sum(cell => cell.Records);
        var seconds = (reply.Until - reply.Since).TotalSeconds;
        return new(
            reply.Since,
            reply.Until,
            seconds / reply.Buckets,
            records,
            Math.Round(records / Math.Max(1e-9, seconds), 3),
            reply.RawBytes,
            reply.StoredBytes,
            ByPart(reply, reply.Cells),
            [
                .. Lines(reply, cell => cell.Service)
                    .OrderByDescending(line => line.Records)
                    .ThenBy(line => line.Name, StringComparer.Ordinal),
            ],
            [
                .. reply
                    .Cells.Select(cell => cell.Severity)
                    .Distinct()
                    .Order()
                    .SelectMany(severity => Lines(reply, cell => cell.Severity == severity ? NameOf(severity) : null)),
            ],
            QueryEndForm.Of(reply.End)
        );
    }

    /// <summary><c>none</c> for 0: not said.</summary>
    public static string NameOf(byte severity) => severity == 0 ? "none" : LogSeverity.Name(severity);

    private static IEnumerable<StatsLineForm> Lines(StatsReply reply, Func<StatsCell, string?> by) =>
        reply
            .Cells.GroupBy(by)
            .Where(line => line.Key is not null)
            .Select(line => new StatsLineForm(line.Key!, line.Sum(cell => cell.Records), ByPart(reply, line)));

    private static ImmutableArray<long> ByPart(StatsReply reply, IEnumerable<StatsCell> cells)
    {
        var counts = new long[reply.Buckets];
        foreach (var cell in cells)
        {
            counts[Math.Clamp(cell.Bucket, 0, counts.Length - 1)] += cell.Records;
        }

        return ImmutableArray.Create(counts);
    }
}

/// <param name="Counts">One for each part of the time.</param>
public sealed record StatsLineForm(string Name, long Records, ImmutableArray<long> Counts);

/// <summary>What was received of one service in one hour and what became of it, as programs get it.</summary>
public sealed record LogCountForm(
    DateTimeOffset Hour,
    string Service,
    long Received,
    long Stored,
    long Filtered,
    long Sampled,
    long Repeated,
    ImmutableSortedDictionary<string, long> Refused,
    bool Balances
)
{
    public static LogCountForm Of(LogCount count) =>
        new(
            count.Hour,
            count.Count.Service,
            count.Count.Received,
            count.Count.Stored,
            count.Count.Filtered,
            count.Count.Sampled,
            count.Count.Repeated,
            count.Count.Refused,
            count.Count.Balances
        );

    /// <summary>Of all shards, each hour and service once, in order.</summary>
    public static ImmutableArray<LogCountForm> Of(IEnumerable<LogCount> counts) =>
        [
            .. counts
                .GroupBy(count => (count.Hour, count.Count.Service))
                .Select(same => same.Select(Of).Aggregate(Sum))
                .OrderBy(count => count.Hour)
                .ThenBy(count => count.Service, StringComparer.Ordinal),
        ];

    private static LogCountForm Sum(LogCountForm left, LogCountForm right) =>
        left with
        {
            Received = left.Received + right.Received,
            Stored = left.Stored + right.Stored,
            Filtered = left.Filtered + right.Filtered,
            Sampled = left.Sampled + right.Sampled,
            Repeated = left.Repeated + right.Repeated,
            Refused = left.Refused.SetItems(
                right.Refused.Select(pair => KeyValuePair.Create(pair.Key, pair.Value + left.Refused.GetValueOrDefault(pair.Key)))
            ),
            Balances = left.Balances && right.Balances,
        };
}
