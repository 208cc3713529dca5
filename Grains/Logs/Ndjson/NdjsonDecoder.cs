using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;
using Grains.Interfaces.Logs;
using Grains.Logs.Otlp;
using Grains.Logs.Records;
using Grains.Logs.Syslog;
using Grains.Logs.Text;

namespace Grains.Logs.Ndjson;

/// <summary>
/// Reads log records that are one JSON object a line into a block. A line that is none is refused by its number, and the others are taken.
/// </summary>
/// <remarks>
/// <para>Members are known by the names that loggers give them (<see cref="KnownMembers"/>): CLEF, .NET's JSON console, Docker's json-file,
/// ECS, pino, bunyan, winston, zap, slog, zerolog, logrus, logback, journald.
/// The members of <c>attributes</c>, and every other member, are attributes with their values as they are; so is a known one of a kind that
/// it cannot have, and a second one of the same meaning.
/// A known one that is null is as if it were not there.</para>
/// <para>A record is never refused for the form of a member. The first member that is a plausible time (<see cref="TimeReader"/>) is the
/// record's; one that is none stays an attribute, and a record without
/// a time has that of its arrival. A value that lies too deep is an attribute as text.</para>
/// <para>Not thread-safe.</para>
/// </remarks>
/// <param name="service">Of lines that name none; may be empty.</param>
/// <param name="zone">Of times without an offset; UTC when there is none.</param>
public sealed class NdjsonDecoder(DecodeLimits limits, string service, TimeZoneInfo? zone = null) : IDisposable
{
    /// <summary>Refused lines that are told by their numbers.</summary>
    public const int MaxFaults = 1000;

    /// <summary>A line that is no record: no JSON object.</summary>
    public const string BadLine = "bad-line";

    /// <summary>No member of the line.</summary>
    private const int None = -1;

    private static readonly JsonReaderOptions Options = new() { MaxDepth = 1 << 28 };

    private readonly string _service = service is "" ? OtlpDecoder.UnknownService : service;
    private readonly LineReader _lines = new(zone ?? TimeZoneInfo.Utc);
    private readonly ByteHeap _name = new(64);
    private readonly ByteHeap _scratch = new(256);
    private readonly byte[] _traceId = new byte[16];
    private readonly byte[] _spanId = new byte[8];

    /// <summary>Which member of the line has each meaning, counted from 0.</summary>
    private readonly int[] _chosen = new int[(int)KnownMember.Count];

    /// <summary>How well it fits: a better one takes its place.</summary>
    private readonly int[] _fit = new int[(int)KnownMember.Count];

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
            decoded.Refuse(
                number,
                _service,
                refusal,
                refusal == DecodeLimits.TooLarge
                    ? $"This has {line.Length} bytes; {limits.MaxRecordBytes} are the most."
                    : limits.Sentence(refusal, number, line.Length)
            );
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

        Array.Fill(_chosen, None);
        Array.Clear(_fit);
        ulong time = 0,
            observed = 0;
        var (severity, saysText, isClef, isLine, members) = ((byte)0, false, false, false, 0);
        ReadOnlySpan<byte> severityText = default,
            body = default,
            from = default,
            host = default,
            eventName = default,
            traceId = default,
            spanId = default;
        for (; reader.Read() && reader.TokenType == JsonTokenType.PropertyName; members++)
        {
            ReadName(ref reader);
            var (kind, rank) = KnownMembers.Of(_name.Written);
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
            {
                var isObject = reader.TokenType == JsonTokenType.StartObject;
                var nested =
                    isObject && kind is KnownMember.Service or KnownMember.Host or KnownMember.Log ? Nested(reader, line, kind) : default;
                reader.Skip();
                if (kind == KnownMember.Attributes && isObject)
                {
                    Choose(kind, 1, members);
                }
                else if (kind == KnownMember.Body && Choose(kind, rank, members))
                {
                    body = line[start..(int)reader.BytesConsumed];
                    isLine = false;
                }
                else if (!nested.IsEmpty && Choose(kind == KnownMember.Log ? KnownMember.Severity : kind, 1, None))
                {
                    // The object stays an attribute: it says more than that.
                    switch (kind)
                    {
                        case KnownMember.Service:
                            from = nested;
                            break;
                        case KnownMember.Host:
                            host = nested;
                            break;
                        default:
                            _scratch.Cut(0);
                            JsonUnescape.Append(_scratch, nested[1..^1]);
                            severity = LogSeverity.Of(_scratch.Written);
                            severityText = saysText ? severityText : nested;
                            break;
                    }
                }

                continue;
            }

            var isText = reader.TokenType == JsonTokenType.String;
            saysText |= kind == KnownMember.SeverityText; // Also when it is null: there was none.
            if (!isText && reader.TokenType != JsonTokenType.Number && (kind != KnownMember.Body || reader.TokenType == JsonTokenType.Null))
            {
                continue;
            }

            var value = line[start..(int)reader.BytesConsumed];
            switch (kind)
            {
                case KnownMember.Time or KnownMember.Observed:
                    if (_chosen[(int)kind] == None && TryTime(ref reader, now, out var nanoseconds) && Choose(kind, rank, members))
                    {
                        _ = kind == KnownMember.Time ? time = nanoseconds : observed = nanoseconds;
                        isClef |= rank == KnownMembers.Clef;
                    }

                    break;
                case KnownMember.Severity:
                    if (TrySeverity(ref reader, rank, out var number) is > 0 and var fit && Choose(kind, fit, members))
                    {
                        severity = number;
                        severityText =
                            saysText ? severityText
                            : isText && rank != KnownMembers.SyslogNumber ? value
                            : default;
                    }

                    break;
                case KnownMember.SeverityText when isText && Choose(kind, rank, members):
                    severityText = value;
                    break;
                case KnownMember.Body when Choose(kind, rank, members):
                    body = value;
                    isLine = false;
                    break;
                case KnownMember.Log when isText && Choose(KnownMember.Body, rank, members):
                    body = value;
                    isLine = true;
                    break;
                case KnownMember.Service when isText && Choose(kind, 2, members):
                    from = value;
                    break;
                case KnownMember.Host when isText && Choose(kind, 2, members):
                    host = value;
                    break;
                case KnownMember.EventName when isText && Choose(kind, rank, members):
                    eventName = value;
                    break;
                case KnownMember.TraceId when IsId(ref reader, _traceId) && Choose(kind, rank, members):
                    traceId = _traceId;
                    break;
                case KnownMember.SpanId when IsId(ref reader, _spanId) && Choose(kind, rank, members):
                    spanId = _spanId;
                    break;
            }
        }

