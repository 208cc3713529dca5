using System.Text.Json;
using System.Text.Json.Serialization;
using Grains.Interfaces.Books;
using Grains.Interfaces.Crawling;
using Grains.Interfaces.Logs;
using Grains.Interfaces.Orders;
using Silo.Cluster;
using Silo.Crawling;
using Silo.Logs;
using Silo.Orders;

namespace Silo.Http;

/// <summary>
/// What is read and written as JSON at the doors, in the form that the console writes: camelCase, nulls kept, text as it is.
/// </summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    Converters = [
        typeof(CamelCase<CrawlState>),
        typeof(CamelCase<CrawlScope>),
        typeof(CamelCase<KeepPages>),
        typeof(CamelCase<SitemapUse>),
        typeof(CamelCase<OrderStatus>),
    ]
)]
[JsonSerializable(typeof(StartCrawl))]
[JsonSerializable(typeof(AddUrls))]
[JsonSerializable(typeof(UrlsAdded))]
[JsonSerializable(typeof(CrawlStarted))]
[JsonSerializable(typeof(CrawlForm))]
[JsonSerializable(typeof(CrawlList))]
[JsonSerializable(typeof(ExplanationForm))]
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
[JsonSerializable(typeof(LedgerForm))]
[JsonSerializable(typeof(ClusterForm))]
[JsonSerializable(typeof(AddRule))]
[JsonSerializable(typeof(TestRule))]
[JsonSerializable(typeof(RuleListForm))]
[JsonSerializable(typeof(RuleChangeForm))]
[JsonSerializable(typeof(RuleTestForm))]
[JsonSerializable(typeof(AskLogSql))]
[JsonSerializable(typeof(LogSqlForm))]
[JsonSerializable(typeof(QueryEndForm))]
[JsonSerializable(typeof(StatsForm))]
[JsonSerializable(typeof(LogLedger))]
[JsonSerializable(typeof(System.Collections.Immutable.ImmutableArray<string>))]
internal sealed partial class RestJson : JsonSerializerContext
{
    private static RestJson? _relaxed;

    /// <summary>Text as it is: these answers are no part of a web page.</summary>
    public static RestJson AsItIs =>
        _relaxed ??= new(
            new JsonSerializerOptions(Default.Options) { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }
        );
}

/// <summary>The names of an enum in camelCase; no numbers.</summary>
internal sealed class CamelCase<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;
