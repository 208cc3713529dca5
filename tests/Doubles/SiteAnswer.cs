using System.Collections.Immutable;
using System.IO.Compression;
using System.Text;

namespace Doubles;

/// <summary>
/// What a double of a web site answers to one path, over HTTP (<see cref="WebSite"/>) or in memory (<see cref="SiteInMemory"/>).
/// </summary>
public sealed record SiteAnswer
{
    public int Status { get; init; } = 200;

    /// <summary>Null: no Content-Type is sent.</summary>
    public string? ContentType { get; init; } = "text/html; charset=utf-8";

    public ReadOnlyMemory<byte> Body { get; init; }

    public ImmutableArray<(string Name, string Value)> Headers { get; init; } = [];

    /// <summary>What is wrong with the body that came: it is not whole. Null: nothing. In memory only.</summary>
    public string? BodyError { get; init; }

    /// <summary>The protocol over which it comes, as <c>PageFetch.Protocol</c> has it. In memory only.</summary>
    public string Protocol { get; init; } = "http/1.1";

    /// <summary>The answer waits until it opens; null: it does not wait.</summary>
    public Gate? Gate { get; init; }

    public static SiteAnswer Html(string html) => new() { Body = Encoding.UTF8.GetBytes(html) };

    public static SiteAnswer Text(string text) => new() { ContentType = "text/plain; charset=utf-8", Body = Encoding.UTF8.GetBytes(text) };

    /// <summary>A page with these links and nothing else.</summary>
    public static SiteAnswer Links(params IEnumerable<string> hrefs) =>
        Html($"<!DOCTYPE html><title>Links</title>{string.Concat(hrefs.Select(href => $"<p><a href=\"{href}\">{href}</a></p>\n"))}");

    public static SiteAnswer Empty(int status) => new() { Status = status, ContentType = null };

    public static SiteAnswer Redirect(string location, int status = 302) => Empty(status).With("Location", location);

    public SiteAnswer With(string name, string value) => this with { Headers = Headers.Add((name, value)) };

    public SiteAnswer Behind(Gate gate) => this with { Gate = gate };

    public SiteAnswer Gzipped()
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal))
        {
            gzip.Write(Body.Span);
        }

        return (this with { Body = packed.ToArray() }).With("Content-Encoding", "gzip");
    }
}
