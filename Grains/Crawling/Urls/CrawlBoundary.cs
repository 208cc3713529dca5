using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Urls;

/// <summary>
/// Which URLs belong to a crawl. Asked in this order: scope, exclude, include, depth; the first that says no decides.
/// Seeds are held to the patterns like every other URL. Safe to share between threads; deciding allocates nothing.
/// </summary>
public sealed class CrawlBoundary
{
    private readonly SeedScope _scope;
    private readonly ImmutableArray<(UrlPattern Pattern, BoundaryDecision Decision)> _exclude;
    private readonly ImmutableArray<(UrlPattern Pattern, BoundaryDecision Decision)> _include;
    private readonly ImmutableArray<(UrlPattern Pattern, BoundaryDecision Decision)> _walk;
    private readonly UrlTraps _traps;
    private readonly QueryRules _query;
    private readonly BoundaryDecision _notIncluded;
    private readonly int _maxDepth;
    private readonly BoundaryDecision _tooDeep;

    private CrawlBoundary(
        CrawlSpec spec,
        ImmutableArray<CanonicalUrl> seeds,
        ImmutableArray<UrlPattern> include,
        ImmutableArray<UrlPattern> exclude,
        ImmutableArray<UrlPattern> walk
    )
    {
        Seeds = seeds;
        _scope = new(spec, seeds);
        _exclude =
        [
            .. exclude.Select(pattern =>
                (pattern, BoundaryDecision.Refuses(BoundaryDecision.Exclude, $"It matches the exclude pattern {pattern.Text}."))
            ),
        ];
        _include =
        [
            .. include.Select(pattern =>
                (pattern, BoundaryDecision.Takes($"It is in scope and matches the include pattern {pattern.Text}."))
            ),
        ];
        _walk =
        [
            .. walk.Select(pattern =>
                (pattern, BoundaryDecision.Takes($"It is in scope and matches the walk pattern {pattern.Text}: its links are followed."))
            ),
        ];
        _traps = new(spec);
        _query = new(spec);
        _notIncluded = BoundaryDecision.Refuses(
            BoundaryDecision.Include,
            include.Length == 1
                ? $"It does not match the include pattern {include[0].Text}."
                : $"It matches none of the {include.Length} include patterns."
        );
        _maxDepth = spec.MaxDepth ?? int.MaxValue;
        _tooDeep = BoundaryDecision.Refuses(BoundaryDecision.Depth, $"It is more than {_maxDepth} steps from a seed.");
    }

    /// <summary>Canonical, each once, in the order given.</summary>
    public ImmutableArray<CanonicalUrl> Seeds { get; }

    /// <param name="errors">What is wrong with the seeds and patterns, a sentence each; empty when nothing is.</param>
    public static bool TryCreate(CrawlSpec spec, [NotNullWhen(true)] out CrawlBoundary? boundary, out ImmutableArray<string> errors)
    {
        boundary = null;
        var wrong = ImmutableArray.CreateBuilder<string>();
        var seeds = ParseSeeds(spec.Seeds, wrong);
        var include = ParsePatterns("include", spec.Include, wrong);
        var exclude = ParsePatterns("exclude", spec.Exclude, wrong);
        var walk = ParsePatterns("walk", spec.Walk, wrong);
        if (wrong.Count == 0)
        {
            boundary = new(spec, seeds, include, exclude, walk);
            boundary.CheckSeeds(wrong);
        }

        errors = wrong.ToImmutable();
        boundary = errors.IsEmpty ? boundary : null;
        return boundary is not null;
    }

    /// <param name="depth">Steps from a seed; 0 is a seed.</param>
    /// <param name="from">The page of the crawl that leads to it; null: none is known.</param>
    public BoundaryDecision Decide(CanonicalUrl url, int depth, CanonicalUrl? from = null) => Decide(url, depth, _scope.Decide(url, from));

    /// <summary>Of a seed that comes after the first ones (<see cref="CrawlSpec.MoreSeeds"/>).</summary>
    public BoundaryDecision DecideSeed(CanonicalUrl url) => Decide(url, depth: 0, _scope.DecideSeed(url));

    private BoundaryDecision Decide(CanonicalUrl url, int depth, BoundaryDecision decision)
    {
        if (!decision.In)
        {
            return decision;
        }

        if (FirstMatch(_exclude, url) is { } excluded)
        {
            return excluded;
        }

        if (!_include.IsEmpty)
        {
            decision = FirstMatch(_include, url) ?? FirstMatch(_walk, url) ?? _notIncluded;
        }

        return !decision.In ? decision
            : depth > _maxDepth ? _tooDeep
            : _traps.Find(url) ?? decision;
    }

