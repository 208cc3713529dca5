using Grains.Interfaces.Orders;
using Microsoft.Extensions.Logging;

namespace Grains.Orders;

public sealed partial class SubscriberGrain
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "Subscriber {Key} goes to another activation: {Why}")]
    private partial void LogLost(SubscriberKey key, string why);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Subscriber {Key}: order {OrderId}, revision {Revision}, attempt {Attempt} failed")]
    private partial void LogThrew(SubscriberKey key, OrderId orderId, long revision, int attempt, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "Subscriber {Key} missed revisions {First} to {Last}: they are not kept any more")]
    private partial void LogMissed(SubscriberKey key, long first, long last);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Subscriber {Key} could not read the feed from {From} and will try again")]
    private partial void LogNotRead(SubscriberKey key, long from, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Subscriber {Key}: the audit was not told what happened, and will be told again")]
    private partial void LogNotTold(SubscriberKey key, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "Subscriber {Key} is halted and tells nobody of changes: {Why}")]
    private partial void LogStopped(SubscriberKey key, string why);

    [LoggerMessage(Level = LogLevel.Information, Message = "Subscriber {Key} is removed with all that was kept of it")]
    private partial void LogRemoved(SubscriberKey key);
}
