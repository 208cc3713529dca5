using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Grains.Interfaces.Crawling;

namespace Grains.Logs.Intake;

/// <summary>Pages as log records.</summary>
public sealed class CrawlLog(Func<string, LogFeeder> feeders)
{
    public const string Service = "crawls";

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public LogFeeder Feeder { get; } = feeders(Service);

    public void Add(PagesFinished finished)
    {
        foreach (var page in finished.Pages)
        {
            Feeder.Add(Record(finished, page));
        }
    }

    /// <summary>A page that was fetched is information, one that was not a warning.</summary>
    public static FedRecord Record(PagesFinished finished, PageRecord page) =>
        page.Error is null
            ? new(
                page.FetchedAt,
                9,
                "INFO",
                string.Create(CultureInfo.InvariantCulture, $"{page.Status} {page.Url}"),
                Attributes(finished, page)
            )
            : new(page.FetchedAt, 13, "WARN", $"{page.Url}: {page.Error}", Attributes(finished, page));

    private static string Attributes(PagesFinished finished, PageRecord page)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("crawl", finished.Crawl.Value);
            json.WriteString("url.full", page.Url);
            json.WriteString("server.address", finished.Host.Value);
            if (page.Status is { } status)
            {
                json.WriteNumber("http.response.status_code", status);
            }

            json.WriteNumber("depth", page.Depth);
            json.WriteNumber("bytes", page.Bytes);
            json.WriteNumber("elapsed_ms", page.ElapsedMs);
            json.WriteNumber("attempts", page.Attempts);
            json.WriteNumber("links", page.Links);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
