using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Grains.Interfaces.Logs;

/// <summary>A record as programs get it, from the console and over HTTP alike: one JSON object.</summary>
/// <remarks>
/// <c>time, observed, severity, severityText, service, host, body, attributes, traceId, spanId</c>, and <c>eventName</c> when there is one.
/// Times are RFC 3339 in UTC with nine digits;
/// what was not said is null, and <c>attributes</c> is an object, empty when there are none.
/// </remarks>
public static class LogForm
{
    /// <summary>Text as it is: this is no part of a web page. Attributes were checked when they came in.</summary>
    public static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private const int NanosPerTick = 100;

    public static void Write(Utf8JsonWriter json, LogRecord record)
    {
        Span<char> time = stackalloc char[30];
        json.WriteStartObject();
        json.WriteString("time"u8, time[..Format(record.Time, time)]);
        json.WriteString("observed"u8, time[..Format(record.ObservedTime, time)]);
        json.WriteNumber("severity"u8, record.Severity);
        Text(json, "severityText"u8, record.SeverityText);
        json.WriteString("service"u8, record.Service);
        Text(json, "host"u8, record.Host);
        json.WriteString("body"u8, record.Body);
        json.WritePropertyName("attributes"u8);
        json.WriteRawValue(record.Attributes.IsEmpty ? "{}"u8 : record.Attributes, skipInputValidation: true);
        Id(json, "traceId"u8, record.TraceId);
        Id(json, "spanId"u8, record.SpanId);
        if (!record.EventName.IsEmpty)
        {
            json.WriteString("eventName"u8, record.EventName);
        }

        json.WriteEndObject();
    }

    /// <summary>RFC 3339, UTC, nine digits: <c>2026-11-23T09:54:47.123456789Z</c>.</summary>
    /// <param name="nanoseconds">Since 1970.</param>
    public static string Time(ulong nanoseconds)
    {
        Span<char> text = stackalloc char[30];
        return new(text[..Format(nanoseconds, text)]);
    }

    /// <summary>The same time, without what is below a tenth of a microsecond.</summary>
    public static DateTimeOffset Moment(ulong nanoseconds) => DateTimeOffset.UnixEpoch.AddTicks((long)(nanoseconds / NanosPerTick));

    /// <summary>Nanoseconds since 1970; 0 for what is before, and the most there is for what is beyond (the year 2554).</summary>
    public static ulong Nanoseconds(DateTimeOffset moment)
    {
        var ticks = (moment - DateTimeOffset.UnixEpoch).Ticks;
        return ticks <= 0 ? 0
            : (ulong)ticks > ulong.MaxValue / NanosPerTick ? ulong.MaxValue
            : (ulong)ticks * NanosPerTick;
    }

    private static int Format(ulong nanoseconds, Span<char> text)
    {
        Moment(nanoseconds).UtcDateTime.TryFormat(text, out var written, "yyyy-MM-dd'T'HH:mm:ss.fffffff", CultureInfo.InvariantCulture);
        var rest = (int)(nanoseconds % NanosPerTick);
        text[written] = (char)('0' + (rest / 10));
        text[written + 1] = (char)('0' + (rest % 10));
        text[written + 2] = 'Z';
        return written + 3;
    }

    private static void Text(Utf8JsonWriter json, ReadOnlySpan<byte> name, ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty)
        {
            json.WriteNull(name);
        }
        else
        {
            json.WriteString(name, text);
        }
    }

    private static void Id(Utf8JsonWriter json, ReadOnlySpan<byte> name, ReadOnlySpan<byte> id)
    {
        if (!id.ContainsAnyExcept((byte)0))
        {
            json.WriteNull(name);
            return;
        }

        Span<byte> hex = stackalloc byte[32];
        Convert.TryToHexStringLower(id, hex, out var written);
        json.WriteString(name, hex[..written]);
    }
}
