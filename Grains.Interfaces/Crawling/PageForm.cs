using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Grains.Interfaces.Values;

namespace Grains.Interfaces.Crawling;

/// <summary>
/// One line per exported page; the members are the same in both forms, in the same order, all always there. Behind them stand those that
/// the crawl read out of pages, if it was asked to.
/// </summary>
public abstract class PageForm
{
    private static readonly JsonWriterOptions JsonOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static PageForm JsonLines(CrawlSpec spec) => new JsonLinesForm(ExtractColumns.Of(spec));

    public static PageForm Csv(CrawlSpec spec) => new CsvForm(spec);

    /// <summary>What a crawl reads out of pages as columns of text: the values of a field that has all matches are a JSON array.</summary>
    public static IEnumerable<(string Name, Func<PageRecord, string?> Of)> ExtractTexts(CrawlSpec spec)
    {
        var extract = ExtractColumns.Of(spec);
        foreach (var (name, isAll) in extract.Fields)
        {
            yield return (PageExtract.NameOf(name), page =>
                isAll ? Json(json => Write(json, ExtractColumns.Values(page, name))) : ExtractColumns.Values(page, name).FirstOrDefault()
            );
        }

        if (extract.HasText)
        {
            yield return (PageExtract.TextName, page => page.Extract?.Text);
        }

        if (!extract.IsEmpty)
        {
            yield return ("cut", page => string.Join(' ', page.Extract?.Cut ?? []));
        }
    }

    /// <summary><c>max-depth=2 nofollow=1</c>; empty: no link was left out.</summary>
    public static string LeftOutText(PageRecord page) =>
        string.Join(' ', LeftOut(page).Select(left => string.Create(CultureInfo.InvariantCulture, $"{left.Key}={left.Value}")));

    /// <summary>Before the first record, without its line end; null: nothing.</summary>
    public abstract string? Header { get; }

    public abstract string LineEnd { get; }

    /// <param name="content">What was kept of the page, to be written beside it; null: nothing is. Only JSON Lines have room for
    /// it.</param>
    public abstract string Line(PageRecord page, PagePart? content = null);

    /// <summary>Null where nothing was fetched: no server answered, or nobody asked.</summary>
    private static string? FetchedAt(PageRecord page) => page.Status is null ? null : Time(page.FetchedAt);

    private static ImmutableSortedDictionary<string, long> LeftOut(PageRecord page) =>
        page.LeftOut ?? ImmutableSortedDictionary<string, long>.Empty;

    private static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static string Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, JsonOptions))
        {
            write(json);
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void Write(Utf8JsonWriter json, IEnumerable<string> texts)
    {
        json.WriteStartArray();
        foreach (var text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }

    /// <summary>What a crawl reads out of pages, as columns.</summary>
    private sealed record ExtractColumns(ImmutableArray<(string Name, bool IsAll)> Fields, bool HasText)
    {
        public bool IsEmpty => Fields.IsEmpty && !HasText;

        public static ExtractColumns Of(CrawlSpec spec) => new([.. spec.Fields.Select(Column)], spec.Text);

        public static ImmutableArray<string> Values(PageRecord page, string field) =>
            page.Extract?.Fields.FirstOrDefault(value => value.Name == field)?.Values ?? [];

        private static (string, bool) Column(string field)
        {
            var name = field[..field.IndexOf('=', StringComparison.Ordinal)];
            return name.EndsWith("[]", StringComparison.Ordinal) ? (name[..^2], true) : (name, false);
        }
    }

    private sealed class JsonLinesForm(ExtractColumns extract) : PageForm
    {
        public override string? Header => null;

        public override string LineEnd => "\n";

        public override string Line(PageRecord page, PagePart? content = null) =>
            Json(json =>
            {
                json.WriteStartObject();
                json.WriteString("url", page.Url);
                if (page.Status is { } status)
                {
                    json.WriteNumber("status", status);
                }
                else
                {
                    json.WriteNull("status");
                }

                json.WriteNumber("depth", page.Depth);
                json.WriteString("parent", page.Parent);
                json.WriteString("contentType", page.ContentType);
                json.WriteString("title", page.Title);
                json.WriteNumber("bytes", page.Bytes);
                json.WriteString("digest", page.Digest);
                json.WriteNumber("links", page.Links);
                json.WriteString("fetchedAt", FetchedAt(page));
                json.WriteNumber("elapsedMs", page.ElapsedMs);
                json.WriteString("error", page.Error);
                json.WriteNumber("attempts", page.Attempts);
                json.WriteString("location", page.Location);
                json.WriteBoolean("truncated", page.Truncated);
                json.WriteStartObject("leftOut");
                foreach (var (reason, count) in LeftOut(page))
                {
                    json.WriteNumber(reason, count);
                }

                json.WriteEndObject();
                json.WriteBoolean("kept", page.Kept is not null);
                json.WriteString("change", page.Change);
                json.WriteString("protocol", page.Protocol);
                WriteExtract(json, page);
                if (content is { Why: null, IsText: true })
                {
                    json.WriteString("body", content.Body);
                }
                else if (content is { Why: null })
                {
                    json.WriteBase64String("bodyBase64", content.Body);
                }

                json.WriteEndObject();
            });

        private void WriteExtract(Utf8JsonWriter json, PageRecord page)
        {
            if (extract.IsEmpty)
            {
                return;
            }

            json.WriteStartObject("fields");
            foreach (var (name, isAll) in extract.Fields)
            {
                var values = ExtractColumns.Values(page, name);
                json.WritePropertyName(name);
                if (isAll)
                {
                    Write(json, values);
                }
                else
                {
                    json.WriteStringValue(values.FirstOrDefault());
                }
            }

            json.WriteEndObject();
            if (extract.HasText)
            {
                json.WriteString("text", page.Extract?.Text);
            }

            json.WritePropertyName("cut");
            Write(json, page.Extract?.Cut ?? []);
        }
    }

    /// <summary>
    /// RFC 4180: a header, CRLF, fields as <see cref="CsvField"/> has them. What is null is empty. The values of a field that has all
    /// matches are a JSON array.
    /// </summary>
    private sealed class CsvForm(CrawlSpec spec) : PageForm
    {
        private readonly ImmutableArray<(string Name, Func<PageRecord, string?> Of)> _extract = [.. ExtractTexts(spec)];

        public override string Header =>
            "url,status,depth,parent,contentType,title,bytes,digest,links,fetchedAt,elapsedMs,error,attempts,location,"
            + string.Join(
                ',',
                ["truncated", "leftOut", "kept", "change", "protocol", .. _extract.Select(column => CsvField.Of(column.Name))]
            );

        public override string LineEnd => "\r\n";

        public override string Line(PageRecord page, PagePart? content = null) =>
            string.Join(
                ',',
                new[]
                {
                    CsvField.Of(page.Url),
                    page.Status?.ToString(CultureInfo.InvariantCulture),
                    Number(page.Depth),
                    CsvField.Of(page.Parent),
                    CsvField.Of(page.ContentType),
                    CsvField.Of(page.Title),
                    Number(page.Bytes),
                    CsvField.Of(page.Digest),
                    Number(page.Links),
                    FetchedAt(page),
                    Number(page.ElapsedMs),
                    CsvField.Of(page.Error),
                    Number(page.Attempts),
                    CsvField.Of(page.Location),
                    page.Truncated ? "true" : "false",
                    CsvField.Of(LeftOutText(page)),
                    page.Kept is null ? "false" : "true",
                    page.Change,
                    page.Protocol,
                }.Concat(_extract.Select(column => CsvField.Of(column.Of(page))))
            );

        private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
    }
}
