using System.Diagnostics;
using System.Net;
using Xunit;

namespace AzureTests;

/// <summary>
/// A network of its own for one process, as the platform gives each container one: a namespace with one address on a bridge that the test
/// makes. What is made goes with it. It needs root and <c>ip</c> (iproute2).
/// </summary>
internal sealed class NetworkNamespace : IAsyncDisposable
{
    private readonly string _name;
    private readonly List<string> _output = [];
    private Process? _process;

    private NetworkNamespace(string name, IPAddress address) => (_name, Address) = (name, address);

    public IPAddress Address { get; }

    public Uri Readiness => new($"http://{Address}:8080/health/ready");

    /// <summary>Attaches a new namespace to the bridge.</summary>
    public static async Task<NetworkNamespace> Create(NetworkBridge bridge, int number)
    {
        var made = new NetworkNamespace($"{bridge.Name}n{number}", bridge.AddressOf(number));
        var (outside, inside) = ($"{bridge.Name}o{number}", $"{bridge.Name}i{number}");
        await Ip("netns", "add", made._name);
        await Ip("link", "add", outside, "type", "veth", "peer", "name", inside);
        await Ip("link", "set", outside, "master", bridge.Name, "up");
        await Ip("link", "set", inside, "netns", made._name);
        await Ip("-n", made._name, "address", "add", $"{made.Address}/24", "dev", inside);
        await Ip("-n", made._name, "link", "set", inside, "up");
        await Ip("-n", made._name, "link", "set", "lo", "up");
        return made;
    }

    /// <summary>Starts a silo in it.</summary>
    public void Start(params IEnumerable<(string Name, string Value)> settings)
    {
        var start = new ProcessStartInfo(
            "ip",
            ["netns", "exec", _name, SiloProcess.DotNet, Path.Combine(AppContext.BaseDirectory, "Silo.dll")]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in settings)
        {
            start.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        _process = new() { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Print(line.Data);
        _process.ErrorDataReceived += (_, line) => Print(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Ends when its readiness probe is answered with 200.</summary>
    public Task Ready(HttpClient http) =>
        Wait.Until(
            async () =>
            {
                Assert.False(_process!.HasExited, Said());
                return await PlatformRelay.IsReady(http, Readiness);
            },
            "the silo to be ready",
            Said
        );

    public string Said()
    {
        lock (_output)
        {
            return string.Join(Environment.NewLine, _output.TakeLast(40));
        }
    }

    /// <summary><c>kill -9</c>; <c>ip</c> became the silo.</summary>
    public async Task Kill9()
    {
        _process!.Kill();
        await Wait.For(_process.WaitForExitAsync(), "the silo to be gone");
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await Kill9();
            _process.Dispose();
        }

        await Ip("netns", "delete", _name);
    }

    /// <summary>Runs <c>ip</c>.</summary>
    public static async Task Ip(params string[] args)
    {
        using var ip = Process.Start(new ProcessStartInfo("ip", args) { RedirectStandardError = true })!;
        var error = await ip.StandardError.ReadToEndAsync();
        await ip.WaitForExitAsync();
        Assert.True(ip.ExitCode == 0, $"ip {string.Join(' ', args)}: {error}");
    }

    private void Print(string? line)
    {
        if (line is not null)
        {
            lock (_output)
            {
                _output.Add(line);
            }
        }
    }
}

/// <summary>What the namespaces are attached to; the test has the first address of the network.</summary>
internal sealed class NetworkBridge : IAsyncDisposable
{
    private readonly string _network;

    private NetworkBridge(string name, int number) => (Name, _network) = (name, $"10.231.{number}");

    public string Name { get; }

    public IPAddress Address => AddressOf(1);

    public string Network => $"{_network}.0/24";

    public static async Task<NetworkBridge> Create()
    {
        var number = Environment.ProcessId % 200;
        var bridge = new NetworkBridge($"os{number}", number);
        await NetworkNamespace.Ip("link", "add", bridge.Name, "type", "bridge");
        await NetworkNamespace.Ip("address", "add", $"{bridge.Address}/24", "dev", bridge.Name);
        await NetworkNamespace.Ip("link", "set", bridge.Name, "up");
        return bridge;
    }

    public IPAddress AddressOf(int number) => IPAddress.Parse($"{_network}.{number}");

    public async ValueTask DisposeAsync() => await NetworkNamespace.Ip("link", "delete", Name);
}
