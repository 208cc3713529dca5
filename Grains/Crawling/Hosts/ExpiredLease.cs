using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling.Hosts;

/// <summary>A lease that ended without a report.</summary>
/// <param name="Work">
/// For the crawl's partition (<paramref name="Partition"/>): the try counts. Null for a robots.txt, and when the crawl is deleted.
/// </param>
internal sealed record ExpiredLease(CrawlId Crawl, string Url, HostPartition? Partition, IPartitionWork? Work);
