using System.Collections.Immutable;
using Grains.Crawling.Frontier;
using Grains.Crawling.Pages;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Fetching;

/// <summary>
/// Where the links of one page go: those in scope to their hosts, those that a rule or a limit cuts off into the counts. What is out of
/// scope is nobody's.
/// </summary>
/// <param name="depth">Of the page: its links are one step further, the target of a redirect is not.</param>
internal sealed class SortedLinks(CanonicalUrl page, CrawlBoundary boundary, int depth)
{
    private readonly ImmutableArray<string>.Builder _own = ImmutableArray.CreateBuilder<string>();
    private readonly ImmutableArray<TurnedAwayLink>.Builder _turnedAway = ImmutableArray.CreateBuilder<TurnedAwayLink>();
    private readonly Dictionary<HostKey, List<FoundUrl>> _foreign = [];
    private readonly Dictionary<string, long> _leftOut = [];
    private readonly Dictionary<string, long> _elsewhere = [];

    /// <summary>To be followed, on the page's own host.</summary>
    public ImmutableArray<string> Own => _own.ToImmutable();

    /// <summary>To be followed, on other hosts.</summary>
    public IReadOnlyDictionary<HostKey, List<FoundUrl>> Foreign => _foreign;

    /// <summary>Not to be followed, on the page's own host.</summary>
    public ImmutableArray<TurnedAwayLink> TurnedAway => _turnedAway.ToImmutable();

    /// <summary>How many are not followed, by reason; null: none.</summary>
    public ImmutableSortedDictionary<string, long>? LeftOut => Counts(_leftOut);

    /// <summary>Of <see cref="LeftOut"/> those that are not among <see cref="TurnedAway"/>.</summary>
    public ImmutableSortedDictionary<string, long>? Elsewhere => Counts(_elsewhere);

    /// <summary>What a page links to; of one that redirects, where it leads.</summary>
    /// <param name="hops">Redirects in a row that lead to the target of this one.</param>
    public void Add(ParsedPage parsed, Redirect redirect, int hops)
    {
        CountElsewhere(Refusals.TooManyLinks, parsed.LinksLeftOut);
        CountElsewhere(Refusals.TooLongUrl, parsed.LinksTooLong + (redirect.TooLong ? 1 : 0));
        if (redirect.Target is { } target)
        {
            Add(target, noFollow: false, depth, hops);
        }

        foreach (var link in parsed.Links)
        {
            Add(link.Url, parsed.NoFollow || link.NoFollow, depth + 1, hops: 0);
        }
    }

    private void Add(CanonicalUrl link, bool noFollow, int linkDepth, int hops)
    {
        link = boundary.Normalize(link);
        var decision = boundary.Decide(link, linkDepth, page);
        var limit = decision.Reason switch
        {
            BoundaryDecision.Depth => Refusals.MaxDepth,
            BoundaryDecision.PathDepth or BoundaryDecision.Repeats => decision.Reason,
            _ => null,
        };
        if (limit is not null || (decision.In && noFollow))
        {
            TurnAway(link, limit ?? Refusals.NoFollow);
        }
        else if (decision.In && link.HostKey == page.HostKey)
        {
            _own.Add(link.Text);
        }
        else if (decision.In)
        {
            if (!_foreign.TryGetValue(link.HostKey, out var list))
            {
                _foreign.Add(link.HostKey, list = []);
            }

            list.Add(new(link.Text, linkDepth, page.Text, hops));
        }
    }

    private void TurnAway(CanonicalUrl link, string reason)
    {
        if (link.HostKey == page.HostKey)
        {
            _turnedAway.Add(new(link.Text, reason));
            Count(_leftOut, reason, 1);
        }
        else
        {
            CountElsewhere(reason, 1);
        }
    }

    private void CountElsewhere(string reason, long count)
    {
        if (count > 0)
        {
            Count(_leftOut, reason, count);
            Count(_elsewhere, reason, count);
        }
    }

    private static void Count(Dictionary<string, long> counts, string reason, long count) =>
        counts[reason] = counts.GetValueOrDefault(reason) + count;

    private static ImmutableSortedDictionary<string, long>? Counts(Dictionary<string, long> counts) =>
        counts.Count == 0 ? null : counts.ToImmutableSortedDictionary();
}
