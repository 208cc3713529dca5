using System.Collections.Immutable;

namespace Grains.Books;

/// <summary>Counts by reason, as accounts have them of what was refused.</summary>
public static class RefusedCounts
{
    public static ImmutableSortedDictionary<string, long> Plus(
        this ImmutableSortedDictionary<string, long> counts,
        string reason,
        long count
    ) => counts.SetItem(reason, counts.GetValueOrDefault(reason) + count);

    /// <summary>Two counts by reason, added up.</summary>
    public static ImmutableSortedDictionary<string, long> Plus(
        this ImmutableSortedDictionary<string, long> counts,
        ImmutableSortedDictionary<string, long> others
    ) => others.Aggregate(counts, (sum, other) => sum.Plus(other.Key, other.Value));
}
