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

    /// <summary>Adds an endpoint's row. Durable when it answers.</summary>
    /// <exception cref="IOException">Whether it is there is not known.</exception>
    public static async Task Insert(ITableStore store, string id, EndpointState state, CancellationToken cancel)
    {
        var row = Write(state);
        var result = await store.Commit(Name, Partition, [RowChange.Insert(id, row)], cancel);
        if (
            result.Outcome != CommitOutcome.Committed
            && !(await store.Get(Name, Partition, id, cancel) is { } stored && stored.Payload.Span.SequenceEqual(row))
        )
        {
            throw new IOException(
                "Nothing is known of the endpoint's row: look whether it is there before you add it again.",
                result.Cause
            );
        }
    }
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
