using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Grains.Interfaces.Values;

namespace Grains.Interfaces.Crawling;

/// <summary>A crawl as programs read it: in lists, while it is followed, and as the last line of that.</summary>
public sealed record CrawlForm(
    string Id,
    string? Name,
    CrawlState State,
    long Pages,
    long Failed,
    long Skipped,
    long Queued,
    long Added,
    int Hosts,
    long Bytes,
    double ElapsedSeconds,
    DateTimeOffset StartedAt,
    DateTimeOffset? EndedAt,
    string? Note
)
{
    /// <summary>Failed and skipped, by the word for the books; left out when there are none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImmutableSortedDictionary<string, long>? Reasons { get; init; }

    /// <summary>Pages whose body is not here whole; left out when there are none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long Truncated { get; init; }

    /// <summary>Of the pages those that redirect; left out when there are none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long Redirects { get; init; }

    /// <summary>Pages of whose fields or text a bound cut something off; left out when there are none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long Cut { get; init; }

    /// <summary>Cookies of answers that a bound cut off; left out when there are none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long CookiesCut { get; init; }

    /// <summary>Pages that are new, changed, unchanged and gone; left out when no crawl is revisited.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImmutableSortedDictionary<string, long>? Changes { get; init; }

    /// <summary>What became of the seeds; left out before the crawl has ended.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SeedsForm? Seeds { get; init; }

    /// <summary>What is kept of pages; left out when nothing was to be kept.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public KeptForm? Kept { get; init; }

    /// <summary>Endless calendars and facets that are asked slowly; left out when none was found.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImmutableArray<TrapForm>? Traps { get; init; }

    /// <summary>When the next round may begin; left out when none does.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RoundsForm? Rounds { get; init; }

    /// <summary>What was asked; only where one crawl is shown.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SpecForm? Spec { get; init; }

    public static CrawlForm Of(CrawlSummary crawl) =>
        new(
            crawl.Id.ToString(),
            crawl.Name,
            crawl.State,
            crawl.Pages,
            crawl.Failed,
            crawl.Skipped,
            crawl.Queued,
            crawl.Added,
            crawl.Hosts,
            crawl.Bytes,
            Math.Round(crawl.Elapsed.TotalSeconds, 3),
            crawl.StartedAt,
            crawl.EndedAt,
            crawl.Note
        )
        {
            Reasons = crawl.Reasons is { Count: > 0 } reasons ? reasons : null,
            Truncated = crawl.Truncated,
            Redirects = crawl.Redirects,
            Cut = crawl.Cut,
            CookiesCut = crawl.CookiesCut,
            Changes = crawl.Changes,
            Seeds = crawl.Seeds is { } seeds ? SeedsForm.Of(seeds) : null,
            Traps = crawl.Traps is { } traps
                ? [.. traps.Select(trap => new TrapForm(trap.Pattern, trap.Example, trap.Slowed, trap.Refused))]
                : null,
            Rounds = crawl.Rounds is { } rounds ? new(rounds.Last.ToString(), rounds.Number, rounds.NextAt) : null,
            Kept = crawl.Kept is { } kept ? new(kept.Pages, kept.Bytes, kept.NotKept, kept.RemovedAt) : null,
        };

    public static CrawlForm WithSpec(CrawlSummary crawl) => Of(crawl) with { Spec = SpecForm.Of(crawl.Spec) };
}

/// <summary>
/// What became of a crawl's seeds: how many a server answered, and what is wrong with which; <c>moreTroubles</c> beyond those named.
/// </summary>
public sealed record SeedsForm(int Fetched, int NotFetched, ImmutableArray<SeedTroubleForm> Troubles, int MoreTroubles)
{
    public static SeedsForm Of(SeedReport seeds) =>
        new(
            seeds.Fetched,
            seeds.NotFetched,
            [.. seeds.Troubles.Select(trouble => new SeedTroubleForm(trouble.Url, trouble.Reason, trouble.Says))],
            seeds.MoreTroubles
        );
}

/// <summary>
/// URLs of one shape that a host makes up without end: <c>pattern</c> is a glob for <c>exclude</c>; so many are asked slowly, and refused.
/// </summary>
public sealed record TrapForm(string Pattern, string Example, long Slowed, long Refused);

