namespace Grains.Interfaces.Crawling;

/// <summary>
/// The identity of one URL, and so the deduplication that counts: nobody fetches it without its grant.
/// It keeps across crawls what the last fetch learned. The key is the canonical URL.
/// </summary>
[Alias("crawling.IUrlGrain")]
public interface IUrlGrain : IGrainWithStringKey
{
    /// <summary>
    /// Grants a fetch to the highest lease number of a crawl that has asked; asked twice with one number, it answers alike.
    /// </summary>
    [Alias("Grant")]
    Task<UrlGrant> Grant(CrawlId crawl, long lease, CancellationToken cancel = default);

    /// <summary>
    /// Keeps what a fetch learned, after the host has it durably. A crawl in which the URL is done gets no further grant.
    /// </summary>
    [Alias("Learn")]
    Task Learn(CrawlId crawl, long lease, UrlFacts facts, CancellationToken cancel = default);
}

public enum UrlGrantAnswer
{
    Granted,

    /// <summary>A higher lease of this crawl was granted.</summary>
    Superseded,

    /// <summary>Done in this crawl.</summary>
    Done,
}

[GenerateSerializer, Immutable, Alias("crawling.UrlGrant")]
public readonly record struct UrlGrant([property: Id(0)] UrlGrantAnswer Answer, [property: Id(1)] UrlFacts? Known);

/// <summary>What a fetch learned of a URL.</summary>
[GenerateSerializer, Immutable, Alias("crawling.UrlFacts")]
public sealed record UrlFacts(
    [property: Id(0)] DateTimeOffset At,
    [property: Id(1)] int? Status,
    [property: Id(2)] string? ETag,
    [property: Id(3)] string? LastModified,
    [property: Id(4)] string? Digest,
    [property: Id(5)] string? Location
);
