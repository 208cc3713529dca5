using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;
using Grains.Interfaces.Logs;
using Grains.Logs.Records;

namespace Grains.Logs.Otlp;

/// <summary>
/// Reads an <c>ExportLogsServiceRequest</c> in OTLP's JSON (specification 1.x, "JSON Protobuf Encoding") into a block, as
/// <see cref="OtlpDecoder"/> does with
/// protobuf: the same request gives the same records. A forward walk over the tokens; no document is built.
/// </summary>
/// <remarks>
/// <para>Names are lowerCamelCase and no others. Ids are hex in either case, enums are numbers, 64-bit integers are texts or numbers, bytes
/// are base64, null is as if
/// it were not there, and what is not known is passed over.</para>
/// <para>Not thread-safe: one decoder per request in work.</para>
/// </remarks>
/// <param name="limits">A record that goes beyond them is refused, and its neighbours are taken.</param>
public sealed class OtlpJsonDecoder(DecodeLimits limits) : IDisposable
{
    /// <summary>
    /// How deep the tokens may lie: that of values is bounded where they are written, so that only one record is refused.
    /// </summary>
    private static readonly JsonReaderOptions Options = new() { MaxDepth = 1 << 28 };

    private readonly OtlpOrigin _origin = new(limits);
    private readonly ByteHeap _scratch = new(256);
    private readonly byte[] _traceId = new byte[16];
    private readonly byte[] _spanId = new byte[8];

    /// <summary>The value that was written last was something else than a string.</summary>
    private bool _lastWasNoText;

    /// <param name="now">Nanoseconds since 1970: the observed time of records that carry none.</param>
    /// <exception cref="OtlpException">It is no such message. What was added to <paramref name="into"/> means nothing.</exception>
    public Decoded Decode(ReadOnlySpan<byte> request, ulong now, LogBlockBuilder into)
    {
        var decoded = new Decoded();
        if (request.IsEmpty)
        {
            return decoded;
        }

        try
        {
            var reader = new Utf8JsonReader(request, Options);
            reader.Read();
            Expect(ref reader, JsonTokenType.StartObject, "the request", "an object");
            while (NextMember(ref reader))
            {
                if (Is(ref reader, "resourceLogs"u8))
                {
                    BeginArray(ref reader, "resourceLogs");
                    while (NextElement(ref reader))
                    {
                        ReadResourceLogs(ref reader, request, now, into, decoded);
                    }
                }
                else
                {
                    reader.Skip();
                }
            }

            while (reader.Read())
            {
                // What follows the object is an error of the reader's.
            }
        }
        catch (JsonException broken)
        {
            throw new OtlpException(Place(broken), broken);
        }

        return decoded;
    }

    public void Dispose()
    {
        _origin.Dispose();
        _scratch.Dispose();
    }

    /// <summary>A resource may stand behind its logs: then it is looked for first, once.</summary>
    private void ReadResourceLogs(ref Utf8JsonReader reader, ReadOnlySpan<byte> request, ulong now, LogBlockBuilder into, Decoded decoded)
    {
        Expect(ref reader, JsonTokenType.StartObject, "resourceLogs", "a list of objects");
        _origin.BeginResource();
        var isKnown = false;
        while (NextMember(ref reader))
        {
            if (Is(ref reader, "resource"u8))
            {
                reader.Read();
                var resource = Skipped(ref reader, request);
                if (!isKnown)
                {
                    ReadResource(resource);
                    isKnown = true;
                }
            }
            else if (Is(ref reader, "scopeLogs"u8))
            {
                if (!isKnown)
                {
                    ReadResource(Ahead(reader, "resource"u8, request));
                    isKnown = true;
                }

                BeginArray(ref reader, "scopeLogs");
                while (NextElement(ref reader))
                {
                    ReadScopeLogs(ref reader, request, now, into, decoded);
                }
            }
            else
            {
                reader.Skip();
            }
        }
    }

