using System.Collections.Immutable;
using System.Net;
using Grains.Interfaces.Cluster;
using Grains.Storage;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Silo.Endpoints;
using Silo.Http;
using Silo.Middleware;
using Silo.StartUp;
using Silo.Storage;

namespace Silo.Cluster;

/// <summary>
/// Gathers what an operator wants to see: one line per address with the silo that started there last, activations of our own grain types
/// over all silos, bytes by table, the health checks of the silo that it runs in.
/// </summary>
[GrainType("clusterstatus")]
public sealed class ClusterStatusGrain(
    IStorageUsage usage,
    HealthCheckService health,
    ListeningEndpoints endpoints,
    IOptions<ClusterOptions> cluster,
    IOptions<StorageOptions> storage
) : Grain, IClusterStatusGrain
{
    public async Task<ClusterStatus> Show(CancellationToken cancel = default)
    {
        var management = GrainFactory.GetGrain<IManagementGrain>(0);
        var hosts = management.GetDetailedHosts(onlyActive: false, cancel);
        var activations = management.GetSimpleGrainStatistics(cancel);
        var bytes = usage.Measure(cancel);
        var report = health.CheckHealthAsync(cancel);
        return new(
            cluster.Value.Id,
            About.Version,
            Lines(await hosts),
            Counts(await activations),
            [.. (await bytes).Select(share => new StorageLine(share.Name, share.Bytes))],
            storage.Value.Kind.ToString()
        )
        {
            Http = endpoints.Find(HttpOptions.PortSetting) is { } http && endpoints.IsOpen(http) ? http.EndPoint.ToString() : null,
            Health =
            [
                .. (await report).Entries.Select(check => new HealthLine(
                    check.Key,
                    check.Value.Status.ToString(),
                    Http.Health.Why(check.Value)
                )),
            ],
        };
    }

    public Task<Chains> Chains(CancellationToken cancel = default) =>
        Task.FromResult(
            new Chains(
                [.. Chain.Http.Select(link => new ChainLine(link.Name, link.What))],
                [.. Chain.OfGrains.Select(link => new ChainLine(link.Name, link.What))]
            )
        );

    private static ImmutableArray<SiloStatusLine> Lines(IEnumerable<MembershipEntry> members) =>
        [
            .. members
                .GroupBy(member => member.SiloAddress.Endpoint)
                .Select(address => address.MaxBy(member => member.SiloAddress.Generation)!)
                .OrderBy(member => member.SiloName, StringComparer.Ordinal)
                .Select(member => new SiloStatusLine(
                    member.SiloAddress.Endpoint.ToString(),
                    new IPEndPoint(member.SiloAddress.Endpoint.Address, member.ProxyPort).ToString(),
                    member.SiloName,
                    member.Status.ToString(),
                    new(member.StartTime, TimeSpan.Zero)
                )),
        ];

    private static ImmutableArray<ActivationCount> Counts(IEnumerable<SimpleGrainStatistic> statistics) =>
        [
            .. statistics
                .Where(statistic => !statistic.GrainType.StartsWith("Orleans.", StringComparison.Ordinal))
                .GroupBy(statistic => ShortName(statistic.GrainType), statistic => (long)statistic.ActivationCount)
                .Select(type => new ActivationCount(type.Key, type.Sum()))
                .OrderBy(type => type.GrainType, StringComparer.Ordinal),
        ];

    /// <summary>The class without namespace and assembly: <c>HostGrain</c>.</summary>
    private static string ShortName(string type)
    {
        var name = type.Split(',')[0];
        return name[(name.LastIndexOf('.') + 1)..];
    }
}
