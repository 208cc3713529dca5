using System.Collections.Immutable;
using System.Text;

namespace Doubles.Logs;

/// <summary>
/// Puts an <see cref="OtlpRequest"/> into protobuf, by the field numbers of opentelemetry-proto 1.x. What has its default is left out, as
/// encoders do.
/// </summary>
public static class OtlpProto
{
    public static byte[] Encode(OtlpRequest request)
    {
        var into = new ProtoBytes();
        foreach (var resource in request.ResourceLogs)
        {
            into.Message(1, Of(resource));
        }

        return into.ToArray();
    }

    public static ProtoBytes Of(OtlpRecord record)
    {
        var into = new ProtoBytes();
        into.Fixed64(1, record.Time).Number(2, (ulong)(long)record.Severity).Text(3, record.SeverityText);
        if (record.Body is not null)
        {
            into.Message(5, Of(record.Body));
        }

        Pairs(into, 6, record.Attributes);
        return into.Number(7, record.Dropped)
            .Fixed32(8, record.Flags)
            .Bytes(9, [.. record.TraceId])
            .Bytes(10, [.. record.SpanId])
            .Fixed64(11, record.Observed)
            .Text(12, record.EventName);
    }

    public static ProtoBytes Of(OtlpValue value)
    {
        var into = new ProtoBytes();
        switch (value)
        {
            case OtlpString text:
                into.Message(1, new ProtoBytes().Raw(Encoding.UTF8.GetBytes(text.Value)));
                break;
            case OtlpBool truth:
                into.NumberAlways(2, truth.Value ? 1u : 0u);
                break;
            case OtlpInt number:
                into.NumberAlways(3, (ulong)number.Value);
                break;
            case OtlpDouble number:
                into.Tag(4, 1).Raw(BitConverter.GetBytes(number.Value));
                break;
            case OtlpBytes bytes:
                into.Message(7, new ProtoBytes().Raw([.. bytes.Value]));
                break;
            case OtlpArray array:
                var values = new ProtoBytes();
                foreach (var one in array.Values)
                {
                    values.Message(1, Of(one));
                }

                into.Message(5, values);
                break;
            case OtlpMap map:
                var pairs = new ProtoBytes();
                Pairs(pairs, 1, map.Pairs);
                into.Message(6, pairs);
                break;
        }

        return into;
    }

    private static ProtoBytes Of(OtlpResourceLogs logs)
    {
        var into = new ProtoBytes();
        if (logs.Resource is { } resource)
        {
            var inner = new ProtoBytes();
            Pairs(inner, 1, resource.Attributes);
            into.Message(1, inner.Number(2, resource.Dropped));
        }

        foreach (var scope in logs.ScopeLogs)
        {
            into.Message(2, Of(scope));
        }

        return into.Text(3, logs.SchemaUrl);
    }

    private static ProtoBytes Of(OtlpScopeLogs logs)
    {
        var into = new ProtoBytes();
        if (logs.Scope is { } scope)
        {
            var inner = new ProtoBytes().Text(1, scope.Name).Text(2, scope.Version);
            Pairs(inner, 3, scope.Attributes.IsDefault ? [] : scope.Attributes);
            into.Message(1, inner);
        }

        foreach (var record in logs.Records)
        {
            into.Message(2, Of(record));
        }

        return into.Text(3, logs.SchemaUrl);
    }

    private static void Pairs(ProtoBytes into, int field, ImmutableArray<OtlpPair> pairs)
    {
        foreach (var pair in pairs)
        {
            var inner = new ProtoBytes().Text(1, pair.Key);
            if (pair.Value is not null)
            {
                inner.Message(2, Of(pair.Value));
            }

            into.Message(field, inner);
        }
    }
}

/// <summary>Protobuf as it is put together by hand: also what no encoder would make.</summary>
public sealed class ProtoBytes
{
    private readonly MemoryStream _bytes = new();

    public byte[] ToArray() => _bytes.ToArray();

    public ProtoBytes Raw(params ReadOnlySpan<byte> bytes)
    {
        _bytes.Write(bytes);
        return this;
    }

    public ProtoBytes Varint(ulong value)
    {
        for (; value > 0x7f; value >>= 7)
        {
            _bytes.WriteByte((byte)(value | 0x80));
        }

        _bytes.WriteByte((byte)value);
        return this;
    }

    public ProtoBytes Tag(int field, int wireType) => Varint(((ulong)field << 3) | (uint)wireType);

    public ProtoBytes NumberAlways(int field, ulong value) => Tag(field, 0).Varint(value);

    public ProtoBytes Number(int field, ulong value) => value == 0 ? this : NumberAlways(field, value);

    public ProtoBytes Fixed64(int field, ulong value) => value == 0 ? this : Tag(field, 1).Raw(BitConverter.GetBytes(value));

    public ProtoBytes Fixed32(int field, uint value) => value == 0 ? this : Tag(field, 5).Raw(BitConverter.GetBytes(value));

    public ProtoBytes Bytes(int field, byte[] value) => value.Length == 0 ? this : Tag(field, 2).Varint((ulong)value.Length).Raw(value);

    public ProtoBytes Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    public ProtoBytes Message(int field, ProtoBytes message)
    {
        Tag(field, 2).Varint((ulong)message._bytes.Length);
        message._bytes.WriteTo(_bytes);
        return this;
    }
}
