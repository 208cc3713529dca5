using System.Collections.Immutable;

namespace Grains.Crawling.Robots;

/// <summary>
/// What a robots.txt says to one crawler: RFC 9309, and Crawl-delay, which is not in it but in use. Immutable; safe to share between
/// threads.
/// </summary>
/// <remarks>
/// Bounds: the first <see cref="MaxBytes"/> are read, without the line that the cut goes through; what comes after counts as not written
/// (<see cref="IsCut"/>). Every rule and sitemap in them is kept.
/// A pattern costs at worst (length of the URL) × (length of a piece between stars).
/// </remarks>
public sealed class RobotsRules
{
    /// <summary>500 KiB, the least that RFC 9309 §2.5 asks for.</summary>
    public const int MaxBytes = 500 * 1024;

    /// <summary>A longer Crawl-delay counts as this.</summary>
    public static readonly TimeSpan MaxCrawlDelay = TimeSpan.FromDays(1);

    private readonly ImmutableArray<RobotsRule> _rules;
    private readonly RobotsVerdict _otherwise;

    internal RobotsRules(
        IEnumerable<RobotsRule> rules,
        TimeSpan? crawlDelay,
        ImmutableArray<string> sitemaps,
        bool isCut = false,
        RobotsVerdict? otherwise = null
    )
    {
        // The first that matches decides: the longest, and Allow where two are equally long (§2.2.2).
        _rules = [.. rules.OrderByDescending(rule => rule.Length).ThenByDescending(rule => rule.Allow).ThenBy(rule => rule.Line)];
        CrawlDelay = crawlDelay;
        Sitemaps = sitemaps;
        IsCut = isCut;
        _otherwise = otherwise ?? new(Allowed: true);
    }

    public static RobotsRules AllowAll { get; } = new([], null, []);

    /// <summary>
    /// The least time between two requests that the group of this crawler asks for, the longest if it does so more than once.
    /// </summary>
    public TimeSpan? CrawlDelay { get; }

    /// <summary>As written, in order: they belong to no group.</summary>
    public ImmutableArray<string> Sitemaps { get; }

    /// <summary>The file is longer than <see cref="MaxBytes"/>: rules behind them are not known.</summary>
    public bool IsCut { get; }

    /// <param name="reason">The rest of a sentence: "robots.txt cannot be reached".</param>
    public static RobotsRules DisallowAll(string reason) => new([], null, [], otherwise: new(Allowed: false, Reason: reason));

    /// <param name="body">
    /// UTF-8, with or without byte order mark. Nothing in it is an error: lines that mean nothing are passed over. One that is longer than
    /// <see cref="MaxBytes"/> says that there was more.
    /// </param>
    /// <param name="productToken">The name of this crawler, compared without case: <c>OrleansCrawler</c>.</param>
    public static RobotsRules Parse(ReadOnlySpan<byte> body, string productToken) => new RobotsReader(productToken).Read(body);

    /// <param name="pathAndQuery">Of a canonical URL. <c>/robots.txt</c> itself is always allowed.</param>
    public RobotsVerdict Allows(string pathAndQuery)
    {
        if (pathAndQuery == "/robots.txt")
        {
            return new(Allowed: true, Reason: "robots.txt itself may always be asked for");
        }

        if (_rules.IsEmpty)
        {
            return _otherwise;
        }

        var comparable = RobotsRule.Comparable(pathAndQuery);
        foreach (var rule in _rules)
        {
            if (rule.Matches(comparable))
            {
                return new(rule.Allow, rule.Line, rule.Text);
            }
        }

        return _otherwise;
    }
}
