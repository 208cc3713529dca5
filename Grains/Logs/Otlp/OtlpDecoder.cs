using System.Buffers.Text;
using Grains.Interfaces.Logs;
using Grains.Logs.Records;

namespace Grains.Logs.Otlp;

/// <summary>
/// Reads an <c>ExportLogsServiceRequest</c> in protobuf (opentelemetry-proto 1.x, <c>logs.proto</c>) or in OTLP's JSON into a block: a walk
/// over the bytes,
/// without an object per record.
/// </summary>
/// <remarks>
/// <para><c>service.name</c> and <c>host.name</c> of the resource become the record's service and host; the resource's other attributes are
/// the record's, under
/// <c>resource.</c>; the scope's name and version are <c>otel.scope.name</c> and <c>otel.scope.version</c>. A body that is no string is its
/// JSON text. A severity's text without its number gives the number (<see cref="LogSeverity"/>).</para>
/// <para>Not thread-safe: one decoder per request in work.</para>
/// </remarks>
/// <param name="limits">A record that goes beyond them is refused, and its neighbours are taken.</param>
public sealed class OtlpDecoder(DecodeLimits limits) : IDisposable
{
    /// <summary>Arrays and maps may lie in each other so deep.</summary>
    public const int MaxDepth = DecodeLimits.MaxDepth;

    /// <summary>What a resource that gives no name is called (OpenTelemetry's resource conventions).</summary>
    public const string UnknownService = "unknown_service";

    /// <summary>Bytes of a service's name; what is longer is cut off.</summary>
    public const int MaxServiceBytes = 256;

    private readonly OtlpOrigin _origin = new(limits);

    /// <param name="maxRecordBytes">Of one record.</param>
    public OtlpDecoder(int maxRecordBytes)
        : this(new DecodeLimits(maxRecordBytes)) { }

    /// <param name="now">Nanoseconds since 1970: the observed time of records that carry none.</param>
    /// <exception cref="OtlpException">It is no such message. What was added to <paramref name="into"/> means nothing.</exception>
    public Decoded Decode(ReadOnlySpan<byte> request, ulong now, LogBlockBuilder into)
    {
        var decoded = new Decoded();
        var reader = new ProtoReader(request);
        while (reader.NextBytes(1, "resource_logs", out var bytes))
        {
            ReadResourceLogs(bytes, now, into, decoded);
        }

        return decoded;
    }

    /// <summary>Reads the same message in OTLP's JSON: it is rewritten as protobuf first.</summary>
    /// <inheritdoc cref="Decode"/>
    /// <exception cref="OtlpException">It is no JSON, or no such message. What was added to <paramref name="into"/> means
    /// nothing.</exception>
    public Decoded DecodeJson(ReadOnlySpan<byte> request, ulong now, LogBlockBuilder into)
    {
        using var protobuf = new ByteHeap(Math.Max(request.Length, 256));
        OtlpJsonTranscoder.Transcode(request, protobuf);
        return Decode(protobuf.Written, now, into);
    }

    public void Dispose() => _origin.Dispose();

    /// <summary>A resource may stand behind its logs, so it is looked for first.</summary>
    private void ReadResourceLogs(ReadOnlySpan<byte> message, ulong now, LogBlockBuilder into, Decoded decoded)
    {
        _origin.BeginResource();
        var reader = new ProtoReader(message);
        while (reader.NextBytes(1, "resource", out var bytes))
        {
            ReadResource(bytes);
        }

        _origin.EndResource();
        reader = new ProtoReader(message);
        while (reader.NextBytes(2, "scope_logs", out var bytes))
        {
            ReadScopeLogs(bytes, now, into, decoded);
        }
    }

    private void ReadResource(ReadOnlySpan<byte> message)
    {
        var reader = new ProtoReader(message);
        while (reader.NextBytes(1, "resource.attributes", out var bytes))
        {
            ReadKeyValue(bytes, out var key, out var value);
            if (
                !(key.SequenceEqual("service.name"u8) && StringOf(value, _origin.Service))
                && !(key.SequenceEqual("host.name"u8) && StringOf(value, _origin.Host))
            )
            {
                OtlpOrigin.BeginMember(_origin.Resource, "\"resource."u8, key);
                _origin.IsTooDeep |= !WriteValue(_origin.Resource, value, 0);
            }
        }
    }

    private void ReadScopeLogs(ReadOnlySpan<byte> message, ulong now, LogBlockBuilder into, Decoded decoded)
    {
        _origin.BeginScope();
        var reader = new ProtoReader(message);
        while (reader.NextBytes(1, "scope", out var bytes))
        {
            ReadScope(bytes);
        }

        reader = new ProtoReader(message);
        while (reader.NextBytes(2, "log_records", out var bytes))
        {
            ReadRecord(bytes, now, into, decoded);
        }
    }