    private void ReadScopeLogs(ref Utf8JsonReader reader, ReadOnlySpan<byte> request, ulong now, LogBlockBuilder into, Decoded decoded)
    {
        Expect(ref reader, JsonTokenType.StartObject, "scopeLogs", "a list of objects");
        _origin.BeginScope();
        var isKnown = false;
        while (NextMember(ref reader))
        {
            if (Is(ref reader, "scope"u8))
            {
                reader.Read();
                var scope = Skipped(ref reader, request);
                if (!isKnown)
                {
                    ReadScope(scope);
                    isKnown = true;
                }
            }
            else if (Is(ref reader, "logRecords"u8))
            {
                if (!isKnown)
                {
                    ReadScope(Ahead(reader, "scope"u8, request));
                    isKnown = true;
                }

                BeginArray(ref reader, "logRecords");
                while (NextElement(ref reader))
                {
                    ReadRecord(ref reader, request, now, into, decoded);
                }
            }
            else
            {
                reader.Skip();
            }
        }
    }

    /// <summary>The value of a member that may follow in the object that the reader is in; empty when none does.</summary>
    private ReadOnlySpan<byte> Ahead(Utf8JsonReader reader, ReadOnlySpan<byte> name, ReadOnlySpan<byte> request)
    {
        reader.Skip();
        while (NextMember(ref reader))
        {
            if (Is(ref reader, name))
            {
                reader.Read();
                return Skipped(ref reader, request);
            }

            reader.Skip();
        }

        return default;
    }

    private void ReadResource(ReadOnlySpan<byte> resource)
    {
        var reader = Object(resource, "resource");
        while (NextMember(ref reader))
        {
            if (Is(ref reader, "attributes"u8))
            {
                BeginArray(ref reader, "attributes");
                while (!_origin.IsTooDeep && NextElement(ref reader))
                {
                    ReadResourceAttribute(ref reader);
                }

                if (_origin.IsTooDeep)
                {
                    break;
                }
            }
            else
            {
                reader.Skip();
            }
        }

        _origin.EndResource();
    }

    private void ReadResourceAttribute(ref Utf8JsonReader reader)
    {
        var start = _origin.Resource.Length;
        if (!WritePair(ref reader, _origin.Resource, "\"resource."u8, 0, 0))
        {
            _origin.IsTooDeep = true;
            return;
        }

        var pair = _origin.Resource.Written[start..];
        _ =
            TakenOut(pair, "\"resource.service.name\":\""u8, _origin.Service, start)
            || TakenOut(pair, "\"resource.host.name\":\""u8, _origin.Host, start);
    }

    /// <summary>A member that is not an attribute of each record but has a column: its text goes there, unless it is no text.</summary>
    private bool TakenOut(ReadOnlySpan<byte> pair, ReadOnlySpan<byte> name, ByteHeap into, int start)
    {
        if (start > 0)
        {
            pair = pair[1..]; // The comma.
        }

        if (!pair.StartsWith(name) || _lastWasNoText)
        {
            return false;
        }

        into.Cut(0);
        JsonUnescape.Append(into, pair[name.Length..^1]);
        _origin.Resource.Cut(start);
        return true;
    }

    private void ReadScope(ReadOnlySpan<byte> scope)
    {
        var reader = Object(scope, "scope");
        while (NextMember(ref reader))
        {
            if (Is(ref reader, "name"u8))
            {
                ReadText(ref reader, "scope.name");
                _origin.AddScope("\"otel.scope.name\":"u8, _scratch.Written);
            }
            else if (Is(ref reader, "version"u8))
            {
                ReadText(ref reader, "scope.version");
                _origin.AddScope("\"otel.scope.version\":"u8, _scratch.Written);
            }
            else if (Is(ref reader, "attributes"u8))
            {
                BeginArray(ref reader, "attributes");
                while (NextElement(ref reader))
                {
                    if (!WritePair(ref reader, _origin.Scope, "\"scope."u8, 0, 0))
                    {
                        _origin.IsScopeTooDeep = true;
                        return;
                    }
                }
            }
            else
            {
                reader.Skip();
            }
        }
    }

