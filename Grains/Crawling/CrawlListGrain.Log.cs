using Grains.Interfaces.Crawling;
using Microsoft.Extensions.Logging;

namespace Grains.Crawling;

public sealed partial class CrawlListGrain
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Crawl {Id} ({Name}) is listed with {Seeds} seed(s)")]
    private partial void LogStarted(CrawlId id, string? name, int seeds);

    [LoggerMessage(Level = LogLevel.Information, Message = "Crawl {Id} is deleted")]
    private partial void LogForgotten(CrawlId id);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Crawl {Id} could not be woken and will be tried again")]
    private partial void LogNotWoken(CrawlId id, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "Crawl {Id} is not made again any more")]
    private partial void LogRoundsEnded(CrawlId id);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The next round of crawl {Id} waits: {Most} crawls are kept. Delete one")]
    private partial void LogNoRoomForRound(CrawlId id, int most);
}
