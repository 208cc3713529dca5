using System.Collections.Immutable;

namespace Grains.Logs.Queries;

/// <summary>
/// What every record that matches a query has in common, so that whole segments can be passed over. Never says more than is certain: a
/// record that matches lies within.
/// </summary>
/// <param name="Services">One of these; null: any. Empty: nothing can match. An empty name stands for records without a service.</param>
/// <param name="From">Its time is not below: nanoseconds since 1970.</param>
/// <param name="To">Nor above. Below <paramref name="From"/>: nothing can match.</param>
/// <param name="Traces">Its trace id is one of these, 32 hexadecimal digits in lower case; null: any or none.</param>
public sealed record LogHints(ImmutableSortedSet<string>? Services, ulong From, ulong To, ImmutableSortedSet<string>? Traces)
{
    public static readonly LogHints None = new(null, 0, ulong.MaxValue, null);

    /// <summary>No record at all can match.</summary>
    public bool IsEmpty => Services is { Count: 0 } || From > To || Traces is { Count: 0 };

    public static LogHints Of(QueryNode node) =>
        node switch
        {
            QueryNode.All all => all.Of.Select(Of).Aggregate(None, And),
            QueryNode.Any any => any.Of.Select(Of).Where(part => !part.IsEmpty).ToArray() is { Length: > 0 } parts
                ? parts.Aggregate(Or)
                : None with
                {
                    From = 1,
                    To = 0,
                },
            QueryNode.Times { IsObserved: false } times => None with { From = times.From, To = times.To },
            QueryNode.Text { Field: QueryField.Service, Test: TextTest.Equal test } => None with { Services = Set(test.Value) },
            QueryNode.Text { Field: QueryField.Trace, Test: TextTest.Equal test } => None with { Traces = Set(test.Value) },
            _ => None,
        };

    private static ImmutableSortedSet<string> Set(string one) => ImmutableSortedSet.Create(StringComparer.Ordinal, one);

    private static LogHints And(LogHints left, LogHints right) =>
        new(
            left.Services is { } services && right.Services is { } others ? services.Intersect(others) : left.Services ?? right.Services,
            Math.Max(left.From, right.From),
            Math.Min(left.To, right.To),
            left.Traces is { } traces && right.Traces is { } otherTraces ? traces.Intersect(otherTraces) : left.Traces ?? right.Traces
        );

    private static LogHints Or(LogHints left, LogHints right) =>
        new(
            left.Services is { } services && right.Services is { } others ? services.Union(others) : null,
            Math.Min(left.From, right.From),
            Math.Max(left.To, right.To),
            left.Traces is { } traces && right.Traces is { } otherTraces ? traces.Union(otherTraces) : null
        );
}
