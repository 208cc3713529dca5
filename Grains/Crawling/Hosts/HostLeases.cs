using System.Collections.Immutable;
using Grains.Crawling.Frontier;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling.Hosts;

/// <summary>
/// Which URLs of a host somebody may fetch now, for all its crawls: a URL is out once, as often as clock, robots.txt, allowance and turns
/// permit, and each
/// lease ends by a report or by its time. It decides in memory at once and answers what is to be committed and told; it is told the time
/// and does no I/O.
/// </summary>
internal sealed class HostLeases(HostKey host, HostCrawls crawls, Politeness politeness, CrawlFairness fairness)
{
    /// <summary>URLs that one call of a worker may find disallowed before it gets its answer.</summary>
    private const int MaxSkipsAtOnce = 256;

    /// <summary>
    /// Hands out as much as may be, at most <paramref name="wanted"/>. The crawl's horizon is durable beyond the end of each lease.
    /// </summary>
    /// <param name="silo">Of the worker; null: it is not known.</param>
    public GrantedLeases Grant(HostPartition partition, int worker, string? silo, int wanted, HostTime now)
    {
        var crawl = partition.Crawl;
        var leases = ImmutableArray.CreateBuilder<Lease>();
        var skips = new List<IPartitionWork>();
        string? waiting = null;
        while (
            leases.Count < wanted
            && skips.Count < MaxSkipsAtOnce
            && partition.Writer.HasRoom
            && fairness.MayLease(partition, now)
            && fairness.IsTurnOf(partition, now)
            && crawl.LeaseEnd(now.Guards) is { } end
        )
        {
            // The other origin of this host, http beside https, need not wait for the robots.txt of the first.
            if ((waiting is null ? crawl.Queue.Peek(now.Schedule) : crawl.Queue.Peek(now.Schedule, waiting)) is not { } entry)
            {
                Hold(partition, now.Schedule);
                break;
            }

            if (!CanonicalUrl.TryParse(entry.Url, baseUrl: null, out var url))
            {
                throw new InvalidOperationException($"A queue row of {host} holds \"{entry.Url}\", which is no URL.");
            }

            if (crawl.Slow(entry, now.Schedule) is { } slow)
            {
                crawl.Queue.Remove(entry);
                skips.Add(slow);
                continue;
            }

            var robots = politeness.Robots.Decide(url.Origin, url.PathAndQuery, now.Schedule);
            if (robots.IsAllowed || (!robots.IsAsk && politeness.IgnoresRobots(crawl.Order.Spec)))
            {
                var number = crawl.NextLease();
                crawl.Queue.Lease(entry, number, end, silo);
                crawl.Asked(now.Schedule);
                leases.Add(
                    new(
                        entry.IsSitemap ? LeaseKind.Sitemap : LeaseKind.Page,
                        entry.Url,
                        number,
                        end - now.Guards - HostCrawl.Grace,
                        entry.Depth,
                        entry.Attempts + 1,
                        politeness.Clock.TellBegun,
                        entry.Hops,
                        !entry.IsSitemap && crawl.WantsSitemaps ? politeness.Robots.Sitemaps(url.Origin) : null,
                        entry.IsSitemap ? entry.Parent : null,
                        crawl.Cookie(url, now.Schedule)
                    )
                );
                politeness.Start(new(crawl.Order.Id, number), now.Schedule);
                partition.Served++;
            }
            else if (robots.Reason is { } reason)
            {
                crawl.Queue.Remove(entry);
                skips.Add(robots.Cause is { } cause ? crawl.Fail(entry, reason, cause, now.Schedule) : crawl.Skip(entry, reason));
            }
            else if (robots.IsAsk)
            {
                var lease = new RobotsLease(crawl.Order.Id, url.Origin, url.Origin + "/robots.txt", crawl.NextLease(), end, silo);
                politeness.Robots.Ask(lease);
                crawl.RobotsLeaseEnd = end;
                leases.Add(
                    new(
                        LeaseKind.Robots,
                        lease.Url,
                        lease.Number,
                        end - now.Guards - HostCrawl.Grace,
                        Depth: 0,
                        Attempt: 1,
                        politeness.Clock.TellBegun
                    )
                );
                politeness.Start(new(crawl.Order.Id, lease.Number), now.Schedule);
            }
            else if (waiting is null)
            {
                waiting = url.Origin + "/";
            }
            else
            {
                Hold(partition, now.Schedule);
                break;
            }
        }

        partition.Board.Asked(worker, wanted, leases.Count);
        return new(leases.ToImmutable(), skips);
    }

