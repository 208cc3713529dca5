using System.Collections.Immutable;
using System.Net;
using Grains.Interfaces.Cluster;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Xunit;

namespace EndToEnd;

/// <summary>A client of Orleans with the gateways of several silos, for what no verb of the console tells.</summary>
internal sealed class SilosClient : IAsyncDisposable
{
    /// <summary>Silos find out in their own time, which is seconds: there is no event to wait for outside them.</summary>
    public static readonly TimeSpan BetweenQuestions = TimeSpan.FromMilliseconds(200);

    /// <summary>On a busy machine a silo that is there may take longer than Orleans waits for a connection.</summary>
    private const int Attempts = 3;

    private readonly IHost _host;

    private SilosClient(IHost host) => _host = host;

    public IClusterClient Grains => _host.Services.GetRequiredService<IClusterClient>();

    public static async Task<SilosClient> Connect(CancellationToken cancel, params IPEndPoint[] gateways)
    {
        var attempts = 0;
        var host = new HostBuilder()
            .UseOrleansClient(orleans => orleans
                .UseStaticClustering(gateways)
                .UseConnectionRetryFilter((_, _) => Task.FromResult(++attempts < Attempts))
                .Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (ClusterNames.DefaultClusterId, ClusterNames.ServiceId)))
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
        return [.. statistics.Where(activation => activation.GrainType.Contains(grain, StringComparison.Ordinal)).Select(activation => activation.SiloAddress.Endpoint.Port).Distinct().Order()];
    }

    public Task<ClusterStatus> Status(CancellationToken cancel) => Grains.GetGrain<IClusterStatusGrain>(0).Show(cancel);

    /// <summary>Asks until there is an answer: what was on its way to a silo that died fails, and so does what is sent there before the others know it.</summary>
    /// <param name="bound">For all the asking.</param>
    public async Task<T> Ask<T>(Func<Task<T>> ask, TimeSpan bound, CancellationToken cancel)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        end.CancelAfter(bound);
        while (true)
        {
            try
            {
                return await ask().WaitAsync(end.Token);
            }
            catch (Exception e) when (e is OrleansException or TimeoutException)
            {
                TestContext.Current.SendDiagnosticMessage(e.Message);
                await Task.Delay(BetweenQuestions, end.Token);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync(CancellationToken.None);
        _host.Dispose();
    }
}
