using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Hosts;

/// <summary>
/// Whose turn it is on one host: crawls that both have URLs ready take turns of at most <see cref="Turn"/> leases. Says which workers to
/// tell, and when
/// to look again. It is told the time and does no I/O.
/// </summary>
internal sealed class CrawlFairness(HostKey host, HostCrawls crawls, Politeness politeness)
{
    /// <summary>Leases that one crawl gets in a row while another one waits for the same host.</summary>
    public const int Turn = 8;

    /// <summary>The crawl has a URL that may be fetched now, as far as clock and allowance are concerned.</summary>
    public bool MayLease(HostPartition partition, HostTime now) => politeness.MayStart(now) && HasReady(partition, now);

    /// <summary>A crawl has a URL that may be fetched now, and only the turn at the server's address is missing.</summary>
    public bool WantsTurn(HostTime now) => politeness.WantsTurn(now) && HasReady(now);

    /// <summary>There is a turn at the server's address, and no crawl has a URL for it.</summary>
    public bool HasIdleTurn(HostTime now) => politeness.Address.HasTurn && !HasReady(now);

    private bool HasReady(HostTime now) => crawls.Open.Any(partition => HasReady(partition, now));

    private static bool HasReady(HostPartition partition, HostTime now) =>
        partition.Loaded.IsCompleted
        && partition.Crawl.MayLease
        && partition.Crawl.Spent(now.Schedule) is null
        && partition.Crawl.Queue.Peek(now.Schedule) is not null;

    /// <summary>No other crawl that may lease now has been passed over for so long.</summary>
    public bool IsTurnOf(HostPartition partition, HostTime now) =>
        crawls.Open.Count == 1
        || !crawls.Open.Any(other => other != partition && other.Served + Turn <= partition.Served && MayLease(other, now));

    /// <summary>Whom to tell that there is something to fetch. While somebody fetches robots.txt nobody: they would ask in vain.</summary>
    public List<(int Worker, HostReady Ready)> Chances(HostTime now)
    {
        var chances = new List<(int, HostReady)>();
        foreach (
            var partition in crawls.Open.Where(partition =>
                MayLease(partition, now) && politeness.Robots.Asking is null && IsTurnOf(partition, now)
            )
        )
        {
            var (order, queue) = (partition.Crawl.Order, partition.Crawl.Queue);
            var fetches = Math.Min(politeness.MayStartAtOnce(now.Schedule), queue.Ready.Count + queue.Later.Count);
            chances.AddRange(
                partition.Board.Choose(fetches, now.Schedule).Select(worker => (worker, new HostReady(host, order.Id, order.Spec.Parallel)))
            );
        }

        return chances;
    }

    /// <summary>A worker that asks for no more does not come back by itself: it, or its successor, is told like any other.</summary>
    public void MayBeTold(HostReport report)
    {
        foreach (var crawl in report.Outcomes.Select(outcome => outcome.Crawl).Distinct())
        {
            crawls.Find(crawl)?.Board.Asked(report.Worker, wanted: 0, got: 0);
        }
    }

    /// <summary>
    /// When to look again, by the schedule's clock; the end of time when nothing is awaited. For the end of a lease it is when the guards'
    /// clock will be so
    /// far if both go on alike: one look too early changes nothing.
    /// </summary>
    public DateTimeOffset Next(HostTime now)
    {
        var ends = crawls
            .Deleted.LeftOver.Select(leftOver => leftOver.Leases.NextLeaseEnd)
            .Concat(crawls.Open.Select(partition => partition.Crawl.Queue.NextLeaseEnd))
            .Append(politeness.Robots.Asking?.Until)
            .Min();
        return crawls
            .Open.Select(partition => NextStart(partition, now))
            .Append(politeness.Address.Next(now.Schedule))
            .Append(politeness.Robots.NextEvent() is { } robots && robots > now.Schedule ? robots : null)
            .Append(ends is { } end && end > now.Guards ? now.ScheduleAt(end) : null)
            .Min()
            ?? DateTimeOffset.MaxValue;
    }

    private DateTimeOffset? NextStart(HostPartition partition, HostTime now)
    {
        if (
            !partition.Loaded.IsCompleted
            || !partition.Crawl.MayLease
            || partition.Crawl.Queue.NextReady is not { } ready
            || politeness.Next(now) is not { } may
        )
        {
            return null;
        }

        var start = ready > may ? ready : may;
        return start > now.Schedule ? start : partition.Board.RepeatAt(now.Schedule);
    }
}
