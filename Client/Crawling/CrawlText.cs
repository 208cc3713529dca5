using System.Collections.Immutable;
using System.Globalization;
using Client.Values;
using Grains.Interfaces.Crawling;

namespace Client.Crawling;

/// <summary>The words in which people read of a crawl, alike in every verb.</summary>
internal static class CrawlText
{
    public static string State(CrawlState state) =>
        state switch
        {
            CrawlState.Running => "running",
            CrawlState.Paused => "paused",
            CrawlState.Done => "done",
            CrawlState.Cancelled => "cancelled",
            CrawlState.Deleting => "being deleted",
            _ => throw new ArgumentOutOfRangeException(nameof(state), state, "Not a crawl's state."),
        };

    public static string Style(CrawlState state) =>
        state switch
        {
            CrawlState.Running => "blue",
            CrawlState.Paused => "yellow",
            CrawlState.Done => "green",
            _ => "grey",
        };

    /// <summary><c>docs (k3j9x0a1bc)</c>, or the id alone.</summary>
    public static string Title(CrawlSummary crawl) => crawl.Name is { } name ? $"{Terminal.Clean(name)} ({crawl.Id})" : crawl.Id.ToString();

    /// <summary><c>robots 10, timeout 2</c>, the most frequent first; null when there are none.</summary>
    public static string? Reasons(CrawlSummary crawl) => Reasons(crawl.Reasons);

    /// <inheritdoc cref="Reasons(CrawlSummary)"/>
    public static string? Reasons(ImmutableSortedDictionary<string, long>? counts) =>
        counts is { Count: > 0 } reasons
            ? string.Join(
                ", ",
                reasons
                    .OrderByDescending(reason => reason.Value)
                    .ThenBy(reason => reason.Key, StringComparer.Ordinal)
                    .Select(reason => $"{reason.Key} {Counts.Format(reason.Value)}")
            )
            : null;

    /// <summary><c>340 pages, 3.1 MB; 12 not kept</c>; null when nothing was to be kept.</summary>
    public static string? Kept(CrawlSummary crawl) =>
        crawl.Kept switch
        {
            null => null,
            { RemovedAt: { } at } => string.Create(CultureInfo.InvariantCulture, $"removed at {at.UtcDateTime:yyyy-MM-dd HH:mm:ss'Z'}"),
            { NotKept: 0 } kept => $"{Counts.Of(kept.Pages, "page", "pages")}, {Sizes.Format(kept.Bytes)}",
            { } kept => $"{Counts.Of(kept.Pages, "page", "pages")}, {Sizes.Format(kept.Bytes)}; {Counts.Format(kept.NotKept)} not kept",
        };

    /// <summary>A line for each seed with which something is wrong, and one for those beyond.</summary>
    public static IEnumerable<string> SeedTroubles(CrawlSummary crawl)
    {
        if (crawl.Seeds is not { } seeds)
        {
            return [];
        }

        var lines = seeds.Troubles.Select(trouble =>
            $"seed {Terminal.Clean(trouble.Url)}: {trouble.Reason}. {Terminal.Clean(trouble.Says)}"
        );
        return seeds.MoreTroubles == 0
            ? lines
            : lines.Append($"and {Counts.Of(seeds.MoreTroubles, "more seed", "more seeds")}; crawl export {crawl.Id} --all has each");
    }

    /// <summary>A line for each endless calendar or set of facets, with what can be done about it.</summary>
    public static IEnumerable<string> Traps(CrawlSummary crawl) =>
        (crawl.Traps ?? []).Select(trap =>
            $"{Terminal.Clean(trap.Pattern)}: {Counts.Format(trap.Slowed)} slowed, {Counts.Format(trap.Refused)} refused, such as "
            + $"{Terminal.Clean(trap.Example)}; --exclude \"{Terminal.Clean(trap.Pattern)}\" leaves them out, --follow-traps follows them"
        );

    /// <summary>When the next round may begin; null when none does.</summary>
    public static string? NextRound(CrawlSummary crawl) =>
        crawl.Rounds is { } rounds ? rounds.NextAt.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) : null;

    /// <summary><c>340 done, 211 queued, 2 failed, 14 skipped</c>.</summary>
    public static string Numbers(CrawlSummary crawl) =>
        $"{Counts.Format(crawl.Pages)} done, {Counts.Format(crawl.Queued)} queued, {Counts.Format(crawl.Failed)} failed, "
        + $"{Counts.Format(crawl.Skipped)} skipped";
}
