using System.Net;
using System.Net.Sockets;
using Grains.Interfaces.Cluster;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;

namespace Grains.Client;

/// <summary>
/// A connection to a cluster, for one program and all of its threads: open it once and keep it. When the silo at the other end goes away,
/// calls fail with an <see cref="OrleansException"/>; dispose of the client and open another.
/// </summary>
public sealed class ClusterClient : IAsyncDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(2);

    /// <summary>For a gateway to accept a connection, when there are others to choose from.</summary>
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(2);

    private readonly IHost _host;

    private ClusterClient(IHost host)
    {
        _host = host;
        Grains = host.Services.GetRequiredService<IClusterClient>();
        Crawls = new(Grains);
        Logs = new(Grains);
        Orders = new(Grains);
    }

    public CrawlsClient Crawls { get; }

    public LogsClient Logs { get; }

    public OrdersClient Orders { get; }

    /// <summary>The grains themselves, for what the clients above do not have. Their methods may change with each version.</summary>
    public IClusterClient Grains { get; }

    /// <summary>Connects by gateways, separated by commas: <c>10.0.0.5:30000,10.0.0.6</c>.</summary>
    /// <exception cref="FormatException">The text names no gateways.</exception>
    /// <exception cref="NoSiloException">None of them was reached in time.</exception>
    public static Task<ClusterClient> Connect(string gateways, CancellationToken cancel = default) =>
        Connect(ClusterAddress.Parse(gateways), cancel);

    /// <summary>Connects by gateways.</summary>
    /// <exception cref="NoSiloException">None of them was reached within <see cref="ClusterAddress.ConnectTimeout"/>.</exception>
    public static async Task<ClusterClient> Connect(ClusterAddress address, CancellationToken cancel = default)
    {
        IPEndPoint[] gateways = [];
        try
        {
            return await Start(
                async timeout =>
                {
                    gateways = await Resolve(address, timeout);
                    var answering = await Answering(gateways, timeout);
                    return Build(address.ClusterId, address.ConnectTimeout, client => client.UseStaticClustering(answering));
                },
                address.ConnectTimeout,
                cancel
            );
        }
        catch (Exception reason) when (IsNoSilo(reason) && !cancel.IsCancellationRequested)
        {
            using var probe = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            probe.CancelAfter(ProbeTimeout);
            var listens = await Task.WhenAll(gateways.Select(gateway => Answers(gateway, probe.Token)));
            throw new NoSiloException($"No silo of cluster \"{address.ClusterId}\" was reached at {address}.", reason)
            {
                Listening = [.. gateways.Where((_, i) => listens[i])],
            };
        }
    }

    /// <summary>
    /// Connects by whatever names the members, as Orleans' own packages do: <c>UseAzureStorageClustering</c> with the storage account of
    /// the
    /// silos, for example.
    /// </summary>
    /// <exception cref="NoSiloException">No member was reached within <see cref="ClusterAddress.UsualTimeout"/>.</exception>
    public static async Task<ClusterClient> Connect(
        Action<IClientBuilder> clustering,
        string clusterId = ClusterNames.DefaultClusterId,
        CancellationToken cancel = default
    )
    {
        try
        {
            return await Start(
                _ => Task.FromResult(Build(clusterId, ClusterAddress.UsualTimeout, clustering)),
                ClusterAddress.UsualTimeout,
                cancel
            );
        }
        catch (Exception reason) when (IsNoSilo(reason) && !cancel.IsCancellationRequested)
        {
            throw new NoSiloException($"No silo of cluster \"{clusterId}\" was reached among its members.", reason);
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var stop = new CancellationTokenSource(StopTimeout);
        try
        {
            await _host.StopAsync(stop.Token).WaitAsync(stop.Token);
        }
        catch (OperationCanceledException)
        {
            // A dead silo does not answer; the process ends or opens another connection.
        }

        _host.Dispose();
    }

    private static async Task<ClusterClient> Start(Func<CancellationToken, Task<IHost>> build, TimeSpan timeout, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(timeout);
        var host = await build(limit.Token);
        try
        {
            // Orleans goes on connecting for a while after it was cancelled; nobody waits for that.
            await host.StartAsync(limit.Token).WaitAsync(limit.Token);
            return new(host);
        }
        catch
        {
            host.Dispose();
            throw;
        }
    }

    private static bool IsNoSilo(Exception reason) =>
        reason is OrleansException or SocketException or TimeoutException or OperationCanceledException or InvalidOperationException;

    private static IHost Build(string clusterId, TimeSpan connectTimeout, Action<IClientBuilder> clustering)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.ClearProviders();
        // Ctrl-C belongs to the program, not to this host.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.UseOrleansClient(client =>
        {
            clustering(client);
            client
                .Configure<ClusterOptions>(options =>
                {
                    options.ClusterId = clusterId;
                    options.ServiceId = ClusterNames.ServiceId;
                })
                // Orleans would go on trying; a program wants to know, and tries again itself.
                .UseConnectionRetryFilter((_, _) => Task.FromResult(false))
                .Configure<ConnectionOptions>(options => options.OpenConnectionTimeout = connectTimeout);
        });
        return builder.Build();
    }

    /// <summary>
    /// Of several gateways those that accept a connection: Orleans starts with any of them, and when that one is dead it waits longer than
    /// a caller does (measured: in one of two starts).
    /// </summary>
    private static async Task<IPEndPoint[]> Answering(IPEndPoint[] gateways, CancellationToken cancel)
    {
        if (gateways.Length == 1)
        {
            return gateways;
        }

        using var probe = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        probe.CancelAfter(ProbeTimeout);
        var answers = await Task.WhenAll(gateways.Select(gateway => Answers(gateway, probe.Token)));
        var answering = gateways.Where((_, i) => answers[i]).ToArray();
        return answering is [] ? throw new TimeoutException("No gateway accepts a connection.") : answering;
    }

    private static async Task<bool> Answers(IPEndPoint gateway, CancellationToken cancel)
    {
        using var socket = new Socket(gateway.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(gateway, cancel);
            return true;
        }
        catch (Exception reason) when (reason is SocketException or OperationCanceledException)
        {
            return false;
        }
    }

    private static async Task<IPEndPoint[]> Resolve(ClusterAddress address, CancellationToken cancel)
    {
        var found = new List<IPEndPoint>();
        SocketException? unknown = null;
        foreach (var gateway in address.Gateways)
        {
            try
            {
                found.AddRange((await Dns.GetHostAddressesAsync(gateway.Host, cancel)).Select(ip => new IPEndPoint(ip, gateway.Port)));
            }
            catch (SocketException noSuchHost)
            {
                unknown = noSuchHost;
            }
        }

        return found is [] && unknown is not null ? throw unknown : [.. found];
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
