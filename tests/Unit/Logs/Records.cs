using System.Text;
using System.Text.Json;
using Grains.Interfaces.Logs;
using Grains.Logs.Queries;
using Grains.Logs.Records;

namespace Unit.Logs;

/// <summary>
/// A record as tests write it: JSON with the names that "logs query --json" prints, all of them optional. <c>attributes</c> is kept as it
/// is written.
/// </summary>
internal sealed record TestRecord(
    ulong Time = TestRecord.Noon,
    ulong Observed = TestRecord.Noon,
    byte Severity = 0,
    string Service = "",
    string Host = "",
    string Event = "",
    string Body = "",
    string Attributes = "",
    string Trace = "",
    string Span = ""
)
{
    /// <summary>2026-11-23T12:00:00Z.</summary>
    public const ulong Noon = 1_795_435_200_000_000_000;

    public static TestRecord Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        var record = new TestRecord();
        foreach (var member in document.RootElement.EnumerateObject())
        {
            record = member.Name switch
            {
                "time" => record with { Time = Nanos(member.Value.GetString()!) },
                "observed" => record with { Observed = Nanos(member.Value.GetString()!) },
                "severity" => record with { Severity = member.Value.GetByte() },
                "service" => record with { Service = member.Value.GetString()! },
                "host" => record with { Host = member.Value.GetString()! },
                "eventName" => record with { Event = member.Value.GetString()! },
                "body" => record with { Body = member.Value.GetString()! },
                "attributes" => record with { Attributes = member.Value.GetRawText() },
                "traceId" => record with { Trace = member.Value.GetString()! },
                "spanId" => record with { Span = member.Value.GetString()! },
                _ => throw new FormatException($"A record has no \"{member.Name}\"."),
            };
        }

        return record;
    }

    public static LogBlock Block(params IEnumerable<TestRecord> records)
    {
        using var builder = new LogBlockBuilder();
        foreach (var record in records)
        {
            builder.Begin(
                record.Time,
                record.Observed,
                record.Severity,
                Convert.FromHexString(record.Trace),
                Convert.FromHexString(record.Span)
            );
            builder.AddText("");
            builder.AddText(record.Service);
            builder.AddText(record.Host);
            builder.AddText(record.Event);
            builder.AddText(record.Body);
            builder.AddText(record.Attributes);
            builder.End();
        }

        return builder.Build();
    }

    public static TestRecord Of(in LogRecord record) =>
        new(
            record.Time,
            record.ObservedTime,
            record.Severity,
            Encoding.UTF8.GetString(record.Service),
            Encoding.UTF8.GetString(record.Host),
            Encoding.UTF8.GetString(record.EventName),
            Encoding.UTF8.GetString(record.Body),
            Encoding.UTF8.GetString(record.Attributes),
            record.TraceId.ContainsAnyExcept((byte)0) ? Convert.ToHexStringLower(record.TraceId) : "",
            record.SpanId.ContainsAnyExcept((byte)0) ? Convert.ToHexStringLower(record.SpanId) : ""
        );

    /// <summary>What a query's own parser makes of it, so that a table can say nanoseconds.</summary>
    private static ulong Nanos(string time) => ((QueryNode.Times)LogQuery.Parse($"time:{time}").Root).From;
}
