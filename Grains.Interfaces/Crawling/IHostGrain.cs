using System.Collections.Immutable;
using Orleans.Concurrency;

namespace Grains.Interfaces.Crawling;

/// <summary>
/// One host on the web: decides when it is next asked, for all crawls of the cluster, and owns what every crawl knows of its URLs.
/// The key is a <see cref="HostKey"/>.
/// </summary>
[Alias("crawling.IHostGrain")]
public interface IHostGrain : IGrainWithStringKey
{
    /// <summary>
    /// Takes URLs of this host into a crawl; those it knows already change nothing. Durable when it answers. The host is listed at the
    /// crawl before.
    /// </summary>
    [Alias("Add")]
    Task<AddReply> Add(CrawlOrder order, ImmutableArray<FoundUrl> urls, CancellationToken cancel = default);

    /// <summary>
    /// Takes what became of leases, durable when it answers, and answers with further leases: at most <see cref="HostReport.Take"/>. A
    /// place is free again
    /// when its outcome is durable, so a crash repeats no more fetches than may be in flight.
    /// </summary>
    [Alias("Report")]
    Task<HostReply> Report(HostReport report, CancellationToken cancel = default);

    /// <summary>
    /// The request of a lease goes out now; told where the lease asks for it (<see cref="Lease.TellBegun"/>). If it is lost, the lease's
    /// end says as much.
    /// </summary>
    [Alias("Begun"), OneWay]
    Task Begun(CrawlId crawl, long lease);

    /// <summary>
    /// Tells the crawl as it is now and how many pages this host may have fetched of it in all (<paramref name="allowance"/>; null: no
    /// limit),
    /// and answers the committed counters. What is lower than before is taken only as far as it is not used yet.
    /// </summary>
    [Alias("Sums")]
    Task<HostSums> Sums(CrawlOrder order, long? allowance, CancellationToken cancel = default);

    /// <summary>Ends a crawl on this host: all that waits is skipped with <paramref name="reason"/>.</summary>
    [Alias("End")]
    Task<HostSums> End(CrawlOrder order, string reason, CancellationToken cancel = default);

    /// <summary>Removes rows of a crawl, ten thousand at most: true when none are left, false when it is to be called again.</summary>
    [Alias("Delete")]
    Task<bool> Delete(CrawlId crawl, CancellationToken cancel = default);

    /// <summary>
    /// Queues URLs of a crawl that have failed, of two thousand rows in a call; durable when it answers. Where the crawl has ended
    /// here under an earlier version of <paramref name="order"/>, it goes on. See <see cref="ICrawlGrain.Retry"/>.
    /// </summary>
    /// <param name="after">The last answer's <see cref="HostRetry.Next"/>; null to begin.</param>
    [Alias("Retry")]
    Task<HostRetry> Retry(CrawlOrder order, string? reason, string? after, CancellationToken cancel = default);

    /// <summary>
    /// Takes in the URLs that an earlier crawl (<see cref="CrawlSpec.Revisit"/>) fetched here or failed to, of two thousand rows in a call;
    /// durable when it answers. Those out of scope are passed over.
    /// </summary>
    /// <param name="after">The last answer; null to begin.</param>
    /// <returns>Where the next call goes on; null at the end.</returns>
    [Alias("Revisit")]
    Task<string?> Revisit(CrawlOrder order, string? after, CancellationToken cancel = default);

    /// <summary>
    /// Reads the cookies again that the crawl's hosts of this registrable domain share: a worker has set one, durably, and reports the page
    /// when all these hosts know of it.
    /// </summary>
    [Alias("CookiesChanged")]
    Task CookiesChanged(CrawlId crawl, CancellationToken cancel = default);

    /// <summary>How the host is asked, and what of a crawl is done here.</summary>
    [Alias("State")]
    Task<HostState> State(CrawlId crawl, CancellationToken cancel = default);

    /// <summary>What this host says of a URL of its own; see <see cref="ICrawlGrain.Explain"/>.</summary>
    [Alias("Explain")]
    Task<ImmutableArray<ExplainLine>> Explain(CrawlId crawl, string url, CancellationToken cancel = default);
}

