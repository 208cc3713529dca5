using System.Collections.Immutable;
using System.Numerics;

namespace Grains.Crawling.Traps;

/// <summary>
/// Finds facets that a host spells as path segments: pairs of a name and a value (<c>/shoes/color/red/size/xl</c>), or both in one segment
/// (<c>/shoes/c-red/s-xl</c>). No URL shows by itself that it is one. It shows beside others: the name of a facet floats, which means that
/// it stands at several places behind the same beginning, with several values. The directories of a site stand where they are.
/// </summary>
/// <remarks>
/// It is told of the URLs that come in, and remembers a bounded number of characters of them. URLs with one facet have no shape: they are
/// the listings that a crawl wants, and there are not many.
/// </remarks>
internal sealed class PathFacets
{
    /// <summary>Names of one trap that are stored with it.</summary>
    public const int MaxNames = 64;

    /// <summary>Values by which the name of the first facet is known; in sites that sort facets it never floats.</summary>
    private const int ManyValues = 3;

    /// <summary>Segments of a path that are looked at; the path of a URL with more has no shape.</summary>
    private const int MaxSegments = 32;

    /// <summary>Characters that are remembered; then it starts anew.</summary>
    public const int MaxCharacters = 64 * 1024;

    /// <summary>Between a name and its value in one segment.</summary>
    private static readonly char[] Separators = ['-', '_', ':', '=', '~'];

    /// <summary>What counts pages in a path is no facet: a list has an end.</summary>
    private static readonly ImmutableHashSet<string> Paging = ["page", "p", "pg", "pages", "offset", "start"];

    private Dictionary<(string Beginning, string Name), Name>? _names;

    /// <summary>That are remembered.</summary>
    public int Characters { get; private set; }

    /// <summary>Takes a URL that came in.</summary>
    public void Learn(string url)
    {
        foreach (var facets in Readings(url))
        {
            for (var place = 0; place < facets.Pairs.Length; place++)
            {
                Learn(facets.Beginning, facets.Pairs[place], place);
            }
        }
    }

    /// <summary>
    /// The facets of a URL, as far as it is known by now that they are some; null: it has fewer than two, or one of them does not float.
    /// Where it can be read in several ways, the one with the shortest beginning in which all names float wins, and after these the one in
    /// which all but the first float.
    /// </summary>
    public FacetPath? Find(string url)
    {
        FacetPath? sorted = null;
        foreach (var facets in _names is null ? [] : Readings(url))
        {
            if (!facets.Pairs.Skip(1).All(pair => Floats(facets.Beginning, pair.Name)))
            {
                continue;
            }

            if (Floats(facets.Beginning, facets.Pairs[0].Name))
            {
                return facets;
            }

            sorted ??= Known(facets.Beginning, facets.Pairs[0].Name)?.Values.Count >= ManyValues ? facets : null;
        }

        return sorted;
    }

    /// <summary>The names that are known to float behind the beginning of a shape, at most <see cref="MaxNames"/>.</summary>
    public ImmutableArray<string> Names(FacetPath facets) =>
        [
            .. (_names ?? [])
                .Where(known =>
                    known.Key.Beginning == facets.Beginning && (known.Value.Floats || facets.Pairs.Any(pair => pair.Name == known.Key.Name))
                )
                .Select(known => known.Key.Name)
                .Order(StringComparer.Ordinal)
                .Take(MaxNames),
        ];

    /// <summary>
    /// A URL has two facets or more with these names behind the beginning of this shape: whatever else its path has, it is one of them.
    /// </summary>
    public static bool IsOf(string shape, ImmutableArray<string> names, string url) =>
        url.AsSpan().StartsWith(shape.AsSpan(0, shape.IndexOf('*', StringComparison.Ordinal)), StringComparison.Ordinal)
        && Readings(url).Any(facets => facets.Shape == shape && facets.Pairs.Count(pair => names.Contains(pair.Name)) >= 2);

