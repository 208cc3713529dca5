using System.Collections.Immutable;

namespace Grains.Crawling.Pages;

/// <summary>How an answer came about, as far as it is kept with the page.</summary>
/// <param name="RequestHead">Request line and header fields, with the empty line that ends them; without what a crawl's session
/// adds.</param>
/// <param name="StatusLine">Without its line end.</param>
/// <param name="Headers">The header fields of the answer; bytes beyond ASCII as Latin-1.</param>
/// <param name="IsDecoded">The body is without its Content-Encoding.</param>
/// <param name="TruncatedBy">Why the body is not whole, in the words of WARC 1.1 §5.13; null when it is.</param>
public sealed record HttpExchange(
    string RequestHead,
    string StatusLine,
    ImmutableArray<(string Name, string Value)> Headers,
    bool IsDecoded,
    string? TruncatedBy
)
{
    /// <summary>
    /// <c>h2</c> where it came over HTTP/2, which has neither lines: request and status line are then those of the same message in
    /// HTTP/1.1. Null: HTTP/1.1.
    /// </summary>
    public string? Protocol { get; init; }
}
