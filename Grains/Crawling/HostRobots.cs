using Grains.Crawling.Frontier;
using Grains.Crawling.Robots;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling;

/// <summary>
/// What a host's robots.txt says, per origin (http and https may differ, RFC 9309 §2.3), and whether it is to be asked for first.
/// It is told the time. While one answer is awaited, the URLs of that origin wait.
/// </summary>
internal sealed class HostRobots(string productToken, RetryPolicy retries, TimeSpan longest)
{
    private readonly Dictionary<string, Known> _known = new(StringComparer.Ordinal);

    /// <summary>The lease under which a robots.txt is being fetched; null when none is.</summary>
    public RobotsLease? Asking { get; private set; }

    /// <summary>The longest Crawl-delay for us of all origins.</summary>
    public TimeSpan CrawlDelay => _known.Values.Select(known => known.Record.Rules.CrawlDelay ?? TimeSpan.Zero).DefaultIfEmpty().Max();

    public RobotsDecision Decide(string origin, string pathAndQuery, DateTimeOffset now)
    {
        if (!_known.TryGetValue(origin, out var known) || known.Record.IsDue(now))
        {
            return Asking is null ? RobotsDecision.Ask : RobotsDecision.Wait;
        }

        if (known.Record.Unreachable)
        {
            return known.Record.Failures >= retries.MaxAttempts || known.Refusal is not null
                ? RobotsDecision.Refused(known.Refusal ?? Refusals.RobotsUnreachable)
                : RobotsDecision.Wait;
        }

        return known.Record.Rules.Allows(pathAndQuery).Allowed
            ? RobotsDecision.Allowed
            : RobotsDecision.Refused(Refusals.Robots);
    }

    public void Ask(RobotsLease lease) => Asking = lease;

    /// <summary>The lease ended without an answer: somebody else may ask.</summary>
    public void Release() => Asking = null;

    /// <summary>Takes an answer; what is to be stored of it, or null: an answer that is none is only remembered, for as long as it counts.</summary>
    public RobotsRow? Learn(string origin, FetchOutcome outcome, DateTimeOffset now)
    {
        Asking = null;
        var failuresBefore = _known.TryGetValue(origin, out var before) ? before.Record.Failures : 0;
        var status = outcome.Page?.Status;
        var record = RobotsRecord.From(status, outcome.Robots, now, productToken, failuresBefore, outcome.RetryAfter);
        if (record.Unreachable)
        {
            // Tried again like any other URL, and given up for a while after the last try.
            var wait = retries.Wait(record.Failures, outcome.RetryAfter) ?? longest;
            _known[origin] = new(record with { ExpiresAt = now + wait }, outcome.Result == FetchResult.Permanent ? outcome.Reason : null);
            return null;
        }

        _known[origin] = new(record, Refusal: null);
        return new(origin, status!.Value, outcome.Robots, now);
    }

    /// <summary>Takes what a predecessor stored.</summary>
    public void Restore(RobotsRow row) =>
        _known[row.Origin] = new(RobotsRecord.From(row.Status, row.Body, row.At, productToken), Refusal: null);

    /// <summary>A new crawl asks anew where no answer came before.</summary>
    public void ForgetFailures()
    {
        foreach (var (origin, _) in _known.Where(known => known.Value.Record.Unreachable).ToList())
        {
            _known.Remove(origin);
        }
    }

    /// <summary>When an unreachable robots.txt is asked for again; null when none is.</summary>
    public DateTimeOffset? NextEvent() =>
        _known.Values.Where(known => known.Record.Unreachable).Select(known => (DateTimeOffset?)known.Record.ExpiresAt).Min();

    public string Explain(string origin, string pathAndQuery)
    {
        if (!_known.TryGetValue(origin, out var known))
        {
            return "robots.txt was not asked for yet";
        }

        return known.Refusal is not null
            ? $"robots.txt could not be asked for: {known.Refusal}"
            : $"{known.Record.Rules.Allows(pathAndQuery).Says} {known.Record.Says}";
    }

    private sealed record Known(RobotsRecord Record, string? Refusal);
}

/// <summary>Somebody is fetching an origin's robots.txt.</summary>
/// <param name="Until">By the guards' clock.</param>
internal sealed record RobotsLease(CrawlId Crawl, string Origin, string Url, long Number, DateTimeOffset Until);

/// <summary>Exactly one of: allowed, refused for a reason, ask for robots.txt first, wait until something is known.</summary>
internal readonly record struct RobotsDecision(bool IsAllowed, string? Reason, bool IsAsk)
{
    public static RobotsDecision Allowed => new(true, null, false);

    public static RobotsDecision Ask => new(false, null, true);

    public static RobotsDecision Wait => new(false, null, false);

    public static RobotsDecision Refused(string reason) => new(false, reason, false);
}
