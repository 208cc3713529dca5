using Grains.Crawling.Frontier;
using Grains.Crawling.Rows;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling.Hosts;

/// <summary>
/// How fast one host is asked: <see cref="HostClock"/>, set to the longest delay and the smallest concurrency of the crawls that have work
/// there,
/// and to its robots.txt. Says as rows what a successor must not forget, and takes them back. It is told the time and does no I/O.
/// </summary>
internal sealed class Politeness(HostSettings settings, RetryPolicy retries, bool isOwnHost = false)
{
    private DateTimeOffset _inherited = DateTimeOffset.MinValue;

    /// <summary>By the schedule's clock.</summary>
    public HostClock Clock { get; } = new();

    /// <summary>How much slower than asked, by how the host answers.</summary>
    public AdaptivePace Pace { get; } = new(settings.MaxDelay);

    /// <summary>Between two requests, as the crawls and robots.txt ask: the host is never asked faster.</summary>
    public TimeSpan Asked { get; private set; }

    public HostRobots Robots { get; } = new(settings.ProductToken, retries, settings.MaxDelay, settings.RobotsPatience);

    /// <summary>What robots.txt forbids counts for nothing in this crawl: the host is the operator's own, and the crawl asked so.</summary>
    public bool IgnoresRobots(CrawlSpec spec) => isOwnHost && spec.IgnoreRobots;

    /// <summary>Why the crawl does not move, in a sentence, when that is for robots.txt; else null.</summary>
    public string? RobotsNote(CrawlSpec spec) => IgnoresRobots(spec) ? null : Robots.Note;

    /// <summary>What robots.txt says of a URL, and of the delay.</summary>
    /// <param name="spec">Of the crawl; null: it has nothing here.</param>
    public IEnumerable<ExplainLine> Explain(CanonicalUrl url, CrawlSpec? spec)
    {
        var says = Robots.Explain(url.Origin, url.PathAndQuery);
        yield return new("robots", spec is not null && IgnoresRobots(spec) ? $"ignored (--ignore-robots): {says}" : says);
        if (Robots.CrawlDelay is var asked && asked > settings.MaxDelay)
        {
            yield return new(
                "delay",
                $"robots.txt asks for {asked} between two requests; Crawling:MaxDelay lets {settings.MaxDelay} count"
            );
        }
    }

    /// <summary>The host's turn at its server's address, where a crawl asked for one.</summary>
    public AddressGate Address { get; } = new();

    /// <summary>Without a crawl the pace stays as it was.</summary>
    public void Set(IReadOnlyCollection<CrawlSpec> specs)
    {
        if (specs.Count == 0)
        {
            return;
        }

        var asked = specs.Max(spec => spec.Delay);
        var robots = specs.All(IgnoresRobots) ? TimeSpan.Zero : AtMost(Robots.CrawlDelay);
        Asked = robots > asked ? robots : asked;
        Clock.Concurrency = specs.Min(spec => spec.Concurrency);
        Address.IsOn = specs.Any(spec => spec.PerIp);
        Clock.Delay = Asked + Pace.Extra;
    }

    /// <summary>How the host answered a request; what says nothing of the host is passed over.</summary>
    /// <returns>It is asked more slowly from now on, and a successor is to know.</returns>
    public bool Observe(FetchOutcome outcome, DateTimeOffset now)
    {
        var slower = false;
        switch (outcome)
        {
            case { Result: FetchResult.Answered, Page: { } page }:
                Pace.OnAnswered(TimeSpan.FromMilliseconds(page.ElapsedMs), Clock.Concurrency);
                break;
            case { Result: FetchResult.Temporary, Reason: "http-429" or "http-503" }:
                slower = Pace.OnRefused(outcome.Reason, Asked, now);
                break;
            case { Result: FetchResult.Temporary, Reason: { } reason } when IsOfHost(reason):
                slower = Pace.OnFailed(reason, Asked, now);
                break;
        }

        Clock.Delay = Asked + Pace.Extra;
        return slower;
    }

    private static bool IsOfHost(string reason) =>
        reason is not (Refusals.Delivery or Refusals.PageStore or Refusals.CookieWall or Refusals.Proxy);

    /// <summary>
    /// A predecessor's leases may last until then, by the guards' clock: nothing starts before, and the delay runs from there.
    /// </summary>
    public void Inherit(DateTimeOffset horizon)
    {
        if (horizon > _inherited)
        {
            _inherited = horizon;
        }
    }

    /// <summary>To be told the time before it is asked: when a predecessor's leases are over, the delay runs from their end.</summary>
    public void EndInherited(HostTime now)
    {
        if (_inherited > DateTimeOffset.MinValue && _inherited <= now.Guards)
        {
            Clock.AskedUntil(now.ScheduleAt(_inherited));
            _inherited = DateTimeOffset.MinValue;
        }
    }

