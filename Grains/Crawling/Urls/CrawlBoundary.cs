using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Urls;

/// <summary>
/// Which URLs belong to a crawl. Asked in this order: scope, exclude, include, depth; the first that says no decides.
/// Seeds are held to the patterns like every other URL. Safe to share between threads; deciding allocates nothing.
/// </summary>
public sealed class CrawlBoundary
{
    private readonly CrawlScope _scope;
    private readonly FrozenDictionary<string, BoundaryDecision> _hosts;
    private readonly FrozenDictionary<string, BoundaryDecision>.AlternateLookup<ReadOnlySpan<char>> _domains;
    private readonly FrozenDictionary<string, ImmutableArray<(string Prefix, BoundaryDecision Decision)>> _prefixes;
    private readonly BoundaryDecision _outOfScope;
    private readonly ImmutableArray<(UrlPattern Pattern, BoundaryDecision Decision)> _exclude;
    private readonly ImmutableArray<(UrlPattern Pattern, BoundaryDecision Decision)> _include;
    private readonly BoundaryDecision _notIncluded;
    private readonly int _maxDepth;
    private readonly BoundaryDecision _tooDeep;

    private CrawlBoundary(CrawlSpec spec, ImmutableArray<CanonicalUrl> seeds, ImmutableArray<UrlPattern> include, ImmutableArray<UrlPattern> exclude)
    {
        Seeds = seeds;
        _scope = spec.Scope;
        _hosts = Hosts(seeds, spec.Scope);
        _domains = _hosts.GetAlternateLookup<ReadOnlySpan<char>>();
        _prefixes = Prefixes(seeds);
        _outOfScope = Out(BoundaryDecision.Scope, OutOfScope(spec.Scope, seeds));
        _exclude = [.. exclude.Select(pattern => (pattern, Out(BoundaryDecision.Exclude, $"It matches the exclude pattern {pattern.Text}.")))];
        _include = [.. include.Select(pattern => (pattern, In($"It is in scope and matches the include pattern {pattern.Text}.")))];
        _notIncluded = Out(BoundaryDecision.Include, include.Length == 1
            ? $"It does not match the include pattern {include[0].Text}."
            : $"It matches none of the {include.Length} include patterns.");
        _maxDepth = spec.MaxDepth ?? int.MaxValue;
        _tooDeep = Out(BoundaryDecision.Depth, string.Create(CultureInfo.InvariantCulture, $"It is more than {_maxDepth} steps from a seed."));
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
        if (wrong.Count == 0)
        {
            boundary = new(spec, seeds, include, exclude);
            boundary.CheckSeeds(wrong);
        }

        errors = wrong.ToImmutable();
        boundary = errors.IsEmpty ? boundary : null;
        return boundary is not null;
    }

    /// <param name="depth">Steps from a seed; 0 is a seed.</param>
    public BoundaryDecision Decide(CanonicalUrl url, int depth)
    {
        if (!InScope(url, out var decision))
        {
            return _outOfScope;
        }

        foreach (var (pattern, excluded) in _exclude)
        {
            if (pattern.IsMatch(url))
            {
                return excluded;
            }
        }

        if (!_include.IsEmpty && !Included(url, out decision))
        {
            return _notIncluded;
        }

        return depth > _maxDepth ? _tooDeep : decision;
    }

    private bool InScope(CanonicalUrl url, out BoundaryDecision decision)
    {
        switch (_scope)
        {
            case CrawlScope.Host:
                return _hosts.TryGetValue(url.HostKey.Value, out decision);
            case CrawlScope.Domain:
                return InDomain(url.Host, out decision);
            case CrawlScope.Prefix:
                return InPrefix(url, out decision);
            default:
                decision = AnyUrl;
                return true;
        }
    }

    /// <summary>Looks for the host, then for what follows its first dot, and so on. An address is never the tail of another host, so it is found only whole.</summary>
    private bool InDomain(ReadOnlySpan<char> host, out BoundaryDecision decision)
    {
        while (!_domains.TryGetValue(host, out decision))
        {
            var dot = host.IndexOf('.');
            if (dot < 0)
            {
                return false;
            }

            host = host[(dot + 1)..];
        }

        return true;
    }

    private bool InPrefix(CanonicalUrl url, out BoundaryDecision decision)
    {
        if (_prefixes.TryGetValue(url.Origin, out var prefixes))
        {
            foreach (var (prefix, within) in prefixes)
            {
                if (url.Text.StartsWith(prefix, StringComparison.Ordinal))
                {
                    decision = within;
                    return true;
                }
            }
        }

        decision = default;
        return false;
    }

    private bool Included(CanonicalUrl url, out BoundaryDecision decision)
    {
        foreach (var (pattern, included) in _include)
        {
            if (pattern.IsMatch(url))
            {
                decision = included;
                return true;
            }
        }

        decision = default;
        return false;
    }

    private static readonly BoundaryDecision AnyUrl = In("Every http or https URL is in scope.");

    private static BoundaryDecision In(string says) => new(true, null, says);

    private static BoundaryDecision Out(string reason, string says) => new(false, reason, says);

    private static FrozenDictionary<string, BoundaryDecision> Hosts(ImmutableArray<CanonicalUrl> seeds, CrawlScope scope) =>
        scope == CrawlScope.Domain
            ? seeds.DistinctBy(seed => seed.Host).ToFrozenDictionary(
                seed => seed.Host, seed => In($"It is on or below the host of the seed {seed.Text}."))
            : seeds.DistinctBy(seed => seed.HostKey).ToFrozenDictionary(
                seed => seed.HostKey.Value, seed => In($"It is on the host of the seed {seed.Text}."));

    private static FrozenDictionary<string, ImmutableArray<(string, BoundaryDecision)>> Prefixes(ImmutableArray<CanonicalUrl> seeds) =>
        seeds.GroupBy(seed => seed.Origin).ToFrozenDictionary(
            group => group.Key,
            group => group.Select(Prefix).Distinct()
                .Select(prefix => (prefix, In($"It begins with {prefix}, from a seed."))).ToImmutableArray());

    private static string Prefix(CanonicalUrl seed) => seed.BeforeQuery[..(seed.BeforeQuery.LastIndexOf('/') + 1)].ToString();

    private static string OutOfScope(CrawlScope scope, ImmutableArray<CanonicalUrl> seeds) => scope switch
    {
        CrawlScope.Domain => $"It is neither on nor below {Some(seeds.Select(seed => seed.Host))}.",
        CrawlScope.Prefix => $"It does not begin with {Some(seeds.Select(Prefix))}.",
        _ => $"It is not on {Some(seeds.Select(seed => seed.HostKey.Value))}.",
    };

    private static string Some(IEnumerable<string> names)
    {
        const int Named = 3;
        var all = names.Distinct().ToList();
        var list = string.Join(" or ", all.Take(Named));
        return all.Count <= Named ? list : $"{list} or one of {all.Count - Named} others";
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
            wrong.Add($"There are {texts.Length} seeds: at most {CrawlSpec.MaxSeeds} are taken.");
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
                wrong.Add($"The seed {UrlFaults.Shorten(text)} is refused: {why}{(why.EndsWith('?') ? "" : ".")}");
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
                wrong.Add($"The {kind} pattern «{UrlFaults.Shorten(text)}» {error}.");
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
                wrong.Add($"The seed {UrlFaults.Shorten(seed.Text)} would not be crawled: {decision.Says} Change the patterns or leave it out.");
            }
        }
    }
}