    /// <summary>Each way in which the path of a URL is two facets or more, those with the shortest beginning first.</summary>
    private static IEnumerable<FacetPath> Readings(string url)
    {
        var path = url.IndexOf('/', url.IndexOf("://", StringComparison.Ordinal) + 3);
        if (path < 0 || url.Contains('?', StringComparison.Ordinal) || url.AsSpan(path).Count('/') is < 2 or > MaxSegments)
        {
            yield break;
        }

        var segments = url[path..].Split('/', StringSplitOptions.RemoveEmptyEntries);
        var length = WithoutPaging(segments);
        for (var first = 0; first <= length - 2; first++)
        {
            var beginning = $"{url.AsSpan(0, path)}/{string.Concat(segments.Take(first).Select(segment => segment + "/"))}";
            if (length - first >= 4 && (length - first) % 2 == 0)
            {
                var names = Enumerable.Range(0, (length - first) / 2).Select(pair => first + (2 * pair));
                yield return new(beginning, [.. names.Select(name => (segments[name], segments[name + 1]))], IsJoined: false);
            }

            var joined = segments[first..length].Select(Joined).OfType<(string, string)>().ToImmutableArray();
            if (joined.Length == length - first)
            {
                yield return new(beginning, joined, IsJoined: true);
            }
        }
    }

    /// <summary>How many segments stand before <c>page/2</c> or <c>page-2</c> at the end.</summary>
    private static int WithoutPaging(string[] segments) =>
        segments.Length >= 2 && IsPaging(segments[^2]) && segments[^1].All(char.IsAsciiDigit) ? segments.Length - 2
        : segments.Length >= 1 && Joined(segments[^1]) is { } last && IsPaging(last.Name) ? segments.Length - 1
        : segments.Length;

    private static bool IsPaging(string name) => Paging.Contains(name.TrimEnd(Separators).ToLowerInvariant());

    /// <summary><c>c-red</c>: the name with what separates it from its value. Null: there is no such thing in it.</summary>
    private static (string Name, string Value)? Joined(string segment)
    {
        var separator = segment.IndexOfAny(Separators);
        return separator > 0 && separator < segment.Length - 1 ? (segment[..(separator + 1)], segment[(separator + 1)..]) : null;
    }

    private bool Floats(string beginning, string name) =>
        !IsPaging(name) && name.Any(char.IsLetter) && Known(beginning, name)?.Floats == true;

    private Name? Known(string beginning, string name) => _names?.GetValueOrDefault((beginning, name));

    private void Learn(string beginning, (string Name, string Value) pair, int place)
    {
        _names ??= [];
        if (!_names.TryGetValue((beginning, pair.Name), out var known))
        {
            Characters += beginning.Length + pair.Name.Length;
            if (Characters > MaxCharacters)
            {
                _names.Clear();
                Characters = beginning.Length + pair.Name.Length;
            }

            _names.Add((beginning, pair.Name), known = new());
        }

        known.Places |= 1u << place;
        if (known.Values.Count < ManyValues && !known.Values.Contains(pair.Value))
        {
            known.Values.Add(pair.Value);
        }
    }

    private sealed class Name
    {
        public uint Places { get; set; }

        /// <summary>Some of them.</summary>
        public List<string> Values { get; } = [];

        public bool Floats => BitOperations.PopCount(Places) > 1 && Values.Count > 1;
    }
}

/// <summary>A URL whose path ends with facets.</summary>
/// <param name="Beginning">Of the URL, with the slash before the first facet.</param>
/// <param name="Pairs">In the order of the path; a name that is joined to its value has the separator at its end.</param>
/// <param name="IsJoined">A name and its value are one segment.</param>
internal sealed record FacetPath(string Beginning, ImmutableArray<(string Name, string Value)> Pairs, bool IsJoined)
{
    /// <summary>A glob that matches the URLs with two facets or more behind this beginning, whatever their order.</summary>
    public string Shape => Beginning + (IsJoined ? "*" + Pairs[0].Name[^1] + "*/*" + Pairs[1].Name[^1] + "*" : "*/*/*/*");
}