/// <summary>The round of a crawl that began last, its number from 1, and when the next one may begin.</summary>
public sealed record RoundsForm(string Last, int Number, DateTimeOffset NextAt);

/// <summary>Pages that are kept, their bytes as stored, and the pages that were to be kept and were not.</summary>
public sealed record KeptForm(long Pages, long Bytes, long NotKept, DateTimeOffset? RemovedAt);

public sealed record SeedTroubleForm(string Url, string Reason, string Says);

/// <summary>What was asked, with durations and sizes as <c>crawl start</c> takes them.</summary>
public sealed record SpecForm(
    ImmutableArray<string> Seeds,
    CrawlScope Scope,
    long? MaxPages,
    int? MaxDepth,
    string Delay,
    int Concurrency,
    int Parallel,
    ImmutableArray<string> Include,
    ImmutableArray<string> Exclude,
    ImmutableArray<string> AllowPrivate,
    string Timeout,
    int MaxBodyBytes,
    KeepPages Keep,
    long MaxKeptBytes,
    SitemapUse Sitemaps,
    ImmutableArray<string> HeaderNames,
    string? UserAgent,
    string? Contact,
    ImmutableArray<string> CredentialHosts,
    bool NoCookies,
    ImmutableArray<string> Accept,
    ImmutableArray<string> Walk,
    int MaxPathDepth,
    int MaxRepeats,
    ImmutableArray<string> DropParams,
    bool SortParams
)
{
    /// <summary>Further seeds were announced; left out when there were none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool MoreSeeds { get; init; }

    /// <summary>The crawl that is revisited; left out when none is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Revisit { get; init; }

    /// <summary>What is read out of pages by selector; left out when nothing is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImmutableArray<string>? Fields { get; init; }

    /// <summary>The text of pages is in their records; left out when it is not.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Text { get; init; }

    /// <summary>What is taken of each host at most; left out where there is no limit.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? HostPages { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? HostBytes { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? HostTime { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? HostErrors { get; init; }

    /// <summary>The crawl is made again so often; left out when it is not.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Every { get; init; }

    /// <summary>Calendars and facets without end are asked like other pages; left out when they are not.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool FollowTraps { get; init; }

    /// <summary>The name of the proxy that is asked in place of the hosts; left out when none is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Proxy { get; init; }

    /// <summary>What robots.txt of the silo's own hosts forbids is fetched; left out when it is not.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IgnoreRobots { get; init; }

    /// <summary>The delay holds per address of a server too; left out when it does not.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool PerIp { get; init; }

    public static SpecForm Of(CrawlSpec spec) =>
        new(
            spec.Seeds,
            spec.Scope,
            spec.MaxPages,
            spec.MaxDepth,
            Durations.Format(spec.Delay),
            spec.Concurrency,
            spec.Parallel,
            spec.Include,
            spec.Exclude,
            spec.AllowPrivate,
            Durations.Format(spec.Timeout),
            spec.MaxBodyBytes,
            spec.Keep,
            spec.MaxKeptBytes,
            spec.Sitemaps,
            Names(spec.Headers, ':'),
            spec.UserAgent,
            spec.Contact,
            Names(spec.Credentials, '='),
            spec.NoCookies,
            spec.Accept,
            spec.Walk,
            spec.MaxPathDepth,
            spec.MaxRepeats,
            spec.DropParams,
            spec.SortParams
        )
        {
            MoreSeeds = spec.MoreSeeds,
            Revisit = spec.Revisit?.ToString(),
            Fields = spec.Fields.IsEmpty ? null : spec.Fields,
            Text = spec.Text,
            HostPages = spec.HostPages,
            HostBytes = spec.HostBytes,
            HostTime = spec.HostTime is { } time ? Durations.Format(time) : null,
            HostErrors = spec.HostErrors,
            FollowTraps = spec.FollowTraps,
            PerIp = spec.PerIp,
            Proxy = spec.Proxy,
            IgnoreRobots = spec.IgnoreRobots,
            Every = spec.Every is { } every ? Durations.Format(every) : null,
        };

    /// <summary>What stands before the secret of each.</summary>
    private static ImmutableArray<string> Names(ImmutableArray<string> secrets, char separator) =>
        [.. secrets.Select(secret => secret.Split(separator)[0].Trim())];
}
