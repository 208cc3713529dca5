using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Grains.Orders.Deliveries.Mail;

/// <summary>
/// The rows of <see cref="MailTable"/> as JSON, so that a person can read them with any tool and a later version can add to them.
/// </summary>
[JsonSerializable(typeof(PreferencesRow))]
[JsonSerializable(typeof(Suppression))]
[JsonSerializable(typeof(UnsubscribeKeyRow))]
public sealed partial class MailJson : JsonSerializerContext
{
    private static readonly MailJson Rows = new(
        new JsonSerializerOptions
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        }
    );

    public static byte[] Write<T>(T row) => JsonSerializer.SerializeToUtf8Bytes(row, TypeInfo<T>());

    /// <exception cref="JsonException">The payload is not such a row.</exception>
    public static T Read<T>(ReadOnlyMemory<byte> payload) =>
        JsonSerializer.Deserialize(payload.Span, TypeInfo<T>()) ?? throw new JsonException($"A row of {typeof(T).Name} is null.");

    private static JsonTypeInfo<T> TypeInfo<T>() => (JsonTypeInfo<T>)Rows.GetTypeInfo(typeof(T))!;
}
