using System.Collections.Frozen;
using System.Collections.Immutable;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Urls;

/// <summary>
/// The first of a crawl's questions: is a URL near enough to a seed? Hosts are looked up, so a thousand seeds cost no more than one.
/// </summary>
internal sealed class SeedScope
{
    private static readonly BoundaryDecision Anything = BoundaryDecision.Takes("Every http or https URL is in scope.");

    private static readonly BoundaryDecision Beside = BoundaryDecision.Takes("It is on the host of a seed that came later, or below it.");

    private readonly CrawlScope _scope;
    private readonly bool _moreSeeds;
    private readonly Func<string, string> _domainOf;
    private readonly FrozenDictionary<string, BoundaryDecision> _hosts;
    private readonly FrozenDictionary<string, BoundaryDecision>.AlternateLookup<ReadOnlySpan<char>> _domains;
    private readonly FrozenDictionary<string, ImmutableArray<(string Prefix, BoundaryDecision Decision)>> _prefixes;
    private readonly BoundaryDecision _outside;

    /// <param name="seeds">Of <paramref name="spec"/>; others follow where it says so: see <see cref="DecideSeed"/>.</param>
    public SeedScope(CrawlSpec spec, ImmutableArray<CanonicalUrl> seeds)
    {
        var scope = spec.Scope;
        _scope = scope;
        _moreSeeds = spec.MoreSeeds;
        _domainOf = spec.HostDomains ? host => host : PublicSuffixes.DomainOf;
        _hosts =
            scope == CrawlScope.Domain
                ? seeds
                    .DistinctBy(seed => _domainOf(seed.Host))
                    .ToFrozenDictionary(
                        seed => _domainOf(seed.Host),
                        seed => BoundaryDecision.Takes($"It is on or below {_domainOf(seed.Host)}, the domain of the seed {seed.Text}.")
                    )
                : seeds
                    .DistinctBy(seed => seed.HostKey)
                    .ToFrozenDictionary(
                        seed => seed.HostKey.Value,
                        seed => BoundaryDecision.Takes($"It is on the host of the seed {seed.Text}.")
                    );
        _domains = _hosts.GetAlternateLookup<ReadOnlySpan<char>>();
        _prefixes = seeds
            .GroupBy(seed => seed.Origin)
            .ToFrozenDictionary(
                group => group.Key,
                group =>
                    group
                        .Select(Prefix)
                        .Distinct()
                        .Select(prefix => (prefix, BoundaryDecision.Takes($"It begins with {prefix}, from a seed.")))
                        .ToImmutableArray()
            );
        _outside = BoundaryDecision.Refuses(
            BoundaryDecision.Scope,
            scope switch
            {
                CrawlScope.Domain => $"It is neither on nor below {Some(seeds.Select(seed => _domainOf(seed.Host)))}{List(spec)}.",
                CrawlScope.Prefix => $"It does not begin with {Some(seeds.Select(Prefix))}.",
                _ => $"It is not on {Some(seeds.Select(seed => seed.HostKey.Value))}.",
            }
        );
    }

    /// <param name="from">A page of the crawl that leads to the URL; null: none is known. It may be a seed that is not known here.</param>
    public BoundaryDecision Decide(CanonicalUrl url, CanonicalUrl? from) =>
        Decide(url) is { In: true } decision ? decision
        : from is not null && IsBeside(url, from) ? Beside
        : _outside;

    /// <summary>
    /// A further seed widens the scope: its host becomes that of a seed. By prefix, it has to begin as one of the first does.
    /// </summary>
    public BoundaryDecision DecideSeed(CanonicalUrl url) => _moreSeeds && _scope != CrawlScope.Prefix ? Beside : Decide(url);

    private bool IsBeside(CanonicalUrl url, CanonicalUrl from) =>
        _moreSeeds
        && _scope switch
        {
            CrawlScope.Host => url.HostKey == from.HostKey,
            CrawlScope.Domain => IsOnOrBelow(url.Host, _domainOf(from.Host)),
            _ => false,
        };

    private static bool IsOnOrBelow(string host, string domain) => host == domain || host.EndsWith("." + domain, StringComparison.Ordinal);

    private static string List(CrawlSpec spec) => spec.HostDomains ? "" : $" (Public Suffix List of {PublicSuffixes.Version})";

    private BoundaryDecision Decide(CanonicalUrl url) =>
        _scope switch
        {
            CrawlScope.Host => _hosts.TryGetValue(url.HostKey.Value, out var decision) ? decision : _outside,
            CrawlScope.Domain => DecideByDomain(url.Host),
            CrawlScope.Prefix => DecideByPrefix(url),
            _ => Anything,
        };

    /// <summary>
    /// Looks for the host, then for what follows its first dot, and so on. An address is never the tail of another host, so it is found
    /// only whole.
    /// </summary>
    private BoundaryDecision DecideByDomain(ReadOnlySpan<char> host)
    {
        while (true)
        {
            if (_domains.TryGetValue(host, out var decision))
            {
                return decision;
            }

            var dot = host.IndexOf('.');
            if (dot < 0)
            {
                return _outside;
            }

            host = host[(dot + 1)..];
        }
    }

    private BoundaryDecision DecideByPrefix(CanonicalUrl url)
    {
        if (_prefixes.TryGetValue(url.Origin, out var prefixes))
        {
            foreach (var (prefix, decision) in prefixes)
            {
                if (url.Text.StartsWith(prefix, StringComparison.Ordinal))
                {
                    return decision;
                }
            }
        }

        return _outside;
    }

    private static string Prefix(CanonicalUrl seed) => seed.BeforeQuery[..(seed.BeforeQuery.LastIndexOf('/') + 1)].ToString();

    private static string Some(IEnumerable<string> names)
    {
        const int Named = 3;
        var all = names.Distinct().ToList();
        var list = string.Join(" or ", all.Take(Named));
        return all.Count <= Named ? list : $"{list} or {all.Count - Named} more";
    }
}
