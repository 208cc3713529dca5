namespace Grains.Interfaces.Crawling;

/// <summary>
/// The identity of one URL, and so the deduplication that counts: nobody fetches it without its grant.
/// The key is the canonical URL.
/// </summary>
[Alias("crawling.IUrlGrain")]
public interface IUrlGrain : IGrainWithStringKey
{
    /// <summary>
    /// Grants a fetch to the highest lease number of a crawl that has asked; asked twice with one number, it answers alike.
    /// </summary>
    [Alias("Grant")]
    Task<UrlGrant> Grant(CrawlId crawl, long lease, CancellationToken cancel = default);

    /// <summary>Does nothing: silos of 2026-11 call it while a cluster is upgraded. What a fetch learned is in the host's row.</summary>
    [Alias("Learn")]
    Task Learn(CrawlId crawl, long lease, UrlFacts facts, CancellationToken cancel = default);
}

public enum UrlGrantAnswer
{
    Granted,

    /// <summary>A higher lease of this crawl was granted.</summary>
    Superseded,

    /// <summary>Done in this crawl: fetched, failed or skipped, by the row that its host has committed.</summary>
    Done,
}

[GenerateSerializer, Immutable, Alias("crawling.UrlGrant")]
public readonly record struct UrlGrant([property: Id(0)] UrlGrantAnswer Answer);

/// <summary>What a fetch learned of a URL, as silos of 2026-11 tell it.</summary>
[GenerateSerializer, Immutable, Alias("crawling.UrlFacts")]
public sealed record UrlFacts(
    [property: Id(0)] DateTimeOffset At,
    [property: Id(1)] int? Status,
    [property: Id(2)] string? ETag,
    [property: Id(3)] string? LastModified,
    [property: Id(4)] string? Digest,
    [property: Id(5)] string? Location
);