/// <param name="Parent">The page that links to it; null for a seed.</param>
/// <param name="Hops">Redirects in a row that led here; 0 for a link.</param>
/// <param name="IsSitemap">
/// It is a sitemap; <paramref name="Parent"/> is then the robots.txt that named it, or the index it stands in.
/// </param>
[GenerateSerializer, Immutable, Alias("crawling.FoundUrl")]
public readonly record struct FoundUrl(
    [property: Id(0)] string Url,
    [property: Id(1)] int Depth,
    [property: Id(2)] string? Parent,
    [property: Id(3)] int Hops = 0,
    [property: Id(4)] bool IsSitemap = false
);

/// <param name="New">How many were not known before, those refused included.</param>
/// <param name="Refused">How many the host has no room for.</param>
[GenerateSerializer, Immutable, Alias("crawling.AddReply")]
public readonly record struct AddReply([property: Id(0)] int New, [property: Id(1)] int Refused);

/// <summary>How one host of a crawl is asked, and how far it is.</summary>
/// <param name="State">
/// <c>ended</c> (the crawl has), <c>idle</c> (nothing waits), <c>paused</c>, <c>robots</c> (robots.txt cannot be had), <c>resting</c> (it
/// asked for a pause, or a predecessor's requests may go on), <c>full</c> (its share of <c>--max-pages</c> is used up),
/// <c>address</c> (it waits for its turn at its server's address), <c>slowed</c>
/// (asked more slowly than was asked for) or <c>asked</c>.
/// </param>
/// <param name="Why">A sentence; null for what needs none.</param>
/// <param name="AskedDelay">Between two requests, as the crawls there and robots.txt ask.</param>
/// <param name="Delay">As it is kept now; never shorter.</param>
/// <param name="NextAt">When the next request may start; null: now, or when one that is under way has ended.</param>
/// <param name="InFlight">Requests under way, of all crawls.</param>
[GenerateSerializer, Immutable, Alias("crawling.HostState")]
public sealed record HostState(
    [property: Id(0)] HostKey Host,
    [property: Id(1)] string State,
    [property: Id(2)] string? Why,
    [property: Id(3)] TimeSpan AskedDelay,
    [property: Id(4)] TimeSpan Delay,
    [property: Id(5)] DateTimeOffset? NextAt,
    [property: Id(6)] int InFlight,
    [property: Id(7)] long Pages,
    [property: Id(8)] long Queued,
    [property: Id(9)] long Failed,
    [property: Id(10)] long Bytes,
    [property: Id(11)] ImmutableSortedDictionary<string, long> Reasons
);

/// <param name="Retried">How many URLs were queued, by the word for the books with which they had failed.</param>
/// <param name="Next">Where the next call goes on; null at the end.</param>
[GenerateSerializer, Immutable, Alias("crawling.HostRetry")]
public sealed record HostRetry([property: Id(0)] ImmutableSortedDictionary<string, long> Retried, [property: Id(1)] string? Next);

/// <param name="Worker">Number of the worker that reports.</param>
/// <param name="Outcomes">Of leases of this host, of any crawl.</param>
/// <param name="Crawl">Of which crawl leases are wanted; null: none.</param>
/// <param name="Take">How many at most.</param>
/// <param name="Silo">Of the worker, as an address of Orleans: when it dies, the lease ends soon. Null from an earlier version.</param>
[GenerateSerializer, Immutable, Alias("crawling.HostReport")]
public sealed record HostReport(
    [property: Id(0)] int Worker,
    [property: Id(1)] ImmutableArray<FetchOutcome> Outcomes,
    [property: Id(2)] CrawlId? Crawl,
    [property: Id(3)] int Take,
    [property: Id(4)] string? Silo = null
);

/// <param name="Order">The crawl of the leases; null when there are none.</param>
/// <param name="Late">Numbers of reported leases that were over before: their outcomes changed nothing, and somebody else has the URL or
/// will have it.</param>
[GenerateSerializer, Immutable, Alias("crawling.HostReply")]
public sealed record HostReply(
    [property: Id(0)] CrawlOrder? Order,
    [property: Id(1)] ImmutableArray<Lease> Leases,
    [property: Id(2)] ImmutableArray<long> Late
);

public enum LeaseKind
{
    Page,

    /// <summary>The robots.txt of the URL's origin. Redirects are followed, five at most (RFC 9309 §2.3.1.2).</summary>
    Robots,

    /// <summary>A sitemap: its entries are URLs of the crawl.</summary>
    Sitemap,
}

