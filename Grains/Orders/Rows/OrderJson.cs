using System.Buffers;
using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Grains.Interfaces.Orders;

namespace Grains.Orders.Rows;

/// <summary>Rows are JSON, so that a person can read them with any tool, and a later version can add to them.</summary>
[JsonSerializable(typeof(Order))]
[JsonSerializable(typeof(OrderRow))]
[JsonSerializable(typeof(ImmutableArray<StepRow>))]
[JsonSerializable(typeof(ChangesRow))]
[JsonSerializable(typeof(SubscriberRow))]
[JsonSerializable(typeof(FeedHeadRow))]
[JsonSerializable(typeof(SubscriberHeadRow))]
[JsonSerializable(typeof(KeptChangeRow))]
[JsonSerializable(typeof(OrderNote))]
[JsonSerializable(typeof(SourceRow))]
[JsonSerializable(typeof(DeliveryRow))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
public sealed partial class OrderJson : JsonSerializerContext
{
    private static readonly JsonSerializerOptions RowOptions = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new OrderIdText(), new EnumText<OrderStatus>(), new EnumText<OrderRefusal>(), new EnumText<DeliveryStatus>() },
    };

    private static readonly OrderJson Rows = new(RowOptions);

    public static byte[] Write<T>(T row) => JsonSerializer.SerializeToUtf8Bytes(row, TypeInfo<T>());

    public static T Read<T>(ReadOnlyMemory<byte> payload) =>
        JsonSerializer.Deserialize(payload.Span, TypeInfo<T>()) ?? throw new JsonException($"A row of {typeof(T).Name} is null.");

    /// <summary>An <see cref="OrderRow"/> around an order that was written already.</summary>
    public static byte[] WriteOrder(byte[] order, ImmutableArray<StepRow> steps)
    {
        var written = Write(steps);
        return [.. "{\"order\":"u8, .. order, .. ",\"steps\":"u8, .. written, (byte)'}'];
    }

    /// <summary>A <see cref="ChangesRow"/> around orders that were written already.</summary>
    public static byte[] WriteChanges(IReadOnlyList<WrittenChange> changes, int bytes)
    {
        var buffer = new ArrayBufferWriter<byte>(bytes);
        using (var json = new Utf8JsonWriter(buffer, new() { SkipValidation = true }))
        {
            json.WriteStartObject();
            json.WriteStartArray("changes"u8);
            foreach (var change in changes)
            {
                json.WriteStartObject();
                json.WritePropertyName("order"u8);
                json.WriteRawValue(change.Order, skipInputValidation: true);
                if (change.PreviousStatus is { } status)
                {
                    json.WriteString("previousStatus"u8, EnumText<OrderStatus>.Names[(int)status]);
                    json.WriteString("previousAt"u8, change.PreviousAt!.Value);
                }

                if (change.Trace is { } trace)
                {
                    json.WriteString("trace"u8, trace);
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static JsonTypeInfo<T> TypeInfo<T>() => (JsonTypeInfo<T>)Rows.GetTypeInfo(typeof(T))!;

    private sealed class OrderIdText : JsonConverter<OrderId>
    {
        public override OrderId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            new(reader.GetString()!);

        public override void Write(Utf8JsonWriter writer, OrderId value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.Value);
    }

    /// <summary>Names in camelCase; for enums whose values are 0, 1, 2 and so on.</summary>
    private sealed class EnumText<T> : JsonConverter<T>
        where T : struct, Enum
    {
        public static readonly ImmutableArray<JsonEncodedText> Names =
        [
            .. Enum.GetNames<T>().Select(name => JsonEncodedText.Encode(JsonNamingPolicy.CamelCase.ConvertName(name))),
        ];

        private static readonly T[] Values = Enum.GetValues<T>();

        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            for (var i = 0; i < Names.Length; i++)
            {
                if (reader.ValueTextEquals(Names[i].EncodedUtf8Bytes))
                {
                    return Values[i];
                }
            }

            throw new JsonException($"\"{reader.GetString()}\" is no {typeof(T).Name}.");
        }

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
            writer.WriteStringValue(Names[Array.IndexOf(Values, value)]);
    }
}
