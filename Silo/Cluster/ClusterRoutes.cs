using System.Collections.Immutable;
using Grains.Interfaces.Cluster;
using Grains.Interfaces.Keys;
using Silo.Middleware;

namespace Silo.Cluster;

/// <summary>The cluster over HTTP, for those who run it.</summary>
public static class ClusterRoutes
{
    public static void MapCluster(this WebApplication app) =>
        app.MapGet("/api/cluster", Show)
            .WithName("showCluster")
            .For(ApiRole.Operator)
            .WithMetadata(new TakesQuery())
            .WithTags("cluster")
            .WithSummary("Silos and their state, activations per grain type, bytes by system, health checks with reasons.")
            .Produces<ClusterForm>();

    private static async Task<IResult> Show(HttpContext context, IGrainFactory grains) =>
        Results.Json(
            ClusterForm.Of(await grains.GetGrain<IClusterStatusGrain>(0).Show(context.RequestAborted)),
            ClusterJson.AsItIs.ClusterForm
        );
}

/// <summary>The cluster as programs read it: the members of <see cref="ClusterStatus"/>, in camelCase.</summary>
public sealed record ClusterForm(
    string ClusterId,
    string Version,
    ImmutableArray<SiloStatusLine> Silos,
    ImmutableArray<ActivationCount> Activations,
    ImmutableArray<StorageLine> Storage,
    string StorageKind,
    ImmutableArray<HealthLine> Health
)
{
    public static ClusterForm Of(ClusterStatus status) =>
        new(
            status.ClusterId,
            status.Version,
            status.Silos,
            status.Activations,
            status.Storage,
            status.StorageKind,
            status.Health.IsDefault ? [] : status.Health
        );
}
