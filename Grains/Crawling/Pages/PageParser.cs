using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using Grains.Crawling.Urls;

namespace Grains.Crawling.Pages;

/// <summary>
/// Reads title, links and wishes to robots out of an answer that is HTML, or XML whose root is in the namespace of XHTML; what it is, <see
/// cref="MimeSniffer"/> says. Of anything else only the wishes in its header are read. Never fails: whatever a page is, a browser shows
/// something too.
/// </summary>
public static class PageParser
{
    /// <summary>Of one page. What is written alike counts once.</summary>
    public const int MaxLinks = 10_000;

    /// <summary>In characters (UTF-16).</summary>
    public const int MaxTitle = 300;

    // As much of a title is looked at: white space and references may make it shorter.
    private const int MaxWrittenTitle = 4096;

    /// <param name="answer">Of any status. Redirects lead where <see cref="PageFetch.Location"/> says, which is not among the
    /// links.</param>
    /// <param name="url">Which URL answered: relative links start from it.</param>
    /// <param name="productToken">Our name in robots.txt: X-Robots-Tag and meta may speak to it alone.</param>
    /// <param name="now">What <c>unavailable_after</c> is held against; left out, no date has passed.</param>
    public static ParsedPage Parse(PageFetch answer, CanonicalUrl url, string? productToken = null, DateTimeOffset now = default)
    {
        var robots = new RobotsDirectives(now);
        foreach (var header in answer.RobotsTags)
        {
            robots.AddHeader(header, productToken);
        }

        if (answer.Failure != FetchFailure.None)
        {
            return new() { NoIndex = robots.NoIndex, NoFollow = robots.NoFollow };
        }

        var bytes = answer.Body.Span;
        var said = answer.ContentType;
        var type = new ContentType(MimeSniffer.Type(said.MediaType, answer.NoSniff, answer.IsPlainByDefault, bytes), said.Charset);
        var unread = new ParsedPage
        {
            MediaType = type.MediaType,
            NoIndex = robots.NoIndex,
            NoFollow = robots.NoFollow,
        };
        if (!type.IsHtml && !type.IsXml)
        {
            return unread;
        }

        var encoding = PageText.Detect(bytes, type.Charset, type.IsXml, answer.Truncated, out var mark);
        bytes = bytes[mark..];
        var room = ArrayPool<char>.Shared.Rent(encoding.GetMaxCharCount(bytes.Length));
        try
        {
            var text = room.AsSpan(0, encoding.GetChars(bytes, room));
            if (!type.IsHtml && !IsXhtml(text))
            {
                return unread;
            }

            var references = new PageReferences(productToken, type.IsXml) { Robots = robots };
            return Parse(text, answer, url, references, EncodingLabels.ForQueries(encoding)) with
            {
                Charset = encoding.WebName,
                MediaType = type.MediaType,
            };
        }
        finally
        {
            ArrayPool<char>.Shared.Return(room);
        }
    }

    /// <summary>The root element says that it is XHTML.</summary>
    private static bool IsXhtml(ReadOnlySpan<char> xml)
    {
        Span<HtmlScanner.Attribute> attributes = stackalloc HtmlScanner.Attribute[HtmlScanner.MaxAttributes];
        var scanner = new HtmlScanner(xml, attributes, xml: true);
        while (scanner.Read() is var token and not HtmlTokenKind.End)
        {
            if (token == HtmlTokenKind.StartTag)
            {
                return scanner.TryGet("xmlns", out var name) && name.Trim(Html.Space) is "http://www.w3.org/1999/xhtml";
            }
        }

        return false;
    }

    /// <param name="queries">In what the queries of its links are escaped; null: UTF-8. Links in header fields have no page.</param>
    private static ParsedPage Parse(
        ReadOnlySpan<char> html,
        PageFetch answer,
        CanonicalUrl url,
        PageReferences references,
        Encoding? queries
    )
    {
        var found = new FoundLinks();
        references.Read(html);

        foreach (var header in answer.Links)
        {
            var links = new LinkHeader(header);
            while (links.Read())
            {
                if (PageReferences.Kind(links.Relation) is { } kind)
                {
                    found.Add(links.Target, url, kind, noFollow: false);
                }
            }
        }

        if (answer.Refresh is { } refresh && RefreshTarget.TryParse(refresh, out var target))
        {
            found.Add(target, url, LinkKind.Refresh, noFollow: false);
        }

        var start = references.Base is { } written && CanonicalUrl.TryParse(written, url, out var baseUrl) ? baseUrl : url;
        foreach (var reference in references.All)
        {
            found.Add(reference.Text, start, reference.Kind, reference.NoFollow, queries);
        }

        return new()
        {
            Title = references.Title is { } title ? Collapsed(title) : null,
            Links = found.ToArray(),
            LinksLeftOut = references.LeftOut + found.LeftOut,
            LinksTooLong = found.TooLong,
            Canonical = found.Canonical,
            NoIndex = references.Robots.NoIndex,
            NoFollow = references.Robots.NoFollow,
        };
    }

    internal static string? Collapsed(string title)
    {
        var text = new StringBuilder(Math.Min(title.Length, MaxTitle));
        foreach (var part in title.AsSpan().SplitAny(Html.Space))
        {
            var word = title.AsSpan(part);
            if (word.IsEmpty)
            {
                continue;
            }

            if (text.Length > 0)
            {
                text.Append(' ');
            }

            text.Append(word[..Math.Min(word.Length, MaxTitle)]);
            if (text.Length >= MaxTitle)
            {
                // Half a character is none.
                text.Length = char.IsHighSurrogate(text[MaxTitle - 1]) ? MaxTitle - 1 : MaxTitle;
                break;
            }
        }

        var collapsed = text.ToString().TrimEnd();
        return collapsed.Length == 0 ? null : collapsed;
    }

    internal static ReadOnlySpan<char> WrittenTitle(ReadOnlySpan<char> text) => text[..Math.Min(text.Length, MaxWrittenTitle)];

    /// <summary>Each URL once, in the order in which it was found.</summary>
    private sealed class FoundLinks
    {
        private readonly List<PageLink> _links = [];
        private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);

        public CanonicalUrl? Canonical { get; private set; }

        public int LeftOut { get; private set; }

        public int TooLong { get; private set; }

        public void Add(ReadOnlySpan<char> text, CanonicalUrl start, LinkKind kind, bool noFollow, Encoding? queries = null)
        {
            var fault = UrlParser.Parse(text, start, out var url, queries);
            if (url is null)
            {
                // Else mailto:, javascript:, and what is no URL at all.
                TooLong += fault == UrlFault.TooLong ? 1 : 0;
                return;
            }

            if (kind == LinkKind.Canonical)
            {
                Canonical ??= url;
            }

            if (_places.TryGetValue(url.Text, out var place))
            {
                _links[place] = _links[place] with { NoFollow = _links[place].NoFollow && noFollow };
            }
            else if (_links.Count == MaxLinks)
            {
                LeftOut++;
            }
            else
            {
                _places.Add(url.Text, _links.Count);
                _links.Add(new(url, kind, noFollow));
            }
        }

        public ImmutableArray<PageLink> ToArray() => [.. _links];
    }
}
