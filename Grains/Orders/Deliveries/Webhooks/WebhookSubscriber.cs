using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Grains.Orders.Consumers;
using Grains.Orders.Rows;

namespace Grains.Orders.Deliveries.Webhooks;

/// <summary>
/// Stands for one endpoint in one partition: it hands changes to the endpoint's grain, which decides and sends, and says what came of them.
/// A change of an order that was erased meanwhile goes out
/// in its erased form: the endpoint hears that something happened, and nothing personal.
/// </summary>
public sealed class WebhookSubscriber(IWebhookEndpointGrain endpoint, Func<Exception, bool> isUnreached) : IReloadingSubscriber
{
    public const string Channel = "webhooks";

    /// <summary>For when the endpoint's grain cannot be reached: silos come and go.</summary>
    internal static readonly TimeSpan Unreached = TimeSpan.FromSeconds(2);

    /// <summary>
    /// The types that the endpoint asks for, none for all, as they were read in <see cref="_settings"/>; null: there is no such endpoint.
    /// </summary>
    private ImmutableArray<string>? _events;

    /// <summary>Rises when the endpoint's settings change: what was read under a lower number is read again.</summary>
    private int _settings = 1;

    private int _read;

    /// <summary>A subscriber for each endpoint.</summary>
    /// <param name="waits">Between tries.</param>
    /// <param name="find">The grain of the endpoint with this id.</param>
    /// <param name="isUnreached">The exception says that the grain could not be reached, and nothing of the endpoint.</param>
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

    public void Reload() => _settings++;

    public async ValueTask<DeliveryResult> Handle(Handling handling, CancellationToken cancel)
    {
        WebhookReply reply;
        try
        {
            if (!await Wants(handling.Change.Type, cancel))
            {
                return DeliveryResult.Filtered();
            }

            reply = await endpoint.Send(handling.Change, cancel);
        }
        catch (Exception e) when (isUnreached(e))
        {
            // What is between us and the endpoint failed, and not the endpoint. If it was sent after all, the repeat has the same id.
            return DeliveryResult.Deferred(
                DeferredReasons.EndpointUnreached,
                $"The endpoint's grain could not be reached: {e.GetType().Name}.",
                Unreached
            );
        }

        return reply.Sent switch
        {
            WebhookSent.Delivered => DeliveryResult.Delivered(reply.Reason, reply.Detail).With(reply.Answer),
            WebhookSent.NotWanted => DeliveryResult.Filtered(),
            WebhookSent.NotNow => DeliveryResult.Deferred(reply.Reason, reply.Detail, reply.After ?? Unreached),
            WebhookSent.Disabled => DeliveryResult.Failed(DeliveryReasons.EndpointDisabled, reply.Detail).With(reply.Answer),
            WebhookSent.Failed when reply.After is { } after => DeliveryResult.Later(reply.Reason, reply.Detail, after).With(reply.Answer),
            WebhookSent.Failed => DeliveryResult.Later(reply.Reason, reply.Detail).With(reply.Answer),
            _ => throw new InvalidOperationException($"An endpoint answered \"{reply.Sent}\", which this program does not know."),
        };
    }

    /// <summary>Asked here, so that what the endpoint does not ask for costs no call.</summary>
    private async ValueTask<bool> Wants(string type, CancellationToken cancel)
    {
        while (_read != _settings)
        {
            var settings = _settings;
            var events = await endpoint.Events(cancel);
            if (settings == _settings)
            {
                (_events, _read) = (events, settings);
            }
        }

        return _events is { } asked && WebhookEvents.Includes(asked, type);
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
