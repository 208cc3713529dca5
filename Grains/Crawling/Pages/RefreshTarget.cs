namespace Grains.Crawling.Pages;

/// <summary>Where <c>5; url=/next</c> leads, by the HTML standard's steps for a declarative refresh (§4.2.5.3).</summary>
internal static class RefreshTarget
{
    /// <summary>False when it is no refresh, or one of the page itself.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out ReadOnlySpan<char> target)
    {
        target = default;
        text = text.TrimStart(Html.Space);
        var afterTime = text.TrimStart("0123456789.");
        if (afterTime.Length == text.Length || afterTime.IsEmpty)
        {
            return false;
        }

        text = afterTime;
        var afterSpace = text.TrimStart(Html.Space);
        if (afterSpace.Length == text.Length && text[0] is not (';' or ','))
        {
            return false;
        }

        if (afterSpace is [';' or ',', ..])
        {
            afterSpace = afterSpace[1..].TrimStart(Html.Space);
        }

        target = Unquoted(WithoutName(afterSpace)).Trim(Html.Space);
        return !target.IsEmpty;
    }

    private static ReadOnlySpan<char> WithoutName(ReadOnlySpan<char> text)
    {
        if (!text.StartsWith("url", StringComparison.OrdinalIgnoreCase))
        {
            return text;
        }

        var rest = text[3..].TrimStart(Html.Space);
        return rest is ['=', ..] ? rest[1..].TrimStart(Html.Space) : text;
    }

    private static ReadOnlySpan<char> Unquoted(ReadOnlySpan<char> text)
    {
        if (text is not ['"' or '\'', ..])
        {
            return text;
        }

        var end = text[1..].IndexOf(text[0]);
        return end < 0 ? text[1..] : text.Slice(1, end);
    }
}
