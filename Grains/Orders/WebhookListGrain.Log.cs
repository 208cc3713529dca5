using Microsoft.Extensions.Logging;

namespace Grains.Orders;

public sealed partial class WebhookListGrain
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Webhook {Id} is added: {Url}")]
    private partial void LogAdded(string id, string url);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Webhook {Id} was added halfway, and is listed with every feed now")]
    private partial void LogRegistered(string id);
}
