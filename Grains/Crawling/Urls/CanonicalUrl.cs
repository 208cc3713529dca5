using System.Diagnostics.CodeAnalysis;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Urls;

/// <summary>
/// An http or https URL in the one form under which a crawl knows it: what a browser makes of a link (WHATWG URL standard, UTF-8),
/// and on top of that no user name and password, no fragment, upper-case percent escapes, and no escape where the character
/// needs none (letters, digits and <c>-._~</c>). Making it canonical a second time changes nothing.
/// </summary>
/// <remarks>
/// <para>An empty query (<c>http://a/?</c>) stays, as in the standard: to a server it is another URL than <c>http://a/</c>.
/// A <c>%</c> that begins no escape stays too, and an escape after it that would complete one is not decoded.
/// The order of query parameters is not touched.</para>
/// <para>A name loses its final dot, so that <c>http://a./</c> is <c>http://a/</c>. A label of ASCII is taken as it is, also one that says
/// <c>xn--</c> and means nothing, has underscores, or begins or ends with a hyphen; whether there is such a host, DNS says. Labels beyond
/// ASCII go through <see cref="System.Globalization.IdnMapping"/> (UTS #46, non-transitional). It is stricter than the standard in that it
/// refuses labels that begin or end with a hyphen or mean plain ASCII, and those longer than DNS allows; and laxer in that it does not
/// check the rules for text from right to left across labels.</para>
/// </remarks>
public sealed class CanonicalUrl : IEquatable<CanonicalUrl>
{
    /// <summary>In characters. A longer one is refused, also one that is longer only until its <c>..</c> are resolved.</summary>
    public const int MaxLength = 2048;

    private readonly int _queryStart;

    internal CanonicalUrl(string text, UrlAuthority authority, int queryStart)
    {
        Text = text;
        Authority = authority;
        _queryStart = queryStart;
    }

    public string Text { get; }

    /// <summary><c>http</c> or <c>https</c>.</summary>
    public string Scheme => Authority.Scheme;

    /// <summary>Lower-case ASCII; IPv6 in brackets.</summary>
    public string Host => Authority.Host;

    /// <summary>The port that is connected to, also when the text does not show it.</summary>
    public int Port => Authority.Port;

    public HostKey HostKey => Authority.HostKey;

    /// <summary><c>https://example.org</c>, with a port that is not the scheme's own.</summary>
    public string Origin => Authority.Origin;

    /// <summary>What stands in the request line. Begins with a slash.</summary>
    public string PathAndQuery => Text[Origin.Length..];

    public string Path => Text[Origin.Length.._queryStart];

    internal UrlAuthority Authority { get; }

    internal ReadOnlySpan<char> BeforeQuery => Text.AsSpan(0, _queryStart);

    /// <summary>Reads a link as it stands on the page <paramref name="baseUrl"/>; without a base it must be absolute.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, CanonicalUrl? baseUrl, [NotNullWhen(true)] out CanonicalUrl? url) =>
        UrlParser.Parse(text, baseUrl, out url) == UrlFault.None;

    /// <param name="why">When refused, the rest of a sentence that begins with the text: "it has no scheme; did you mean
    /// https://example.org/?".</param>
    public static bool TryParse(
        ReadOnlySpan<char> text,
        CanonicalUrl? baseUrl,
        [NotNullWhen(true)] out CanonicalUrl? url,
        [NotNullWhen(false)] out string? why
    )
    {
        var fault = UrlParser.Parse(text, baseUrl, out url);
        why = fault == UrlFault.None ? null : UrlFaults.Say(fault, text);
        return url is not null;
    }

    public bool Equals(CanonicalUrl? other) => other is not null && Text == other.Text;

    public override bool Equals(object? obj) => Equals(obj as CanonicalUrl);

    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => Text;
}
