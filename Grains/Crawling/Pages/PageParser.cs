using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using Grains.Crawling.Urls;

namespace Grains.Crawling.Pages;

/// <summary>
/// Reads title, links and wishes to robots out of an answer. Of what is not <c>text/html</c> or <c>application/xhtml+xml</c> only the wishes in its header are read.
/// Never fails: whatever a page is, a browser shows something too.
/// </summary>
public static class PageParser
{
    /// <summary>Of one page. What is written alike counts once.</summary>
    public const int MaxLinks = 10_000;

    /// <summary>In characters (UTF-16).</summary>
    public const int MaxTitle = 300;

    // As much of a title is looked at: white space and references may make it shorter.
    private const int MaxWrittenTitle = 4096;

    /// <param name="answer">Of any status. Redirects lead where <see cref="PageFetch.Location"/> says, which is not among the links.</param>
    /// <param name="url">Which URL answered: relative links start from it.</param>
    /// <param name="productToken">Our name in robots.txt: X-Robots-Tag and meta may speak to it alone.</param>
    public static ParsedPage Parse(PageFetch answer, CanonicalUrl url, string? productToken = null)
    {
        var robots = default(RobotsDirectives);
        foreach (var header in answer.RobotsTags)
        {
            robots.AddHeader(header, productToken);
        }

        if (answer.Failure != FetchFailure.None || !answer.ContentType.IsHtml)
        {
            return new() { NoIndex = robots.NoIndex, NoFollow = robots.NoFollow };
        }

        var bytes = answer.Body.Span;
        var encoding = PageText.Detect(bytes, answer.ContentType.Charset, answer.Truncated, out var mark);
        bytes = bytes[mark..];
        var room = ArrayPool<char>.Shared.Rent(encoding.GetMaxCharCount(bytes.Length));
        try
        {
            return Parse(room.AsSpan(0, encoding.GetChars(bytes, room)), answer, url, productToken, robots) with { Charset = encoding.WebName };
        }
        finally
        {
            ArrayPool<char>.Shared.Return(room);
        }
    }

    private static ParsedPage Parse(ReadOnlySpan<char> html, PageFetch answer, CanonicalUrl url, string? productToken, RobotsDirectives robots)
    {
        var found = new FoundLinks();
        var references = new PageReferences(productToken) { Robots = robots };
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
            found.Add(reference.Text, start, reference.Kind, reference.NoFollow);
        }

        return new()
        {
            Title = references.Title is { } title ? Collapsed(title) : null,
            Links = found.ToArray(),
            LinksLeftOut = references.LeftOut + found.LeftOut,
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

        public void Add(ReadOnlySpan<char> text, CanonicalUrl start, LinkKind kind, bool noFollow)
        {
            if (!CanonicalUrl.TryParse(text, start, out var url))
            {
                // mailto:, javascript:, and what is no URL at all.
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
