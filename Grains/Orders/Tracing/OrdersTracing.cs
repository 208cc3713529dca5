using System.Diagnostics;
using Grains.Interfaces.Orders;

namespace Grains.Orders.Tracing;

/// <summary>
/// What tracing hears of orders: source <c>Orders</c>. The trace of the request that asked for a step goes on with the commit and with each
/// delivery of the change, however much later: the change carries
/// it. A further try of a delivery is linked to the one before it.
/// </summary>
public static class OrdersTracing
{
    public const string Name = "Orders";

    public static ActivitySource Source { get; } = new(Name);

    /// <summary>The trace that goes on here; null when nobody records it.</summary>
    public static string? Current => Activity.Current is { Recorded: true, IdFormat: ActivityIdFormat.W3C } activity ? activity.Id : null;

    /// <summary>A step is durable: from when it was asked for until now.</summary>
    public static void Committed(string? trace, DateTimeOffset since, Order order)
    {
        if (trace is not null)
        {
            using var activity = Source.StartActivity(ActivityKind.Internal, Context(trace), startTime: since, name: "order.commit");
            activity?.SetTag("order.id", order.Id.Value).SetTag("order.version", order.Version);
        }
    }

    /// <summary>A try to deliver a change.</summary>
    /// <param name="before">The try before; null for the first, or where that is not known any more.</param>
    public static Activity? Delivers(string subscriber, OrderChange change, int attempt, string? before)
    {
        if (change.Trace is null || !Source.HasListeners())
        {
            return null;
        }

        var links = before is null ? null : new[] { new ActivityLink(Context(before)) };
        var activity = Source.StartActivity(ActivityKind.Producer, Context(change.Trace), links: links, name: "order.deliver");
        return activity
            ?.SetTag("order.id", change.OrderId.Value)
            .SetTag("order.version", change.Version)
            .SetTag("subscriber", subscriber)
            .SetTag("attempt", attempt);
    }

    /// <summary>Ends a try. Answers its name, for the link from the next; null when nothing was tried: then nobody is told of it.</summary>
    /// <param name="outcome">In a word, such as <c>Delivered</c>; null: nothing was tried.</param>
    public static string? Tried(Activity tracing, string? outcome, string reason, bool isError)
    {
        using (tracing)
        {
            if (outcome is null)
            {
                tracing.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
                return null;
            }

            tracing.SetTag("outcome", outcome).SetTag("reason", reason);
            tracing.SetStatus(isError ? ActivityStatusCode.Error : ActivityStatusCode.Unset);
            return tracing.Id;
        }
    }

    private static ActivityContext Context(string trace) =>
        ActivityContext.TryParse(trace, null, isRemote: true, out var context) ? context : default;
}
