using Orleans.Concurrency;
using Orleans.Metadata;
using Orleans.Placement;
using Orleans.Providers;

namespace Silo.Cluster;

/// <summary>
/// One queue of a stream provider in memory: Orleans' own, except that a reader waits for the first event instead of being told at once
/// that there is none. So an idle silo makes one call in ten seconds for each queue, and an event goes on at once. The key is Orleans',
/// made from the provider's name and the queue's number. A queue holds at most 16,384 events; when it is full, the producer's call fails.
/// </summary>
/// <remarks>
/// Reentrant, because producers add events while the reader waits. Where it takes the place of the class that it derives from, it has
/// that one's grain type (<see cref="TypeProvider"/>), so that silos of a version that polls share queues with silos of this one.
/// </remarks>
[GrainType("streamqueue"), Reentrant, PreferLocalPlacement]
public sealed class StreamQueueGrain(IHostApplicationLifetime host) : MemoryStreamQueueGrain, IMemoryStreamQueueGrain
{
    /// <summary>
    /// How long a reader waits; then it gets nothing and asks again. Less than the 30 s of a call between silos, and by the clock of those
    /// calls: the system's, also where tests have clocks of their own.
    /// </summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(10);

    private TaskCompletionSource? _reader;

    Task IMemoryStreamQueueGrain.Enqueue(MemoryMessageData data, CancellationToken cancellationToken)
    {
        var enqueued = Enqueue(data, cancellationToken);
        _reader?.TrySetResult();
        return enqueued;
    }

    /// <summary>
    /// Waits for the first event, until the reader gives up or this silo stops. A later reader takes the place of the one that waits, which
    /// then gets nothing: it may be in a silo that is gone.
    /// </summary>
    async Task<List<MemoryMessageData>> IMemoryStreamQueueGrain.Dequeue(int maxCount, CancellationToken cancellationToken)
    {
        _reader?.TrySetResult();
        _reader = null;
        var events = await Dequeue(maxCount, cancellationToken);
        if (events.Count > 0)
        {
            return events;
        }

        var reader = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _reader = reader;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, host.ApplicationStopping);
        await reader
            .Task.WaitAsync(MaxWait, TimeProvider.System, over.Token)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        return _reader == reader && !cancellationToken.IsCancellationRequested ? await Dequeue(maxCount, CancellationToken.None) : events;
    }

    /// <summary>Gives the class the grain type of Orleans' own, in silos where it takes its place.</summary>
    internal sealed class TypeProvider : IGrainTypeProvider
    {
        public bool TryGetGrainType(Type type, out GrainType grainType)
        {
            grainType = GrainType.Create("memorystreamqueue");
            return type == typeof(StreamQueueGrain);
        }
    }
}
