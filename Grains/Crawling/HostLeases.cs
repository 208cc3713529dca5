using System.Collections.Immutable;
using Grains.Crawling.Frontier;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling;

/// <summary>
/// Which URLs of a host somebody may fetch now, for all its crawls: a URL is out once, as often as clock, robots.txt, allowance and turns
/// permit, and each
/// lease ends by a report or by its time. It decides in memory at once and answers what is to be committed and told; it is told the time
/// and does no I/O.
/// </summary>
internal sealed class HostLeases(HostKey host, HostCrawls crawls, HostPace pace, HostTurns turns)
{
    /// <summary>URLs that one call of a worker may find disallowed before it gets its answer.</summary>
    private const int MaxSkipsAtOnce = 256;

    /// <summary>
    /// Hands out as much as may be, at most <paramref name="wanted"/>. The crawl's horizon is durable beyond the end of each lease.
    /// </summary>
    public HandedOut HandOut(HostPartition held, int worker, int wanted, HostTime now)
    {
        var crawl = held.Crawl;
        var leases = ImmutableArray.CreateBuilder<Lease>();
        var skips = new List<IPartitionWork>();
        string? waiting = null;
        while (
            leases.Count < wanted
            && skips.Count < MaxSkipsAtOnce
            && held.Writer.HasRoom
            && turns.MayLease(held, now)
            && turns.IsTurnOf(held, now)
            && crawl.LeaseEnd(now.Guards) is { } end
        )
        {
            // The other origin of this host, http beside https, need not wait for the robots.txt of the first.
            if ((waiting is null ? crawl.Queue.Peek(now.Schedule) : crawl.Queue.Peek(now.Schedule, waiting)) is not { } entry)
            {
                held.Board.Hold(now.Schedule, pace.Robots.NextEvent());
                break;
            }

            if (!CanonicalUrl.TryParse(entry.Url, baseUrl: null, out var url))
            {
                throw new InvalidOperationException($"A queue row of {host} holds \"{entry.Url}\", which is no URL.");
            }

            var robots = pace.Robots.Decide(url.Origin, url.PathAndQuery, now.Schedule);
            if (robots.IsAllowed)
            {
                var number = crawl.NextLease();
                crawl.Queue.Lease(entry, number, end);
                leases.Add(
                    new(
                        LeaseKind.Page,
                        entry.Url,
                        number,
                        end - now.Guards - HostCrawl.Grace,
                        entry.Depth,
                        entry.Attempts + 1,
                        pace.Clock.TellBegun,
                        entry.Hops
                    )
                );
                pace.Clock.Start(new(crawl.Order.Id, number), now.Schedule);
                held.Served++;
            }
            else if (robots.Reason is { } reason)
            {
                crawl.Queue.Remove(entry);
                skips.Add(robots.Cause is { } cause ? crawl.Fail(entry, reason, cause, now.Schedule) : crawl.Skip(entry, reason));
            }
            else if (robots.IsAsk)
            {
                var lease = new RobotsLease(crawl.Order.Id, url.Origin, url.Origin + "/robots.txt", crawl.NextLease(), end);
                pace.Robots.Ask(lease);
                crawl.RobotsLeaseEnd = end;
                leases.Add(
                    new(
                        LeaseKind.Robots,
                        lease.Url,
                        lease.Number,
                        end - now.Guards - HostCrawl.Grace,
                        Depth: 0,
                        Attempt: 1,
                        pace.Clock.TellBegun
                    )
                );
                pace.Clock.Start(new(crawl.Order.Id, lease.Number), now.Schedule);
            }
            else if (waiting is null)
            {
                waiting = url.Origin + "/";
            }
            else
            {
                held.Board.Hold(now.Schedule, pace.Robots.NextEvent());
                break;
            }
        }

        held.Board.Asked(worker, wanted, leases.Count);
        return new(leases.ToImmutable(), skips);
    }

    /// <summary>
    /// What became of one lease. The clock counts it as going on as long as there is something to commit: see <see cref="Ended"/>.
    /// </summary>
    public TakenBack Take(FetchOutcome outcome, HostTime now)
    {
        if (outcome.Kind == LeaseKind.Robots)
        {
            return TakeRobots(outcome, now);
        }

        if (crawls.Deleted.Find(outcome.Crawl)?.End(outcome.Url, outcome.Number) is not null)
        {
            Ended(outcome, now.Schedule);
            return TakenBack.Nothing;
        }

        if (crawls.Find(outcome.Crawl) is not { } held || held.Crawl.Queue.End(outcome.Url, outcome.Number) is not { } entry)
        {
            return TakenBack.Late;
        }

        held.Crawl.LastEnded = now.Guards;
        if (outcome.Result == FetchResult.Released)
        {
            Ended(outcome, now.Schedule);
            held.Crawl.Queue.Add(entry);
            return TakenBack.Nothing;
        }

        if (outcome.RetryAfter is { } asked)
        {
            pace.Rest(asked, now.Schedule);
        }

        return new(IsLate: false, held, held.Crawl.Finish(entry, outcome, now.Schedule), Robots: null);
    }

    /// <summary>
    /// What the lease brought is durable, or brought nothing: its place is free. It may have been going on until <paramref name="at"/>.
    /// </summary>
    public void Ended(FetchOutcome outcome, DateTimeOffset at) => pace.Clock.End(new(outcome.Crawl, outcome.Number), at);

    /// <summary>Ends the leases whose time is up. Their places are free at once: whoever had one starts no request any more.</summary>
    public List<LeaseOver> EndOver(HostTime now)
    {
        var over = new List<LeaseOver>();
        foreach (var held in crawls.Open)
        {
            foreach (var entry in held.Crawl.Queue.EndOver(now.Guards))
            {
                held.Crawl.LastEnded = now.Guards;
                held.Board.Forget();
                over.Add(new(held.Crawl.Order.Id, entry.Url, held, held.Crawl.Expire(entry, now.Guards)));
            }
        }

        foreach (var (crawl, leftOver) in crawls.Deleted.LeftOver)
        {
            over.AddRange(leftOver.EndOver(now.Guards).Select(entry => new LeaseOver(crawl, entry.Url, Held: null, Work: null)));
        }

        if (pace.Robots.Asking is { } asking && asking.Until <= now.Guards)
        {
            EndRobots(asking, now);
            over.Add(new(asking.Crawl, asking.Url, Held: null, Work: null));
        }

        over.ForEach(_ => pace.Clock.End(null, now.Schedule));
        return over;
    }

    private TakenBack TakeRobots(FetchOutcome outcome, HostTime now)
    {
        if (pace.Robots.Asking is not { } lease || lease.Number != outcome.Number || lease.Url != outcome.Url)
        {
            return TakenBack.Late;
        }

        EndRobots(lease, now);
        var row = outcome.Result == FetchResult.Released ? null : pace.Learn(lease, outcome, now.Schedule);
        crawls.SetPace();
        foreach (var held in crawls.Open)
        {
            held.Board.Forget();
        }

        if (row is null)
        {
            Ended(outcome, now.Schedule);
        }

        return new(IsLate: false, Held: null, Work: null, row);
    }

    private void EndRobots(RobotsLease lease, HostTime now)
    {
        pace.Robots.Release();
        if (crawls.Find(lease.Crawl) is { } held)
        {
            held.Crawl.RobotsLeaseEnd = null;
            held.Crawl.LastEnded = now.Guards;
        }
    }
}
