using System.Collections.Immutable;
using Grains.Books;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Lifecycle;

/// <summary>The sums of a crawl's hosts, added up.</summary>
internal static class HostTotals
{
    public static HostSums Zero => new(0, 0, ImmutableSortedDictionary<string, long>.Empty, 0, 0, 0, 0, WantsMore: false);

    public static HostSums Of(IEnumerable<HostSums> hosts) => hosts.Aggregate(Zero, Plus);

    private static HostSums Plus(HostSums total, HostSums sums) =>
        new(
            total.Added + sums.Added,
            total.Done + sums.Done,
            total.Refused.Plus(sums.Refused),
            total.Failed + sums.Failed,
            total.Waiting + sums.Waiting,
            total.Bytes + sums.Bytes,
            total.Used + sums.Used,
            total.WantsMore || sums.WantsMore
        )
        {
            Truncated = total.Truncated + sums.Truncated,
            Note = total.Note ?? sums.Note,
            ToKeep = total.ToKeep + sums.ToKeep,
            Kept = total.Kept + sums.Kept,
            KeptBytes = total.KeptBytes + sums.KeptBytes,
            NotKept = total.NotKept + sums.NotKept,
            Redirects = total.Redirects + sums.Redirects,
            Cut = total.Cut + sums.Cut,
            CookiesCut = total.CookiesCut + sums.CookiesCut,
            Traps = CrawlTrap.Both(total.Traps, sums.Traps),
            Changes = sums.Changes is { } changes
                ? (total.Changes ?? ImmutableSortedDictionary<string, long>.Empty).Plus(changes)
                : total.Changes,
        };
}
