using System.Buffers;
using System.Text;

namespace Grains.Crawling.Urls;

/// <summary>
/// WHATWG URL standard §4.4, for http and https only: what is left of the standard's state machine is a walk from left to right
/// over scheme, authority, path and query, writing the canonical text into one buffer. The query of a link is escaped in the encoding of
/// its page (<c>query</c>, null: UTF-8), all else in UTF-8.
/// </summary>
internal static class UrlParser
{
    // Written only between the start and the end of one Parse, which never waits.
    [ThreadStatic]
    private static char[]? _buffer;

    public static UrlFault Parse(ReadOnlySpan<char> text, CanonicalUrl? baseUrl, out CanonicalUrl? url, Encoding? query = null)
    {
        text = TrimControls(text);
        return text.IndexOfAny('\t', '\n', '\r') < 0
            ? ParseClean(text, baseUrl, query, out url)
            : ParseWithoutBreaks(text, baseUrl, query, out url);
    }

    public static ReadOnlySpan<char> TrimControls(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty && text[0] <= ' ')
        {
            text = text[1..];
        }

        while (!text.IsEmpty && text[^1] <= ' ')
        {
            text = text[..^1];
        }

        return text;
    }

    private static UrlFault ParseWithoutBreaks(ReadOnlySpan<char> text, CanonicalUrl? baseUrl, Encoding? query, out CanonicalUrl? url)
    {
        var rented = ArrayPool<char>.Shared.Rent(text.Length);
        var length = 0;
        foreach (var c in text)
        {
            if (c is not ('\t' or '\n' or '\r'))
            {
                rented[length++] = c;
            }
        }

        var fault = ParseClean(rented.AsSpan(0, length), baseUrl, query, out url);
        ArrayPool<char>.Shared.Return(rented);
        return fault;
    }

    private static UrlFault ParseClean(ReadOnlySpan<char> text, CanonicalUrl? baseUrl, Encoding? query, out CanonicalUrl? url)
    {
        url = null;
        var colon = SchemeLength(text);
        if (colon < 0)
        {
            return baseUrl is not null ? Relative(text, baseUrl, query, out url)
                : text.IsEmpty ? UrlFault.Empty
                : UrlFault.NoScheme;
        }

        var https = text[..colon].Equals("https", StringComparison.OrdinalIgnoreCase);
        if (!https && !text[..colon].Equals("http", StringComparison.OrdinalIgnoreCase))
        {
            return UrlFault.OtherScheme;
        }

        // "http:path" on a page of http is relative; everywhere else slashes after the colon may be many, few or none.
        var rest = text[(colon + 1)..];
        return baseUrl is not null && baseUrl.Authority.Https == https && !StartsWithTwoSlashes(rest)
            ? Relative(rest, baseUrl, query, out url)
            : Absolute(https, rest.TrimStart(@"/\"), baseUrl, query, out url);
    }

    /// <summary>Where the colon after a scheme stands; -1 when the text has none.</summary>
    private static int SchemeLength(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || !char.IsAsciiLetter(text[0]))
        {
            return -1;
        }

        var end = text.IndexOfAnyExcept(UrlCharacters.Scheme);
        return end > 0 && text[end] == ':' ? end : -1;
    }

    private static UrlFault Absolute(bool https, ReadOnlySpan<char> rest, CanonicalUrl? baseUrl, Encoding? query, out CanonicalUrl? url)
    {
        url = null;
        var end = rest.IndexOfAny(@"/\?#");
        var text = end < 0 ? rest : rest[..end];

        // Most absolute links stay on their page's host: they share its parsed form.
        UrlAuthority? authority = baseUrl?.Authority;
        if (authority is null || authority.Https != https || !text.SequenceEqual(authority.HostAndPort))
        {
            var fault = UrlAuthority.Parse(https, text, out authority);
            if (fault != UrlFault.None)
            {
                return fault;
            }
        }

        return FromRoot(authority!, rest[text.Length..], query, out url);
    }

    private static UrlFault Relative(ReadOnlySpan<char> rest, CanonicalUrl baseUrl, Encoding? query, out CanonicalUrl? url)
    {
        if (rest.IsEmpty || rest[0] == '#')
        {
            url = baseUrl;
            return UrlFault.None;
        }

        if (StartsWithTwoSlashes(rest))
        {
            return Absolute(baseUrl.Authority.Https, rest.TrimStart(@"/\"), baseUrl, query, out url);
        }

        if (IsSlash(rest[0]))
        {
            return FromRoot(baseUrl.Authority, rest, query, out url);
        }

        var keep = baseUrl.BeforeQuery;
        var writer = new UrlWriter(_buffer ??= new char[CanonicalUrl.MaxLength]);
        writer.Append(rest[0] == '?' ? keep : keep[..(keep.LastIndexOf('/') + 1)]);
        return PathAndQuery(ref writer, baseUrl.Authority, rest, query, out url);
    }

    private static UrlFault FromRoot(UrlAuthority authority, ReadOnlySpan<char> rest, Encoding? query, out CanonicalUrl? url)
    {
        var writer = new UrlWriter(_buffer ??= new char[CanonicalUrl.MaxLength]);
        writer.Append(authority.Origin);
        writer.Append('/');
        return PathAndQuery(ref writer, authority, !rest.IsEmpty && IsSlash(rest[0]) ? rest[1..] : rest, query, out url);
    }

    private static UrlFault PathAndQuery(
        ref UrlWriter writer,
        UrlAuthority authority,
        ReadOnlySpan<char> rest,
        Encoding? encoding,
        out CanonicalUrl? url
    )
    {
        url = null;
        var pathEnd = rest.IndexOfAny('?', '#');
        Path(ref writer, authority.Origin.Length, pathEnd < 0 ? rest : rest[..pathEnd]);
        var queryStart = writer.Length;
        if (pathEnd >= 0 && rest[pathEnd] == '?')
        {
            var query = rest[(pathEnd + 1)..];
            var queryEnd = query.IndexOf('#');
            writer.Append('?');
            writer.AppendEscaped(queryEnd < 0 ? query : query[..queryEnd], UrlCharacters.PlainInQuery, encoding);
        }

        if (writer.Overflown)
        {
            return UrlFault.TooLong;
        }

        url = new(writer.Written.ToString(), authority, queryStart);
        return UrlFault.None;
    }

    /// <summary>
    /// Continues a path whose last written character is a slash (or the whole of it, when <paramref name="path"/> is empty).
    /// </summary>
    private static void Path(ref UrlWriter writer, int pathStart, ReadOnlySpan<char> path)
    {
        if (path.IndexOfAnyExcept(UrlCharacters.PlainInPath) < 0 && !path.StartsWith('.') && path.IndexOf("/.") < 0)
        {
            writer.Append(path);
            return;
        }

        while (!writer.Overflown)
        {
            var slash = path.IndexOfAny('/', '\\');
            var segment = slash < 0 ? path : path[..slash];
            if (IsDoubleDot(segment))
            {
                writer.DropLastSegment(pathStart);
            }
            else if (!IsDot(segment))
            {
                writer.AppendEscaped(segment, UrlCharacters.PlainInPath);
                if (slash >= 0)
                {
                    writer.Append('/');
                }
            }

            if (slash < 0)
            {
                return;
            }

            path = path[(slash + 1)..];
        }
    }

    private static bool IsDoubleDot(ReadOnlySpan<char> segment) =>
        segment.Length switch
        {
            2 => segment is "..",
            4 => (segment[0] == '.' && IsDot(segment[1..])) || (segment[3] == '.' && IsDot(segment[..3])),
            6 => IsDot(segment[..3]) && IsDot(segment[3..]),
            _ => false,
        };

    private static bool IsDot(ReadOnlySpan<char> segment) => segment is "." or "%2e" or "%2E";

    private static bool StartsWithTwoSlashes(ReadOnlySpan<char> text) => text.Length >= 2 && IsSlash(text[0]) && IsSlash(text[1]);

    private static bool IsSlash(char c) => c is '/' or '\\';
}
