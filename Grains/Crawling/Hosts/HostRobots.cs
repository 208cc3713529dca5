using System.Collections.Immutable;
using System.Globalization;
using Grains.Crawling.Frontier;
using Grains.Crawling.Robots;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Hosts;

/// <summary>
/// What a host's robots.txt says, per origin (http and https may differ, RFC 9309 §2.3), and whether it is to be asked for first.
/// It is told the time. While one answer is awaited, the URLs of that origin wait.
/// </summary>
/// <remarks>
/// A robots.txt that cannot be reached is asked for again by the schedule of <paramref name="retries"/>: after 5 s, 10 s, 20 s and so on by
/// default. A try that fails <paramref name="patience"/> or longer after the first one that did is the last: then the URLs of that origin
/// fail, and for
/// <paramref name="longest"/> those that come after; then it is asked again. What will not go better (a private address, a wrong
/// certificate) fails at once.
/// </remarks>
internal sealed class HostRobots(string productToken, RetryPolicy retries, TimeSpan longest, TimeSpan patience)
{
    private readonly Dictionary<string, Known> _known = new(StringComparer.Ordinal);

    /// <summary>The lease under which a robots.txt is being fetched; null when none is.</summary>
    public RobotsLease? Asking { get; private set; }

    /// <summary>The longest Crawl-delay for us of all origins.</summary>
    public TimeSpan CrawlDelay => _known.Values.Select(known => known.Record.Rules.CrawlDelay ?? TimeSpan.Zero).DefaultIfEmpty().Max();

    /// <summary>Why the host does not move, in a sentence; null when it does.</summary>
    public string? Note => _known.Values.Where(known => known.Record.Unreachable && known.Refusal is null).Select(Waits).FirstOrDefault();

    public RobotsDecision Decide(string origin, string pathAndQuery, DateTimeOffset now)
    {
        if (!_known.TryGetValue(origin, out var known) || known.Record.IsDue(now))
        {
            return Asking is null ? RobotsDecision.Ask : RobotsDecision.Wait;
        }

        if (known.Record.Unreachable)
        {
            return known.Refusal is { } refusal ? RobotsDecision.Fails(refusal, known.Cause) : RobotsDecision.Wait;
        }

        return known.Record.Rules.Allows(pathAndQuery).Allowed ? RobotsDecision.Allowed : RobotsDecision.Refused(Refusals.Robots);
    }

    /// <summary>Sitemaps that the origin's robots.txt names, as written; empty when it is not known.</summary>
    public ImmutableArray<string> Sitemaps(string origin) =>
        _known.TryGetValue(origin, out var known) && !known.Record.Unreachable ? known.Record.Rules.Sitemaps : [];

    public void Ask(RobotsLease lease) => Asking = lease;

    /// <summary>The lease of a silo's worker ends by then; the crawl that gave it, or null when there is none.</summary>
    public CrawlId? EndBy(string silo, DateTimeOffset end)
    {
        if (Asking is not { } lease || lease.Silo != silo || lease.Until <= end)
        {
            return null;
        }

        Asking = lease with { Until = end };
        return lease.Crawl;
    }

    /// <summary>The lease ended without an answer: somebody else may ask.</summary>
    public void Release() => Asking = null;

    /// <summary>
    /// Takes an answer; what is to be stored of it, or null: an answer that is none is only remembered, for as long as it counts.
    /// </summary>
    public RobotsRow? Learn(string origin, FetchOutcome outcome, DateTimeOffset now)
    {
        Asking = null;
        var before = _known.TryGetValue(origin, out var known) && known.Record.Unreachable && known.Refusal is null ? known : null;
        var status = outcome.Page?.Status;
        var failures = before?.Record.Failures ?? 0;
        var record = RobotsRecord.From(status, outcome.Robots, now, productToken, failures, outcome.RetryAfter, outcome.Page?.Error);
        if (!record.Unreachable)
        {
            _known[origin] = new(record, now, Refusal: null, "");
            return new(origin, status!.Value, outcome.Robots, now);
        }

        var since = before?.Since ?? now;
        var isLast = outcome.Result == FetchResult.Permanent || now - since >= patience;

        // No answer came from the host: then that is what is the matter with each of its URLs.
        var reason = status is null && outcome.Reason is { } own ? own : Refusals.RobotsUnreachable;
        var wait = isLast ? longest : retries.BackOff(record.Failures, outcome.RetryAfter);
        var cause = $"{origin}/robots.txt: {outcome.Page?.Error ?? record.Says}";
        _known[origin] = new(record with { ExpiresAt = now + wait }, since, isLast ? reason : null, cause);
        return null;
    }

    /// <summary>Takes what a predecessor stored. A row that is unreachable by today's rules is none.</summary>
    public void Restore(RobotsRow row)
    {
        var record = RobotsRecord.From(row.Status, row.Body, row.At, productToken);
        if (!record.Unreachable)
        {
            _known[row.Origin] = new(record, row.At, Refusal: null, "");
        }
    }

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

        return !known.Record.Unreachable ? $"{known.Record.Rules.Allows(pathAndQuery).Says} {known.Record.Says}"
            : known.Refusal is { } refusal
                ? Say($"nothing is asked for: {known.Cause} ({refusal}). After {known.Record.ExpiresAt:u} it is asked again.")
            : Waits(known);
    }

    private string Waits(Known known) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{known.Cause} It is asked for again at {known.Record.ExpiresAt:u}, and the URLs wait; if it fails at "
                + $"{known.Since + patience:u} or later, they fail."
        );

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <param name="Since">Since when it has failed; of an answer, when it came.</param>
    /// <param name="Refusal">The word for the books with which URLs fail; null while they wait, or go.</param>
    /// <param name="Cause">Of a failure, a sentence.</param>
    private sealed record Known(RobotsRecord Record, DateTimeOffset Since, string? Refusal, string Cause);
}

/// <summary>Somebody is fetching an origin's robots.txt.</summary>
/// <param name="Until">By the guards' clock.</param>
internal sealed record RobotsLease(CrawlId Crawl, string Origin, string Url, long Number, DateTimeOffset Until, string? Silo = null);

/// <summary>
/// Exactly one of: allowed, refused for a reason, failed for a reason with its cause, ask for robots.txt first, wait until something is
/// known.
/// </summary>
internal readonly record struct RobotsDecision(bool IsAllowed, string? Reason, bool IsAsk, string? Cause = null)
{
    public static RobotsDecision Allowed => new(true, null, false);

    public static RobotsDecision Ask => new(false, null, true);

    public static RobotsDecision Wait => new(false, null, false);

    public static RobotsDecision Refused(string reason) => new(false, reason, false);

    public static RobotsDecision Fails(string reason, string cause) => new(false, reason, false, cause);
}
