using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Grains.Interfaces.Values;

namespace Grains.Interfaces.Crawling;

/// <summary>One line per exported page; the fields are the same in both forms, in the same order, all always there.</summary>
public abstract class PageForm
{
    public static readonly PageForm JsonLines = new JsonLinesForm();
    public static readonly PageForm Csv = new CsvForm();

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

    private sealed class JsonLinesForm : PageForm
    {
        private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

        public override string? Header => null;

        public override string LineEnd => "\n";

        public override string Line(PageRecord page, PagePart? content = null)
        {
            var buffer = new ArrayBufferWriter<byte>(512);
            using (var json = new Utf8JsonWriter(buffer, Options))
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
                if (content is { Why: null, IsText: true })
                {
                    json.WriteString("body", content.Body);
                }
                else if (content is { Why: null })
                {
                    json.WriteBase64String("bodyBase64", content.Body);
                }

                json.WriteEndObject();
            }

            return Encoding.UTF8.GetString(buffer.WrittenSpan);
        }
    }

    /// <summary>RFC 4180: a header, CRLF, fields as <see cref="CsvField"/> has them. What is null is empty.</summary>
    private sealed class CsvForm : PageForm
    {
        public override string Header =>
            "url,status,depth,parent,contentType,title,bytes,digest,links,fetchedAt,elapsedMs,error,attempts,location,"
            + "truncated,leftOut,kept,change";

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
                    CsvField.Of(string.Join(' ', LeftOut(page).Select(left => $"{left.Key}={Number(left.Value)}"))),
                    page.Kept is null ? "false" : "true",
                    page.Change,
                }
            );

        private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
    }
}
