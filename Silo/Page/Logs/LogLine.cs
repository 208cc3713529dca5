using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Grains.Interfaces.Logs;

namespace Silo.Page.Logs;

/// <summary>A log record as a view keeps it: a copy of what it shows, cut where it is too long to show.</summary>
public sealed record LogLine(
    ulong Nanoseconds,
    string Time,
    byte Severity,
    string Service,
    string Host,
    string Event,
    string Body,
    bool IsCut,
    ImmutableArray<LogAttribute> Attributes,
    string? Trace,
    string? Span
)
{
    /// <summary>Bytes of a body that a view keeps.</summary>
    private const int MaxBody = 64 * 1024;

    private const int MaxAttributes = 100;

    private const int MaxAttributeBytes = 128 * 1024;

    public string SeverityName => StatsForm.NameOf(Severity);

    /// <param name="from">The first record that is wanted.</param>
    public static IEnumerable<LogLine> Of(LogBlock block, int from = 0)
    {
        for (var record = from; record < block.Count; record++)
        {
            yield return Of(block[record]);
        }
    }

    private static LogLine Of(LogRecord record)
    {
        var cut = record.Body.Length > MaxBody || record.Attributes.Length > MaxAttributeBytes;
        return new(
            record.Time,
            LogForm.Time(record.Time),
            record.Severity,
            Encoding.UTF8.GetString(record.Service),
            Encoding.UTF8.GetString(record.Host),
            Encoding.UTF8.GetString(record.EventName),
            Encoding.UTF8.GetString(record.Body[..Math.Min(record.Body.Length, MaxBody)]),
            cut,
            record.Attributes.Length is 0 or > MaxAttributeBytes ? [] : Read(record.Attributes),
            Hex(record.TraceId),
            Hex(record.SpanId)
        );
    }

    private static ImmutableArray<LogAttribute> Read(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        using var document = JsonDocument.ParseValue(ref reader);
        return
        [
            .. document
                .RootElement.EnumerateObject()
                .Take(MaxAttributes)
                .Select(attribute => new LogAttribute(attribute.Name, attribute.Value.ToString(), attribute.Value.ValueKind)),
        ];
    }

    private static string? Hex(ReadOnlySpan<byte> id) => id.ContainsAnyExcept((byte)0) ? Convert.ToHexStringLower(id) : null;
}

public sealed record LogAttribute(string Name, string Value, JsonValueKind Kind);
