using Microsoft.Extensions.Logging;

namespace Grains.Orders;

public sealed partial class WebhookEndpointGrain
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "Webhook {Id} fails: {Detail}")]
    private partial void LogFails(string id, string detail);

    [LoggerMessage(Level = LogLevel.Information, Message = "Webhook {Id} answers again")]
    private partial void LogAnswers(string id);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Webhook {Id} is disabled: {Why}")]
    private partial void LogDisabled(string id, string why);

    [LoggerMessage(Level = LogLevel.Information, Message = "Webhook {Id} is enabled")]
    private partial void LogEnabled(string id);

    [LoggerMessage(Level = LogLevel.Information, Message = "Webhook {Id} has a new secret")]
    private partial void LogRotated(string id);

    [LoggerMessage(Level = LogLevel.Information, Message = "Webhook {Id} is removed")]
    private partial void LogRemoved(string id);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Webhook {Id}: that a try came to {Reason} could not be kept")]
    private partial void LogNotKept(string id, string reason, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "Webhook {Id} is edited")]
    private partial void LogEdited(string id);

    [LoggerMessage(Level = LogLevel.Information, Message = "Webhook {Id} is paused: what comes for it waits")]
    private partial void LogPaused(string id);

    [LoggerMessage(Level = LogLevel.Information, Message = "Webhook {Id} is resumed")]
    private partial void LogResumed(string id);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Webhook {Id}: others were not told what happened to it, and will be")]
    private partial void LogNotAnnounced(string id, Exception exception);
}
