using System.Collections.Immutable;
using Orleans.Concurrency;

namespace Grains.Interfaces.Crawling;

/// <summary>The crawls that are kept: names, ids, what was asked. The key is always 0.</summary>
[Alias("crawling.ICrawlListGrain")]
public interface ICrawlListGrain : IGrainWithIntegerKey
{
    /// <summary>Checks a crawl, lists it and starts it. What is wrong is answered by values, and then nothing was made.</summary>
    [Alias("Start")]
    Task<StartReply> Start(CrawlSpec spec, CancellationToken cancel = default);

    /// <summary>The crawl of this id or name; null when there is none. Interleaves: it reads the list as it is at that moment.</summary>
    [AlwaysInterleave]
    [Alias("Find")]
    Task<CrawlId?> Find(string idOrName, CancellationToken cancel = default);

    /// <summary>
    /// Every crawl that is kept, the newest first. At most <see cref="MaxCrawls"/> are kept. Interleaves: it takes the list at once and
    /// then asks the crawls.
    /// </summary>
    [AlwaysInterleave]
    [Alias("List")]
    Task<ImmutableArray<CrawlSummary>> List(CancellationToken cancel = default);

    /// <summary>Wakes the crawls that are not at their end. Called when a silo starts and every few seconds after.</summary>
    [Alias("Wake")]
    Task Wake(CancellationToken cancel = default);

    /// <summary>Forgets a crawl that has deleted its rows. Called by that crawl.</summary>
    [Alias("Forget")]
    Task Forget(CrawlId id, CancellationToken cancel = default);

    /// <summary>
    /// A crawl that was done goes on: it is woken again like any that runs. Called by that crawl, which may itself be being woken; so it
    /// interleaves: it notes the id and awaits nothing.
    /// </summary>
    [AlwaysInterleave]
    [Alias("Reopened")]
    Task Reopened(CrawlId id, CancellationToken cancel = default);

    /// <summary>
    /// No further round of a crawl begins (<see cref="CrawlSpec.Every"/>): true when there would have been one. Called by a crawl that is
    /// cancelled, which may itself be being woken; so it interleaves: it removes one row by its etag, and who is about to begin a round
    /// loses that row and begins none.
    /// </summary>
    /// <param name="first">The first of the rounds.</param>
    [AlwaysInterleave]
    [Alias("EndRounds")]
    Task<bool> EndRounds(CrawlId first, CancellationToken cancel = default);

    const int MaxCrawls = 10_000;
}

/// <summary>Either an id, or what is wrong, a sentence each.</summary>
[GenerateSerializer, Immutable, Alias("crawling.StartReply")]
public sealed record StartReply([property: Id(0)] CrawlId? Id, [property: Id(1)] ImmutableArray<string> Errors);
