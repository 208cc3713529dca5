using Grains.Interfaces.Orders;
using Microsoft.Extensions.Logging;

namespace Grains.Orders;

public sealed partial class SubscriberGrain
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "Subscriber {Key} goes to another activation: {Why}")]
    private partial void LogLost(SubscriberKey key, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "Subscriber {Key} is halted and tells nobody of changes: {Why}")]
    private partial void LogStopped(SubscriberKey key, string why);

    [LoggerMessage(Level = LogLevel.Information, Message = "Subscriber {Key} is removed with all that was kept of it")]
    private partial void LogRemoved(SubscriberKey key);
}
