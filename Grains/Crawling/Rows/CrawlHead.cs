using System.Collections.Immutable;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Rows;

/// <summary>The head row of a crawl's own partition.</summary>
public sealed record CrawlHead
{
    public required CrawlOrder Order { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When it became done or cancelled.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Time spent running, up to <see cref="RunningSince"/>.</summary>
    public TimeSpan Ran { get; init; }

    /// <summary>Null while it is paused or ended.</summary>
    public DateTimeOffset? RunningSince { get; init; }

    /// <summary>Its seeds are durable at their hosts.</summary>
    public bool Seeded { get; init; }

    /// <summary>Further seeds follow: the crawl does not end for want of URLs.</summary>
    public bool SeedsFollow { get; init; }

    /// <summary>
    /// Where taking in the URLs of the crawl that is revisited goes on, empty at its beginning; null when all are in, or none is revisited.
    /// </summary>
    public string? RevisitFrom { get; init; }

    /// <summary>Why hosts are to end it; null while it goes on. The state says the rest once they all have.</summary>
    public string? EndReason { get; init; }

    /// <summary>The last sums that were pulled, for a crawl that ended.</summary>
    public HostSums? Sums { get; init; }

    /// <summary>When the objects of kept pages that no row names were removed, after its end.</summary>
    public DateTimeOffset? SweptAt { get; init; }

    /// <summary>When its kept pages were removed because their time was over.</summary>
    public DateTimeOffset? PagesRemovedAt { get; init; }

    /// <summary>What became of its seeds, once it has ended.</summary>
    public SeedReport? Seeds { get; init; }
}

/// <summary>A listed host.</summary>
/// <param name="Allowance">Pages that it may fetch in all; null: no limit.</param>
public sealed record ListedHost(string Host, long? Allowance);

/// <summary>A crawl in the list.</summary>
public sealed record ListedCrawl(CrawlId Id, CrawlSpec Spec, DateTimeOffset At);

/// <summary>A crawl that is made again and again: the one row that says when the next round is due.</summary>
/// <param name="Last">The round that began last; what it was asked is what the next one is.</param>
/// <param name="Number">Of that round.</param>
public sealed record RoundsRow(CrawlId First, CrawlId Last, int Number, DateTimeOffset DueAt);

/// <summary>A crawl that was deleted at a host: what comes late for it is turned away.</summary>
public sealed record DeletedCrawl(DateTimeOffset At);

/// <summary>What a host's clock must not forget, beyond the horizons of the crawls that are listed there.</summary>
/// <param name="AskedUntil">The host was asked last then, or may have been by leases that were out.</param>
/// <param name="NotBefore">The host asked not to be asked before.</param>
/// <param name="LeasedUntil">The end of the leases that were out, by the guards' clock; null: none was, or the row is of a version that had
/// one clock.</param>
/// <param name="Slower">What was added to the delay that the crawls asked for, because of how the host answered.</param>
public sealed record HostClockRow(
    DateTimeOffset AskedUntil,
    DateTimeOffset NotBefore,
    DateTimeOffset? LeasedUntil = null,
    TimeSpan Slower = default
);

/// <summary>URLs of one shape that a host makes up without end.</summary>
/// <param name="Shape">A glob that matches them.</param>
/// <param name="Example">The page by which it was found out.</param>
/// <param name="NextAt">When the next of them that comes may be asked for.</param>
/// <param name="Slowed">How many were given a time.</param>
/// <param name="Refused">How many were refused, because enough of them wait.</param>
/// <param name="Names">Of facets in the path: a URL of the trap has two of them. Null: the shape says which URLs it has.</param>
public sealed record TrapRow(
    string Shape,
    string Example,
    DateTimeOffset NextAt,
    long Slowed = 0,
    long Refused = 0,
    ImmutableArray<string>? Names = null
);

/// <summary>A robots.txt as it was answered.</summary>
/// <param name="Body">Null unless the answer was 2xx.</param>
public sealed record RobotsRow(string Origin, int Status, byte[]? Body, DateTimeOffset At);