    /// <summary>
    /// The flag that would let a URL in which the scope keeps out, a sentence; null when a wider scope would not: a pattern or a trap is in
    /// the way.
    /// </summary>
    public static string? Widening(CrawlSpec spec, CanonicalUrl url)
    {
        CrawlScope[] fromNarrow = [CrawlScope.Prefix, CrawlScope.Host, CrawlScope.Domain, CrawlScope.Any];
        var wider = fromNarrow
            .SkipWhile(scope => scope != spec.Scope)
            .Skip(1)
            .Where(scope => TryCreate(spec with { Scope = scope }, out var boundary, out _) && boundary.Decide(url, depth: 0).In)
            .Select(scope => (CrawlScope?)scope)
            .FirstOrDefault();
        return wider switch
        {
            null => null,
            CrawlScope.Any => $"Start with {url} in place of it, or with both; --scope any lets it in with everything else.",
            _ => $"--scope {wider.ToString()!.ToLowerInvariant()} lets it in.",
        };
    }

    /// <summary>A link as the crawl knows it: without the parameters that it drops, and sorted if it sorts.</summary>
    public CanonicalUrl Normalize(CanonicalUrl link) => _query.Apply(link);

    /// <summary>The URL is fetched for its links alone: it matches a walk pattern and no include pattern.</summary>
    public bool IsWalked(CanonicalUrl url) =>
        !_walk.IsEmpty && FirstMatch(_walk, url) is not null && (_include.IsEmpty || FirstMatch(_include, url) is null);

    private static BoundaryDecision? FirstMatch(ImmutableArray<(UrlPattern Pattern, BoundaryDecision Decision)> patterns, CanonicalUrl url)
    {
        foreach (var (pattern, decision) in patterns)
        {
            if (pattern.IsMatch(url))
            {
                return decision;
            }
        }

        return null;
    }

    private static ImmutableArray<CanonicalUrl> ParseSeeds(ImmutableArray<string> texts, ImmutableArray<string>.Builder wrong)
    {
        if (texts.IsDefaultOrEmpty)
        {
            wrong.Add("There is no seed: at least one http or https URL is wanted.");
            return [];
        }

        if (texts.Length > CrawlSpec.MaxSeeds)
        {
            wrong.Add($"There are {texts.Length} seeds: at most {CrawlSpec.MaxSeeds} are taken at once; moreSeeds lets others follow.");
            return [];
        }

        var seeds = ImmutableArray.CreateBuilder<CanonicalUrl>(texts.Length);
        foreach (var text in texts)
        {
            if (CanonicalUrl.TryParse(text, null, out var seed, out var why))
            {
                seeds.Add(seed);
            }
            else
            {
                wrong.Add($"The seed \"{UrlFaults.Shorten(text)}\" is refused: {why}{(why.EndsWith('?') ? "" : ".")}");
            }
        }

        return [.. seeds.Distinct()];
    }

    private static ImmutableArray<UrlPattern> ParsePatterns(string kind, ImmutableArray<string> texts, ImmutableArray<string>.Builder wrong)
    {
        if (texts.IsDefaultOrEmpty)
        {
            return [];
        }

        if (texts.Length > CrawlSpec.MaxPatterns)
        {
            wrong.Add($"There are {texts.Length} {kind} patterns: at most {CrawlSpec.MaxPatterns} are taken.");
            return [];
        }

        var patterns = ImmutableArray.CreateBuilder<UrlPattern>(texts.Length);
        foreach (var text in texts)
        {
            if (UrlPattern.TryParse(text, out var pattern, out var error))
            {
                patterns.Add(pattern);
            }
            else
            {
                wrong.Add($"The {kind} pattern \"{UrlFaults.Shorten(text)}\" {error}.");
            }
        }

        return patterns.ToImmutable();
    }

    private void CheckSeeds(ImmutableArray<string>.Builder wrong)
    {
        foreach (var seed in Seeds)
        {
            var decision = Decide(seed, 0);
            if (!decision.In && decision.Reason != BoundaryDecision.Depth)
            {
                wrong.Add(
                    $"The seed \"{UrlFaults.Shorten(seed.Text)}\" would not be crawled: {decision.Says} Change the patterns or "
                        + $"leave it out."
                );
            }
        }
    }
}
