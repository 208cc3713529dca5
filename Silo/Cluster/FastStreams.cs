using Orleans.Configuration;
using Orleans.Metadata;
using Orleans.Providers;
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
    /// Adds a stream provider, whose queues are <see cref="StreamQueueGrain"/>s. Its events go on at once, up to a hundred together. It has
    /// only implicit subscriptions: no rendezvous, and nothing to store.
    /// </summary>
    public static void AddFastStreams(this ISiloBuilder silo, string provider)
    {
        silo.Services.Insert(0, ServiceDescriptor.Singleton<IGrainTypeProvider, StreamQueueGrain.TypeProvider>()); // Before attributes.
        silo.Services.PostConfigure<GrainTypeOptions>(types => types.Classes.Remove(typeof(MemoryStreamQueueGrain)));
        silo.AddMemoryStreams(provider, Configure);
    }

    private static void Configure(ISiloMemoryStreamConfigurator streams)
    {
        streams.ConfigurePartitioning(2);
        streams.ConfigureStreamPubSub(StreamPubSubType.ImplicitOnly);
        streams.ConfigurePullingAgent(agent =>
            agent.Configure(options =>
            {
                // Between two waits at a queue, and while the first consumers of a new stream are found.
                options.GetQueueMsgsTimerPeriod = TimeSpan.FromMilliseconds(10);
                options.BatchContainerBatchSize = 100;
            })
        );
        streams.ConfigureCacheEviction(cache =>
            cache.Configure(options => (options.DataMinTimeInCache, options.DataMaxAgeInCache) = (Kept, Kept))
        );
    }
}
