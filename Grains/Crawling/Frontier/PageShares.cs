using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Frontier;

/// <summary>
/// Divides a crawl's limit of pages among its hosts. At no time do the shares add up to more than the limit; a share is never less than
/// what its host has used.
/// </summary>
public static class PageShares
{
    /// <summary>Pages in one portion at most, when there are or may be several hosts.</summary>
    public const int MaxPortion = 64;

    /// <param name="most">The limit.</param>
    /// <param name="mayFindHosts">Further hosts may come: then a host that is alone does not get all at once.</param>
    /// <param name="hosts">Of each host the share that it has (null: none yet) and its sums.</param>
    /// <returns>The shares that change.</returns>
    public static IReadOnlyDictionary<HostKey, long?> Divide(
        long most,
        bool mayFindHosts,
        IReadOnlyDictionary<HostKey, (long? Share, HostSums Sums)> hosts
    )
    {
        var changes = new Dictionary<HostKey, long?>();
        var left = most - hosts.Values.Sum(host => Math.Max(host.Share ?? 0, host.Sums.Used));
        var wanting = hosts
            .Where(host => host.Value.Sums.WantsMore)
            .Select(host => host.Key)
            .OrderBy(host => host.Value, StringComparer.Ordinal)
            .ToList();
        if (wanting.Count == 0)
        {
            return changes;
        }

        if (left < wanting.Count)
        {
            // Taken back in this round, given out in the next one: a host hears of the lower share in between.
            foreach (var (host, (share, sums)) in hosts)
            {
                if (!sums.WantsMore && sums.Waiting == 0 && share > sums.Used)
                {
                    changes.Add(host, sums.Used);
                }
            }
        }

        var portion = hosts.Count == 1 && !mayFindHosts ? left : Math.Clamp(left / wanting.Count, 1, MaxPortion);
        foreach (var host in wanting)
        {
            var more = Math.Min(portion, left);
            if (more <= 0)
            {
                break;
            }

            changes[host] = (hosts[host].Share ?? 0) + more;
            left -= more;
        }

        return changes;
    }
}
