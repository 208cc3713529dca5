using Grains.Interfaces.Crawling;
using Microsoft.Extensions.Logging;

namespace Grains.Crawling;

public sealed partial class CrawlGrain
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Crawl {Id} ({Name}) has begun")]
    private partial void LogBegun(CrawlId id, string? name);

    [LoggerMessage(Level = LogLevel.Information, Message = "Crawl {Id} is now {State}")]
    private partial void LogState(CrawlId id, CrawlState state);

    [LoggerMessage(Level = LogLevel.Information, Message = "Crawl {Id} is {State}: {Pages} pages, {Failed} failed, {Skipped} skipped")]
    private partial void LogEnded(CrawlId id, CrawlState state, long pages, long failed, long skipped);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A round over the hosts of crawl {Id} failed and will be repeated")]
    private partial void LogSweepFailed(CrawlId id, Exception exception);
}
