using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;

namespace Silo.Endpoints;

/// <summary>
/// The ports of this process, shifted by its instance: two for silos and clients in the trusted network, and those that each part of the
/// silo
/// declares.
/// </summary>
/// <param name="declared">As they are set, not yet shifted.</param>
public sealed class ListeningEndpoints(IEnumerable<ListeningEndpoint> declared, ClusterOptions cluster, InstanceOptions instance)
{
    private readonly ImmutableArray<ListeningEndpoint> _declared =
    [
        .. declared.Select(endpoint => endpoint with { Port = Shifted(endpoint.Port, instance) }),
    ];
    private readonly ConcurrentDictionary<string, bool> _closed = [];

    public int Instance => instance.Number;

    /// <summary>A front has no ports for silos and clients.</summary>
    public bool IsFront => cluster.Role == ClusterRole.Front;

    public ListeningEndpoint Silo => OfCluster("Cluster:SiloPort", "other silos", cluster.SiloPort);

    public ListeningEndpoint Gateway => OfCluster("Cluster:GatewayPort", "clients", cluster.GatewayPort);

    /// <summary>Where other silos reach <see cref="Silo"/>.</summary>
    public IPEndPoint AdvertisedSilo => Advertised(cluster.AdvertisedSiloPort, Silo);

    /// <summary>Where clients reach <see cref="Gateway"/>.</summary>
    public IPEndPoint AdvertisedGateway => Advertised(cluster.AdvertisedGatewayPort, Gateway);

    /// <summary>The silo's name among the members of the cluster.</summary>
    public string SiloName => cluster.Name.Length > 0 ? cluster.Name : $"silo-{instance.Number}";

    /// <summary>All that are opened.</summary>
    public IEnumerable<ListeningEndpoint> All =>
        [
            .. IsFront ? [] : new[] { Silo, Gateway },
            .. Open,
            .. _declared.Where(one => one.Protocol == EndpointProtocol.Own && IsOpen(one)),
        ];

    /// <summary>Those behind the chain, which asks for a key; without those that are closed.</summary>
    public IEnumerable<ListeningEndpoint> Open => _declared.Where(one => one.Protocol != EndpointProtocol.Own && IsOpen(one));

    /// <summary>The one that this setting moves, open or not.</summary>
    /// <exception cref="KeyNotFoundException">No part of this silo declares it.</exception>
    public ListeningEndpoint this[string setting] =>
        Find(setting) ?? throw new KeyNotFoundException($"No part of this silo declares the endpoint {setting}.");

    /// <summary>The one that this setting moves; null when no part of this silo declares it.</summary>
    public ListeningEndpoint? Find(string setting) => _declared.FirstOrDefault(one => one.Setting == setting);

    public bool IsOpen(ListeningEndpoint endpoint) => endpoint.Port != 0 && !_closed.ContainsKey(endpoint.Setting);

    /// <summary>Leaves an endpoint closed, before it is opened.</summary>
    public void Close(ListeningEndpoint endpoint) => _closed[endpoint.Setting] = true;

    /// <summary>What is wrong with all of them together, in sentences; empty when nothing is. Each alone must be valid.</summary>
    public IEnumerable<string> Problems()
    {
        ListeningEndpoint[] endpoints = [.. IsFront ? [] : new[] { Silo, Gateway }, .. _declared];
        var ports = endpoints.Where(endpoint => endpoint.Port != 0).ToArray();
        foreach (var one in ports.Where(endpoint => endpoint.Port > IPEndPoint.MaxPort))
        {
            yield return $"{one.Setting} shifted by instance {instance.Number} is {one.Port}, and ports end at {IPEndPoint.MaxPort}; "
                + "choose a smaller port or instance.";
        }

        foreach (var same in ports.GroupBy(endpoint => endpoint.Port).Where(group => group.Count() > 1))
        {
            yield return $"{string.Join(" and ", same.Select(endpoint => endpoint.Setting))} are the same port, {same.Key}; "
                + "each needs one of its own.";
        }

        if (IsFront && ports is [])
        {
            var settings = _declared
                .Where(endpoint => endpoint.Protocol != EndpointProtocol.Own)
                .Select(endpoint => endpoint.Setting)
                .ToArray();
            yield return $"A front without doors does nothing: {string.Join(", ", settings[..^1])} and {settings[^1]} are all 0.";
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

    /// <summary>0 stays 0: an endpoint that is closed.</summary>
    private static int Shifted(int port, InstanceOptions instance) => port == 0 ? 0 : port + (instance.Number * InstanceOptions.PortStep);

    private ListeningEndpoint OfCluster(string setting, string purpose, int port) =>
        new(setting, purpose, ListenAddress, Shifted(port, instance), EndpointProtocol.Orleans);

    private IPEndPoint Advertised(int port, ListeningEndpoint endpoint) =>
        new(IPAddress.Parse(cluster.Address), port == 0 ? endpoint.Port : Shifted(port, instance));
}
