using Grains.Interfaces.Crawling;
using Microsoft.Extensions.Logging;

namespace Grains.Crawling;

public sealed partial class CrawlWorkerGrain
{
    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "A report to host {Host} for crawl {Crawl} failed; what it held is fetched again when its leases end"
    )]
    private partial void LogReportFailed(HostKey host, CrawlId crawl, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A visit of {Url} for crawl {Crawl} broke; the URL goes back to its host")]
    private partial void LogVisitFailed(string url, CrawlId crawl, Exception exception);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Links or cookies of {Url} for crawl {Crawl} could not be delivered; the page is tried again later"
    )]
    private partial void LogNotDelivered(string url, CrawlId crawl, Exception exception);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Worker {Number} left before {Hosts} hosts heard of it; they wait for the ends of its leases"
    )]
    private partial void LogLeftEarly(int number, int hosts);
}
