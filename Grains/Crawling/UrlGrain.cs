using Grains.Crawling.Rows;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;
using Grains.Storage;
using Orleans.Placement;

namespace Grains.Crawling;

/// <summary>The identity of one URL: <see cref="UrlGrants"/> decides who may fetch it.</summary>
/// <remarks>
/// It keeps nothing of its own. A lease ends by time, its worker checks it before it connects, and its number is higher than any before, so
/// a grant need not outlive the minute or two in which the grain is in memory. That a URL is done is in the row that its host commits with
/// the result, and is read with each grant: also a host that was replaced and does not know it yet gets no URL fetched again
/// (docs/decisions/0015).
/// </remarks>
[PreferLocalPlacement]
[CollectionAgeLimit(Minutes = 2)]
[GrainType("url")]
public sealed class UrlGrain(ITableStore rows) : Grain, IUrlGrain
{
    private readonly UrlGrants _grants = new();

    public async Task<UrlGrant> Grant(CrawlId crawl, long lease, CancellationToken cancel)
    {
        var key = this.GetPrimaryKeyString();
        var url = CanonicalUrl.TryParse(key, baseUrl: null, out var parsed)
            ? parsed
            : throw new ArgumentException($"The key of a URL's grain is a canonical URL; \"{key}\" is none.", nameof(lease));
        var row = await rows.Get(CrawlTable.Name, CrawlTable.Urls(crawl, url.HostKey), CrawlTable.Url(key), cancel);
        return new(_grants.Grant(crawl, lease, row is null ? null : CrawlJson.Read<UrlRow>(row.Payload).State));
    }

    public Task Learn(CrawlId crawl, long lease, UrlFacts facts, CancellationToken cancel) => Task.CompletedTask;
}