    /// <summary>
    /// What became of one lease. The clock counts it as going on as long as there is something to commit: see <see cref="Ended"/>.
    /// </summary>
    public ReportOutcome Take(FetchOutcome outcome, HostTime now)
    {
        if (outcome.Kind == LeaseKind.Robots)
        {
            return TakeRobots(outcome, now);
        }

        if (crawls.Deleted.Find(outcome.Crawl)?.End(outcome.Url, outcome.Number) is not null)
        {
            Ended(outcome, now.Schedule);
            return ReportOutcome.Nothing;
        }

        if (crawls.Find(outcome.Crawl) is not { } partition || partition.Crawl.Queue.End(outcome.Url, outcome.Number) is not { } entry)
        {
            return ReportOutcome.Late;
        }

        partition.Crawl.LastEnded = now.Guards;
        if (outcome.Result == FetchResult.Released)
        {
            Ended(outcome, now.Schedule);
            partition.Crawl.Queue.Add(entry);
            return ReportOutcome.Nothing;
        }

        var isSlower = politeness.Observe(outcome, now.Schedule);
        var taken = partition.Crawl.TakeCookies(outcome, now.Schedule);
        if (outcome.RetryAfter is { Ticks: > 0 } asked)
        {
            politeness.Rest(asked, now.Schedule);
        }

        return new(IsLate: false, partition, partition.Crawl.Finish(entry, taken, now.Schedule), Robots: null)
        {
            IsSlower = isSlower || outcome.RetryAfter is { Ticks: > 0 },
        };
    }

    /// <summary>
    /// What the lease brought is durable, or brought nothing: its place is free. It may have been going on until <paramref name="at"/>.
    /// </summary>
    public void Ended(FetchOutcome outcome, DateTimeOffset at) => politeness.End(new(outcome.Crawl, outcome.Number), at);

    /// <summary>A silo died: the leases of its workers end by then, for its requests do.</summary>
    public void SiloDied(string silo, DateTimeOffset end)
    {
        foreach (
            var queue in crawls
                .Open.Select(partition => partition.Crawl.Queue)
                .Concat(crawls.Deleted.LeftOver.Select(leftOver => leftOver.Leases))
        )
        {
            queue.EndBy(silo, end);
        }

        if (politeness.Robots.EndBy(silo, end) is { } crawl && crawls.Find(crawl) is { } asking)
        {
            asking.Crawl.RobotsLeaseEnd = end;
        }
    }

    /// <summary>Ends the leases whose time is up. Their places are free at once: whoever had one starts no request any more.</summary>
    public List<ExpiredLease> EndOver(HostTime now)
    {
        var over = new List<ExpiredLease>();
        foreach (var partition in crawls.Open)
        {
            foreach (var entry in partition.Crawl.Queue.EndOver(now.Guards))
            {
                partition.Crawl.LastEnded = now.Guards;
                partition.Board.Forget();
                over.Add(new(partition.Crawl.Order.Id, entry.Url, partition, partition.Crawl.Expire(entry, now.Guards)));
            }
        }

        foreach (var (crawl, leftOver) in crawls.Deleted.LeftOver)
        {
            over.AddRange(leftOver.EndOver(now.Guards).Select(entry => new ExpiredLease(crawl, entry.Url, Partition: null, Work: null)));
        }

        if (politeness.Robots.Asking is { } asking && asking.Until <= now.Guards)
        {
            EndRobots(asking, now);
            over.Add(new(asking.Crawl, asking.Url, Partition: null, Work: null));
        }

        over.ForEach(_ => politeness.End(null, now.Schedule));
        return over;
    }

    /// <summary>All that is ready waits for robots.txt: nobody need ask, and a turn at the address is for others meanwhile.</summary>
    private void Hold(HostPartition partition, DateTimeOffset now)
    {
        var next = politeness.Robots.NextEvent();
        partition.Board.Hold(now, next);
        if (politeness.Address.HasTurn)
        {
            var latest = now + AddressTurn.Patience;
            politeness.Address.PutOff(next > now && next < latest ? next.Value : latest);
        }
    }

    private ReportOutcome TakeRobots(FetchOutcome outcome, HostTime now)
    {
        if (politeness.Robots.Asking is not { } lease || lease.Number != outcome.Number || lease.Url != outcome.Url)
        {
            return ReportOutcome.Late;
        }

        EndRobots(lease, now);
        politeness.Address.GoOn();
        var row = outcome.Result == FetchResult.Released ? null : politeness.Learn(lease, outcome, now.Schedule);
        crawls.SetPace();
        foreach (var partition in crawls.Open)
        {
            partition.Board.Forget();
        }

        if (row is null)
        {
            Ended(outcome, now.Schedule);
        }

        return new(IsLate: false, Partition: null, Work: null, row);
    }

    private void EndRobots(RobotsLease lease, HostTime now)
    {
        politeness.Robots.Release();
        if (crawls.Find(lease.Crawl) is { } partition)
        {
            partition.Crawl.RobotsLeaseEnd = null;
            partition.Crawl.LastEnded = now.Guards;
        }
    }
}
