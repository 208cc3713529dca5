using Microsoft.Extensions.Logging;

namespace Grains.Orders;

public sealed partial class OrderFeedGrain
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "Orders {Partition} goes to another activation: {Why}")]
    private partial void LogLost(int partition, string why);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Orders {Partition}: what was due was not done, and another activation tries again")]
    private partial void LogFailed(int partition, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Orders {Partition} ended before its last counters were written: {Why}")]
    private partial void LogLeftEarly(int partition, string why);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Orders {Partition}: changes {First} to {Last} were not announced; who listens reads them later"
    )]
    private partial void LogNotAnnounced(int partition, long first, long last, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "Orders {Partition}: subscriber {Subscriber} is listed no more")]
    private partial void LogRemoved(int partition, string subscriber);
}
