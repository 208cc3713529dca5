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
    private partial void LogRoundFailed(CrawlId id, Exception exception);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Crawl {Id}: the kept pages are removed, {Objects} object(s): their time is over"
    )]
    private partial void LogPagesRemoved(CrawlId id, int objects);

    [LoggerMessage(Level = LogLevel.Information, Message = "Crawl {Id}: {Objects} object(s) of pages that no row names are removed")]
    private partial void LogPagesSwept(CrawlId id, int objects);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Crawl {Id}: kept pages could not be tidied; the next wake-up tries again")]
    private partial void LogTidyFailed(CrawlId id, Exception exception);
}
