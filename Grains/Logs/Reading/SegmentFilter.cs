using System.Collections.Immutable;
using Grains.Interfaces.Logs;
using Grains.Logs.Queries;
using Grains.Logs.Segments;

namespace Grains.Logs.Reading;

/// <summary>
/// Passes over segments that certainly hold nothing that a query asks for: by time, by service, by the filter of trace ids.
/// </summary>
public static class SegmentFilter
{
    public static ImmutableArray<LogSegment> Of(ImmutableArray<LogSegment> segments, LogHints hints)
    {
        if (hints.IsEmpty)
        {
            return [];
        }

        var traces = hints.Traces?.Select(Convert.FromHexString).ToArray();
        return segments.RemoveAll(segment =>
            segment.MaxTime < hints.From
            || segment.MinTime > hints.To
            || (hints.Services is { } services && !segment.Services.IsEmpty && !segment.Services.Any(services.Contains))
            || (traces is not null && !Array.Exists(traces, trace => TraceFilter.MayHold(segment.Traces.Span, trace)))
        );
    }

    /// <summary>A query that also asks for a span of time.</summary>
    /// <param name="until">Not included.</param>
    public static QueryNode Within(QueryNode node, DateTimeOffset? since, DateTimeOffset? until)
    {
        if (since is null && until is null)
        {
            return node;
        }

        var (from, to) = Nanoseconds(since, until);
        return Within(node, from, to);
    }

    /// <summary>A span of time as nanoseconds since 1970, both ends included.</summary>
    /// <param name="until">Not included.</param>
    public static (ulong From, ulong To) Nanoseconds(DateTimeOffset? since, DateTimeOffset? until)
    {
        var from = since is { } first ? LogForm.Nanoseconds(first) : 0;
        var end = until is { } last ? LogForm.Nanoseconds(last) : ulong.MaxValue;
        return (
            from,
            until is null ? ulong.MaxValue
            : end == 0 ? 0
            : end - 1
        );
    }

    /// <param name="from">Included, as is <paramref name="to"/>.</param>
    public static QueryNode Within(QueryNode node, ulong from, ulong to) => new QueryNode.All([new QueryNode.Times(false, from, to), node]);
}
