using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Grains.Crawling.Sessions;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Rows;

/// <summary>Rows are JSON, so that a person can read them with any tool, and a later version can add to them.</summary>
[JsonSerializable(typeof(UrlRow))]
[JsonSerializable(typeof(QueueRow))]
[JsonSerializable(typeof(RoundsRow))]
[JsonSerializable(typeof(PageExtract))]
[JsonSerializable(typeof(HostHead))]
[JsonSerializable(typeof(CookieJarRow))]
[JsonSerializable(typeof(CrawlHead))]
[JsonSerializable(typeof(ListedHost))]
[JsonSerializable(typeof(ListedCrawl))]
[JsonSerializable(typeof(HostClockRow))]
[JsonSerializable(typeof(DeletedCrawl))]
[JsonSerializable(typeof(RobotsRow))]
[JsonSerializable(typeof(CrawlOrder))]
[JsonSerializable(typeof(CrawlSpec))]
public sealed partial class CrawlJson : JsonSerializerContext
{
    /// <summary>
    /// The encoder leaves <c>&amp;</c> and <c>+</c> alone: URLs are full of them, and no row is ever put into HTML as it is.
    /// </summary>
    private static readonly JsonSerializerOptions RowOptions = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters =
        {
            new JsonStringEnumConverter<UrlState>(),
            new JsonStringEnumConverter<CrawlState>(),
            new JsonStringEnumConverter<CrawlScope>(),
            new JsonStringEnumConverter<KeepPages>(),
            new JsonStringEnumConverter<SitemapUse>(),
        },
    };

    private static readonly CrawlJson Rows = new(new JsonSerializerOptions(RowOptions) { Converters = { new SpecOfAnyVersion() } });

    public static byte[] Write<T>(T row) => JsonSerializer.SerializeToUtf8Bytes(row, TypeInfo<T>());

    public static T Read<T>(ReadOnlyMemory<byte> payload) =>
        JsonSerializer.Deserialize(payload.Span, TypeInfo<T>()) ?? throw new JsonException($"A row of {typeof(T).Name} is null.");

    private static JsonTypeInfo<T> TypeInfo<T>() => (JsonTypeInfo<T>)Rows.GetTypeInfo(typeof(T))!;

    /// <summary>
    /// What was asked stays what it meant: a crawl of a version that knew neither sitemaps, cookies nor traps goes on without them, and
    /// one of a
    /// version without the Public Suffix List in the scope that it had. Of other members that a row lacks, the type's default is what was
    /// before.
    /// </summary>
    private sealed class SpecOfAnyVersion : JsonConverter<CrawlSpec>
    {
        private static readonly CrawlJson AsWritten = new(new JsonSerializerOptions(RowOptions));

        public override CrawlSpec Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            using var row = JsonDocument.ParseValue(ref reader);
            var spec = row.Deserialize(AsWritten.CrawlSpec) ?? throw new JsonException("What a crawl was asked for is null.");
            return spec with
            {
                Sitemaps = row.RootElement.TryGetProperty("sitemaps", out _) ? spec.Sitemaps : Interfaces.Crawling.SitemapUse.No,
                HostDomains = spec.HostDomains || !row.RootElement.TryGetProperty("hostDomains", out _),
                FollowTraps = spec.FollowTraps || !row.RootElement.TryGetProperty("followTraps", out _),
                NoCookies = spec.NoCookies || !row.RootElement.TryGetProperty("noCookies", out _),
            };
        }

        public override void Write(Utf8JsonWriter writer, CrawlSpec value, JsonSerializerOptions options) =>
            JsonSerializer.Serialize(writer, value, AsWritten.CrawlSpec);
    }
}

/// <summary>The cookies that the hosts of a registrable domain share in a crawl.</summary>
/// <param name="Version">Rises with every change.</param>
public sealed record CookieJarRow(long Version, ImmutableArray<StoredCookie> Cookies)
{
    public static CookieJarRow Empty { get; } = new(0, []);
}

/// <summary>A queue row's payload; its place is in its key.</summary>
public sealed record QueueRow(string Url, int Depth, string? Parent, int Attempts, int Hops = 0, bool Sitemap = false);
