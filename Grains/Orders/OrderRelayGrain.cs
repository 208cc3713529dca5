using Grains.Interfaces.Orders;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Streams;
using Orleans.Streams.Core;

namespace Grains.Orders;

/// <summary>
/// Passes on what a partition's stream carries; whoever listens looks at the feed as well, and misses nothing that is lost here.
/// </summary>
[ImplicitStreamSubscription(OrderStreams.Changes)]
[GrainType("orderrelay")]
public sealed partial class OrderRelayGrain([FromKeyedServices(Clocks.Guards)] TimeProvider guards, ILogger<OrderRelayGrain> logger)
    : Grain,
        IOrderRelayGrain,
        IStreamSubscriptionObserver
{
    /// <summary>From the last time that a listener asked.</summary>
    private static readonly TimeSpan Told = TimeSpan.FromMinutes(1);

    private readonly Dictionary<IOrderListener, DateTimeOffset> _until = [];

    public Task Listen(IOrderListener listener, CancellationToken cancel)
    {
        var now = guards.GetUtcNow();
        foreach (var (old, until) in _until)
        {
            if (until <= now)
            {
                _until.Remove(old);
            }
        }

        if (_until.Count < IOrderRelayGrain.MaxListeners || _until.ContainsKey(listener))
        {
            _until[listener] = now + Told;
        }

        return Task.CompletedTask;
    }

    public Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory) =>
        handleFactory
            .Create<OrdersChanged>()
            .ResumeAsync(events =>
            {
                var now = guards.GetUtcNow();
                foreach (var (listener, until) in _until)
                {
                    if (until > now)
                    {
                        foreach (var changed in events)
                        {
                            this.Observe(Tell(listener, changed.Item), logger);
                        }
                    }
                }

                return Task.CompletedTask;
            });

    /// <summary>One way: it is sent, and nobody waits.</summary>
    private async Task Tell(IOrderListener listener, OrdersChanged changed)
    {
        try
        {
            await listener.Changed(changed);
        }
        catch (Exception gone)
        {
            // Its process ended, or it cannot be reached; it asks again if it is there.
            LogNotTold(changed.Partition, gone.Message);
            _until.Remove(listener);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Orders {Partition}: a process that listened is not told any more: {Why}")]
    private partial void LogNotTold(int partition, string why);
}
