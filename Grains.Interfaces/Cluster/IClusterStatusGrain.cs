using System.Collections.Immutable;

namespace Grains.Interfaces.Cluster;

/// <summary>What an operator wants to see of the cluster at a glance. The key is always 0.</summary>
[Alias("cluster.IClusterStatusGrain")]
public interface IClusterStatusGrain : IGrainWithIntegerKey
{
    [Alias("Show")]
    Task<ClusterStatus> Show(CancellationToken cancel = default);

    /// <summary>What requests and calls of grains pass in the silos, as it is declared there.</summary>
    [Alias("Chains")]
    Task<Chains> Chains(CancellationToken cancel = default);
}

/// <param name="Storage">Bytes by system, as far as the backend can tell.</param>
[GenerateSerializer, Immutable, Alias("cluster.ClusterStatus")]
public sealed record ClusterStatus(
    [property: Id(0)] string ClusterId,
    [property: Id(1)] string Version,
    [property: Id(2)] ImmutableArray<SiloStatusLine> Silos,
    [property: Id(3)] ImmutableArray<ActivationCount> Activations,
    [property: Id(4)] ImmutableArray<StorageLine> Storage,
    [property: Id(5)] string StorageKind
)
{
    /// <summary>Every health check of the silo that answers; empty from a silo of an earlier version.</summary>
    [Id(6)]
    public ImmutableArray<HealthLine> Health
    {
        get => field.IsDefault ? [] : field;
        init;
    } = [];

    /// <summary>
    /// Where the silo that answers listens for HTTP, with the page: <c>127.0.0.1:8080</c>, or <c>0.0.0.0:8080</c> for every address. Null
    /// when that port is closed, and from a silo of an earlier version.
    /// </summary>
    [Id(7)]
    public string? Http { get; init; }
}

/// <param name="Check">Its name: <c>writes</c>.</param>
/// <param name="Status">Healthy, Degraded or Unhealthy.</param>
/// <param name="Reason">Why it is not healthy, without any path of the machine; null when it is.</param>
[GenerateSerializer, Immutable, Alias("cluster.HealthLine")]
public readonly record struct HealthLine([property: Id(0)] string Check, [property: Id(1)] string Status, [property: Id(2)] string? Reason);

/// <param name="Address">Silo port's address, as <c>ip:port</c>.</param>
/// <param name="Status">Orleans' own word: Active, Joining, ShuttingDown, Dead…</param>
[GenerateSerializer, Immutable, Alias("cluster.SiloStatusLine")]
public readonly record struct SiloStatusLine(
    [property: Id(0)] string Address,
    [property: Id(1)] string Gateway,
    [property: Id(2)] string Name,
    [property: Id(3)] string Status,
    [property: Id(4)] DateTimeOffset StartedAt
);

[GenerateSerializer, Immutable, Alias("cluster.ActivationCount")]
public readonly record struct ActivationCount([property: Id(0)] string GrainType, [property: Id(1)] long Count);

[GenerateSerializer, Immutable, Alias("cluster.StorageLine")]
public readonly record struct StorageLine([property: Id(0)] string System, [property: Id(1)] long Bytes);

/// <param name="Http">Every request over HTTP and gRPC, in order.</param>
/// <param name="Grains">Every call of a grain, in order.</param>
[GenerateSerializer, Immutable, Alias("cluster.Chains")]
public sealed record Chains([property: Id(0)] ImmutableArray<ChainLine> Http, [property: Id(1)] ImmutableArray<ChainLine> Grains);

[GenerateSerializer, Immutable, Alias("cluster.ChainLine")]
public sealed record ChainLine([property: Id(0)] string Name, [property: Id(1)] string What);
