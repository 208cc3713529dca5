using System.Collections.Immutable;

namespace Grains.Interfaces.Crawling;

public enum CrawlState
{
    Running,
    Paused,

    /// <summary>Nothing is left to fetch, or the limit of pages is reached.</summary>
    Done,
    Cancelled,

    /// <summary>Its rows are being removed.</summary>
    Deleting,
}

/// <summary>A crawl at a glance, from the hosts' committed counters: <c>Added = Pages + Failed + Skipped + Queued</c>.</summary>
/// <param name="Pages">URLs that a server answered with a status that is final.</param>
/// <param name="Failed">
/// URLs given up: no answer, a temporary failure three times, a robots.txt that cannot be reached, a seed on a private address.
/// </param>
/// <param name="Skipped">
/// URLs not fetched: robots.txt, a link to a private address, a limit, a cancel; and links that a limit cut off.
/// </param>
/// <param name="Queued">URLs waiting, those in flight included.</param>
/// <param name="Bytes">Of bodies, after decompression.</param>
/// <param name="EndedAt">When it became done or cancelled; null before.</param>
/// <param name="Note">Why it does not move, in a sentence, when there is something to say.</param>
[GenerateSerializer, Immutable, Alias("crawling.CrawlSummary")]
public sealed record CrawlSummary(
    [property: Id(0)] CrawlId Id,
    [property: Id(1)] string? Name,
    [property: Id(2)] CrawlState State,
    [property: Id(3)] CrawlSpec Spec,
    [property: Id(4)] long Added,
    [property: Id(5)] long Pages,
    [property: Id(6)] long Failed,
    [property: Id(7)] long Skipped,
    [property: Id(8)] long Queued,
    [property: Id(9)] int Hosts,
    [property: Id(10)] long Bytes,
    [property: Id(11)] DateTimeOffset StartedAt,
    [property: Id(12)] DateTimeOffset? EndedAt,
    [property: Id(13)] TimeSpan Elapsed,
    [property: Id(14)] string? Note
)
{
    /// <summary>Failed and skipped, by the word for the books; null from a silo of an earlier version.</summary>
    [Id(15)]
    public ImmutableSortedDictionary<string, long>? Reasons { get; init; }

    /// <summary>
    /// Of <see cref="Pages"/> those whose body is not here whole: it was cut at the limit, ended early, or could not be decompressed.
    /// </summary>
    [Id(16)]
    public long Truncated { get; init; }

    /// <summary>
    /// What became of the seeds, once the crawl has ended; null before, and of a crawl that ended under an earlier version.
    /// </summary>
    [Id(17)]
    public SeedReport? Seeds { get; init; }

    /// <summary>What is kept of pages; null while nothing was to be kept, and from a silo of an earlier version.</summary>
    [Id(18)]
    public KeptPages? Kept { get; init; }

    /// <summary>Of <see cref="Pages"/> those that redirect; <see cref="CrawlSpec.MaxPages"/> does not count them.</summary>
    [Id(19)]
    public long Redirects { get; init; }

    /// <summary>
    /// Pages by how they stand to those of the crawl that is revisited (<see cref="PageRecord.Change"/>); null: none is.
    /// </summary>
    [Id(20)]
    public ImmutableSortedDictionary<string, long>? Changes { get; init; }

    /// <summary>Of <see cref="Pages"/> those of whose fields or text a bound cut something off.</summary>
    [Id(21)]
    public long Cut { get; init; }

    /// <summary>Of a crawl with <see cref="CrawlSpec.Every"/>: which round comes next, and when; null: none does.</summary>
    [Id(22)]
    public CrawlRounds? Rounds { get; init; }

    /// <summary>Endless calendars and facets, the largest of them; null: none was found.</summary>
    [Id(23)]
    public ImmutableArray<CrawlTrap>? Traps { get; init; }

    /// <summary>Cookies of answers that a bound cut off: too long, too many of an answer, or pushed out of a full jar.</summary>
    [Id(24)]
    public long CookiesCut { get; init; }

    public bool Ended => State is CrawlState.Done or CrawlState.Cancelled;

    /// <summary>
    /// It is done, and nothing came of it: not one seed was answered. The report is of the first thousand; where others followed, a page is
    /// proof enough.
    /// </summary>
    public bool FetchedNoSeed => State == CrawlState.Done && Seeds is { Fetched: 0 } && !(Spec.MoreSeeds && Pages > 0);
}

/// <summary>What became of a crawl's seeds.</summary>
/// <param name="Fetched">Those that a server answered, whatever its answer.</param>
/// <param name="NotFetched">The others.</param>
/// <param name="Troubles">
/// Those not fetched, and those whose answer leads nowhere (an error, a redirect out of scope), in their order; at most <see
/// cref="MaxTroubles"/>.
/// </param>
/// <param name="MoreTroubles">How many there are beyond them; <c>export --all</c> has each.</param>
[GenerateSerializer, Immutable, Alias("crawling.SeedReport")]
public sealed record SeedReport(
    [property: Id(0)] int Fetched,
    [property: Id(1)] int NotFetched,
    [property: Id(2)] ImmutableArray<SeedTrouble> Troubles,
    [property: Id(3)] int MoreTroubles
)
{
    public const int MaxTroubles = 10;
}

/// <param name="Reason">The word for the books; of an answer <c>http-404</c> or <c>redirect</c>.</param>
/// <param name="Says">The cause, a sentence.</param>
[GenerateSerializer, Immutable, Alias("crawling.SeedTrouble")]
public sealed record SeedTrouble([property: Id(0)] string Url, [property: Id(1)] string Reason, [property: Id(2)] string Says);

/// <summary>A crawl that is made again and again, see <see cref="CrawlSpec.Every"/>.</summary>
/// <param name="Last">The round that began last.</param>
/// <param name="Number">Of that round; the first is 1.</param>
/// <param name="NextAt">When the next one may begin.</param>
[GenerateSerializer, Immutable, Alias("crawling.CrawlRounds")]
public sealed record CrawlRounds([property: Id(0)] CrawlId Last, [property: Id(1)] int Number, [property: Id(2)] DateTimeOffset NextAt);
