using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using Grains;
using Grains.Interfaces.Orders;
using Grains.Orders;
using Silo.Books;

namespace Silo.Orders;

/// <summary>
/// How far subscribers and webhook endpoints of the whole cluster are, as numbers: in the meter <c>Orders</c>. Every silo shows the same,
/// as it was read last (<see cref="LatestReading{T}"/>).
/// </summary>
/// <remarks>Endpoints have no label of their own: their number is bounded, and their names may change.</remarks>
public sealed partial class DeliveryMetrics
{
    private static readonly string[] s_circuits = ["closed", "open", "half-open"];

    private readonly LatestReading<ImmutableArray<SubscriberState>> _subscribers;
    private readonly LatestReading<ImmutableArray<WebhookEndpoint>> _endpoints;
    private readonly ILogger<DeliveryMetrics> _logger;

    public DeliveryMetrics(
        Func<CancellationToken, Task<ImmutableArray<SubscriberState>>> subscribers,
        Func<CancellationToken, Task<ImmutableArray<WebhookEndpoint>>> endpoints,
        IMeterFactory meters,
        TimeProvider clock,
        [FromKeyedServices(Clocks.Guards)] TimeProvider guards,
        ILogger<DeliveryMetrics> logger
    )
    {
        _logger = logger;
        _subscribers = new(subscribers, clock, guards, LogNotRead);
        _endpoints = new(endpoints, clock, guards, LogNotRead);
        var meter = meters.Create(OrdersMetrics.Meter);
        Gauge("orders.subscriber.lag", "{change}", "Changes that a subscriber has yet to take, by kind of subscriber.", state => state.Lag);
        Gauge("orders.subscriber.waiting", "{change}", "Changes that a subscriber took and tries again later.", state => state.Waiting);
        Gauge("orders.dead_letters", "{change}", "Changes that a subscriber could not handle for good.", state => state.Dead.Values.Sum());
        meter.CreateObservableGauge(
            "orders.webhook.circuits",
            Circuits,
            "{endpoint}",
            "Webhook endpoints by the state of their circuit: closed, open or half-open."
        );
        meter.CreateObservableGauge("orders.webhook.disabled", Disabled, "{endpoint}", "Webhook endpoints that are disabled.");

        void Gauge(string name, string unit, string what, Func<SubscriberState, long> of) =>
            meter.CreateObservableGauge(name, () => ByKind(of), unit, what);
    }

    /// <summary>Sums over partitions and destinations: subscribers of a channel count together, others by name.</summary>
    private IEnumerable<Measurement<long>> ByKind(Func<SubscriberState, long> of) =>
        !_subscribers.TryGet(out var states, out _)
            ? []
            : states
                .GroupBy(state => state.Channel ?? state.Name, StringComparer.Ordinal)
                .Select(kind => new Measurement<long>(kind.Sum(of), new KeyValuePair<string, object?>("kind", kind.Key)));

    private IEnumerable<Measurement<int>> Circuits() =>
        !_endpoints.TryGet(out var endpoints, out _)
            ? []
            : s_circuits.Select(state => new Measurement<int>(
                endpoints.Count(endpoint => endpoint.Circuit == state),
                new KeyValuePair<string, object?>("state", state)
            ));

    private IEnumerable<Measurement<int>> Disabled() =>
        _endpoints.TryGet(out var endpoints, out _) ? [new(endpoints.Count(endpoint => !endpoint.IsEnabled))] : [];

    [LoggerMessage(Level = LogLevel.Warning, Message = "Subscribers cannot be read for the metrics; the next collection tries again")]
    private partial void LogNotRead(Exception failure);
}
