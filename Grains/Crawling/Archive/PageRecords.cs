using System.Globalization;
using System.Text;
using Grains.Crawling.Pages;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Archive;

/// <summary>
/// A fetched page as WARC records: response (of a 304: revisit), request and metadata, joined. The HTTP block of a response has the decoded
/// body, so its <c>Content-Length</c> is the body's own; what was undone is told by <c>X-Crawler-…</c> fields. Nothing that a crawl's
/// session adds (cookies, credentials, own header fields) is in a request, and of <c>Set-Cookie</c> only names are in a response. WARC 1.1
/// knows messages of HTTP/1.1 alone: one of HTTP/2 is written as such, with the field <c>WARC-Protocol: h2</c> (an extension of web
/// archives, as §4 allows).
/// </summary>
internal static class PageRecords
{
    /// <summary>The records of an answer.</summary>
    /// <param name="fetch">An answer, with its <see cref="PageFetch.Exchange"/>.</param>
    /// <param name="digest">Of the body, <c>sha256:</c> and hexadecimal digits; null when it is empty.</param>
    /// <param name="charset">The encoding in which the page was read; null when it is no text.</param>
    /// <param name="past">Of a 304: the page whose content it confirms; null when it is not known.</param>
    public static ReadOnlyMemory<byte> Of(
        string url,
        DateTimeOffset at,
        PageFetch fetch,
        string? digest,
        int depth,
        string? charset,
        PageRecord? past = null
    )
    {
        var exchange = fetch.Exchange ?? throw new ArgumentException($"The answer of {url} has no exchange to keep.", nameof(fetch));
        var output = new MemoryStream(1024 + (fetch.Body.Length / 4)); // A page packs to a quarter or less.
        var response = WarcWriter.NewId();
        var body = fetch.Body.Span;
        var isRevisit = fetch.Status == 304;
        WarcWriter.Write(
            output,
            isRevisit ? "revisit" : "response",
            response,
            at,
            WarcWriter.HttpResponse,
            [
                ("WARC-Target-URI", url),
                ("WARC-Protocol", exchange.Protocol),
                ("WARC-Payload-Digest", isRevisit ? past?.Digest : digest ?? WarcWriter.Digest([], [])),
                ("WARC-Profile", isRevisit ? WarcWriter.NotModified : null),
                ("WARC-Refers-To-Target-URI", isRevisit && past is { Status: not 304 } ? url : null),
                ("WARC-Refers-To-Date", isRevisit && past is { Status: not 304 } ? WarcWriter.Date(past.FetchedAt) : null),
                ("WARC-Truncated", fetch.Truncated ? exchange.TruncatedBy : null),
            ],
            Encoding.Latin1.GetBytes(ResponseHead(exchange, body.Length)),
            body
        );
        WarcWriter.Write(
            output,
            "request",
            WarcWriter.NewId(),
            at,
            WarcWriter.HttpRequest,
            [("WARC-Target-URI", url), ("WARC-Concurrent-To", response), ("WARC-Protocol", exchange.Protocol)],
            Encoding.Latin1.GetBytes(exchange.RequestHead),
            []
        );
        WarcWriter.Write(
            output,
            "metadata",
            WarcWriter.NewId(),
            at,
            WarcWriter.Fields,
            [("WARC-Target-URI", url), ("WARC-Concurrent-To", response)],
            Metadata(fetch, depth, charset),
            []
        );
        return output.GetBuffer().AsMemory(0, (int)output.Length);
    }

    /// <summary>The record with which a file begins.</summary>
    public static ReadOnlyMemory<byte> Info(string crawl, string fileName, DateTimeOffset at)
    {
        var output = new MemoryStream();
        WarcWriter.Write(
            output,
            "warcinfo",
            WarcWriter.NewId(),
            at,
            WarcWriter.Fields,
            [("WARC-Filename", fileName)],
            WarcWriter.FieldBlock(
                ("software", "OrleansCrawler/1.0"),
                ("format", "WARC File Format 1.1"),
                ("conformsTo", "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"),
                ("isPartOf", crawl)
            ),
            []
        );
        return output.GetBuffer().AsMemory(0, (int)output.Length);
    }

    private static byte[] Metadata(PageFetch fetch, int depth, string? charset)
    {
        var fields = new List<(string, string)>
        {
            ("fetchTimeMs", ((long)fetch.Elapsed.TotalMilliseconds).ToString(CultureInfo.InvariantCulture)),
            ("hopsFromSeed", depth.ToString(CultureInfo.InvariantCulture)),
        };
        if (charset is not null)
        {
            fields.Add(("charsetForLinkExtraction", charset));
        }

        return WarcWriter.FieldBlock([.. fields]);
    }

    private static string ResponseHead(HttpExchange exchange, int bodyBytes)
    {
        var head = new StringBuilder(512).Append(exchange.StatusLine).Append("\r\n");
        foreach (var (name, value) in exchange.Headers)
        {
            switch (name.ToLowerInvariant())
            {
                case "content-encoding" when exchange.IsDecoded:
                case "transfer-encoding":
                    Add("X-Crawler-" + name, value);
                    break;
                case "content-length":
                    if (value != bodyBytes.ToString(CultureInfo.InvariantCulture))
                    {
                        Add("X-Crawler-" + name, value);
                    }

                    break;
                case "set-cookie":
                case "set-cookie2":
                    Add("X-Crawler-" + name, value.Split('=')[0].Trim());
                    break;
                default:
                    Add(name, value);
                    break;
            }
        }

        Add("Content-Length", bodyBytes.ToString(CultureInfo.InvariantCulture));
        return head.Append("\r\n").ToString();

        void Add(string name, string value) => head.Append(name).Append(": ").Append(value).Append("\r\n");
    }
}
