using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace Grains.Crawling.Archive;

/// <summary>
/// Writes WARC 1.1 records (ISO 28500:2017), each as a gzip member of its own (annex D), so that members can be cut out and joined without
/// unpacking them.
/// </summary>
internal static class WarcWriter
{
    public const string HttpRequest = "application/http;msgtype=request";

    public const string HttpResponse = "application/http;msgtype=response";

    public const string Fields = "application/warc-fields";

    /// <summary>The profile of a revisit that a server answered with 304 (§6.7.3).</summary>
    public const string NotModified = "http://netpreserve.org/warc/1.1/revisit/server-not-modified";

    private static readonly byte[] RecordEnd = "\r\n\r\n"u8.ToArray();

    /// <summary>A new <c>WARC-Record-ID</c>.</summary>
    public static string NewId() => $"<urn:uuid:{Guid.NewGuid()}>";

    /// <summary>A moment as WARC writes it (W3C profile of ISO 8601), to the millisecond.</summary>
    public static string Date(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>Appends one record to <paramref name="output"/>, which stays open.</summary>
    /// <param name="type">The <c>WARC-Type</c>.</param>
    /// <param name="fields">Named fields beyond type, id, date, block digest and length; a null value leaves the field out.</param>
    /// <param name="head">The beginning of the block.</param>
    /// <param name="body">The rest of the block.</param>
    public static void Write(
        Stream output,
        string type,
        string id,
        DateTimeOffset at,
        string contentType,
        ReadOnlySpan<(string Name, string? Value)> fields,
        ReadOnlySpan<byte> head,
        ReadOnlySpan<byte> body
    )
    {
        var text = new StringBuilder(512);
        text.Append("WARC/1.1\r\n");
        Add("WARC-Type", type);
        Add("WARC-Record-ID", id);
        Add("WARC-Date", Date(at));
        foreach (var (name, value) in fields)
        {
            if (value is not null)
            {
                Add(name, value);
            }
        }

        Add("WARC-Block-Digest", Digest(head, body));
        Add("Content-Type", contentType);
        Add("Content-Length", (head.Length + (long)body.Length).ToString(CultureInfo.InvariantCulture));
        text.Append("\r\n");

        using var gzip = new GZipStream(output, CompressionLevel.Fastest, leaveOpen: true);
        gzip.Write(Encoding.UTF8.GetBytes(text.ToString()));
        gzip.Write(head);
        gzip.Write(body);
        gzip.Write(RecordEnd);

        void Add(string name, string value) => text.Append(name).Append(": ").Append(value).Append("\r\n");
    }

    /// <summary><c>sha256:</c> and 64 hexadecimal digits, as in the records of an export.</summary>
    public static string Digest(ReadOnlySpan<byte> head, ReadOnlySpan<byte> body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(head);
        hash.AppendData(body);
        return "sha256:" + Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>A block of <c>application/warc-fields</c>.</summary>
    public static byte[] FieldBlock(params ReadOnlySpan<(string Name, string Value)> fields)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in fields)
        {
            text.Append(name).Append(": ").Append(value).Append("\r\n");
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
