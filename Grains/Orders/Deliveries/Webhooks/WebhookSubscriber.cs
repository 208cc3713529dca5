using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Grains.Orders.Consumers;

namespace Grains.Orders.Deliveries.Webhooks;

/// <summary>
/// Stands for one endpoint in one partition: it hands changes to the endpoint's grain, which decides and sends, and says what came of them.
/// A change of an order that was erased meanwhile goes out
/// in its erased form: the endpoint hears that something happened, and nothing personal.
/// </summary>
public sealed class WebhookSubscriber(IWebhookEndpointGrain endpoint, Func<Exception, bool> isUnreached) : IOrderSubscriber
{
    public const string Channel = "webhooks";

    /// <summary>For when the endpoint's grain cannot be reached: silos come and go.</summary>
    internal static readonly TimeSpan Unreached = TimeSpan.FromSeconds(2);

    /// <summary>Null: there is no such endpoint.</summary>
    private ImmutableArray<string>? _events;

    /// <summary>A subscriber for each endpoint.</summary>
    /// <param name="waits">Between tries.</param>
    /// <param name="find">The grain of the endpoint with this id.</param>
    public static SubscriberFamily Family(
        ImmutableArray<TimeSpan> waits,
        Func<string, IWebhookEndpointGrain> find,
        Func<Exception, bool> isUnreached
    )
    {
        return new(WebhookForm.Kind, Channel, name =>
        {
            var id = name[(WebhookForm.Kind.Length + 1)..];
            return new(Rules(name, waits), _ => new WebhookSubscriber(find(id), isUnreached))
            {
                IsThere = async cancel => WebhookId.IsOne(id) && await find(id).Events(cancel) is not null,
            };
        });
    }

    public async ValueTask Open(ISubscriberStore place, ReadOnlyMemory<byte> state, CancellationToken cancel) =>
        _events = await endpoint.Events(cancel);

    public async ValueTask<DeliveryResult> Handle(Handling handling, CancellationToken cancel)
    {
        if (_events is not { } events || !(events.IsEmpty || events.Contains(handling.Change.Type)))
        {
            return DeliveryResult.Filtered();
        }

        WebhookReply reply;
        try
        {
            reply = await endpoint.Send(handling.Change, cancel);
        }
        catch (Exception e) when (isUnreached(e))
        {
            // What is between us and the endpoint failed, and not the endpoint. If it was sent after all, the repeat has the same id.
            return DeliveryResult.Deferred(
                "endpoint-unreached",
                $"The endpoint's grain could not be reached: {e.GetType().Name}.",
                Unreached
            );
        }

        return reply.Sent switch
        {
            WebhookSent.Delivered => DeliveryResult.Delivered(reply.Reason, reply.Detail),
            WebhookSent.NotWanted => DeliveryResult.Filtered(),
            WebhookSent.NotNow => DeliveryResult.Deferred(reply.Reason, reply.Detail, reply.After ?? Unreached),
            WebhookSent.Disabled => DeliveryResult.Failed(WebhookForm.DisabledReason, reply.Detail),
            WebhookSent.Failed when reply.After is { } after => DeliveryResult.Later(reply.Reason, reply.Detail, after),
            WebhookSent.Failed => DeliveryResult.Later(reply.Reason, reply.Detail),
            _ => throw new InvalidOperationException($"An endpoint answered \"{reply.Sent}\", which this program does not know."),
        };
    }

    internal static SubscriberRules Rules(string name, IReadOnlyList<TimeSpan> waits) =>
        new()
        {
            Name = name,
            Channel = Channel,
            KeepsOrder = false,
            AtOnce = 8,
            Within = null,
            Backoff = waits,
        };
}
