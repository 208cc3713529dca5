using System.Collections.Immutable;
using Grains.Books;
using Grains.Crawling.Sessions;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Rows;

/// <summary>
/// The head row of a host's partition for one crawl: the fence, the counters for the books, and until when leases may last.
/// </summary>
public sealed record HostHead
{
    public required string Host { get; init; }

    /// <summary>Rises with every activation: the upper half of lease numbers.</summary>
    public long Epoch { get; set; }

    /// <summary>Number of the next URL in the queue.</summary>
    public long NextSequence { get; set; }

    /// <summary>No lease that was handed out lasts longer than this. A successor waits for it.</summary>
    public DateTimeOffset Horizon { get; set; }

    /// <summary>Where the activation is that hands them out; null in rows of an earlier version.</summary>
    public string? Silo { get; set; }

    public long Added { get; set; }

    public long Done { get; set; }

    /// <summary>By reason, failed and skipped alike.</summary>
    public ImmutableSortedDictionary<string, long> Refused { get; set; } = ImmutableSortedDictionary<string, long>.Empty;

    /// <summary>How many of the refused were tried and failed.</summary>
    public long Failed { get; set; }

    /// <summary>Queue rows there are. Counted where rows are made and removed, not derived from the others.</summary>
    public long Waiting { get; set; }

    public long Bytes { get; set; }

    /// <summary>Of the pages done those whose body is not here whole.</summary>
    public long Truncated { get; set; }

    /// <summary>Of the pages done those that redirect.</summary>
    public long Redirects { get; set; }

    /// <summary>Of the pages done those of each <see cref="PageRecord.Change"/>; null: no crawl is revisited.</summary>
    public ImmutableSortedDictionary<string, long>? Changes { get; set; }

    /// <summary>Of the pages done those of whose fields or text a bound cut something off.</summary>
    public long Cut { get; set; }

    /// <summary>Cookies of answers that a bound cut off.</summary>
    public long CookiesCut { get; set; }

    /// <summary>When the first page was asked for, by the schedule's clock; null: none was, or the row is of an earlier version.</summary>
    public DateTimeOffset? AskedSince { get; set; }

    /// <summary>Its endless calendars and facets; null: none was found.</summary>
    public ImmutableArray<TrapRow>? Traps { get; set; }

    /// <summary>The sitemaps that robots.txt names are among the URLs.</summary>
    public bool HasSitemaps { get; set; }

    /// <summary>The cookies that the host has set in this crawl; null: none.</summary>
    public ImmutableArray<StoredCookie>? Cookies { get; set; }

    /// <summary>Of the pages done those that were to be kept.</summary>
    public long ToKeep { get; set; }

    /// <summary>Of those to be kept those whose records a row names.</summary>
    public long Kept { get; set; }

    /// <summary>Bytes of those records, as stored.</summary>
    public long KeptBytes { get; set; }

    /// <summary>Of those to be kept those that are not.</summary>
    public long NotKept { get; set; }

    /// <summary>Why the crawl ended here; null while it goes on. Queue rows that are left mean nothing then.</summary>
    public string? Ended { get; set; }

    public void Refuse(string reason, long count = 1) => Refused = Refused.Plus(reason, count);

    /// <summary>Takes back what <see cref="Refuse"/> counted: these wait again.</summary>
    public void Readmit(string reason, long count = 1)
    {
        Refuse(reason, -count);
        Refused = Refused[reason] == 0 ? Refused.Remove(reason) : Refused;
    }

    /// <summary>Of a host that has nothing of the crawl.</summary>
    public static HostSums NoSums(HostKey host) => new HostHead { Host = host.Value }.Sums(used: 0, wantsMore: false);

    public HostSums Sums(long used, bool wantsMore) =>
        new(Added, Done, Refused, Failed, Waiting, Bytes, used, wantsMore)
        {
            Truncated = Truncated,
            ToKeep = ToKeep,
            Kept = Kept,
            KeptBytes = KeptBytes,
            NotKept = NotKept,
            Redirects = Redirects,
            Changes = Changes,
            Cut = Cut,
            CookiesCut = CookiesCut,
            Traps = Traps is { } traps
                ? [.. traps.Select(trap => new CrawlTrap(trap.Shape, trap.Example, trap.Slowed, trap.Refused))]
                : null,
        };
}
