using System.Collections.Immutable;
using System.Diagnostics;
using System.Net;
using Grains.Interfaces.Cluster;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Xunit;

namespace Doubles.Processes;

/// <summary>A client of Orleans with the gateways of several silos, for what no verb of the console tells.</summary>
public sealed class SilosClient : IAsyncDisposable
{
    private readonly IHost _host;

    private SilosClient(IHost host) => _host = host;

    public IClusterClient Grains => _host.Services.GetRequiredService<IClusterClient>();

    public static async Task<SilosClient> Connect(CancellationToken cancel, params IPEndPoint[] gateways)
    {
        var since = Stopwatch.GetTimestamp();
        var host = new HostBuilder()
            .UseOrleansClient(orleans =>
                orleans
                    .UseStaticClustering(gateways)
                    // On a busy machine a silo that is there may take longer than Orleans waits for a connection.
                    .UseConnectionRetryFilter((_, _) => Task.FromResult(Stopwatch.GetElapsedTime(since) < Wait.HangBound))
                    .Configure<ClusterOptions>(options =>
                        (options.ClusterId, options.ServiceId) = (ClusterNames.DefaultClusterId, ClusterNames.ServiceId)
                    )
            )
            .Build();
        try
        {
            await host.StartAsync(cancel);
            return new(host);
        }
        catch
        {
            host.Dispose();
            throw;
        }
    }

    /// <summary>The silo ports on which a grain of this class is in memory.</summary>
    public async Task<ImmutableArray<int>> PortsOf(string grain)
    {
        var statistics = await Grains.GetGrain<IManagementGrain>(0).GetDetailedGrainStatistics();
        return
        [
            .. statistics
                .Where(activation => activation.GrainType.Contains(grain, StringComparison.Ordinal))
                .Select(activation => activation.SiloAddress.Endpoint.Port)
                .Distinct()
                .Order(),
        ];
    }

    public Task<ClusterStatus> Status(CancellationToken cancel) => Grains.GetGrain<IClusterStatusGrain>(0).Show(cancel);

    /// <summary>
    /// Asks until there is an answer: what was on its way to a silo that died fails, and so does what is sent there before the others know
    /// it.
    /// </summary>
    /// <param name="what">What is asked, for the message of a test that fails.</param>
    public static async Task<T> Ask<T>(Func<Task<T>> ask, string what)
    {
        var answer = default(T);
        var failure = "";
        await Wait.Until(
            async () =>
            {
                try
                {
                    answer = await ask();
                    return true;
                }
                catch (Exception e) when (e is OrleansException or TimeoutException)
                {
                    TestContext.Current.SendDiagnosticMessage(failure = e.Message);
                    return false;
                }
            },
            what,
            () => failure
        );
        return answer!;
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync(CancellationToken.None);
        _host.Dispose();
    }
}