    /// <summary>Whether a predecessor's leases may still last.</summary>
    public bool HasInherited(HostTime now) => _inherited > now.Guards;

    /// <summary>A predecessor's leases are over before their time: no worker holds one any more. The delay runs from now.</summary>
    public void EndInheritedEarly(HostTime now)
    {
        if (HasInherited(now))
        {
            _inherited = now.Guards;
            EndInherited(now);
        }
    }

    /// <summary>
    /// When the next request may start, by the schedule's clock; null while as many are in flight as may be, or while the address is asked.
    /// </summary>
    public DateTimeOffset? Next(HostTime now)
    {
        if (Clock.Next is not { } next || (Address.IsOn && Address.IsAsking))
        {
            return null;
        }

        var turn = Address.MayStart(now.Schedule) ? null : Address.Next(now.Schedule);
        var rested = _inherited <= now.Guards ? next : now.ScheduleAt(_inherited) + Clock.Delay;
        var start = rested > next ? rested : next;
        return turn > start ? turn : start;
    }

    public bool MayStart(HostTime now) => MayStartByItself(now) && Address.MayStart(now.Schedule);

    /// <summary>Only the turn at the address is missing, and it is worth asking for.</summary>
    public bool WantsTurn(HostTime now) => MayStartByItself(now) && Address.WantsTurn(now.Schedule);

    /// <summary>How many requests may start now, one after the other.</summary>
    public int MayStartAtOnce(DateTimeOffset now) => Address.IsOn ? Math.Min(Clock.MayStartAtOnce(now), 1) : Clock.MayStartAtOnce(now);

    /// <summary>A request goes out. With several at once the turn at the address counts from start to start, as the delay does.</summary>
    public void Start(LeaseId lease, DateTimeOffset now)
    {
        Clock.Start(lease, now);
        Address.Start();
        if (Clock.Concurrency > 1)
        {
            Address.End();
        }
    }

    /// <summary>A request has ended; see <see cref="HostClock.End"/>.</summary>
    public void End(LeaseId? lease, DateTimeOffset at)
    {
        Clock.End(lease, at);
        Address.End();
    }

    private bool MayStartByItself(HostTime now) => _inherited <= now.Guards && Clock.MayStart(now.Schedule);

    /// <summary>
    /// The host asked for a pause (Retry-After, RFC 9110 §10.2.3): it gets it, up to <see cref="HostSettings.MaxDelay"/>.
    /// </summary>
    public void Rest(TimeSpan asked, DateTimeOffset now) => Clock.WaitUntil(now + AtMost(asked));

    /// <summary>A robots.txt as it came; the row to keep, or null: it counts for this activation, and the next one asks again.</summary>
    public RowChange? Learn(RobotsLease lease, FetchOutcome outcome, DateTimeOffset now)
    {
        if (Robots.Learn(lease.Origin, outcome, now) is not { } row)
        {
            return null;
        }

        var scheme = row.Origin[..row.Origin.IndexOf(':', StringComparison.Ordinal)];
        var payload = CrawlJson.Write(row);
        return payload.Length > StoreLimits.MaxPayloadBytes ? null : RowChange.Put(CrawlTable.RobotsPrefix + scheme, payload);
    }

    /// <summary>
    /// When this host was asked last, or may be at the latest by the leases of <paramref name="queues"/>: its crawls' horizons say so only
    /// while they are listed.
    /// </summary>
    public RowChange Row(IEnumerable<HostQueue> queues)
    {
        var leased = queues
            .Select(queue => queue.LastLeaseEnds)
            .Append(Robots.Asking?.Until)
            .Append(_inherited > DateTimeOffset.MinValue ? _inherited : null)
            .Max();
        var until = leased > Clock.LastAsked ? leased.Value : Clock.LastAsked;
        return RowChange.Put(CrawlTable.ClockKey, CrawlJson.Write(new HostClockRow(until, Clock.NotBefore, leased, Pace.Extra)));
    }

    /// <summary>Takes what a predecessor stored of clock and robots.txt; passes over any other row.</summary>
    public void Restore(TableRow row)
    {
        if (row.Key == CrawlTable.ClockKey)
        {
            var kept = CrawlJson.Read<HostClockRow>(row.Payload);
            Clock.AskedUntil(kept.AskedUntil);
            Clock.WaitUntil(kept.NotBefore);
            Pace.Restore(kept.Slower);
            Inherit(kept.LeasedUntil ?? DateTimeOffset.MinValue);
        }
        else if (row.Key.StartsWith(CrawlTable.RobotsPrefix, StringComparison.Ordinal))
        {
            Robots.Restore(CrawlJson.Read<RobotsRow>(row.Payload));
        }
    }

    private TimeSpan AtMost(TimeSpan delay) => delay < settings.MaxDelay ? delay : settings.MaxDelay;
}
