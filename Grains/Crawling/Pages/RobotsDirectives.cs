namespace Grains.Crawling.Pages;

/// <summary>What meta robots and X-Robots-Tag ask for: <c>noindex</c>, <c>nofollow</c>, and <c>none</c> for both. Other words are passed over.</summary>
internal struct RobotsDirectives
{
    public bool NoIndex { get; private set; }

    public bool NoFollow { get; private set; }

    /// <summary>Words between commas.</summary>
    public void AddMeta(ReadOnlySpan<char> content)
    {
        foreach (var part in content.Split(','))
        {
            Add(content[part].Trim());
        }
    }

    /// <summary>The same, but <c>name:</c> before a word speaks from there on to the crawler of that name alone.</summary>
    /// <param name="header">One field value.</param>
    /// <param name="productToken">Our name.</param>
    public void AddHeader(ReadOnlySpan<char> header, string? productToken)
    {
        var forUs = true;
        foreach (var part in header.Split(','))
        {
            var word = header[part].Trim();
            var colon = word.IndexOf(':');
            if (colon >= 0)
            {
                var name = word[..colon].Trim();
                if (HasValue(name))
                {
                    continue;
                }

                forUs = productToken is not null && name.Equals(productToken, StringComparison.OrdinalIgnoreCase);
                word = word[(colon + 1)..].Trim();
            }

            if (forUs)
            {
                Add(word);
            }
        }
    }

    private void Add(ReadOnlySpan<char> word)
    {
        var none = word.Equals("none", StringComparison.OrdinalIgnoreCase);
        NoIndex |= none || word.Equals("noindex", StringComparison.OrdinalIgnoreCase);
        NoFollow |= none || word.Equals("nofollow", StringComparison.OrdinalIgnoreCase);
    }

    private static bool HasValue(ReadOnlySpan<char> name) =>
        name.Equals("unavailable_after", StringComparison.OrdinalIgnoreCase) || name.StartsWith("max-", StringComparison.OrdinalIgnoreCase);
}
