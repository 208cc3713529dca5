using System.Collections.Immutable;
using Grains.Net;

namespace Grains.Crawling.Pages;

/// <param name="Url">An absolute http or https URL in canonical form, without a fragment. Its path and query go out byte for byte.</param>
/// <param name="Timeout">From the start to the last byte of the body. More than zero.</param>
/// <param name="MaxBodyBytes">Of the body, also after decompression; what is longer is cut. 1 to <see cref="MostBodyBytes"/>.</param>
/// <param name="AllowPrivate">Private addresses that may be connected to.</param>
/// <param name="UserAgent">Sent as it is.</param>
/// <param name="IfNoneMatch">The ETag of what is known; null: not asked.</param>
/// <param name="IfModifiedSince">The Last-Modified of what is known, as it was received; null: not asked.</param>
public sealed record PageRequest(
    string Url,
    TimeSpan Timeout,
    int MaxBodyBytes,
    AddressRanges AllowPrivate,
    string UserAgent,
    string? IfNoneMatch = null,
    string? IfModifiedSince = null
)
{
    public const int MostBodyBytes = 1 << 30;

    /// <summary>Further header fields, which <see cref="HttpExchange"/> does not show.</summary>
    public ImmutableArray<(string Name, string Value)> Session { get; init; } = [];

    /// <summary>Media types whose bodies are read, as <c>text/html</c> or <c>image/*</c>; empty: all.</summary>
    public ImmutableArray<string> Accept { get; init; } = [];

    /// <summary>The proxy that is asked in place of the host, once the host's address was checked; null: none.</summary>
    public NamedProxy? Proxy { get; init; }

    /// <summary>The host is the operator's own: its certificate is not checked.</summary>
    public bool AcceptAnyCertificate { get; init; }

    /// <summary>The answer is to tell how it came about: <see cref="PageFetch.Exchange"/>.</summary>
    public bool WithExchange { get; init; }
}
