using System.Collections.Immutable;
using ParquetSharp;
using ParquetSharp.Schema;

namespace Grains.Logs.Segments;

/// <summary>
/// The columns of a segment, in types that every reader of Parquet knows (DuckDB, Spark, pandas): times are microseconds, because Spark
/// reads no nanoseconds;
/// what a time has below the microsecond is beside it.
/// </summary>
/// <remarks>
/// <code>
/// time            timestamp, µs, UTC     time_nanos      int, 0 to 999
/// observed        timestamp, µs, UTC     observed_nanos  int, 0 to 999
/// severity        int, 0 to 24           severity_text   text or null
/// service         text                   host            text or null
/// trace_id        32 hex digits or null  span_id         16 hex digits or null
/// event_name      text or null           body            text
/// attributes      a JSON object or null
/// </code>
/// </remarks>
public static class SegmentSchema
{
    /// <summary>In the order of the file.</summary>
    public static ImmutableArray<string> Names { get; } =
    [
        "time",
        "time_nanos",
        "observed",
        "observed_nanos",
        "severity",
        "severity_text",
        "service",
        "host",
        "trace_id",
        "span_id",
        "event_name",
        "body",
        "attributes",
    ];

    /// <summary>A column's type as DuckDB names it.</summary>
    internal static string DuckType(string name) =>
        name switch
        {
            "time" or "observed" => "TIMESTAMP WITH TIME ZONE",
            "time_nanos" or "observed_nanos" or "severity" => "INTEGER",
            _ => "VARCHAR",
        };

    /// <summary>Columns with few different values.</summary>
    internal static ImmutableArray<string> FewValues { get; } =
    ["time_nanos", "observed_nanos", "severity", "severity_text", "service", "host", "event_name", "attributes"];

    /// <summary>Columns whose values rise.</summary>
    internal static ImmutableArray<string> Rising { get; } = ["time", "observed"];

    /// <summary>
    /// Columns of values that differ and are equally long: their lengths are told once and the rest is as dense as it gets (5 % of a
    /// segment with traces).
    /// </summary>
    internal static ImmutableArray<string> Ids { get; } = ["trace_id", "span_id"];

    internal static GroupNode Node { get; } =
        new(
            "record",
            Repetition.Required,
            [
                Time("time"),
                Number("time_nanos"),
                Time("observed"),
                Number("observed_nanos"),
                Number("severity"),
                Text("severity_text", Repetition.Optional),
                Text("service", Repetition.Required),
                Text("host", Repetition.Optional),
                Text("trace_id", Repetition.Optional),
                Text("span_id", Repetition.Optional),
                Text("event_name", Repetition.Optional),
                Text("body", Repetition.Required),
                Text("attributes", Repetition.Optional),
            ]
        );

    private static PrimitiveNode Time(string name) =>
        new(name, Repetition.Required, LogicalType.Timestamp(true, TimeUnit.Micros), PhysicalType.Int64);

    private static PrimitiveNode Number(string name) => new(name, Repetition.Required, LogicalType.Int(32, true), PhysicalType.Int32);

    private static PrimitiveNode Text(string name, Repetition repetition) =>
        new(name, repetition, LogicalType.String(), PhysicalType.ByteArray);
}
