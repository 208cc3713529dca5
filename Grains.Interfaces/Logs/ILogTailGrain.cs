using System.Collections.Immutable;

namespace Grains.Interfaces.Logs;

/// <summary>One viewer who watches records as they are stored. The key is made for the viewer and used once.</summary>
[Alias("logs.ILogTailGrain")]
public interface ILogTailGrain : IGrainWithGuidKey
{
    /// <summary>
    /// What is stored from now on and matches, each record once, in order of time within a page; a page without records says that it is
    /// still there. When a silo ends, so does this; whoever
    /// watches begins anew.
    /// </summary>
    /// <param name="query">In the language of queries; empty: every record.</param>
    [Alias("Watch")]
    IAsyncEnumerable<TailPage> Watch(string query, CancellationToken cancel = default);
}

/// <param name="Missed">Records that matched or might have, after those of this page and before the next, that this viewer was too slow
/// for, or that could not be read.</param>
/// <param name="Wrong">The query is wrong: why; nothing follows.</param>
[GenerateSerializer, Immutable, Alias("logs.TailPage")]
public sealed record TailPage([property: Id(0)] LogBlock Records, [property: Id(1)] long Missed, [property: Id(2)] string? Wrong)
{
    /// <summary>Names of unreadable segments that are given with a page; <see cref="Missed"/> counts the records of all.</summary>
    public const int MaxUnreadableNames = 20;

    /// <summary>Segments among what was missed that cannot be read; default from a silo of an earlier version.</summary>
    [Id(3)]
    public ImmutableArray<string> UnreadableSegments { get; init; } = [];
}
