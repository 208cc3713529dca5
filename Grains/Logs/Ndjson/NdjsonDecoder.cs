using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Grains.Interfaces.Logs;
using Grains.Logs.Otlp;
using Grains.Logs.Records;

namespace Grains.Logs.Ndjson;

/// <summary>Reads log records that are one JSON object a line into a block. A line that is none is refused by its number, and the others are taken.</summary>
/// <remarks>
/// <para>Known members: <c>time</c>, <c>timestamp</c>, <c>ts</c> or <c>@timestamp</c> (RFC 3339, or a number since 1970 in seconds, milliseconds, microseconds or nanoseconds,
/// which its size tells apart); <c>observed</c>, the same; <c>severity</c> or <c>level</c> (a name, or a number); <c>severityText</c>; <c>message</c>, <c>msg</c> or <c>body</c>;
/// <c>service</c>; <c>host</c>; <c>eventName</c>; <c>traceId</c> or <c>trace_id</c> and <c>spanId</c> or <c>span_id</c> in hex. The members of <c>attributes</c>, and every
/// other member, are attributes with their values as they are; so is a known one of a kind that it cannot have, and a second one of the same meaning. A known one that is null is as if it were not there.</para>
/// <para>Not thread-safe.</para>
/// </remarks>
/// <param name="service">Of lines that name none; may be empty.</param>
public sealed class NdjsonDecoder(DecodeLimits limits, string service) : IDisposable
{
    /// <summary>Refused lines that are told by their numbers.</summary>
    public const int MaxFaults = 1000;

    /// <summary>The reason for lines that are no record, as it stands in the books.</summary>
    public const string BadLine = "bad-line";

    private static readonly JsonReaderOptions Options = new() { MaxDepth = 1 << 28 };

    private readonly string _service = service is "" ? OtlpDecoder.UnknownService : service;
    private readonly ByteHeap _name = new(64);
    private readonly ByteHeap _scratch = new(256);
    private readonly byte[] _traceId = new byte[16];
    private readonly byte[] _spanId = new byte[8];

    [Flags]
    private enum Known
    {
        None = 0,
        Time = 1,
        Observed = 2,
        Severity = 4,
        SeverityText = 8,
        Body = 16,
        Service = 32,
        Host = 64,
        EventName = 128,
        TraceId = 256,
        SpanId = 512,
        Attributes = 1024,
    }

    /// <param name="now">Nanoseconds since 1970: the time of records that carry none.</param>
    public Decoded Decode(ReadOnlySpan<byte> lines, ulong now, LogBlockBuilder into)
    {
        var decoded = new Decoded(MaxFaults);
        var number = 0;
        while (!lines.IsEmpty)
        {
            var end = lines.IndexOf((byte)'\n');
            var line = (end < 0 ? lines : lines[..end]).Trim(" \t\r"u8);
            lines = end < 0 ? default : lines[(end + 1)..];
            number++;
            if (!line.IsEmpty)
            {
                ReadLine(line, number, now, into, decoded);
            }
        }

        return decoded;
    }

    public void Dispose()
    {
        _name.Dispose();
        _scratch.Dispose();
    }

    private void ReadLine(ReadOnlySpan<byte> line, int number, ulong now, LogBlockBuilder into, Decoded decoded)
    {
        decoded.Received++;
        if (limits.Refusal(line.Length, into) is { } refusal)
        {
            decoded.Refuse(number, _service, refusal, refusal == DecodeLimits.TooLarge ? $"This has {line.Length} bytes; {limits.MaxRecordBytes} are the most." : limits.Sentence(refusal, number, line.Length));
            return;
        }

        string? wrong;
        try
        {
            wrong = Read(line, now, into);
        }
        catch (JsonException broken)
        {
            wrong = $"This is no JSON from column {broken.BytePositionInLine + 1} on.";
        }

        if (wrong is not null)
        {
            decoded.Refuse(number, _service, BadLine, wrong);
        }
    }

