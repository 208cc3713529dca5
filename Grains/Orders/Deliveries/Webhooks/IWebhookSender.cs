using System.Collections.Immutable;

namespace Grains.Orders.Deliveries.Webhooks;

/// <param name="Secrets">It is signed with each; at least one.</param>
public sealed record WebhookRequest(Uri Url, WebhookMessage Message, ImmutableArray<WebhookSecret> Secrets);

/// <summary>Tries once to tell an endpoint. What it comes to is a value; only a cancelled call throws.</summary>
public interface IWebhookSender
{
    /// <exception cref="OperationCanceledException">Cancelled. Whether the endpoint took it is not known.</exception>
    Task<WebhookOutcome> Send(WebhookRequest request, CancellationToken cancel);
}