/// <summary>The right to fetch one URL, once, within a time.</summary>
/// <param name="Number">Rises with every lease of the host for this crawl, across activations: the fencing token.</param>
/// <param name="For">Counted by the worker from the moment it asked, so that clocks need not agree; the host waits longer than
/// that.</param>
/// <param name="Attempt">1 for the first.</param>
/// <param name="TellBegun">The host counts its delay from when the request goes out: <see cref="IHostGrain.Begun"/>.</param>
/// <param name="Hops">See <see cref="FoundUrl"/>.</param>
/// <param name="Sitemaps">
/// Sitemaps of the URL's origin, as robots.txt has them, that the crawl has not been told yet; null: none. The report says that it was.
/// </param>
/// <param name="Parent">Of a sitemap: see <see cref="FoundUrl"/>.</param>
/// <param name="Cookie">The value of the Cookie field; null: none.</param>
[GenerateSerializer, Immutable, Alias("crawling.Lease")]
public sealed record Lease(
    [property: Id(0)] LeaseKind Kind,
    [property: Id(1)] string Url,
    [property: Id(2)] long Number,
    [property: Id(3)] TimeSpan For,
    [property: Id(4)] int Depth,
    [property: Id(5)] int Attempt,
    [property: Id(6)] bool TellBegun,
    [property: Id(7)] int Hops = 0,
    [property: Id(8)] ImmutableArray<string>? Sitemaps = null,
    [property: Id(9)] string? Parent = null,
    [property: Id(10)] string? Cookie = null
);

public enum FetchResult
{
    /// <summary>An answer that is final, whatever its status.</summary>
    Answered,

    /// <summary>May go better later: no connection, a time-out, 408, 425, 429, 5xx.</summary>
    Temporary,

    /// <summary>Will not go better: an address that may not be connected to, an answer that is no HTTP.</summary>
    Permanent,

    /// <summary>Not fetched: the URL's grain did not grant it, or the lease was over. Says nothing about the URL.</summary>
    Released,

    /// <summary>Not fetched: the URL's grain knows it as done in this crawl.</summary>
    Known,
}

/// <summary>What became of a lease. Links to other hosts are durable at those hosts before this is sent.</summary>
/// <param name="Reason">Of a failure, a word for the books: <c>timeout</c>, <c>unreachable</c>, <c>http-503</c>,
/// <c>private-address</c>…</param>
/// <param name="RetryAfter">As the server asked.</param>
/// <param name="Page">What is kept of it; for an answer and for a failure.</param>
/// <param name="Links">In scope, canonical, on this host, each once.</param>
/// <param name="Robots">
/// Of a robots lease that was answered with 2xx: the body, at most 500 KiB of it and one byte that says there is more; null when it could
/// not be read whole.
/// </param>
[GenerateSerializer, Immutable, Alias("crawling.FetchOutcome")]
public sealed record FetchOutcome(
    [property: Id(0)] CrawlId Crawl,
    [property: Id(1)] LeaseKind Kind,
    [property: Id(2)] string Url,
    [property: Id(3)] long Number,
    [property: Id(4)] FetchResult Result,
    [property: Id(5)] string? Reason,
    [property: Id(6)] TimeSpan? RetryAfter,
    [property: Id(7)] PageRecord? Page,
    [property: Id(8)] ImmutableArray<string> Links,
    [property: Id(9)] byte[]? Robots
)
{
    /// <summary>Links in scope on this host that are not followed, canonical, each once, with the word for the books.</summary>
    [Id(10)]
    public ImmutableArray<TurnedAwayLink> TurnedAway { get; init; } = [];

    /// <summary>How many other links of the page are not followed, by the word for the books; null: none.</summary>
    [Id(11)]
    public ImmutableSortedDictionary<string, long>? LeftOut { get; init; }

    /// <summary>The page was to be kept and is not: the limit of the crawl is reached, or the page is too large.</summary>
    [Id(12)]
    public bool NotKept { get; init; }

    /// <summary>Further URLs on this host, beside <see cref="Links"/>: sitemaps, and what they name. Null: none.</summary>
    [Id(13)]
    public ImmutableArray<FoundUrl>? Found { get; init; }

    /// <summary>The sitemaps of the lease (<see cref="Lease.Sitemaps"/>) are among what was found, here or at other hosts.</summary>
    [Id(14)]
    public bool HasSitemaps { get; init; }

    /// <summary>Values of the Set-Cookie fields of the answer that are for its host alone; null: none.</summary>
    [Id(15)]
    public ImmutableArray<string>? SetCookies { get; init; }

    /// <summary>Cookies of the answer that a bound cut off before the host has seen them: too long, too many, a full shared jar.</summary>
    [Id(16)]
    public int CookiesCut { get; init; }
}

