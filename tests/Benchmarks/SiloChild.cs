using System.Diagnostics;
using System.Net;
using Doubles;
using Grains.Interfaces.Cluster;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;

namespace Benchmarks;

/// <summary>A silo in a process of its own, on free ports, killed when it is disposed of.</summary>
internal sealed class SiloChild : IDisposable
{
    private const int MaxComplaints = 100;

    private readonly Process _process;
    private bool _isDisposed;

    private SiloChild(Process process, IPEndPoint gateway, IPEndPoint http, IPEndPoint grpc)
    {
        _process = process;
        Gateway = gateway;
        Http = http;
        Grpc = grpc;
    }

    public IPEndPoint Gateway { get; }

    public IPEndPoint Http { get; }

    public IPEndPoint Grpc { get; }

    /// <summary>Of its process.</summary>
    public int Id => _process.Id;

    /// <summary>The memory that it holds.</summary>
    public long Bytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>Processor time that it has taken so far.</summary>
    public TimeSpan Cpu
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>The most memory that it has held.</summary>
    public long PeakBytes
    {
        get
        {
            _process.Refresh();
            return _process.PeakWorkingSet64;
        }
    }

    /// <summary>A client of its cluster. Disposed by whoever asked for it.</summary>
    public Task<IHost> Connect() => Connect(Gateway);

    /// <summary>A client of the cluster behind these gateways. Disposed by whoever asked for it.</summary>
    public static async Task<IHost> Connect(params IPEndPoint[] gateways)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Logging.ClearProviders();
        builder.UseOrleansClient(client =>
            client
                .UseStaticClustering(gateways)
                .Configure<ClusterOptions>(options =>
                {
                    options.ClusterId = ClusterNames.DefaultClusterId;
                    options.ServiceId = ClusterNames.ServiceId;
                })
        );
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }

    public static Task<SiloChild> Start(string folder, params IEnumerable<string> settings) =>
        Start("Silo.dll", folder, environment: [], settings);

    /// <param name="program">The silo, or another with the same arguments.</param>
    public static async Task<SiloChild> Start(
        string program,
        string folder,
        (string Name, string Value)[] environment,
        params IEnumerable<string> settings
    )
    {
        var ports = Unique.Ports(4);
        var start = new ProcessStartInfo(
            "dotnet",
            [
                Path.Combine(AppContext.BaseDirectory, program),
                "--Storage:Path",
                folder,
                "--Cluster:SiloPort",
                $"{ports[0]}",
                "--Cluster:GatewayPort",
                $"{ports[1]}",
                "--Http:Port",
                $"{ports[2]}",
                "--Grpc:Port",
                $"{ports[3]}",
                "--Logs:OtlpHttpPort",
                "0",
                .. settings,
            ]
        )
        {
            RedirectStandardOutput = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start) ?? throw new InvalidOperationException("No silo was started.");
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("Ready", StringComparison.Ordinal))
            {
                _ = Drain(process);
                return new(
                    process,
                    new(IPAddress.Loopback, ports[1]),
                    new(IPAddress.Loopback, ports[2]),
                    new(IPAddress.Loopback, ports[3])
                );
            }
        }

        throw new InvalidOperationException($"The silo ended with code {process.ExitCode} before it was ready.");
    }

    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    /// <summary>Shows what the silo complains of, as far as anybody reads it.</summary>
    private static async Task Drain(Process process)
    {
        var complaints = 0;
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.Contains(" warn ", StringComparison.Ordinal) || line.Contains(" fail ", StringComparison.Ordinal))
            {
                complaints++;
                if (complaints <= MaxComplaints)
                {
                    Console.Error.WriteLine(complaints < MaxComplaints ? line : "Further complaints of the silo are not shown.");
                }
            }
        }
    }
}
