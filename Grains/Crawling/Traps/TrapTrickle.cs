using System.Collections.Immutable;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Traps;

/// <summary>
/// The traps of one host in a crawl: their URLs are asked for one by one, ten times more slowly than the crawl asks the host, and at most
/// <see cref="MaxWaiting"/> of a trap wait so; others are refused.
/// </summary>
internal static class TrapTrickle
{
    /// <summary>URLs of a trap that wait for their time.</summary>
    public const int MaxWaiting = 100;

    /// <summary>Traps of a host; further ones are asked like any page.</summary>
    public const int MaxTraps = 100;

    /// <summary>From one URL of a trap to the next.</summary>
    public static TimeSpan Interval(CrawlSpec spec) =>
        10 * spec.Delay > TimeSpan.FromSeconds(1) ? 10 * spec.Delay : TimeSpan.FromSeconds(1);

    /// <summary>With a trap that was found by a page.</summary>
    /// <param name="names">Of facets in the path (<see cref="PathFacets"/>); null: the shape says all.</param>
    public static ImmutableArray<TrapRow> With(
        ImmutableArray<TrapRow> traps,
        string shape,
        string example,
        DateTimeOffset now,
        ImmutableArray<string>? names = null
    ) => traps.Length == MaxTraps || traps.Any(trap => trap.Shape == shape) ? traps : traps.Add(new(shape, example, now, Names: names));

    /// <summary>The trap that a URL is of; null: it is of none.</summary>
    public static TrapRow? Find(ImmutableArray<TrapRow> traps, string url)
    {
        var shape = UrlShape.Of(url);
        return traps.FirstOrDefault(trap => trap.Names is { } names ? PathFacets.IsOf(trap.Shape, names, url) : trap.Shape == shape);
    }

    /// <summary>What becomes of a URL of a trap.</summary>
    /// <param name="due">When it may be asked for; null: it is refused.</param>
    /// <returns>The traps with that taken in.</returns>
    public static ImmutableArray<TrapRow> Take(
        ImmutableArray<TrapRow> traps,
        TrapRow trap,
        TimeSpan interval,
        DateTimeOffset now,
        out DateTimeOffset? due
    )
    {
        var next = trap.NextAt > now ? trap.NextAt : now;
        due = next - now < MaxWaiting * interval ? next : null;
        return traps.Replace(
            trap,
            due is null ? trap with { Refused = trap.Refused + 1 } : trap with { NextAt = next + interval, Slowed = trap.Slowed + 1 }
        );
    }
}
