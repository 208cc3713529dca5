using System.Collections.Concurrent;
using System.Net;
using Silo.Grpc;
using Silo.Http;
using Silo.Logs;

namespace Silo.Cluster;

/// <summary>One port that the silo opens, and the setting that moves it.</summary>
public sealed record Door(string Setting, string What, IPEndPoint EndPoint)
{
    public bool IsOnLoopback => IPAddress.IsLoopback(EndPoint.Address);
}

/// <summary>
/// The ports of this silo, shifted by its instance: two for silos and clients in the trusted network, and the doors for everybody with a
/// key.
/// </summary>
public sealed class Doors(
    ClusterOptions cluster,
    HttpOptions http,
    GrpcOptions grpc,
    ListenOptions listen,
    InstanceOptions instance,
    LogDoorsOptions? logs = null
)
{
    private readonly LogDoorsOptions _logs = logs ?? new();
    private readonly ConcurrentDictionary<Door, bool> _closed = [];

    public int Instance => instance.Number;

    /// <summary>There are no ports but the doors.</summary>
    public bool IsFront => cluster.Role == ClusterRole.Front;

    public Door Silo => OfCluster("Cluster:SiloPort", "other silos", cluster.SiloPort);

    public Door Gateway => OfCluster("Cluster:GatewayPort", "clients", cluster.GatewayPort);

    /// <summary>Where other silos reach <see cref="Silo"/>.</summary>
    public IPEndPoint AdvertisedSilo => Advertised(cluster.AdvertisedSiloPort, Silo);

    /// <summary>Where clients reach <see cref="Gateway"/>.</summary>
    public IPEndPoint AdvertisedGateway => Advertised(cluster.AdvertisedGatewayPort, Gateway);

    /// <summary>The silo's name among the members of the cluster.</summary>
    public string SiloName => cluster.Name.Length > 0 ? cluster.Name : $"silo-{instance.Number}";

    public Door Http => ForEverybody("Http:Port", "HTTP", http.Port);

    public Door Grpc => ForEverybody("Grpc:Port", "gRPC", grpc.Port);

    public Door Otlp => ForEverybody("Logs:OtlpHttpPort", "OTLP over HTTP", _logs.OtlpHttpPort);

    /// <summary>Asks nobody for a key, and so has an address of its own; for TCP and UDP. Closed unless it is set.</summary>
    public Door Syslog => new("Logs:SyslogPort", "syslog", new(_logs.ParsedSyslogAddress, Shifted(_logs.SyslogPort)));

    public IEnumerable<Door> All => [.. IsFront ? [] : new[] { Silo, Gateway }, .. Open, .. new[] { Syslog }.Where(IsOpen)];

    /// <summary>Those that ask for a key, without those that are closed.</summary>
    public IEnumerable<Door> Open => new[] { Http, Otlp, Grpc }.Where(IsOpen);

    public bool IsOpen(Door door) => door.EndPoint.Port != 0 && !_closed.ContainsKey(door);

    /// <summary>Leaves a door closed, before it is opened.</summary>
    public void Close(Door door) => _closed[door] = true;

    /// <summary>What is wrong with all of them together, in sentences; empty when nothing is. Each alone must be valid.</summary>
    public IEnumerable<string> Problems()
    {
        var ports = new[]
        {
            ("Cluster:SiloPort", Shifted(cluster.SiloPort)),
            ("Cluster:GatewayPort", Shifted(cluster.GatewayPort)),
            ("Http:Port", Shifted(http.Port)),
            ("Grpc:Port", Shifted(grpc.Port)),
            ("Logs:OtlpHttpPort", Shifted(_logs.OtlpHttpPort)),
            ("Logs:SyslogPort", Shifted(_logs.SyslogPort)),
        }
            .Where(port => port.Item2 != 0 && !(IsFront && port.Item1.StartsWith("Cluster:", StringComparison.Ordinal)))
            .ToArray();
        foreach (var (setting, port) in ports.Where(p => p.Item2 > IPEndPoint.MaxPort))
        {
            yield return $"{setting} shifted by instance {instance.Number} is {port}, and ports end at {IPEndPoint.MaxPort}; "
                + $"choose a smaller port or instance.";
        }

        foreach (var same in ports.GroupBy(p => p.Item2).Where(g => g.Count() > 1))
        {
            yield return $"{string.Join(" and ", same.Select(p => p.Item1))} are the same port, {same.Key}; each needs one of its own.";
        }

        if (IsFront && ports is [])
        {
            yield return "A front without doors does nothing: Http:Port, Grpc:Port and Logs:OtlpHttpPort are all 0.";
        }

        foreach (var problem in IsFront ? [] : AddressProblems())
        {
            yield return problem;
        }
    }

    private IEnumerable<string> AddressProblems()
    {
        var (advertised, listening) = (IPAddress.Parse(cluster.Address), ListenAddress);
        var trusted = TrustedNetworks.TryParse(cluster.TrustedNetwork) ?? [];
        if (!IsTrusted(advertised))
        {
            yield return $"Cluster:Address is {cluster.Address}, and the ports for silos and clients know no passwords: name "
                + $"the private network that it belongs to, "
                + "whose every machine you trust, with --Cluster:TrustedNetwork (10.0.0.0/8, say), or leave the address at 127.0.0.1.";
        }
        else if (IPAddress.IsLoopback(advertised) && !IPAddress.IsLoopback(listening))
        {
            yield return $"Cluster:ListenAddress is {cluster.ListenAddress}, and Cluster:Address, at which other silos look for "
                + $"this one, is {cluster.Address}: "
                + "give the address in the trusted network at which they reach it.";
        }
        else if (!IsAny(listening) && !IsTrusted(listening))
        {
            yield return $"Cluster:ListenAddress is {cluster.ListenAddress}, which is in no network that Cluster:TrustedNetwork names.";
        }

        bool IsTrusted(IPAddress address) => IPAddress.IsLoopback(address) || trusted.Any(network => network.Contains(address));
        static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
    }

    private IPAddress ListenAddress => IPAddress.Parse(cluster.ListenAddress.Length > 0 ? cluster.ListenAddress : cluster.Address);

    /// <summary>0 stays 0: a door that is closed.</summary>
    private int Shifted(int port) => port == 0 ? 0 : port + (instance.Number * InstanceOptions.PortStep);

    private Door OfCluster(string setting, string what, int port) => new(setting, what, new(ListenAddress, Shifted(port)));

    private IPEndPoint Advertised(int port, Door door) =>
        new(IPAddress.Parse(cluster.Address), port == 0 ? door.EndPoint.Port : Shifted(port));

    private Door ForEverybody(string setting, string what, int port) => new(setting, what, new(listen.Parsed, Shifted(port)));
}
