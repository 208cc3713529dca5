using Grains.Interfaces.Crawling;
using Microsoft.Extensions.Logging;

namespace Grains.Crawling;

public sealed partial class HostGrain
{
    [LoggerMessage(
        Level = LogLevel.Debug,
        Message = "Host {Host}: leases of an earlier activation may last until {Until:u}; nothing is asked before"
    )]
    private partial void LogWaitsForPredecessor(HostKey host, DateTimeOffset until);

    [LoggerMessage(
        Level = LogLevel.Debug,
        Message = "Host {Host}: the silo of the earlier activation is dead, and no worker holds a lease of it: it is not waited for longer"
    )]
    private partial void LogPredecessorsEnded(HostKey host);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Host {Host}: a worker did not give up what it holds of an earlier activation; its leases are waited for"
    )]
    private partial void LogPredecessorsNotEnded(HostKey host, Exception exception);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Host {Host}: the lease of {Url} for crawl {Crawl} ended without a report; for a page that counts as a try"
    )]
    private partial void LogExpired(HostKey host, string url, CrawlId crawl);

    [LoggerMessage(
        Level = LogLevel.Debug,
        Message = "Host {Host}: a report for {Url} under lease {Number} came late or twice and changes nothing"
    )]
    private partial void LogLate(HostKey host, string url, long number);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Host {Host}: crawl {Crawl} goes to another activation: {Why}")]
    private partial void LogLost(HostKey host, CrawlId crawl, string why);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Host {Host} ended before its last commit ({Why}); its successor waits for the horizon that was committed before"
    )]
    private partial void LogLeftEarly(HostKey host, string why);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Host {Host}: its address {Address} did not answer about its turn; it is asked again"
    )]
    private partial void LogNoTurn(HostKey host, string? address, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Host {Host}: an event {Event} was not published; what it told of is found later")]
    private partial void LogNotPublished(HostKey host, string @event, Exception exception);
}