    /// <summary>What is wrong with the line, and nothing of it was taken; null when it was.</summary>
    private string? Read(ReadOnlySpan<byte> line, ulong now, LogBlockBuilder into)
    {
        var reader = new Utf8JsonReader(line, Options);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return "This is JSON, but no object.";
        }

        ulong time = 0, observed = 0;
        var (severity, hasText, hasOthers, tooDeep) = ((byte)0, false, false, false);
        ReadOnlySpan<byte> severityText = default, body = default, from = default, host = default, eventName = default, traceId = default, spanId = default;
        var taken = Known.None;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var kind = KindOf(ref reader);
            var isLevel = _name.Written.SequenceEqual("level"u8);
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            var type = reader.TokenType;
            if (kind == Known.SeverityText)
            {
                hasText = true; // Also when it is null: there was none.
            }

            if (!Fits(ref reader, ref taken, kind))
            {
                hasOthers |= type != JsonTokenType.Null || kind == Known.None;
                tooDeep |= !SkipBounded(ref reader);
                continue;
            }

            switch (kind)
            {
                case Known.Time or Known.Observed:
                    if (!TryTime(ref reader, out var nanoseconds))
                    {
                        return $"«{Encoding.UTF8.GetString(_name.Written)}» is a time as RFC 3339 writes it (2026-11-23T09:54:47.123Z) or a number of seconds, milliseconds, microseconds or nanoseconds since 1970.";
                    }

                    _ = kind == Known.Time ? time = nanoseconds : observed = nanoseconds;
                    break;
                case Known.Severity when type == JsonTokenType.Number:
                    severity = SeverityOf(ref reader, isLevel);
                    break;
                case Known.Severity:
                    severity = SeverityOf(ref reader);
                    severityText = hasText ? severityText : line[start..(int)reader.BytesConsumed];
                    break;
                case Known.SeverityText:
                    severityText = line[start..(int)reader.BytesConsumed];
                    break;
                case Known.Body:
                    tooDeep |= !SkipBounded(ref reader);
                    body = line[start..(int)reader.BytesConsumed];
                    break;
                case Known.Service:
                    from = line[start..(int)reader.BytesConsumed];
                    break;
                case Known.Host:
                    host = line[start..(int)reader.BytesConsumed];
                    break;
                case Known.EventName:
                    eventName = line[start..(int)reader.BytesConsumed];
                    break;
                case Known.TraceId:
                    traceId = _traceId;
                    break;
                case Known.SpanId:
                    spanId = _spanId;
                    break;
                default:
                    hasOthers = true;
                    tooDeep |= !SkipBounded(ref reader);
                    break;
            }
        }

        if (hasText && (taken & Known.SeverityText) == 0)
        {
            severityText = default;
        }

        while (reader.Read())
        {
            // What follows the object is an error of the reader's.
        }

        if (tooDeep)
        {
            return $"This has values that lie in each other more than {DecodeLimits.MaxDepth} deep.";
        }

        into.Begin(time, observed == 0 ? now : observed, severity, traceId, spanId);
        AddString(into, severityText);
        AddService(into, from);
        AddString(into, host);
        AddString(into, eventName);
        AddBody(into, body);
        if (hasOthers)
        {
            WriteAttributes(into.Text, line);
        }

        into.EndText();
        into.End();
        return null;
    }

    /// <summary>The value is of a kind that the member can have, and it is the first one of that meaning. An id is decoded at once.</summary>
    private bool Fits(ref Utf8JsonReader reader, ref Known taken, Known kind)
    {
        if (kind == Known.None || (taken & kind) != 0)
        {
            return false;
        }

        var fits = kind switch
        {
            Known.Time or Known.Observed or Known.Severity => reader.TokenType is JsonTokenType.String or JsonTokenType.Number,
            Known.Body => reader.TokenType != JsonTokenType.Null,
            Known.Attributes => reader.TokenType == JsonTokenType.StartObject,
            Known.TraceId => IsId(ref reader, _traceId),
            Known.SpanId => IsId(ref reader, _spanId),
            _ => reader.TokenType == JsonTokenType.String,
        };
        if (fits)
        {
            taken |= kind;
        }

        return fits;
    }

    private static bool IsId(ref Utf8JsonReader reader, byte[] id)
    {
        if (reader.TokenType != JsonTokenType.String || reader.ValueSpan.Length != 2 * id.Length || reader.ValueIsEscaped)
        {
            return false;
        }

        return Convert.FromHexString(reader.ValueSpan, id, out _, out _) == OperationStatus.Done;
    }

    /// <summary>The same walk again, for what has no column.</summary>
    private void WriteAttributes(ByteHeap text, ReadOnlySpan<byte> line)
    {
        var before = text.Length;
        text.Append((byte)'{');
        var start = text.Length;
        var reader = new Utf8JsonReader(line, Options);
        reader.Read();
        var taken = Known.None;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var kind = KindOf(ref reader);
            reader.Read();
            if (!Fits(ref reader, ref taken, kind))
            {
                if (kind == Known.None || reader.TokenType != JsonTokenType.Null)
                {
                    WriteMember(ref reader, text, start);
                }
            }
            else if (kind == Known.Attributes)
            {
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    ReadName(ref reader);
                    reader.Read();
                    WriteMember(ref reader, text, start);
                }
            }
            else
            {
                reader.Skip();
            }
        }

        if (text.Length == start)
        {
            text.Cut(before);
        }
        else
        {
            text.Append((byte)'}');
        }
    }

    private void WriteMember(ref Utf8JsonReader reader, ByteHeap text, int start)
    {
        if (text.Length > start)
        {
            text.Append((byte)',');
        }

        JsonText.WriteString(text, _name.Written);
        text.Append((byte)':');
        JsonText.WriteValue(text, ref reader, _scratch);
    }

    private void ReadName(ref Utf8JsonReader reader)
    {
        _name.Cut(0);
        JsonUnescape.Append(_name, ref reader);
    }

    private Known KindOf(ref Utf8JsonReader reader)
    {
        ReadName(ref reader);
        var name = _name.Written;
        return name.Length switch
        {
            2 => name.SequenceEqual("ts"u8) ? Known.Time : Known.None,
            3 => name.SequenceEqual("msg"u8) ? Known.Body : Known.None,
            4 => name.SequenceEqual("time"u8) ? Known.Time : name.SequenceEqual("body"u8) ? Known.Body : name.SequenceEqual("host"u8) ? Known.Host : Known.None,
            5 => name.SequenceEqual("level"u8) ? Known.Severity : Known.None,
            6 => name.SequenceEqual("spanId"u8) ? Known.SpanId : Known.None,
            7 => name.SequenceEqual("message"u8) ? Known.Body : name.SequenceEqual("service"u8) ? Known.Service
                : name.SequenceEqual("traceId"u8) ? Known.TraceId : name.SequenceEqual("span_id"u8) ? Known.SpanId : Known.None,
            8 => name.SequenceEqual("severity"u8) ? Known.Severity : name.SequenceEqual("observed"u8) ? Known.Observed : name.SequenceEqual("trace_id"u8) ? Known.TraceId : Known.None,
            9 => name.SequenceEqual("timestamp"u8) ? Known.Time : name.SequenceEqual("eventName"u8) ? Known.EventName : Known.None,
            10 => name.SequenceEqual("@timestamp"u8) ? Known.Time : name.SequenceEqual("attributes"u8) ? Known.Attributes : Known.None,
            12 => name.SequenceEqual("severityText"u8) ? Known.SeverityText : Known.None,
            _ => Known.None,
        };
    }

    private bool TryTime(ref Utf8JsonReader reader, out ulong nanoseconds)
    {
        _scratch.Cut(0);
        JsonUnescape.Append(_scratch, ref reader);
        return (reader.TokenType == JsonTokenType.String && Rfc3339.TryParse(_scratch.Written, out nanoseconds)) || TryUnix(_scratch.Written, out nanoseconds);
    }

    /// <summary>Seconds until the year 5138, then milliseconds, microseconds and nanoseconds: none of them means a time near ours in another.</summary>
    private static bool TryUnix(ReadOnlySpan<byte> text, out ulong nanoseconds)
    {
        nanoseconds = 0;
        if (ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var whole) && whole >= 100_000_000_000_000_000)
        {
            nanoseconds = whole;
            return true;
        }

        if (!decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || number < 0)
        {
            return false;
        }

        var product = number < 100_000_000_000m ? number * 1_000_000_000m
            : number < 100_000_000_000_000m ? number * 1_000_000m
            : number < 100_000_000_000_000_000m ? number * 1_000m
            : number;
        if (product > ulong.MaxValue)
        {
            return false;
        }

        nanoseconds = (ulong)product;
        return true;
    }

    /// <summary>OpenTelemetry's number; under <c>level</c> a multiple of ten is one of bunyan's and pino's (10 trace to 60 fatal).</summary>
    private static byte SeverityOf(ref Utf8JsonReader reader, bool isLevel)
    {
        if (!reader.TryGetInt32(out var number))
        {
            return 0;
        }

        return isLevel && number is 10 or 20 or 30 or 40 or 50 or 60 ? (byte)((number / 10 * 4) - 3) : number is >= 0 and <= 24 ? (byte)number : (byte)0;
    }

    /// <summary>By its name, also with the step within it: <c>info2</c>.</summary>
    private byte SeverityOf(ref Utf8JsonReader reader)
    {
        _scratch.Cut(0);
        JsonUnescape.Append(_scratch, ref reader);
        if (_scratch.Length > 16)
        {
            return 0;
        }

        var name = Encoding.UTF8.GetString(_scratch.Written);
        if (Utf8Parser.TryParse(_scratch.Written, out byte number, out var length) && length == _scratch.Length)
        {
            return number <= 24 ? number : (byte)0;
        }

        return name is [.. var word, var digit and >= '2' and <= '4'] && LogSeverity.Of(word) is > 0 and var first ? (byte)(first + (digit - '1')) : LogSeverity.Of(name);
    }

    /// <param name="json">A string in its quotes, or nothing.</param>
    private static void AddString(LogBlockBuilder into, ReadOnlySpan<byte> json)
    {
        if (!json.IsEmpty)
        {
            JsonUnescape.Append(into.Text, json[1..^1]);
        }

        into.EndText();
    }

    private void AddService(LogBlockBuilder into, ReadOnlySpan<byte> json)
    {
        _scratch.Cut(0);
        if (!json.IsEmpty)
        {
            JsonUnescape.Append(_scratch, json[1..^1]);
        }

        if (_scratch.Length == 0)
        {
            _scratch.Append(_service);
        }

        into.AddText(_scratch.WithinCharacters(OtlpDecoder.MaxServiceBytes));
    }

    /// <summary>What is no string is its JSON.</summary>
    private void AddBody(LogBlockBuilder into, ReadOnlySpan<byte> json)
    {
        if (json is [(byte)'"', ..])
        {
            AddString(into, json);
            return;
        }

        if (!json.IsEmpty)
        {
            var reader = new Utf8JsonReader(json, Options);
            reader.Read();
            JsonText.WriteValue(into.Text, ref reader, _scratch);
        }

        into.EndText();
    }

    /// <summary>Passes over a value; false when what lies in it is too deep.</summary>
    private static bool SkipBounded(ref Utf8JsonReader reader)
    {
        var depth = reader.CurrentDepth;
        var deepest = depth;
        if (reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
        {
            return true;
        }

        while (reader.Read() && reader.CurrentDepth > depth)
        {
            deepest = Math.Max(deepest, reader.CurrentDepth);
        }

        return deepest - depth <= DecodeLimits.MaxDepth;
    }
}
