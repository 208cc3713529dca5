namespace Grains.Crawling.Pages;

/// <param name="Text">As an attribute says it, character references resolved: relative, perhaps no URL.</param>
/// <param name="NoFollow">Each that is written so says rel=nofollow.</param>
internal readonly record struct PageReference(string Text, LinkKind Kind, bool NoFollow);

/// <summary>What an HTML page refers to, before anything is made of it: the hot path of a crawl, one pass over the text.</summary>
/// <param name="productToken">Our name: <c>meta name="robots"</c> speaks to all, <c>meta name="OURNAME"</c> to us.</param>
/// <param name="xml">It is XHTML that is served as XML.</param>
internal sealed class PageReferences(string? productToken, bool xml = false)
{
    private readonly List<PageReference> _all = [];
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);

    /// <summary>In the order of the page, each text once, at most <see cref="PageParser.MaxLinks"/>.</summary>
    public IReadOnlyList<PageReference> All => _all;

    /// <summary>How often more were met.</summary>
    public int LeftOut { get; private set; }

    /// <summary>Of the first <c>base</c> with a <c>href</c>: all links start from it, also those before it.</summary>
    public string? Base { get; private set; }

    /// <summary>Of the first <c>title</c>, as it is written but for character references.</summary>
    public string? Title { get; private set; }

    public RobotsDirectives Robots { get; set; }

    public void Read(ReadOnlySpan<char> html)
    {
        Span<HtmlScanner.Attribute> attributes = stackalloc HtmlScanner.Attribute[HtmlScanner.MaxAttributes];
        var scanner = new HtmlScanner(html, attributes, xml);
        var inTitle = false;
        while (true)
        {
            switch (scanner.Read())
            {
                case HtmlTokenKind.End:
                    return;
                case HtmlTokenKind.Text when inTitle:
                    Title = CharacterReferences.InText(PageParser.WrittenTitle(scanner.Text));
                    inTitle = false;
                    break;
                case HtmlTokenKind.StartTag:
                    inTitle = Title is null && scanner.Is("title") && !scanner.WithinForeignContent && !(xml && scanner.SelfClosing);
                    OnStartTag(ref scanner);
                    break;
                case HtmlTokenKind.EndTag:
                    inTitle = false;
                    break;
            }
        }
    }

    /// <summary>What a link with these relations is to a crawler; null for one that leads to no page.</summary>
    public static LinkKind? Kind(ReadOnlySpan<char> relations)
    {
        if (Html.HasWord(relations, "canonical"))
        {
            return LinkKind.Canonical;
        }

        if (Html.HasWord(relations, "next"))
        {
            return LinkKind.Next;
        }

        // An alternate style sheet is a style sheet.
        return Html.HasWord(relations, "alternate") && !Html.HasWord(relations, "stylesheet") ? LinkKind.Alternate : null;
    }

    private void OnStartTag(ref HtmlScanner tag)
    {
        switch (tag.Name.Length)
        {
            case 1 when tag.Is("a"):
            case 4 when tag.Is("area"):
                AddAnchor(ref tag);
                break;
            case 4 when tag.Is("link"):
                AddLink(ref tag);
                break;
            case 4 when tag.Is("meta"):
                OnMeta(ref tag);
                break;
            case 4 when Base is null && tag.Is("base") && tag.TryGet("href", out var href):
                Base = CharacterReferences.InAttribute(href);
                break;
            case 5 when tag.Is("frame"):
            case 6 when tag.Is("iframe"):
                if (tag.TryGet("src", out var source))
                {
                    Add(source, LinkKind.Frame, noFollow: false);
                }

                break;
        }
    }

    private void AddAnchor(ref HtmlScanner tag)
    {
        if (tag.TryGet("href", out var href))
        {
            Add(href, LinkKind.Anchor, tag.TryGet("rel", out var relations) && Html.HasWord(relations, "nofollow"));
        }
    }

    private void AddLink(ref HtmlScanner tag)
    {
        if (tag.TryGet("rel", out var relations) && Kind(relations) is { } kind && tag.TryGet("href", out var href))
        {
            Add(href, kind, noFollow: Html.HasWord(relations, "nofollow"));
        }
    }

    private void OnMeta(ref HtmlScanner tag)
    {
        if (!tag.TryGet("content", out var written))
        {
            return;
        }

        if (tag.TryGet("name", out var name) && IsRobots(name.Trim(Html.Space)))
        {
            var robots = Robots;
            robots.AddMeta(CharacterReferences.InAttribute(written));
            Robots = robots;
        }
        else if (
            tag.TryGet("http-equiv", out var header)
            && header.Trim(Html.Space).Equals("refresh", StringComparison.OrdinalIgnoreCase)
            && RefreshTarget.TryParse(CharacterReferences.InAttribute(written), out var target)
        )
        {
            AddResolved(target.ToString(), target, LinkKind.Refresh, noFollow: false);
        }
    }

    private bool IsRobots(ReadOnlySpan<char> name) =>
        name.Equals("robots", StringComparison.OrdinalIgnoreCase)
        || (productToken is not null && name.Equals(productToken, StringComparison.OrdinalIgnoreCase));

    private void Add(ReadOnlySpan<char> written, LinkKind kind, bool noFollow)
    {
        if (!Known(written, noFollow))
        {
            AddResolved(CharacterReferences.InAttribute(written), written, kind, noFollow);
        }
    }

    private bool Known(ReadOnlySpan<char> written, bool noFollow)
    {
        if (!_places.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(written, out var place))
        {
            return false;
        }

        var known = _all[place];
        _all[place] = known with { NoFollow = known.NoFollow && noFollow };
        return true;
    }

    private void AddResolved(string text, ReadOnlySpan<char> written, LinkKind kind, bool noFollow)
    {
        if (_all.Count == PageParser.MaxLinks)
        {
            LeftOut++;
            return;
        }

        // Most are written as they are meant: then one string serves as both.
        _places.TryAdd(text.Length == written.Length ? text : written.ToString(), _all.Count);
        _all.Add(new(text, kind, noFollow));
    }
}