    private void ReadRecord(ref Utf8JsonReader reader, ReadOnlySpan<byte> request, ulong now, LogBlockBuilder into, Decoded decoded)
    {
        Expect(ref reader, JsonTokenType.StartObject, "logRecords", "a list of objects");
        decoded.Received++;
        ulong time = 0,
            observed = 0;
        var severity = 0L;
        uint flags = 0,
            dropped = 0;
        JsonString severityText = default,
            eventName = default;
        ReadOnlySpan<byte> body = default,
            attributes = default,
            traceId = default,
            spanId = default;
        var start = reader.TokenStartIndex;
        while (NextMember(ref reader))
        {
            if (Is(ref reader, "timeUnixNano"u8))
            {
                time = ReadUnsigned(ref reader, "timeUnixNano");
            }
            else if (Is(ref reader, "observedTimeUnixNano"u8))
            {
                observed = ReadUnsigned(ref reader, "observedTimeUnixNano");
            }
            else if (Is(ref reader, "severityNumber"u8))
            {
                severity = ReadSigned(ref reader, "severityNumber");
            }
            else if (Is(ref reader, "severityText"u8))
            {
                severityText = JsonString.Read(ref reader, "severityText");
            }
            else if (Is(ref reader, "body"u8))
            {
                reader.Read();
                body = Skipped(ref reader, request);
            }
            else if (Is(ref reader, "attributes"u8))
            {
                reader.Read();
                attributes = Skipped(ref reader, request);
            }
            else if (Is(ref reader, "traceId"u8))
            {
                traceId = ReadId(ref reader, "traceId", _traceId);
            }
            else if (Is(ref reader, "spanId"u8))
            {
                spanId = ReadId(ref reader, "spanId", _spanId);
            }
            else if (Is(ref reader, "eventName"u8))
            {
                eventName = JsonString.Read(ref reader, "eventName");
            }
            else if (Is(ref reader, "flags"u8))
            {
                flags = (uint)ReadUnsigned(ref reader, "flags");
            }
            else if (Is(ref reader, "droppedAttributesCount"u8))
            {
                dropped = (uint)ReadUnsigned(ref reader, "droppedAttributesCount");
            }
            else
            {
                reader.Skip();
            }
        }

        if (_origin.Refuses((int)(reader.BytesConsumed - start), into, decoded))
        {
            return;
        }

        var number = severity is < 0 or > 24 ? 0 : (int)severity;
        into.Begin(time, observed == 0 ? now : observed, number == 0 ? SeverityOf(severityText) : number, traceId, spanId);
        severityText.AppendTo(into.Text);
        into.EndText();
        into.AddText(_origin.Service.Written);
        into.AddText(_origin.Host.Written);
        eventName.AppendTo(into.Text);
        into.EndText();
        if (!WriteBody(into.Text, body))
        {
            into.Drop();
            _origin.RefuseTooDeep(decoded);
            return;
        }

        into.EndText();
        if (!WriteAttributes(into.Text, attributes, flags, dropped))
        {
            into.Drop();
            _origin.RefuseTooDeep(decoded);
            return;
        }

        into.EndText();
        into.End();
    }

    private byte SeverityOf(JsonString text)
    {
        _scratch.Cut(0);
        text.AppendTo(_scratch);
        return LogSeverity.Of(_scratch.Written);
    }

    /// <summary>False when a value lies too deep; what was written then means nothing.</summary>
    private bool WriteBody(ByteHeap text, ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty)
        {
            return true;
        }

        var start = text.Length;
        var reader = new Utf8JsonReader(body, Options);
        reader.Read();
        if (!WriteValue(ref reader, text, 0))
        {
            return false;
        }

        var written = text.Written[start..];
        if (!_lastWasNoText)
        {
            _scratch.Cut(0);
            JsonUnescape.Append(_scratch, written[1..^1]);
            text.Cut(start);
            text.Append(_scratch.Written);
        }
        else if (written.SequenceEqual("null"u8))
        {
            text.Cut(start); // A value without anything in it is no body.
        }

