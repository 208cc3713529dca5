using System.Collections.Immutable;

namespace Grains.Crawling.Pages;

public enum FetchFailure
{
    /// <summary>There is an answer.</summary>
    None,

    /// <summary>The last byte did not come within the time.</summary>
    Timeout,

    /// <summary>The name has no address, nobody listens there, or the connection was cut before the header was whole.</summary>
    Unreachable,

    /// <summary>No trusted secure connection came about.</summary>
    Tls,

    /// <summary>All addresses of the host are private and not allowed.</summary>
    PrivateAddress,

    /// <summary>What came is no HTTP.</summary>
    BadHttp,

    /// <summary>The header is longer than <see cref="HttpPageFetcher.MaxHeaderBytes"/>.</summary>
    TooLongHeaders,

    /// <summary>The URL cannot be asked for: it is not http or https, or its host is no name that DNS could know.</summary>
    BadUrl,

    /// <summary>The proxy is not known here, cannot be reached, or did not do what it was asked for.</summary>
    Proxy,
}

/// <summary>
/// What came of one request: an answer (<see cref="Failure"/> is None), or a failure with its sentence. The body is an array of its own:
/// whoever has the record may keep it, and need give nothing back.
/// </summary>
public sealed record PageFetch
{
    public FetchFailure Failure { get; init; }

    /// <summary>
    /// Of a failure: a sentence that names the address or limit. Of an answer: what was wrong with the body (it ended early, or could not
    /// be decompressed), else null.
    /// </summary>
    public string? Error { get; init; }

    /// <summary>100 to 999; 0 of a failure.</summary>
    public int Status { get; init; }

    /// <summary>As the server says it; <see cref="ParsedPage.MediaType"/> is what it turns out to be.</summary>
    public ContentType ContentType { get; init; }

    /// <summary>
    /// The server says of its type just what old Apaches say of everything (MIME Sniffing §5.1): text, which may be binary.
    /// </summary>
    public bool IsPlainByDefault { get; init; }

    /// <summary>X-Content-Type-Options: the type is what the server says, and nothing is to be read into it.</summary>
    public bool NoSniff { get; init; }

    /// <summary>
    /// The Location header as the server wrote it: relative, perhaps wrong; only some statuses redirect there. Bytes beyond ASCII are taken
    /// for UTF-8 when they are.
    /// </summary>
    public string? Location { get; init; }

    /// <summary>From the answer on; a date that has passed is zero.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public string? ETag { get; init; }

    /// <summary>As the server wrote it, to be sent back so.</summary>
    public string? LastModified { get; init; }

    /// <summary>Values of the Link header fields (RFC 8288), unparsed.</summary>
    public ImmutableArray<string> Links { get; init; } = [];

    public string? Refresh { get; init; }

    /// <summary>Values of the Set-Cookie header fields, unparsed.</summary>
    public ImmutableArray<string> SetCookies { get; init; } = [];

    /// <summary>The type is none of <see cref="PageRequest.Accept"/>: the body was not read.</summary>
    public bool IsNotAccepted { get; init; }

    /// <summary>Values of the X-Robots-Tag header fields, unparsed.</summary>
    public ImmutableArray<string> RobotsTags { get; init; } = [];

    /// <summary>Decompressed, at most <see cref="PageRequest.MaxBodyBytes"/>.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>
    /// There was more of the body than is here, or should have been: it reached the limit, ended early, or could not be decompressed
    /// further.
    /// </summary>
    public bool Truncated { get; init; }

    /// <summary>Bytes of the body that came over the wire, before decompression, as far as they were read.</summary>
    public long WireBytes { get; init; }

    public TimeSpan Elapsed { get; init; }

    /// <summary>Of an answer <c>http/1.0</c>, <c>http/1.1</c> or <c>h2</c>, as ALPN names them; null of a failure.</summary>
    public string? Protocol { get; init; }

    /// <summary>Of an answer, if <see cref="PageRequest.WithExchange"/> asked for it; else null.</summary>
    public HttpExchange? Exchange { get; init; }

    /// <summary>
    /// The answer leads elsewhere: Fetch standard, "redirect status", with a Location. Any other answer is what it is, whatever its
    /// Location says.
    /// </summary>
    public bool IsRedirect => Redirects(Status) && Location is not null;

    internal static bool Redirects(int status) => status is 301 or 302 or 303 or 307 or 308;

    public static PageFetch Failed(FetchFailure failure, string error, TimeSpan elapsed) =>
        new()
        {
            Failure = failure,
            Error = error,
            Elapsed = elapsed,
        };
}
