using System.Collections.Immutable;

namespace Grains.Interfaces.Crawling;

/// <summary>
/// What hosts and workers need to know of a crawl: its settings as the crawl list checked them, and its state.
/// It rides along with what goes down by call, so that no host has to ask upward.
/// </summary>
/// <param name="Version">Rises with every change; a host keeps the highest it has seen.</param>
/// <param name="Spec">With canonical seeds, each once.</param>
[GenerateSerializer, Immutable, Alias("crawling.CrawlOrder")]
public sealed record CrawlOrder(
    [property: Id(0)] CrawlId Id,
    [property: Id(1)] long Version,
    [property: Id(2)] CrawlState State,
    [property: Id(3)] CrawlSpec Spec
)
{
    /// <summary>
    /// The trace of the request that started the crawl (W3C traceparent), for those who fetch in its name; null when there was none.
    /// </summary>
    [Id(4)]
    public string? Trace { get; init; }

    /// <summary>As much is kept of pages as may be (<see cref="CrawlSpec.MaxKeptBytes"/>): from here on only rows are written.</summary>
    [Id(5)]
    public bool KeptFull { get; init; }
}

/// <param name="Order">The crawl as it is now.</param>
/// <param name="NotListed">Hosts beyond <see cref="ICrawlGrain.MaxHosts"/>: give them nothing.</param>
[GenerateSerializer, Immutable, Alias("crawling.EnlistReply")]
public sealed record EnlistReply([property: Id(0)] CrawlOrder Order, [property: Id(1)] ImmutableArray<HostKey> NotListed);
