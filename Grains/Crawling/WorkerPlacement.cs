using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace Grains.Crawling;

/// <summary>
/// Worker n begins on the n-th silo, counted around: workers are few and each has many fetches in flight, so chance would often leave a
/// silo without one.
/// Who is in memory stays where it is when silos come.
/// </summary>
[GenerateSerializer, Immutable]
public sealed class WorkerPlacement : PlacementStrategy;

[AttributeUsage(AttributeTargets.Class)]
public sealed class WorkerPlacementAttribute() : PlacementAttribute(new WorkerPlacement());

[WorkerPlacement]
public sealed partial class CrawlWorkerGrain;

public sealed class WorkerPlacementDirector : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var silos = context.GetCompatibleSilos(target);
        if (IPlacementDirector.GetPlacementHint(target.RequestContextData, silos) is { } hint)
        {
            return Task.FromResult(hint);
        }

        Array.Sort(silos);
        return Task.FromResult(silos[target.GrainIdentity.GetIntegerKey() % silos.Length]);
    }
}
