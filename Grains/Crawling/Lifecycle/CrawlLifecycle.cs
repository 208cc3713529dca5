using Grains.Crawling.Frontier;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Lifecycle;

/// <summary>
/// The rules of a crawl's life:
/// <code>
/// Running --Pause--> Paused      Running, Paused --Cancel--> Cancelled
///    |   &lt;--Resume--             any --Delete--> Deleting, then it is gone
///    +-- nothing is left --> Done --Retry--> Running
/// </code>
/// A crawl that is ending has a reason for it (<see cref="CrawlHead.EndReason"/>) before it is done: its hosts are told first.
/// </summary>
internal static class CrawlLifecycle
{
    public static CrawlHead Begin(CrawlId id, CrawlSpec spec, string? trace, DateTimeOffset startedAt, DateTimeOffset now) =>
        new()
        {
            Order = new(id, Version: 1, CrawlState.Running, spec) { Trace = trace },
            StartedAt = startedAt,
            RunningSince = now,
            SeedsFollow = spec.MoreSeeds && spec.RoundOf is null, // Of a further round they are among its URLs.
            RevisitFrom = spec.Revisit is null ? null : "",
        };

    /// <summary>Nothing is left to do for this crawl, or there is none.</summary>
    public static bool IsSettled(CrawlHead? head) =>
        head is null || head.Order.State is CrawlState.Done || (head.Order.State is CrawlState.Cancelled && head.EndedAt is not null);

    /// <summary>How long it has been running, without its pauses.</summary>
    public static TimeSpan Ran(CrawlHead head, DateTimeOffset now) =>
        head.Ran + (head.RunningSince is { } since ? now - since : TimeSpan.Zero);

    /// <summary>Whether a crawl can be told to take a state: not one that it has, nor one that its end forbids.</summary>
    public static bool CanBecome(CrawlHead? head, CrawlState wanted) =>
        wanted switch
        {
            CrawlState.Paused => head is { EndReason: null, Order.State: CrawlState.Running },
            CrawlState.Running => head is { EndReason: null, Order.State: CrawlState.Paused },
            CrawlState.Cancelled => head is { Order.State: CrawlState.Running or CrawlState.Paused },
            CrawlState.Deleting => head is not null and not { Order.State: CrawlState.Deleting },
            _ => false,
        };

    /// <summary>The head of a crawl that was told to take a state.</summary>
    public static CrawlHead Become(CrawlHead head, CrawlState wanted, DateTimeOffset now) =>
        head with
        {
            Order = Next(head, wanted),
            EndReason = wanted is CrawlState.Cancelled or CrawlState.Deleting ? head.EndReason ?? Refusals.Cancelled : head.EndReason,
            Ran = wanted == CrawlState.Running ? head.Ran : Ran(head, now),
            RunningSince = wanted == CrawlState.Running ? now : null,
        };

    /// <summary>Hosts are to be told that it ends; the first reason counts.</summary>
    public static CrawlHead End(CrawlHead head, string reason) => head with { EndReason = head.EndReason ?? reason };

    /// <summary>No further page is kept; hosts hear of it with the next round.</summary>
    public static CrawlHead KeepNoMore(CrawlHead head) =>
        head with
        {
            Order = head.Order with { Version = head.Order.Version + 1, KeptFull = true },
        };

    /// <summary>All hosts have ended it.</summary>
    public static CrawlHead Finish(CrawlHead head, HostSums sums, SeedReport? seeds, DateTimeOffset now) =>
        head with
        {
            Order = head.Order.State is CrawlState.Cancelled or CrawlState.Deleting ? head.Order : Next(head, CrawlState.Done),
            EndedAt = now,
            Ran = Ran(head, now),
            RunningSince = null,
            Sums = sums,
            Seeds = seeds,
        };

    /// <summary>A crawl that is done goes on.</summary>
    public static CrawlHead Reopen(CrawlHead head, DateTimeOffset now) =>
        head with
        {
            Order = Next(head, CrawlState.Running),
            EndReason = null,
            EndedAt = null,
            RunningSince = now,
            Sums = null,
            Seeds = null,
            SweptAt = null,
            PagesRemovedAt = null,
        };

    /// <summary>Why nothing of a crawl is tried again, a sentence; null: it may be.</summary>
    /// <param name="isTidied">Objects of it that no page needs are being removed.</param>
    public static string? WhyNotRetried(CrawlId id, CrawlHead? head, bool isTidied) =>
        head switch
        {
            null => NoCrawl(id),
            { Order.State: CrawlState.Cancelled or CrawlState.Deleting } =>
                $"Crawl {id} is {Word(head.Order.State)}, for good: start another one.",
            { EndReason: Refusals.MaxPages } => $"Crawl {id} has as many pages as it may (--max-pages): start another one with more.",
            { EndReason: not null } when !IsSettled(head) => $"Crawl {id} is ending. Ask again in a moment.",
            _ when isTidied => $"Objects of crawl {id} that no page needs are being removed. Ask again in a moment.",
            _ => null,
        };

    /// <summary>Why a crawl takes no URLs, a sentence.</summary>
    public static string WhyNotAdded(CrawlId id, CrawlHead? head) =>
        head is null ? NoCrawl(id) : $"Crawl {id} is {Word(head.Order.State)} and takes no URLs.";

    /// <summary>What is answered to whoever told a crawl to take a state.</summary>
    /// <param name="crawl">As it is now; null: there is none.</param>
    public static ControlReply Reply(CrawlId id, CrawlSummary? crawl, CrawlState wanted) =>
        crawl is null ? new(null, NoCrawl(id))
        : crawl.State == wanted || (wanted == CrawlState.Cancelled && crawl.State == CrawlState.Deleting) ? new(crawl, null)
        : new(crawl, $"Crawl {id} is {Word(crawl.State)} and cannot become {Word(wanted)}.");

    public static string NoCrawl(CrawlId id) => $"There is no crawl {id}.";

    private static CrawlOrder Next(CrawlHead head, CrawlState state) => head.Order with { Version = head.Order.Version + 1, State = state };

    private static string Word(CrawlState state) => state.ToString().ToLowerInvariant();
}
