using Orleans.Streams;

namespace Silo.Cluster;

/// <summary>
/// How streams in memory are run here: events are wake-ups, for which the store need not be asked; who misses one finds out there.
/// </summary>
internal static class FastStreams
{
    /// <summary>
    /// How long an event stays in memory after it came, delivered or not. Orleans keeps all of the last half hour, for those who subscribe
    /// later: at thousands of orders a second that is gigabytes.
    /// </summary>
    private static readonly TimeSpan Kept = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Events wait a few milliseconds at most, and go out up to a hundred at once. Only implicit subscriptions: no rendezvous, and nothing
    /// to store.
    /// </summary>
    public static void Configure(ISiloMemoryStreamConfigurator streams)
    {
        streams.ConfigurePartitioning(2);
        streams.ConfigureStreamPubSub(StreamPubSubType.ImplicitOnly);
        streams.ConfigurePullingAgent(agent =>
            agent.Configure(options =>
            {
                options.GetQueueMsgsTimerPeriod = TimeSpan.FromMilliseconds(10);
                options.BatchContainerBatchSize = 100;
            })
        );
        streams.ConfigureCacheEviction(cache =>
            cache.Configure(options => (options.DataMinTimeInCache, options.DataMaxAgeInCache) = (Kept, Kept))
        );
    }
}