        return true;
    }

    /// <summary>False when a value lies too deep; what was written then means nothing.</summary>
    private bool WriteAttributes(ByteHeap text, ReadOnlySpan<byte> attributes, uint flags, uint dropped)
    {
        var before = text.Length;
        text.Append((byte)'{');
        var start = text.Length;
        if (!attributes.IsEmpty && !attributes.SequenceEqual("null"u8))
        {
            var reader = new Utf8JsonReader(attributes, Options);
            reader.Read();
            Expect(ref reader, JsonTokenType.StartArray, "attributes", "a list");
            while (NextElement(ref reader))
            {
                if (!WritePair(ref reader, text, "\""u8, start, 0))
                {
                    return false;
                }
            }
        }

        _origin.EndMembers(text, start, flags, dropped);
        if (text.Length == start)
        {
            text.Cut(before);
        }
        else
        {
            text.Append((byte)'}');
        }

        return true;
    }

    /// <summary>A KeyValue as a member. Where the value stands before its key, the key is put in before it.</summary>
    private bool WritePair(ref Utf8JsonReader reader, ByteHeap text, ReadOnlySpan<byte> prefix, int start, int depth)
    {
        Expect(ref reader, JsonTokenType.StartObject, "attributes", "a list of objects with key and value");
        if (text.Length > start)
        {
            text.Append((byte)',');
        }

        text.Append(prefix);
        var keyAt = text.Length;
        text.Append("\":"u8);
        var valueAt = text.Length;
        _lastWasNoText = true;
        while (NextMember(ref reader))
        {
            if (Is(ref reader, "key"u8))
            {
                ReadText(ref reader, "key");
                ReplaceKey(text, keyAt, ref valueAt);
            }
            else if (Is(ref reader, "value"u8))
            {
                reader.Read();
                text.Cut(valueAt);
                if (!WriteValue(ref reader, text, depth))
                {
                    return false;
                }
            }
            else
            {
                reader.Skip();
            }
        }

        if (text.Length == valueAt)
        {
            text.Append("null"u8);
        }

        return true;
    }

    /// <summary>The key that was read is the key now, whatever stood there.</summary>
    private void ReplaceKey(ByteHeap text, int keyAt, ref int valueAt)
    {
        if (text.Length == valueAt)
        {
            text.Cut(keyAt);
            JsonText.WriteContent(text, _scratch.Written);
            text.Append("\":"u8);
            valueAt = text.Length;
            return;
        }

        using var key = new ByteHeap(_scratch.Length + 16);
        JsonText.WriteContent(key, _scratch.Written);
        text.Remove(keyAt, valueAt - 2 - keyAt);
        text.Insert(keyAt, key.Written);
        valueAt = keyAt + key.Length + 2;
    }

    /// <summary>
    /// An AnyValue as JSON; see <see cref="OtlpDecoder"/>. False when it lies too deep; what was written then means nothing.
    /// </summary>
    private bool WriteValue(ref Utf8JsonReader reader, ByteHeap text, int depth)
    {
        if (depth > DecodeLimits.MaxDepth)
        {
            return false;
        }

        var start = text.Length;
        var isText = false;
        if (reader.TokenType != JsonTokenType.Null)
        {
            Expect(ref reader, JsonTokenType.StartObject, "a value", "an object such as {\"stringValue\": \"…\"}");
            while (NextMember(ref reader))
            {
                var kind = KindOf(ref reader);
                if (kind == Kind.None)
                {
                    reader.Skip();
                    continue;
                }

                reader.Read();
                if (reader.TokenType == JsonTokenType.Null)
                {
                    continue;
                }

                text.Cut(start);
                isText = kind == Kind.Text;
                if (!WriteKind(ref reader, text, kind, depth))
                {
                    return false;
                }
            }
        }

        if (text.Length == start)
        {
            text.Append("null"u8);
        }

        _lastWasNoText = !isText;
        return true;
    }

    private bool WriteKind(ref Utf8JsonReader reader, ByteHeap text, Kind kind, int depth)
    {
        switch (kind)
        {
            case Kind.Text:
                Expect(ref reader, JsonTokenType.String, "stringValue", "a text");
                JsonString.Of(ref reader).WriteTo(text, _scratch);
                return true;
            case Kind.Truth:
                text.Append(
                    reader.TokenType switch
                    {
                        JsonTokenType.True => "true"u8,
                        JsonTokenType.False => "false"u8,
                        _ => throw new OtlpException("\"boolValue\" is true or false"),
                    }
                );
                return true;
            case Kind.Integer:
                JsonText.WriteNumber(text, Signed(ref reader, "intValue"));
                return true;
            case Kind.Double:
                JsonText.WriteNumber(text, Double(ref reader));
                return true;
            case Kind.Bytes:
                WriteBytes(ref reader, text);
                return true;
            case Kind.Array:
                return WriteList(ref reader, text, depth, isMap: false);
            default:
                return WriteList(ref reader, text, depth, isMap: true);
        }
    }

    private bool WriteList(ref Utf8JsonReader reader, ByteHeap text, int depth, bool isMap)
    {
        Expect(ref reader, JsonTokenType.StartObject, isMap ? "kvlistValue" : "arrayValue", "an object with values");
        text.Append(isMap ? (byte)'{' : (byte)'[');
        var start = text.Length;
        while (NextMember(ref reader))
        {
            if (!Is(ref reader, "values"u8))
            {
                reader.Skip();
                continue;
            }

            BeginArray(ref reader, "values");
            while (NextElement(ref reader))
            {
                if (!isMap && text.Length > start)
                {
                    text.Append((byte)',');
                }

                if (!(isMap ? WritePair(ref reader, text, "\""u8, start, depth + 1) : WriteValue(ref reader, text, depth + 1)))
                {
                    return false;
                }
            }
        }

        text.Append(isMap ? (byte)'}' : (byte)']');
        return true;
    }

    private void WriteBytes(ref Utf8JsonReader reader, ByteHeap text)
    {
        Expect(ref reader, JsonTokenType.String, "bytesValue", "base64");
        _scratch.Cut(0);
        JsonUnescape.Append(_scratch, ref reader);
        var rented = ArrayPool<byte>.Shared.Rent(_scratch.Length);
        try
        {
            // Protobuf's JSON writes the standard alphabet and reads the other one too, with or without padding.
            if (
                Base64.DecodeFromUtf8(_scratch.Written, rented, out _, out var length) != OperationStatus.Done
                && Base64Url.DecodeFromUtf8(_scratch.Written, rented, out _, out length) != OperationStatus.Done
            )
            {
                throw new OtlpException("\"bytesValue\" is base64");
            }

            text.Append((byte)'"');
            Base64.EncodeToUtf8(rented.AsSpan(0, length), text.GetSpan(Base64.GetMaxEncodedToUtf8Length(length)), out _, out var written);
            text.Advance(written);
            text.Append((byte)'"');
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private Kind KindOf(ref Utf8JsonReader reader) =>
        Is(ref reader, "stringValue"u8) ? Kind.Text
        : Is(ref reader, "intValue"u8) ? Kind.Integer
        : Is(ref reader, "doubleValue"u8) ? Kind.Double
        : Is(ref reader, "boolValue"u8) ? Kind.Truth
        : Is(ref reader, "arrayValue"u8) ? Kind.Array
        : Is(ref reader, "kvlistValue"u8) ? Kind.Map
        : Is(ref reader, "bytesValue"u8) ? Kind.Bytes
        : Kind.None;

    /// <summary>Goes to the next member's name; false at the end of the object.</summary>
    private static bool NextMember(ref Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.PropertyName;

    /// <summary>Goes to the next element; false at the end of the array.</summary>
    private static bool NextElement(ref Utf8JsonReader reader) =>
        reader.TokenType != JsonTokenType.Null && reader.Read() && reader.TokenType != JsonTokenType.EndArray;

    /// <summary>From the name to the start of its array; a null is an empty one.</summary>
    private static void BeginArray(ref Utf8JsonReader reader, string name)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.Null)
        {
            Expect(ref reader, JsonTokenType.StartArray, name, "a list");
        }
    }

    private static Utf8JsonReader Object(ReadOnlySpan<byte> value, string name)
    {
        var reader = new Utf8JsonReader(value.IsEmpty || value.SequenceEqual("null"u8) ? "{}"u8 : value, Options);
        reader.Read();
        Expect(ref reader, JsonTokenType.StartObject, name, "an object");
        return reader;
    }

    /// <summary>The name that the reader stands on is this one.</summary>
    private bool Is(ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        if (!reader.ValueIsEscaped)
        {
            return reader.ValueSpan.SequenceEqual(name);
        }

        _scratch.Cut(0);
        JsonUnescape.Append(_scratch, ref reader);
        return _scratch.Written.SequenceEqual(name);
    }

    /// <summary>Passes over the value that the reader stands on, and gives its text.</summary>
    private static ReadOnlySpan<byte> Skipped(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> request)
    {
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return request[start..(int)reader.BytesConsumed];
    }

    /// <summary>Reads the next token, a text or null, into the scratch.</summary>
    private void ReadText(scoped ref Utf8JsonReader reader, string name)
    {
        _scratch.Cut(0);
        JsonString.Read(ref reader, name).AppendTo(_scratch);
    }

    private ReadOnlySpan<byte> ReadId(scoped ref Utf8JsonReader reader, string name, byte[] into)
    {
        ReadText(ref reader, name);
        return _scratch.Length == 2 * into.Length && Convert.FromHexString(_scratch.Written, into, out _, out _) == OperationStatus.Done
            ? into
            : default;
    }

    private ulong ReadUnsigned(ref Utf8JsonReader reader, string name)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Null)
        {
            return 0;
        }

        return Number(ref reader, name) is var text && ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? number
            : Whole(text) is { } whole and >= 0 and <= ulong.MaxValue ? (ulong)whole
            : throw new OtlpException($"\"{name}\" is a whole number from 0, as a text or a number");
    }

    private long ReadSigned(ref Utf8JsonReader reader, string name)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.Null ? 0 : Signed(ref reader, name);
    }

    private long Signed(ref Utf8JsonReader reader, string name) =>
        Number(ref reader, name) is var text
        && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
        : Whole(text) is { } whole and >= long.MinValue and <= long.MaxValue ? (long)whole
        : throw new OtlpException($"\"{name}\" is a whole number, as a text or a number");

    private double Double(ref Utf8JsonReader reader)
    {
        var text = Number(ref reader, "doubleValue");
        return text.SequenceEqual("NaN"u8) ? double.NaN
            : text.SequenceEqual("Infinity"u8) ? double.PositiveInfinity
            : text.SequenceEqual("-Infinity"u8) ? double.NegativeInfinity
            : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number
            : throw new OtlpException("\"doubleValue\" is a number, or NaN, Infinity or -Infinity as a text");
    }

    /// <summary>A whole number that is written with a point or an exponent: 1.0, 1e3.</summary>
    private static decimal? Whole(ReadOnlySpan<byte> text) =>
        decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && decimal.IsInteger(number)
            ? number
            : null;

    /// <summary>The characters of a number, in quotes or not.</summary>
    private ReadOnlySpan<byte> Number(scoped ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType is not (JsonTokenType.Number or JsonTokenType.String))
        {
            throw new OtlpException($"\"{name}\" is a number, as a text or a number");
        }

        _scratch.Cut(0);
        JsonUnescape.Append(_scratch, ref reader);
        return _scratch.Written;
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type, string name, string what)
    {
        if (reader.TokenType != type)
        {
            throw new OtlpException($"\"{name}\" is {what}");
        }
    }

    /// <summary>Line and column of the first byte that is wrong, counted from 1.</summary>
    private static string Place(JsonException broken) =>
        $"it is no JSON from line {broken.LineNumber + 1}, column {broken.BytePositionInLine + 1} on";

    private enum Kind
    {
        None,
        Text,
        Truth,
        Integer,
        Double,
        Bytes,
        Array,
        Map,
    }

    /// <summary>A string where it lies in the request.</summary>
    private readonly ref struct JsonString(ReadOnlySpan<byte> raw, bool isEscaped)
    {
        private readonly ReadOnlySpan<byte> _raw = raw;

        public static JsonString Of(scoped ref readonly Utf8JsonReader reader) => new(reader.ValueSpan, reader.ValueIsEscaped);

        /// <summary>Reads the next token; a null is an empty text.</summary>
        public static JsonString Read(scoped ref Utf8JsonReader reader, string name)
        {
            reader.Read();
            return reader.TokenType switch
            {
                JsonTokenType.String => Of(ref reader),
                JsonTokenType.Null => default,
                _ => throw new OtlpException($"\"{name}\" is a text"),
            };
        }

        public void AppendTo(ByteHeap text)
        {
            if (isEscaped)
            {
                JsonUnescape.Append(text, _raw);
            }
            else
            {
                text.AppendText(_raw);
            }
        }

        /// <summary>As JSON again: escaped as all are here, and valid.</summary>
        public void WriteTo(ByteHeap text, ByteHeap scratch)
        {
            if (!isEscaped)
            {
                JsonText.WriteString(text, _raw);
                return;
            }

            scratch.Cut(0);
            JsonUnescape.Append(scratch, _raw);
            JsonText.WriteString(text, scratch.Written);
        }
    }
}
