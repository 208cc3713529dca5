namespace Grains.Crawling.Urls;

/// <summary>Whether a URL belongs to a crawl.</summary>
/// <param name="Reason">One of the words below when it is out; null when it is in.</param>
/// <param name="Says">A sentence that names the seed or the pattern that decided.</param>
public readonly record struct BoundaryDecision(bool In, string? Reason, string Says)
{
    public const string Scope = "scope";

    public const string Exclude = "exclude";

    public const string Include = "include";

    public const string Depth = "depth";

    /// <summary>Also the word for the books.</summary>
    public const string PathDepth = "path-depth";

    /// <summary>Also the word for the books.</summary>
    public const string Repeats = "repeated-segments";

    internal static BoundaryDecision Takes(string says) => new(true, null, says);

    internal static BoundaryDecision Refuses(string reason, string says) => new(false, reason, says);
}
