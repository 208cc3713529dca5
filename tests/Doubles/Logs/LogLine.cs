using System.Text;
using Grains.Interfaces.Logs;

namespace Doubles.Logs;

/// <summary>A record taken out of its block, to be compared with what a test expects.</summary>
public sealed record LogLine
{
    public ulong Time { get; init; }
    public ulong Observed { get; init; }
    public int Severity { get; init; }
    public string SeverityText { get; init; } = "";
    public string Service { get; init; } = "unknown_service";
    public string Host { get; init; } = "";
    public string EventName { get; init; } = "";
    public string Body { get; init; } = "";

    /// <summary>JSON, or empty.</summary>
    public string Attributes { get; init; } = "";

    /// <summary>Hex in lower case; empty when there is none.</summary>
    public string TraceId { get; init; } = "";
    public string SpanId { get; init; } = "";

    public static IReadOnlyList<LogLine> Of(LogBlock block) => [.. Enumerable.Range(0, block.Count).Select(record => Of(block[record]))];

    public static LogLine Of(LogRecord record) =>
        new()
        {
            Time = record.Time,
            Observed = record.ObservedTime,
            Severity = record.Severity,
            SeverityText = Encoding.UTF8.GetString(record.SeverityText),
            Service = Encoding.UTF8.GetString(record.Service),
            Host = Encoding.UTF8.GetString(record.Host),
            EventName = Encoding.UTF8.GetString(record.EventName),
            Body = Encoding.UTF8.GetString(record.Body),
            Attributes = Encoding.UTF8.GetString(record.Attributes),
            TraceId = record.TraceId.ContainsAnyExcept((byte)0) ? Convert.ToHexStringLower(record.TraceId) : "",
            SpanId = record.SpanId.ContainsAnyExcept((byte)0) ? Convert.ToHexStringLower(record.SpanId) : "",
        };
}
