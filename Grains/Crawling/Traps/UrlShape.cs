using System.Text.RegularExpressions;
using Grains.Crawling.Urls;

namespace Grains.Crawling.Traps;

/// <summary>
/// What the URLs of a calendar, or of one page with all its facets, have in common: a glob with <c>*</c> for numbers and for the query.
/// Facets that are pairs of segments are found by <see cref="PathFacets"/>: one URL does not show them.
/// </summary>
internal static partial class UrlShape
{
    /// <summary>
    /// The glob of a URL that has a query, a date, a list (<c>/filter/a,b</c>) or matrix parameters (<c>/shoes;color=red</c>) in its path,
    /// as <c>http://a.example/events/*/*</c>, <c>http://a.example/shoes?*</c> or <c>http://a.example/filter/*,*</c>; null of any other. A
    /// path that differs by a plain number is a page like others: <c>/product/17</c>.
    /// </summary>
    public static string? Of(CanonicalUrl url)
    {
        var path = List().Replace(Matrix().Replace(url.Path, ";*"), "*$1*");
        var hasQuery = url.Text.Length > url.Origin.Length + url.Path.Length;
        var dated = Date().Replace(path, "*");
        if (!hasQuery && dated == url.Path)
        {
            return null;
        }

        return $"{url.Origin}{Number().Replace(dated == path ? path : Month().Replace(dated, "*"), "*")}{(hasQuery ? "?*" : "")}";
    }

    public static string? Of(string url) => CanonicalUrl.TryParse(url, baseUrl: null, out var parsed) ? Of(parsed) : null;

    /// <summary>A year, perhaps with a month and a day behind it, and none of them a part of a longer number.</summary>
    [GeneratedRegex(
        @"(?<![0-9])(19|20|21)[0-9]{2}(([-_.]?(0[1-9]|1[0-2])){1}([-_.]?(0[1-9]|[12][0-9]|3[01]))?)?(?![0-9])",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex Date();

    /// <summary>
    /// A month's English name in a dated path, alone or beside a number: <c>/2026/november/</c>, <c>/nov-2026</c>, <c>/1-Nov-2026</c>.
    /// </summary>
    [GeneratedRegex(
        @"(?<=[/*]|[*0-9][-_.])(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sept?(ember)?|oct(ober)?|nov(ember)?"
            + @"|dec(ember)?)(?=$|/|[-_.]?[*0-9])",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase
    )]
    private static partial Regex Month();

    /// <summary>Parameters of a segment, up to its end: <c>;color=red;size=xl</c>.</summary>
    [GeneratedRegex(";[^/]*", RegexOptions.CultureInvariant)]
    private static partial Regex Matrix();

    /// <summary>
    /// A segment that is a list: <c>a,b,c</c>, <c>a|b</c>, <c>a+b</c>, <c>a=1&amp;b=2</c>; a comma or a bar may be escaped.
    /// </summary>
    [GeneratedRegex(@"(?<=/)[^/;,|+&]+(,|\||\+|&|%2c|%7c)[^/;]+(?=$|[/;])", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex List();

    [GeneratedRegex("[0-9]+", RegexOptions.CultureInvariant)]
    private static partial Regex Number();
}
