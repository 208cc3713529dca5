using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Workers;

/// <summary>How a worker reaches those it calls.</summary>
internal sealed record CrawlGrains(Func<CrawlId, ICrawlGrain> Crawl, Func<HostKey, IHostGrain> Host, Func<string, IUrlGrain> Url);