    private void ReadScope(ReadOnlySpan<byte> message)
    {
        var reader = new ProtoReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1 or 2:
                    reader.Expect(ProtoReader.Bytes, "scope.name");
                    _origin.AddScope(reader.Field == 1 ? "\"otel.scope.name\":"u8 : "\"otel.scope.version\":"u8, reader.ReadBytes());
                    break;
                case 3:
                    reader.Expect(ProtoReader.Bytes, "scope.attributes");
                    ReadKeyValue(reader.ReadBytes(), out var key, out var value);
                    OtlpOrigin.BeginMember(_origin.Scope, "\"scope."u8, key);
                    _origin.IsScopeTooDeep |= !WriteValue(_origin.Scope, value, 0);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }

    private void ReadRecord(ReadOnlySpan<byte> message, ulong now, LogBlockBuilder into, Decoded decoded)
    {
        decoded.Received++;
        if (_origin.Refuses(message.Length, into, decoded))
        {
            return;
        }

        ulong time = 0,
            observed = 0,
            severity = 0;
        uint flags = 0,
            dropped = 0;
        var hasAttributes = false;
        ReadOnlySpan<byte> severityText = default,
            body = default,
            traceId = default,
            spanId = default,
            eventName = default;
        var reader = new ProtoReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    reader.Expect(ProtoReader.Fixed64, "time_unix_nano");
                    time = reader.ReadFixed64();
                    break;
                case 2:
                    reader.Expect(ProtoReader.Varint, "severity_number");
                    severity = reader.ReadVarint();
                    break;
                case 3:
                    reader.Expect(ProtoReader.Bytes, "severity_text");
                    severityText = reader.ReadBytes();
                    break;
                case 5:
                    reader.Expect(ProtoReader.Bytes, "body");
                    body = reader.ReadBytes();
                    break;
                case 6:
                    reader.Expect(ProtoReader.Bytes, "attributes");
                    reader.ReadBytes();
                    hasAttributes = true;
                    break;
                case 7:
                    reader.Expect(ProtoReader.Varint, "dropped_attributes_count");
                    dropped = (uint)reader.ReadVarint();
                    break;
                case 8:
                    reader.Expect(ProtoReader.Fixed32, "flags");
                    flags = reader.ReadFixed32();
                    break;
                case 9:
                    reader.Expect(ProtoReader.Bytes, "trace_id");
                    traceId = reader.ReadBytes();
                    break;
                case 10:
                    reader.Expect(ProtoReader.Bytes, "span_id");
                    spanId = reader.ReadBytes();
                    break;
                case 11:
                    reader.Expect(ProtoReader.Fixed64, "observed_time_unix_nano");
                    observed = reader.ReadFixed64();
                    break;
                case 12:
                    reader.Expect(ProtoReader.Bytes, "event_name");
                    eventName = reader.ReadBytes();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        var number = severity > 24 ? 0 : (int)severity;
        into.Begin(
            time,
            observed == 0 ? now : observed,
            number == 0 && !severityText.IsEmpty ? LogSeverity.Of(severityText) : number,
            traceId,
            spanId
        );
        into.AddText(severityText);
        into.AddText(_origin.Service.Written);
        into.AddText(_origin.Host.Written);
        into.AddText(eventName);
        if (!WriteBody(into.Text, body))
        {
            into.Drop();
            _origin.RefuseTooDeep(decoded);
            return;
        }

        into.EndText();
        if (!WriteAttributes(into.Text, message, hasAttributes, flags, dropped))
        {
            into.Drop();
            _origin.RefuseTooDeep(decoded);
            return;
        }

        into.EndText();
        into.End();
    }

    /// <summary>False when a value lies too deep; what was written then means nothing.</summary>
    private bool WriteAttributes(ByteHeap text, ReadOnlySpan<byte> record, bool has, uint flags, uint dropped)
    {
        if (!has && (flags | dropped) == 0 && _origin.HasNoMembers)
        {
            return true;
        }

        text.Append((byte)'{');
        var start = text.Length;
        var reader = new ProtoReader(has ? record : default);
        while (reader.Next())
        {
            if (reader.Field != 6)
            {
                reader.Skip();
                continue;
            }

            ReadKeyValue(reader.ReadBytes(), out var key, out var value);
            if (text.Length > start)
            {
                text.Append((byte)',');
            }

            JsonText.WriteString(text, key);
            text.Append((byte)':');
            if (!WriteValue(text, value, 0))
            {
                return false;
            }
        }

        _origin.EndMembers(text, start, flags, dropped);
        text.Append((byte)'}');
        return true;
    }

    private static void ReadKeyValue(ReadOnlySpan<byte> message, out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)
    {
        key = default;
        value = default;
        var reader = new ProtoReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    reader.Expect(ProtoReader.Bytes, "key");
                    key = reader.ReadBytes();
                    break;
                case 2:
                    reader.Expect(ProtoReader.Bytes, "value");
                    value = reader.ReadBytes();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }

