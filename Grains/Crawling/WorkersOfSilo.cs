using System.Collections.Concurrent;

namespace Grains.Crawling;

/// <summary>
/// The workers in memory of this silo. Before the silo ends its activations, while all of them still answer, each worker is asked to leave
/// (<see cref="Leave"/>): so hosts hear what it held, and a clean restart waits for no lease.
/// </summary>
public sealed class WorkersOfSilo : ILifecycleParticipant<ISiloLifecycle>
{
    /// <summary>Just before activations end: what starts last is stopped first.</summary>
    private const int Stage = ServiceLifecycleStage.Active + 1;

    private readonly ConcurrentDictionary<object, Func<CancellationToken, Task>> _workers = new();
    private volatile bool _isLeaving;

    public void Participate(ISiloLifecycle lifecycle) =>
        lifecycle.Subscribe(nameof(WorkersOfSilo), Stage, static _ => Task.CompletedTask, Leave);

    /// <summary>
    /// From now on <paramref name="leave"/> is called when the silo stops, from any thread. False: it is stopping already.
    /// </summary>
    public bool Join(object worker, Func<CancellationToken, Task> leave)
    {
        _workers[worker] = leave;
        return !_isLeaving;
    }

    /// <summary>The worker ends by itself.</summary>
    public void Forget(object worker) => _workers.TryRemove(worker, out _);

    /// <summary>Completes when every worker has left, or has given up.</summary>
    public Task Leave(CancellationToken cancel)
    {
        _isLeaving = true;
        return Task.WhenAll(_workers.Values.Select(leave => leave(cancel)));
    }
}
