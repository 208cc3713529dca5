using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Grains.Storage;

namespace Grains.Orders.Deliveries.Webhooks;

/// <summary>
/// Where endpoints are kept: a table of their own with one partition, a row for each under its id. Rows are JSON, so that a person can read
/// them. They have the secrets.
/// </summary>
public static class EndpointTable
{
    public const string Name = "orderwebhooks";

    public const string Partition = "endpoints";

    public static byte[] Write(EndpointState state) => JsonSerializer.SerializeToUtf8Bytes(state, EndpointJson.State);

    /// <exception cref="JsonException">It is no endpoint.</exception>
    public static EndpointState Read(TableRow row) =>
        JsonSerializer.Deserialize(row.Payload.Span, EndpointJson.State)
        ?? throw new JsonException($"The row of endpoint {row.Key} is null.");
}

[JsonSerializable(typeof(EndpointState))]
internal sealed partial class EndpointJson : JsonSerializerContext
{
    private static readonly EndpointJson Rows = new(
        new JsonSerializerOptions
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        }
    );

    public static JsonTypeInfo<EndpointState> State => Rows.EndpointState;
}
