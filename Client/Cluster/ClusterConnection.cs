using System.Net;
using System.Net.Sockets;
using Grains.Interfaces.Books;
using Grains.Interfaces.Cluster;
using Grains.Interfaces.Crawling;
using Grains.Interfaces.Keys;
using Grains.Interfaces.Logs;
using Grains.Interfaces.Orders;
using Grains.Interfaces.Values;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;

namespace Client.Cluster;

/// <summary>The real cluster, as a client of Orleans. It says nothing by itself: what is worth saying, the verbs say.</summary>
internal sealed class ClusterConnection : ICluster
{
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(2);

    /// <summary>For a gateway to take a connection, when there are others to choose from.</summary>
    private static readonly TimeSpan Knock = TimeSpan.FromSeconds(2);

    private readonly IHost _host;
    private readonly IClusterClient _client;

    private ClusterConnection(IHost host)
    {
        _host = host;
        _client = host.Services.GetRequiredService<IClusterClient>();
        Orders = new(_client);
    }

    public ICrawlListGrain Crawls => _client.GetGrain<ICrawlListGrain>(0);

    public ILedgerGrain Ledger => _client.GetGrain<ILedgerGrain>(0);

    public IClusterStatusGrain Status => _client.GetGrain<IClusterStatusGrain>(0);

    public IBackupGrain Backup => _client.GetGrain<IBackupGrain>(0);

    public ILogSendGrain LogSend => _client.GetGrain<ILogSendGrain>(0);

    public ILogRulesGrain LogRules => _client.GetGrain<ILogRulesGrain>(0);

    public IApiKeysGrain Keys => _client.GetGrain<IApiKeysGrain>(0);

    public OrderDesk Orders { get; }

    public ICrawlGrain Crawl(CrawlId id) => _client.GetGrain<ICrawlGrain>(id.ToString());

    public ILogQueryGrain LogQuery() => _client.GetGrain<ILogQueryGrain>(Guid.NewGuid());

    public ILogTailGrain LogTail() => _client.GetGrain<ILogTailGrain>(Guid.NewGuid());

    public ILogBatchGrain LogShard(int shard) => _client.GetGrain<ILogBatchGrain>(shard);

    public static async Task<ICluster> Open(ClusterAddress address, CancellationToken cancel)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        timeout.CancelAfter(address.ConnectTimeout);
        IPEndPoint[] gateways = [];
        IHost? host = null;
        try
        {
            gateways = await Resolve(address, timeout.Token);
            host = Build(await Awake(gateways, timeout.Token), address);
            // Orleans goes on connecting for a while after it was cancelled; nobody waits for that.
            await host.StartAsync(timeout.Token).WaitAsync(timeout.Token);
            return new ClusterConnection(host);
        }
        catch (Exception reason)
            when (!cancel.IsCancellationRequested
                && reason
                    is OrleansException
                        or SocketException
                        or TimeoutException
                        or OperationCanceledException
                        or InvalidOperationException
            )
        {
            host?.Dispose();
            throw new ConsoleException(await WhyNot(address, gateways, cancel), ExitCode.NoSilo, reason);
        }
    }

    /// <summary>Nobody listens, or somebody does and does not answer as a silo of the cluster: what to do differs.</summary>
    private static async Task<string> WhyNot(ClusterAddress address, IPEndPoint[] gateways, CancellationToken cancel)
    {
        using var knock = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        knock.CancelAfter(Knock);
        var answers = await Task.WhenAll(gateways.Select(gateway => Answers(gateway, knock.Token)));
        var listening = gateways.Where((_, i) => answers[i]).ToArray();
        return listening is []
            ? $"No silo of cluster \"{address.ClusterId}\" was reached at {address}. Start one with: dotnet run -c Release "
                + $"--project Silo"
            : $"Something listens at {string.Join(", ", listening.Select(gateway => gateway.ToString()))}, and did not answer as a silo "
                + $"of cluster \"{address.ClusterId}\" within {Durations.Format(address.ConnectTimeout)}. It is busy or starting: allow "
                + $"more with --connect-timeout 1m. Or it is another cluster's (--cluster ID), or no silo's gateway at all.";
    }

    public async ValueTask DisposeAsync()
    {
        using var farewell = new CancellationTokenSource(Farewell);
        try
        {
            await _host.StopAsync(farewell.Token).WaitAsync(farewell.Token);
        }
        catch (OperationCanceledException)
        {
            // A dead silo does not say goodbye; the process ends or opens another connection.
        }

        _host.Dispose();
    }

    private static IHost Build(IPEndPoint[] gateways, ClusterAddress address)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.ClearProviders();
        // Ctrl-C belongs to the verb, not to this host.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.UseOrleansClient(client =>
            client
                .UseStaticClustering(gateways)
                .Configure<ClusterOptions>(options =>
                {
                    options.ClusterId = address.ClusterId;
                    options.ServiceId = ClusterNames.ServiceId;
                })
                // Orleans would go on trying; whoever typed a verb wants to know, and whoever follows a crawl tries again itself.
                .UseConnectionRetryFilter((_, _) => Task.FromResult(false))
                .Configure<ConnectionOptions>(options => options.OpenConnectionTimeout = address.ConnectTimeout)
        );
        return builder.Build();
    }

    /// <summary>
    /// Of several gateways those that take a connection: Orleans starts with any of them, and when that one is dead it waits longer than
    /// anybody before a console does (measured: in one of two starts).
    /// </summary>
    private static async Task<IPEndPoint[]> Awake(IPEndPoint[] gateways, CancellationToken cancel)
    {
        if (gateways.Length == 1)
        {
            return gateways;
        }

        using var knock = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        knock.CancelAfter(Knock);
        var answers = await Task.WhenAll(gateways.Select(gateway => Answers(gateway, knock.Token)));
        var awake = gateways.Where((_, i) => answers[i]).ToArray();
        return awake is [] ? throw new TimeoutException("No gateway takes a connection.") : awake;
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
}