/// <summary>A link that a rule or a limit keeps from being followed: <c>max-depth</c> or <c>nofollow</c>.</summary>
[GenerateSerializer, Immutable, Alias("crawling.TurnedAwayLink")]
public readonly record struct TurnedAwayLink([property: Id(0)] string Url, [property: Id(1)] string Reason);

/// <summary>A host's committed counters for one crawl.</summary>
/// <param name="Refused">By reason: failed and skipped alike.</param>
/// <param name="Failed">How many of the refused were tried and failed.</param>
/// <param name="Used">Pages that count against the allowance, those in flight included.</param>
/// <param name="WantsMore">URLs wait and the allowance is used up.</param>
[GenerateSerializer, Immutable, Alias("crawling.HostSums")]
public sealed record HostSums(
    [property: Id(0)] long Added,
    [property: Id(1)] long Done,
    [property: Id(2)] ImmutableSortedDictionary<string, long> Refused,
    [property: Id(3)] long Failed,
    [property: Id(4)] long Waiting,
    [property: Id(5)] long Bytes,
    [property: Id(6)] long Used,
    [property: Id(7)] bool WantsMore
)
{
    /// <summary>Pages whose body is not here whole: it was cut at the limit, ended early, or could not be decompressed.</summary>
    [Id(8)]
    public long Truncated { get; init; }

    /// <summary>Why the host does not move, in a sentence; null when there is nothing to say.</summary>
    [Id(9)]
    public string? Note { get; init; }

    /// <summary>Pages that were to be kept: each is counted under <see cref="Kept"/> or <see cref="NotKept"/> too.</summary>
    [Id(10)]
    public long ToKeep { get; init; }

    /// <summary>Pages whose WARC records a row names.</summary>
    [Id(11)]
    public long Kept { get; init; }

    /// <summary>Bytes of those records, as stored.</summary>
    [Id(12)]
    public long KeptBytes { get; init; }

    /// <summary>Pages that were to be kept and were not: the crawl's limit was reached, or the page is too large.</summary>
    [Id(13)]
    public long NotKept { get; init; }

    /// <summary>Of the pages done those that redirect: they do not count for <see cref="CrawlSpec.MaxPages"/>.</summary>
    [Id(14)]
    public long Redirects { get; init; }

    /// <summary>Pages by how they stand to those of the crawl that is revisited; null: none is.</summary>
    [Id(15)]
    public ImmutableSortedDictionary<string, long>? Changes { get; init; }

    /// <summary>Pages of whose fields or text a bound cut something off (<see cref="PageExtract.Cut"/>).</summary>
    [Id(16)]
    public long Cut { get; init; }

    /// <summary>Endless calendars and facets that are asked slowly, at most a hundred of a host; null: none was found.</summary>
    [Id(17)]
    public ImmutableArray<CrawlTrap>? Traps { get; init; }

    /// <summary>Cookies of answers that a bound cut off: too long, too many of an answer, or pushed out of a full jar.</summary>
    [Id(18)]
    public long CookiesCut { get; init; }
}

/// <summary>URLs of one shape of which a host makes up more and more, and none of which brings anything new.</summary>
/// <param name="Pattern">A glob that matches them, for <see cref="CrawlSpec.Exclude"/>.</param>
/// <param name="Example">One of them.</param>
/// <param name="Slowed">How many are asked for, ten times more slowly than other pages.</param>
/// <param name="Refused">How many were refused as <c>trap</c>, because a hundred waited.</param>
[GenerateSerializer, Immutable, Alias("crawling.CrawlTrap")]
public sealed record CrawlTrap(
    [property: Id(0)] string Pattern,
    [property: Id(1)] string Example,
    [property: Id(2)] long Slowed,
    [property: Id(3)] long Refused
)
{
    /// <summary>Of one crawl that are told of.</summary>
    public const int MaxTold = 10;

    /// <summary>The largest of both, at most <see cref="MaxTold"/>; null: there is none.</summary>
    public static ImmutableArray<CrawlTrap>? Both(ImmutableArray<CrawlTrap>? some, ImmutableArray<CrawlTrap>? others) =>
        some is null && others is null
            ? null
            : [.. (some ?? []).Concat(others ?? []).OrderByDescending(trap => trap.Slowed + trap.Refused).Take(MaxTold)];
}
