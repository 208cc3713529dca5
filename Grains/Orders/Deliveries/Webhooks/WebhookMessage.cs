using System.Text.Encodings.Web;
using System.Text.Json;
using Grains.Interfaces.Orders;

namespace Grains.Orders.Deliveries.Webhooks;

/// <summary>
/// What an endpoint is told: <c>{"type", "timestamp", "data"}</c> (Standard Webhooks 1.0, "Payload structure"), the same bytes and the same
/// id on every try.
/// </summary>
/// <param name="Id"><c>webhook-id</c>: the receiver knows a repeat by it. Letters, digits, "-" and "_": a full stop would divide what is
/// signed.</param>
/// <param name="Type"><c>order.placed</c>…</param>
public sealed record WebhookMessage(string Id, string Type, ReadOnlyMemory<byte> Body)
{
    /// <summary>What <c>webhooks test</c> sends.</summary>
    public const string TestType = "webhook.test";

    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// The change as the order was after it: <c>data</c> has the order in the form that the doors give it, and <c>previousStatus</c>.
    /// </summary>
    public static WebhookMessage Of(OrderChange change) =>
        new(Named(change.OrderId, change.Version), change.Type, Write(change.Type, change.At, json =>
            {
                Data(json, OrderForm.Of(change.Order));
                Text(json, "previousStatus", change.PreviousStatus is { } status ? Word(status) : null);
            }));

    /// <summary>What happened to another endpoint.</summary>
    public static WebhookMessage About(EndpointEvent happened) => new(happened.Id, happened.Type, Write(happened.Type, happened.At, json =>
            {
                json.WriteString("id", happened.Endpoint);
                json.WriteString("url", happened.Url);
                json.WriteString("text", happened.Text);
            }));

    /// <param name="id">Random: each test is a message of its own.</param>
    public static WebhookMessage Test(Guid id, DateTimeOffset now) =>
        new($"msg_test_{id:n}", TestType, Write(TestType, now, json => json.WriteString("note", "A test: no order has changed.")));

    /// <summary>The id of an order's change, for every endpoint and every try.</summary>
    public static string Named(OrderId order, long version) => FormattableString.Invariant($"msg_{order}_{version}");

    private static byte[] Write(string type, DateTimeOffset at, Action<Utf8JsonWriter> data)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, Writing))
        {
            json.WriteStartObject();
            json.WriteString("type", type);
            json.WriteString("timestamp", at.UtcDateTime);
            json.WriteStartObject("data");
            data(json);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return bytes.ToArray();
    }

    private static void Data(Utf8JsonWriter json, OrderForm order)
    {
        json.WriteString("id", order.Id);
        json.WriteNumber("version", order.Version);
        json.WriteString("status", Word(order.Status));
        json.WriteString("customer", order.Customer);
        json.WriteString("currency", order.Currency);
        json.WriteStartArray("lines");
        foreach (var line in order.Lines)
        {
            json.WriteStartObject();
            json.WriteString("sku", line.Sku);
            json.WriteNumber("quantity", line.Quantity);
            json.WriteNumber("price", line.Price);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("total", order.Total);
        Text(json, "notes", order.Notes);
        Text(json, "email", order.Email);
        Text(json, "language", order.Language);
        Time(json, "payBefore", order.PayBefore);
        Time(json, "placedAt", order.PlacedAt);
        Time(json, "updatedAt", order.UpdatedAt);
        Text(json, "reason", order.Reason);
    }

    private static void Text(Utf8JsonWriter json, string name, string? value)
    {
        if (value is null)
        {
            json.WriteNull(name);
        }
        else
        {
            json.WriteString(name, value);
        }
    }

    private static void Time(Utf8JsonWriter json, string name, DateTimeOffset? value)
    {
        if (value is { } at)
        {
            json.WriteString(name, at);
        }
        else
        {
            json.WriteNull(name);
        }
    }

    private static string Word(OrderStatus status) => JsonNamingPolicy.CamelCase.ConvertName(status.ToString());
}
