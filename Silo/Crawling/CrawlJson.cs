using System.Text.Json;
using System.Text.Json.Serialization;
using Grains.Interfaces.Crawling;
using Silo.Http;

namespace Silo.Crawling;

/// <summary>The crawler as JSON over HTTP, in the form of <see cref="RestJson"/>.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    Converters = [typeof(CamelCase<CrawlState>), typeof(CamelCase<CrawlScope>), typeof(CamelCase<KeepPages>), typeof(CamelCase<SitemapUse>)]
)]
[JsonSerializable(typeof(StartCrawl))]
[JsonSerializable(typeof(AddUrls))]
[JsonSerializable(typeof(UrlsAdded))]
[JsonSerializable(typeof(UrlsRetried))]
[JsonSerializable(typeof(CrawlHostList))]
[JsonSerializable(typeof(CrawlStarted))]
[JsonSerializable(typeof(CrawlForm))]
[JsonSerializable(typeof(CrawlList))]
[JsonSerializable(typeof(ExplanationForm))]
internal sealed partial class CrawlJson : JsonSerializerContext
{
    /// <inheritdoc cref="RestJson.AsItIs"/>
    public static CrawlJson AsItIs => field ??= new(RestJson.AsItIs(Default.Options));
}
