using System.Text.Json;
using System.Text.Json.Serialization;
using Grains.Interfaces.Orders;
using Silo.Http;

namespace Silo.Orders;

/// <summary>Orders as JSON over HTTP, in the form of <see cref="RestJson"/>.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    Converters = [typeof(CamelCase<OrderStatus>)]
)]
[JsonSerializable(typeof(PlaceOrderForm))]
[JsonSerializable(typeof(OrderForm))]
[JsonSerializable(typeof(OrderListForm))]
[JsonSerializable(typeof(WatchForm))]
[JsonSerializable(typeof(WatchCompactedForm))]
[JsonSerializable(typeof(SubscriberListForm))]
[JsonSerializable(typeof(DeliveryListForm))]
[JsonSerializable(typeof(DeadLetterListForm))]
[JsonSerializable(typeof(DeadLettersDoneForm))]
[JsonSerializable(typeof(EraseForm))]
[JsonSerializable(typeof(ErasedForm))]
[JsonSerializable(typeof(PreferencesForm))]
[JsonSerializable(typeof(SuppressionListForm))]
[JsonSerializable(typeof(AddWebhookForm))]
[JsonSerializable(typeof(EditWebhookForm))]
[JsonSerializable(typeof(TimelineForm))]
[JsonSerializable(typeof(ResendForm))]
[JsonSerializable(typeof(ResentForm))]
[JsonSerializable(typeof(AskConsistencyForm))]
[JsonSerializable(typeof(CheckpointListForm))]
[JsonSerializable(typeof(WebhookForm))]
[JsonSerializable(typeof(WebhookListForm))]
[JsonSerializable(typeof(WebhookRotatedForm))]
[JsonSerializable(typeof(WebhookEnabledForm))]
[JsonSerializable(typeof(WebhookTestedForm))]
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class OrdersJson : JsonSerializerContext
{
    /// <inheritdoc cref="RestJson.AsItIs"/>
    public static OrdersJson AsItIs => field ??= new(RestJson.AsItIs(Default.Options));
}