    private static bool WriteBody(ByteHeap text, ReadOnlySpan<byte> body)
    {
        var start = text.Length;
        if (body.IsEmpty || AppendString(body, text))
        {
            return true;
        }

        if (!WriteValue(text, body, 0))
        {
            return false;
        }

        if (text.Written[start..].SequenceEqual("null"u8))
        {
            text.Cut(start); // A value without anything in it is no body.
        }

        return true;
    }

    /// <summary>
    /// Puts the string that an AnyValue holds in the place of what is there; false, and nothing changed, when it holds something else or
    /// nothing.
    /// </summary>
    private static bool StringOf(ReadOnlySpan<byte> value, ByteHeap into)
    {
        var before = into.Length;
        if (!AppendString(value, into))
        {
            return false;
        }

        into.CutBefore(before);
        return true;
    }

    /// <summary>Writes the string that an AnyValue holds; false when it holds something else or nothing.</summary>
    private static bool AppendString(ReadOnlySpan<byte> value, ByteHeap into)
    {
        var reader = new ProtoReader(value);
        var found = false;
        var start = into.Length;
        while (reader.Next())
        {
            if (reader.Field == 1)
            {
                reader.Expect(ProtoReader.Bytes, "string_value");
                into.Cut(start);
                into.AppendText(reader.ReadBytes());
                found = true;
            }
            else
            {
                if (reader.Field is >= 2 and <= 7)
                {
                    found = false; // The last of a oneof counts.
                    into.Cut(start);
                }

                reader.Skip();
            }
        }

        return found;
    }

    /// <summary>
    /// An AnyValue as JSON. Whole numbers are numbers, bytes are base64, and nothing is null. False when it lies too deep; what was written
    /// then means nothing.
    /// </summary>
    private static bool WriteValue(ByteHeap text, ReadOnlySpan<byte> value, int depth)
    {
        if (depth > MaxDepth)
        {
            return false;
        }

        var start = text.Length;
        var reader = new ProtoReader(value);
        while (reader.Next())
        {
            if (reader.Field is < 1 or > 7)
            {
                reader.Skip();
                continue;
            }

            text.Cut(start);
            switch (reader.Field)
            {
                case 1:
                    reader.Expect(ProtoReader.Bytes, "string_value");
                    JsonText.WriteString(text, reader.ReadBytes());
                    break;
                case 2:
                    reader.Expect(ProtoReader.Varint, "bool_value");
                    text.Append(reader.ReadVarint() != 0 ? "true"u8 : "false"u8);
                    break;
                case 3:
                    reader.Expect(ProtoReader.Varint, "int_value");
                    JsonText.WriteNumber(text, (long)reader.ReadVarint());
                    break;
                case 4:
                    reader.Expect(ProtoReader.Fixed64, "double_value");
                    JsonText.WriteNumber(text, BitConverter.UInt64BitsToDouble(reader.ReadFixed64()));
                    break;
                case 5:
                    reader.Expect(ProtoReader.Bytes, "array_value");
                    if (!WriteArray(text, reader.ReadBytes(), depth))
                    {
                        return false;
                    }

                    break;
                case 6:
                    reader.Expect(ProtoReader.Bytes, "kvlist_value");
                    if (!WriteMap(text, reader.ReadBytes(), depth))
                    {
                        return false;
                    }

                    break;
                default:
                    reader.Expect(ProtoReader.Bytes, "bytes_value");
                    WriteBytes(text, reader.ReadBytes());
                    break;
            }
        }

        if (text.Length == start)
        {
            text.Append("null"u8);
        }

        return true;
    }

    private static bool WriteArray(ByteHeap text, ReadOnlySpan<byte> message, int depth)
    {
        text.Append((byte)'[');
        var start = text.Length;
        var reader = new ProtoReader(message);
        while (reader.NextBytes(1, "values", out var bytes))
        {
            if (text.Length > start)
            {
                text.Append((byte)',');
            }

            if (!WriteValue(text, bytes, depth + 1))
            {
                return false;
            }
        }

        text.Append((byte)']');
        return true;
    }

    private static bool WriteMap(ByteHeap text, ReadOnlySpan<byte> message, int depth)
    {
        text.Append((byte)'{');
        var start = text.Length;
        var reader = new ProtoReader(message);
        while (reader.NextBytes(1, "values", out var bytes))
        {
            ReadKeyValue(bytes, out var key, out var value);
            if (text.Length > start)
            {
                text.Append((byte)',');
            }

            JsonText.WriteString(text, key);
            text.Append((byte)':');
            if (!WriteValue(text, value, depth + 1))
            {
                return false;
            }
        }

        text.Append((byte)'}');
        return true;
    }

    private static void WriteBytes(ByteHeap text, ReadOnlySpan<byte> bytes)
    {
        text.Append((byte)'"');
        Base64.EncodeToUtf8(bytes, text.GetSpan(Base64.GetMaxEncodedToUtf8Length(bytes.Length)), out _, out var written);
        text.Advance(written);
        text.Append((byte)'"');
    }
}
