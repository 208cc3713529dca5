using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Grains.Logs.Records;

namespace Grains.Logs.Otlp;

/// <summary>
/// Rewrites an <c>ExportLogsServiceRequest</c> from OTLP's JSON (specification 1.x, "JSON Protobuf Encoding") into protobuf, so that
/// <see cref="OtlpDecoder"/> is the only reader of both: a table of the fields, and one recursive writer.
/// </summary>
/// <remarks>
/// Names are lowerCamelCase and no others. Ids are hex in either case, enums are numbers, 64-bit integers are strings or numbers, bytes are
/// base64,
/// null means that the member is absent, and unknown members are ignored.
/// </remarks>
internal ref struct OtlpJsonTranscoder
{
    /// <summary>
    /// Bytes of the length before a message. It is padded to five bytes, because it is written before the message is known.
    /// </summary>
    private const int LengthBytes = 5;

    /// <summary>
    /// The nesting of tokens is not limited here: the nesting of values is, so that only the record that is too deep is refused.
    /// </summary>
    private static readonly JsonReaderOptions Options = new() { MaxDepth = 1 << 28 };

    /// <summary>The messages of <c>logs.proto</c> and <c>common.proto</c>, as far as <see cref="OtlpDecoder"/> reads them.</summary>
    private static readonly Dictionary<Kind, Field[]> Messages = new()
    {
        [Kind.Request] = [new("resourceLogs", 1, Kind.ResourceLogs, IsList: true)],
        [Kind.ResourceLogs] = [new("resource", 1, Kind.Resource), new("scopeLogs", 2, Kind.ScopeLogs, IsList: true)],
        [Kind.Resource] = [new("attributes", 1, Kind.KeyValue, IsList: true)],
        [Kind.ScopeLogs] = [new("scope", 1, Kind.Scope), new("logRecords", 2, Kind.LogRecord, IsList: true)],
        [Kind.Scope] = [new("name", 1, Kind.Text), new("version", 2, Kind.Text), new("attributes", 3, Kind.KeyValue, IsList: true)],
        [Kind.LogRecord] =
        [
            new("timeUnixNano", 1, Kind.Fixed64),
            new("observedTimeUnixNano", 11, Kind.Fixed64),
            new("severityNumber", 2, Kind.Signed),
            new("severityText", 3, Kind.Text),
            new("body", 5, Kind.AnyValue),
            new("attributes", 6, Kind.KeyValue, IsList: true),
            new("droppedAttributesCount", 7, Kind.Unsigned),
            new("flags", 8, Kind.Fixed32),
            new("traceId", 9, Kind.Hex),
            new("spanId", 10, Kind.Hex),
            new("eventName", 12, Kind.Text),
        ],
        [Kind.KeyValue] = [new("key", 1, Kind.Text), new("value", 2, Kind.AnyValue)],
        [Kind.AnyValue] =
        [
            new("stringValue", 1, Kind.Text),
            new("boolValue", 2, Kind.Truth),
            new("intValue", 3, Kind.Signed),
            new("doubleValue", 4, Kind.Double),
            new("arrayValue", 5, Kind.ArrayValue),
            new("kvlistValue", 6, Kind.KeyValueList),
            new("bytesValue", 7, Kind.Base64),
        ],
        [Kind.ArrayValue] = [new("values", 1, Kind.AnyValue, IsList: true)],
        [Kind.KeyValueList] = [new("values", 1, Kind.KeyValue, IsList: true)],
    };

    private readonly ByteHeap _protobuf;
    private readonly ByteHeap _scratch;
    private Utf8JsonReader _reader;

    private OtlpJsonTranscoder(ReadOnlySpan<byte> json, ByteHeap protobuf, ByteHeap scratch)
    {
        _reader = new(json, Options);
        (_protobuf, _scratch) = (protobuf, scratch);
    }

    /// <summary>Appends the request as protobuf. An empty request stays empty.</summary>
    /// <exception cref="OtlpException">It is no JSON, or a member has a value of the wrong kind.</exception>
    public static void Transcode(ReadOnlySpan<byte> json, ByteHeap protobuf)
    {
        if (json.IsEmpty)
        {
            return;
        }

        using var scratch = new ByteHeap(256);
        try
        {
            new OtlpJsonTranscoder(json, protobuf, scratch).WriteRequest();
        }
        catch (JsonException broken)
        {
            // Line and column of the first wrong byte, counted from 1.
            throw new OtlpException($"it is no JSON from line {broken.LineNumber + 1}, column {broken.BytePositionInLine + 1} on", broken);
        }
    }

    private void WriteRequest()
    {
        _reader.Read();
        Expect(JsonTokenType.StartObject, "the request", "an object");
        WriteMembers(Messages[Kind.Request], depth: 0);
        _reader.Read(); // Anything after the object is an error of the JSON reader.
    }

    /// <summary>Writes the members of the object that the reader is in.</summary>
    /// <param name="depth">How many AnyValues lie around it.</param>
    private void WriteMembers(Field[] fields, int depth)
    {
        while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = FieldOf(fields);
            _reader.Read();
            if (field is null || _reader.TokenType == JsonTokenType.Null)
            {
                _reader.Skip();
            }
            else if (field.IsList)
            {
                Expect(JsonTokenType.StartArray, field.Name, "a list");
                while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
                {
                    Write(field, depth);
                }
            }
            else
            {
                Write(field, depth);
            }
        }
    }

    private readonly Field? FieldOf(Field[] fields)
    {
        var name = _reader.ValueSpan;
        if (_reader.ValueIsEscaped)
        {
            _scratch.Cut(0);
            JsonUnescape.Append(_scratch, in _reader);
            name = _scratch.Written;
        }

        foreach (var field in fields)
        {
            if (name.SequenceEqual(field.Utf8))
            {
                return field;
            }
        }

        return null;
    }

    /// <summary>Writes the value that the reader stands on.</summary>
    private void Write(Field field, int depth)
    {
        switch (field.Kind)
        {
            case Kind.Text:
                Expect(JsonTokenType.String, field.Name, "a text");
                WriteText(field);
                break;
            case Kind.Truth:
                WriteTag(field, ProtoReader.Varint);
                _protobuf.Append(
                    _reader.TokenType switch
                    {
                        JsonTokenType.True => (byte)1,
                        JsonTokenType.False => (byte)0,
                        _ => throw new OtlpException($"\"{field.Name}\" is true or false"),
                    }
                );
                break;
            case Kind.Signed:
                WriteTag(field, ProtoReader.Varint);
                WriteVarint((ulong)Signed(field.Name));
                break;
            case Kind.Unsigned:
                WriteTag(field, ProtoReader.Varint);
                WriteVarint((uint)Unsigned(field.Name));
                break;
            case Kind.Fixed32:
                WriteTag(field, ProtoReader.Fixed32);
                BinaryPrimitives.WriteUInt32LittleEndian(_protobuf.GetSpan(sizeof(uint)), (uint)Unsigned(field.Name));
                _protobuf.Advance(sizeof(uint));
                break;
            case Kind.Fixed64:
                WriteFixed64(field, Unsigned(field.Name));
                break;
            case Kind.Double:
                WriteFixed64(field, BitConverter.DoubleToUInt64Bits(Double(field.Name)));
                break;
            case Kind.Hex:
                WriteHex(field);
                break;
            case Kind.Base64:
                WriteBase64(field);
                break;
            default:
                WriteMessage(field, depth);
                break;
        }
    }

    private void WriteMessage(Field field, int depth)
    {
        var start = BeginBytes(field);
        if (field.Kind != Kind.AnyValue)
        {
            Expect(
                JsonTokenType.StartObject,
                field.Name,
                field.Kind == Kind.KeyValue ? KeyValueForm
                    : field.IsList ? ListForm
                    : "an object"
            );
            WriteMembers(Messages[field.Kind], depth);
        }
        else if (_reader.TokenType != JsonTokenType.Null)
        {
            Expect(JsonTokenType.StartObject, field.Name, AnyValueForm);
            if (depth > DecodeLimits.MaxDepth)
            {
                _reader.Skip(); // The decoder refuses the record when it comes to this value, whatever is in it.
            }
            else
            {
                WriteMembers(Messages[Kind.AnyValue], depth + 1);
            }
        }

        EndBytes(start);
    }

    private const string ListForm = "a list of objects";
    private const string KeyValueForm = "a list of objects with key and value";
    private const string AnyValueForm = "an object such as {\"stringValue\": \"…\"}";

    private readonly void WriteText(Field field)
    {
        var text = _reader.ValueSpan;
        if (_reader.ValueIsEscaped)
        {
            Unescape();
            text = _scratch.Written;
        }

        WriteTag(field, ProtoReader.Bytes);
        WriteVarint((uint)text.Length);
        _protobuf.Append(text);
    }

    /// <summary>An id that is no hex is absent.</summary>
    private readonly void WriteHex(Field field)
    {
        Expect(JsonTokenType.String, field.Name, "a text");
        Unescape();
        var start = _protobuf.Length;
        WriteTag(field, ProtoReader.Bytes);
        WriteVarint((uint)_scratch.Length / 2);
        if (Convert.FromHexString(_scratch.Written, _protobuf.GetSpan(_scratch.Length / 2), out _, out var written) == OperationStatus.Done)
        {
            _protobuf.Advance(written);
        }
        else
        {
            _protobuf.Cut(start);
        }
    }

    /// <summary>Protobuf's JSON writes the standard alphabet, and accepts the URL's too, with or without padding.</summary>
    private readonly void WriteBase64(Field field)
    {
        Expect(JsonTokenType.String, field.Name, "base64");
        Unescape();
        var start = BeginBytes(field);
        var into = _protobuf.GetSpan(_scratch.Length);
        if (
            Base64.DecodeFromUtf8(_scratch.Written, into, out _, out var length) != OperationStatus.Done
            && Base64Url.DecodeFromUtf8(_scratch.Written, into, out _, out length) != OperationStatus.Done
        )
        {
            throw new OtlpException($"\"{field.Name}\" is base64");
        }

        _protobuf.Advance(length);
        EndBytes(start);
    }

    private readonly void WriteFixed64(Field field, ulong value)
    {
        WriteTag(field, ProtoReader.Fixed64);
        BinaryPrimitives.WriteUInt64LittleEndian(_protobuf.GetSpan(sizeof(ulong)), value);
        _protobuf.Advance(sizeof(ulong));
    }

    private readonly void WriteTag(Field field, int wireType) => _protobuf.Append((byte)((field.Number << 3) | wireType));

    private readonly void WriteVarint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            _protobuf.Append((byte)(value | 0x80));
        }

        _protobuf.Append((byte)value);
    }

    /// <summary>Leaves room for the length; <see cref="EndBytes"/> fills it in.</summary>
    private readonly int BeginBytes(Field field)
    {
        WriteTag(field, ProtoReader.Bytes);
        _protobuf.GetSpan(LengthBytes);
        _protobuf.Advance(LengthBytes);
        return _protobuf.Length;
    }

    private readonly void EndBytes(int start)
    {
        var end = _protobuf.Length;
        var length = (uint)(end - start);
        _protobuf.Cut(start - LengthBytes);
        for (var place = 1; place < LengthBytes; place++, length >>= 7)
        {
            _protobuf.Append((byte)(length | 0x80));
        }

        _protobuf.Append((byte)length);
        _protobuf.Advance(end - start);
    }

    private readonly ulong Unsigned(string name) =>
        Number(name) is var text && ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : Whole(text) is { } whole and >= 0 and <= ulong.MaxValue ? (ulong)whole
        : throw new OtlpException($"\"{name}\" is a whole number from 0, as a text or a number");

    private readonly long Signed(string name) =>
        Number(name) is var text && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
        : Whole(text) is { } whole and >= long.MinValue and <= long.MaxValue ? (long)whole
        : throw new OtlpException($"\"{name}\" is a whole number, as a text or a number");

    private readonly double Double(string name)
    {
        var text = Number(name);
        return text.SequenceEqual("NaN"u8) ? double.NaN
            : text.SequenceEqual("Infinity"u8) ? double.PositiveInfinity
            : text.SequenceEqual("-Infinity"u8) ? double.NegativeInfinity
            : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number
            : throw new OtlpException($"\"{name}\" is a number, or NaN, Infinity or -Infinity as a text");
    }

    /// <summary>A whole number that is written with a point or an exponent: 1.0, 1e3.</summary>
    private static decimal? Whole(ReadOnlySpan<byte> text) =>
        decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && decimal.IsInteger(number)
            ? number
            : null;

    /// <summary>The characters of a number, in quotes or not.</summary>
    private readonly ReadOnlySpan<byte> Number(string name)
    {
        if (_reader.TokenType is not (JsonTokenType.Number or JsonTokenType.String))
        {
            throw new OtlpException($"\"{name}\" is a number, as a text or a number");
        }

        Unescape();
        return _scratch.Written;
    }

    private readonly void Unescape()
    {
        _scratch.Cut(0);
        JsonUnescape.Append(_scratch, in _reader);
    }

    private readonly void Expect(JsonTokenType type, string name, string form)
    {
        if (_reader.TokenType != type)
        {
            throw new OtlpException($"\"{name}\" is {form}");
        }
    }

    /// <summary>What a field holds: a scalar by its form in JSON and in protobuf, or one of the messages.</summary>
    private enum Kind
    {
        Text,
        Truth,
        Signed,
        Unsigned,
        Fixed32,
        Fixed64,
        Double,
        Hex,
        Base64,
        Request,
        ResourceLogs,
        Resource,
        ScopeLogs,
        Scope,
        LogRecord,
        KeyValue,
        AnyValue,
        ArrayValue,
        KeyValueList,
    }

    private sealed record Field(string Name, int Number, Kind Kind, bool IsList = false)
    {
        public byte[] Utf8 { get; } = Encoding.UTF8.GetBytes(Name);
    }
}
