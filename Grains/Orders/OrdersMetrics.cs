using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grains.Interfaces.Orders;
using Grains.Orders.Consumers;
using Grains.Orders.Feed;
using Grains.Orders.Rows;

namespace Grains.Orders;

/// <summary>What orders do, as numbers: meter <c>Orders</c>. While nobody listens it costs next to nothing.</summary>
public sealed class OrdersMetrics
{
    public const string Meter = "Orders";

    private readonly Counter<long> _steps;
    private readonly Histogram<int> _changes;
    private readonly Histogram<int> _bytes;
    private readonly Counter<long> _tries;
    private readonly Histogram<double> _delivery;
    private readonly ConcurrentDictionary<SubscriberKey, string> _stopped = new();

    public OrdersMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(Meter);
        _steps = meter.CreateCounter<long>("orders.steps", "{step}", "Steps that were answered, by step and result.");
        _changes = meter.CreateHistogram<int>("orders.commit.changes", "{change}", "Changes in one commit.");
        _bytes = meter.CreateHistogram<int>("orders.commit.bytes", "By", "Bytes of the changes in one commit.");
        _tries = meter.CreateCounter<long>("orders.delivery.tries", "{try}", "Tries to tell somebody of a change, by channel and outcome.");
        meter.CreateObservableGauge(
            "orders.subscribers.halted",
            () => _stopped.Count,
            "{subscriber}",
            "Subscribers, by partition, that are halted because their cursor is not of the feed that is there; 0 while all is well."
        );
        _delivery = meter.CreateHistogram<double>("orders.delivery.duration", "s", "From the change to its delivery, by channel.");
    }

    /// <summary>Subscribers in this process whose cursor and feed do not belong together, and why.</summary>
    public IReadOnlyCollection<KeyValuePair<SubscriberKey, string>> Stopped => _stopped.IsEmpty ? [] : _stopped.ToArray();

    public void OnStopped(SubscriberKey subscriber, string why) => _stopped[subscriber] = why;

    public void OnGoesOn(SubscriberKey subscriber) => _stopped.TryRemove(subscriber, out _);

    public void OnStep(OrderStep step, FeedReply reply)
    {
        if (_steps.Enabled)
        {
            var result = reply.Refusal != OrderRefusal.None ? OrderFeed.Reason(reply.Refusal) : reply.Outcome.ToString().ToLowerInvariant();
            _steps.Add(1, new TagList { { "step", step.ToString().ToLowerInvariant() }, { "result", result } });
        }
    }

    /// <param name="since">Since the order changed.</param>
    public void OnTried(string channel, DeliveryResult handled, TimeSpan since)
    {
        if (_tries.Enabled && handled is not { As: DoneAs.Filtered })
        {
            _tries.Add(
                1,
                new TagList
                {
                    { "channel", channel },
                    {
                        "outcome",
                        (handled.Outcome == DeliveryOutcome.Done ? handled.As.ToString() : handled.Outcome.ToString()).ToLowerInvariant()
                    },
                    { "reason", handled.Reason },
                }
            );
        }

        if (handled.As == DoneAs.Delivered)
        {
            _delivery.Record(since.TotalSeconds, new KeyValuePair<string, object?>("channel", channel));
        }
    }

    public void OnCommit(CommittedChanges committed)
    {
        _changes.Record(committed.Changes.Length);
        _bytes.Record(committed.Bytes);
    }
}
