using System.Globalization;

namespace Grains.Crawling.Pages;

/// <summary>
/// What meta robots and X-Robots-Tag ask for: <c>noindex</c>, <c>nofollow</c>, <c>none</c> for both, and <c>unavailable_after</c> a date,
/// which once it has passed is as <c>none</c>. Other words are passed over. What is asked for once is asked for: nothing takes it back.
/// </summary>
/// <param name="now">Against which dates are held.</param>
internal struct RobotsDirectives(DateTimeOffset now)
{
    private const string UnavailableAfter = "unavailable_after";

    /// <summary>Commas that a date may hold: <c>Friday, June 25, 2010</c>.</summary>
    private const int MaxCommas = 2;

    /// <summary>RFC 822 §5: zones by name, beside those that .NET knows.</summary>
    private static readonly (string Name, string Offset)[] Zones =
    [
        (" UTC", "Z"),
        (" UT", "Z"),
        (" EST", "-05:00"),
        (" EDT", "-04:00"),
        (" CST", "-06:00"),
        (" CDT", "-05:00"),
        (" MST", "-07:00"),
        (" MDT", "-06:00"),
        (" PST", "-08:00"),
        (" PDT", "-07:00"),
        (" CET", "+01:00"),
        (" CEST", "+02:00"),
    ];

    public bool NoIndex { get; private set; }

    public bool NoFollow { get; private set; }

    /// <summary>The content of a meta element that speaks to us.</summary>
    public void AddMeta(ReadOnlySpan<char> content) => Add(content, productToken: null);

    /// <param name="header">
    /// One field value. <c>name:</c> before a word speaks from there on to the crawler of that name alone; what stands before the first
    /// name speaks to all.
    /// </param>
    /// <param name="productToken">Our name, compared without case.</param>
    public void AddHeader(ReadOnlySpan<char> header, string? productToken) => Add(header, productToken);

    private void Add(ReadOnlySpan<char> rest, string? productToken)
    {
        var forUs = true;
        while (!(rest = rest.TrimStart(" \t\r\n\f,;")).IsEmpty)
        {
            var end = rest.IndexOf(',');
            var part = end < 0 ? rest : rest[..end];
            var colon = part.IndexOf(':');
            var name = colon < 0 ? default : part[..colon].Trim();
            if (colon < 0)
            {
                AddWords(part, forUs);
                rest = rest[part.Length..];
            }
            else if (name.Equals(UnavailableAfter, StringComparison.OrdinalIgnoreCase))
            {
                rest = rest[(colon + 1)..];
                rest = rest[AddDate(rest, forUs)..];
            }
            else if (IsCrawler(name))
            {
                forUs = IsUs(name, productToken);
                rest = rest[(colon + 1)..];
            }
            else
            {
                rest = rest[part.Length..]; // "max-snippet: 5", or a date that nobody announced.
            }
        }
    }

    private void AddWords(ReadOnlySpan<char> words, bool forUs)
    {
        foreach (var range in words.SplitAny(" \t\r\n\f;"))
        {
            var word = words[range];
            var none = word.Equals("none", StringComparison.OrdinalIgnoreCase);
            NoIndex |= forUs && (none || word.Equals("noindex", StringComparison.OrdinalIgnoreCase));
            NoFollow |= forUs && (none || word.Equals("nofollow", StringComparison.OrdinalIgnoreCase));
        }
    }

    /// <summary>
    /// How much of the text the date takes: dates may hold commas, and what follows one may be a directive. What is no date ends at the
    /// first comma.
    /// </summary>
    private int AddDate(ReadOnlySpan<char> text, bool forUs)
    {
        Span<int> ends = stackalloc int[MaxCommas + 1];
        var found = 0;
        for (var at = 0; found < ends.Length; at = ends[found - 1] + 1)
        {
            var comma = text[at..].IndexOf(',');
            ends[found++] = comma < 0 ? text.Length : at + comma;
            if (comma < 0)
            {
                break;
            }
        }

        for (var i = found - 1; i >= 0; i--)
        {
            if (TryParseDate(text[..ends[i]], out var date))
            {
                NoIndex |= forUs && date <= now;
                NoFollow |= forUs && date <= now;
                return ends[i];
            }
        }

        return ends[0];
    }

    /// <summary>RFC 822 and 1123, RFC 850, asctime, ISO 8601, and what a person writes in English; without a zone it is UTC.</summary>
    private static bool TryParseDate(ReadOnlySpan<char> text, out DateTimeOffset date)
    {
        var words = WithoutWeekday(text.Trim()).ToString();
        foreach (var (name, offset) in Zones)
        {
            if (words.EndsWith(name, StringComparison.OrdinalIgnoreCase))
            {
                words = words[..^name.Length] + offset;
                break;
            }
        }

        const DateTimeStyles Styles = DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowWhiteSpaces;
        return DateTimeOffset.TryParse(words, CultureInfo.InvariantCulture, Styles, out date)
            || DateTimeOffset.TryParseExact(words, "MMM d HH:mm:ss yyyy", CultureInfo.InvariantCulture, Styles, out date);
    }

    /// <summary>A day of the week says nothing that the date does not, and may be wrong.</summary>
    private static ReadOnlySpan<char> WithoutWeekday(ReadOnlySpan<char> text)
    {
        var end = 0;
        while (end < text.Length && char.IsAsciiLetter(text[end]))
        {
            end++;
        }

        foreach (var day in CultureInfo.InvariantCulture.DateTimeFormat.DayNames)
        {
            if (end >= 3 && day.AsSpan().StartsWith(text[..end], StringComparison.OrdinalIgnoreCase))
            {
                return text[end..].TrimStart(" .,");
            }
        }

        return text;
    }

    /// <summary>A name of a crawler, as opposed to a directive with a value or a piece of a date.</summary>
    private static bool IsCrawler(ReadOnlySpan<char> name) =>
        name is [var first, ..]
        && (char.IsAsciiLetter(first) || first is '_' or '*')
        && name.IndexOfAny(" \t") < 0
        && !name.StartsWith("max-", StringComparison.OrdinalIgnoreCase);

    /// <summary>What follows the name, as a version does, is passed over.</summary>
    private static bool IsUs(ReadOnlySpan<char> name, string? productToken)
    {
        var end = name.IndexOfAny('/', '*');
        return name is "*"
            || (productToken is not null && (end < 0 ? name : name[..end]).Equals(productToken, StringComparison.OrdinalIgnoreCase));
    }
}