        while (reader.Read())
        {
            // What follows the object is an error of the reader's.
        }

        if (saysText && _chosen[(int)KnownMember.SeverityText] == None)
        {
            severityText = default;
        }
        else if (severity == 0 && _fit[(int)KnownMember.Severity] < 2 && !severityText.IsEmpty)
        {
            _scratch.Cut(0);
            JsonUnescape.Append(_scratch, severityText[1..^1]);
            severity = LogSeverity.Of(_scratch.Written);
        }

        if (_fit[(int)KnownMember.Severity] == 0 && severityText.IsEmpty)
        {
            severity =
                isClef ? LogSeverity.Of("info"u8)
                : isLine ? SeverityOfLine(body, now)
                : severity; // CLEF leaves it out when it is that.
        }

        into.Begin(time, observed == 0 ? now : observed, severity, traceId, spanId);
        AddString(into, severityText);
        AddService(into, from);
        AddString(into, host);
        AddString(into, eventName);
        AddBody(into, body, isLine);
        if (members > Chosen() || _chosen[(int)KnownMember.Attributes] != None)
        {
            WriteAttributes(into.Text, line);
        }

        into.EndText();
        into.End();
        return null;
    }

    /// <summary>The member has this meaning from now on, unless one has it that fits as well.</summary>
    private bool Choose(KnownMember kind, int fit, int member)
    {
        if (fit <= _fit[(int)kind])
        {
            return false;
        }

        (_fit[(int)kind], _chosen[(int)kind]) = (fit, member);
        return true;
    }

    private int Chosen()
    {
        var count = 0;
        foreach (var member in _chosen)
        {
            count += member == None ? 0 : 1;
        }

        return count;
    }

    /// <summary>
    /// ECS as an object: <c>service.name</c>, <c>host.name</c>, <c>log.level</c>. The text in its quotes; empty when there is none.
    /// </summary>
    private static ReadOnlySpan<byte> Nested(Utf8JsonReader reader, ReadOnlySpan<byte> line, KnownMember kind)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isIt =
                kind == KnownMember.Log
                    ? reader.ValueTextEquals("level"u8)
                    : reader.ValueTextEquals("name"u8) || (kind == KnownMember.Host && reader.ValueTextEquals("hostname"u8));
            reader.Read();
            if (isIt && reader.TokenType == JsonTokenType.String)
            {
                return line[(int)reader.TokenStartIndex..(int)reader.BytesConsumed];
            }

            reader.Skip();
        }

        return default;
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
        for (var member = 0; reader.Read() && reader.TokenType == JsonTokenType.PropertyName; member++)
        {
            ReadName(ref reader);
            var kind = KnownMembers.Of(_name.Written).Kind;
            reader.Read();
            if (Array.IndexOf(_chosen, member) < 0)
            {
                if (kind == KnownMember.None || reader.TokenType != JsonTokenType.Null)
                {
                    WriteMember(ref reader, line, text, start);
                }
            }
            else if (kind == KnownMember.Attributes)
            {
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    ReadName(ref reader);
                    reader.Read();
                    WriteMember(ref reader, line, text, start);
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

    /// <summary>A value that lies deeper than a query reads is its text.</summary>
    private void WriteMember(ref Utf8JsonReader reader, ReadOnlySpan<byte> line, ByteHeap text, int start)
    {
        if (text.Length > start)
        {
            text.Append((byte)',');
        }

        JsonText.WriteString(text, KnownMembers.AttributeName(_name.Written));
        text.Append((byte)':');
        var ahead = reader;
        if (SkipBounded(ref ahead))
        {
            JsonText.WriteValue(text, ref reader, _scratch);
        }
        else
        {
            JsonText.WriteString(text, line[(int)reader.TokenStartIndex..(int)ahead.BytesConsumed]);
            reader = ahead;
        }
    }

    private void ReadName(ref Utf8JsonReader reader)
    {
        _name.Cut(0);
        JsonUnescape.Append(_name, ref reader);
    }

    private bool TryTime(ref Utf8JsonReader reader, ulong now, out ulong nanoseconds)
    {
        _scratch.Cut(0);
        JsonUnescape.Append(_scratch, ref reader);
        return _lines.Times.TryParse(_scratch.Written, now, out nanoseconds)
            || (reader.TokenType == JsonTokenType.Number && TryExponent(_scratch.Written, now, out nanoseconds));
    }

    /// <summary>A number since 1970 that is written with an exponent: 1.795427687e9.</summary>
    private static bool TryExponent(ReadOnlySpan<byte> text, ulong now, out ulong nanoseconds)
    {
        nanoseconds = 0;
        if (
            !text.ContainsAny((byte)'e', (byte)'E')
            || !decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            || number is <= 0 or > ulong.MaxValue
        )
        {
            return false;
        }

        for (var scale = 1_000_000_000m; scale >= 1; scale /= 1000)
        {
            if (number <= ulong.MaxValue / scale && TimeReader.IsPlausible((ulong)(number * scale), now))
            {
                nanoseconds = (ulong)(number * scale);
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// How well the value says a severity: 3 as a number that is known, 2 when it says that there is none, 1 as a word that is none, 0 not
    /// at all.
    /// </summary>
    private int TrySeverity(ref Utf8JsonReader reader, int rank, out byte number)
    {
        _scratch.Cut(0);
        JsonUnescape.Append(_scratch, ref reader);
        var isText = reader.TokenType == JsonTokenType.String;
        if (!Utf8Parser.TryParse(_scratch.Written, out int value, out var length) || length != _scratch.Length)
        {
            var word = _scratch.Written;
            word = word.IndexOfAny((byte)'+', (byte)'-') is > 0 and var step ? word[..step] : word; // Go's slog: INFO+2.
            number = isText ? LogSeverity.Of(word) : (byte)0;
            number = number == 0 && isText && _scratch.Length == 1 ? OfLetter(_scratch.Written[0]) : number;
            return number > 0 ? 3
                : isText ? 1
                : 0;
        }

        number = rank switch
        {
            KnownMembers.SyslogNumber => value is >= 0 and <= 7 ? SyslogParser.SeverityOf(value) : (byte)0,
            KnownMembers.PinoNumber when value is >= 10 and < 70 && (value % 10 == 0 || value > 24) => (byte)((value / 10 * 4) - 3),
            _ => value is > 0 and <= 24 ? (byte)value : (byte)0,
        };
        return number > 0 ? 3
            : value == 0 ? 2
            : 0;
    }

    private static byte OfLetter(byte letter) =>
        letter switch
        {
            (byte)'T' or (byte)'V' => 1,
            (byte)'D' => 5,
            (byte)'I' => 9,
            (byte)'W' => 13,
            (byte)'E' => 17,
            (byte)'F' or (byte)'C' => 21,
            _ => 0,
        };

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
    /// <param name="isLine">Its line end is no part of it.</param>
    private void AddBody(LogBlockBuilder into, ReadOnlySpan<byte> json, bool isLine)
    {
        if (json is [(byte)'"', ..])
        {
            var start = into.Text.Length;
            JsonUnescape.Append(into.Text, json[1..^1]);
            into.Text.Cut(isLine ? start + into.Text.Written[start..].TrimEnd("\r\n"u8).Length : into.Text.Length);
        }
        else if (!json.IsEmpty)
        {
            var reader = new Utf8JsonReader(json, Options);
            reader.Read();
            JsonText.WriteValue(into.Text, ref reader, _scratch);
        }

        into.EndText();
    }

    /// <summary>What a container's line says.</summary>
    private byte SeverityOfLine(ReadOnlySpan<byte> json, ulong now)
    {
        _scratch.Cut(0);
        JsonUnescape.Append(_scratch, json[1..^1]);
        return _lines.Read(_scratch.Written, now).Severity;
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
