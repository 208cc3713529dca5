using System.Collections.Immutable;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Urls;

/// <summary>What a crawl does with the query of a link: parameters are dropped by their names, and sorted.</summary>
internal sealed class QueryRules(CrawlSpec spec)
{
    private readonly ImmutableArray<Glob> _drop = spec.DropParams.IsDefaultOrEmpty
        ? []
        : [.. spec.DropParams.Select(name => new Glob(name, onePerQuestionMark: true))];

    /// <summary>The link as the crawl knows it. Applied twice, it changes nothing.</summary>
    public CanonicalUrl Apply(CanonicalUrl url)
    {
        var start = url.Text.IndexOf('?', StringComparison.Ordinal);
        if (start < 0 || (_drop.IsEmpty && !spec.SortParams))
        {
            return url;
        }

        var parameters = url.Text[(start + 1)..].Split('&').Where(parameter => !IsDropped(Name(parameter))).ToList();
        var sorted = spec.SortParams ? parameters.OrderBy(Name, StringComparer.Ordinal) : parameters.AsEnumerable();
        var query = string.Join('&', sorted);
        var text = query.Length == 0 ? url.Text[..start] : $"{url.Text[..start]}?{query}";
        return CanonicalUrl.TryParse(text, baseUrl: null, out var changed) ? changed : url;
    }

    private bool IsDropped(string name) => _drop.Any(glob => glob.IsMatch(name));

    private static string Name(string parameter) => parameter.Split('=')[0];
}
