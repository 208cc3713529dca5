using System.Buffers;
using Grains.Crawling.Urls;

namespace Grains.Crawling.Robots;

/// <summary>One Allow or Disallow line. RFC 9309 §2.2.2 and §2.2.3.</summary>
internal sealed class RobotsRule
{
    private const string Unreserved = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

    // Apart from the star and the dollar sign, which have a meaning in patterns, and from the apostrophe: the URL standard
    // escapes it in queries, so it counts as escaped everywhere.
    private const string Reserved = ":/?#[]@!&()+,;=";

    private static readonly SearchValues<char> PlainInUrl = SearchValues.Create(Unreserved + Reserved);
    private static readonly SearchValues<char> PlainInPattern = SearchValues.Create(Unreserved + Reserved + "*");

    private readonly Glob _glob;

    private RobotsRule(bool allow, int line, string text, string pattern, bool anchored)
    {
        Allow = allow;
        Line = line;
        Text = text;
        Length = pattern.Length + (anchored ? 1 : 0);
        _glob = new(anchored ? pattern : pattern + "*", onePerQuestionMark: false);
    }

    public bool Allow { get; }

    public int Line { get; }

    public string Text { get; }

    /// <summary>In octets, escapes as they are compared: the longest matching rule decides.</summary>
    public int Length { get; }

    /// <summary>Null when the pattern can match nothing: it is empty, or begins with neither slash nor star.</summary>
    public static RobotsRule? Read(bool allow, int line, string text, string pattern)
    {
        if (pattern.Length == 0 || pattern[0] is not ('/' or '*'))
        {
            return null;
        }

        var anchored = pattern[^1] == '$';
        return new(allow, line, text, Normalize(anchored ? pattern[..^1] : pattern, PlainInPattern), anchored);
    }

    /// <summary>
    /// The form in which a URL is compared: unreserved characters as they are, all others but the delimiters of URLs as escapes.
    /// </summary>
    public static string Comparable(string pathAndQuery) =>
        pathAndQuery.AsSpan().ContainsAnyExcept(PlainInUrl) ? Normalize(pathAndQuery, PlainInUrl) : pathAndQuery;

    /// <param name="comparable">From <see cref="Comparable"/>.</param>
    public bool Matches(string comparable) => _glob.IsMatch(comparable);

    private static string Normalize(string text, SearchValues<char> plain)
    {
        // A UTF-16 character becomes three escaped octets at most.
        var buffer = ArrayPool<char>.Shared.Rent(9 * text.Length);
        var writer = new UrlWriter(buffer);
        writer.AppendEscaped(text, plain);
        var normal = writer.Written.ToString();
        ArrayPool<char>.Shared.Return(buffer);
        return normal;
    }
}
