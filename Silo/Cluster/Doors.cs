using System.Net;
using Silo.Http;

namespace Silo.Cluster;

/// <summary>One port that the silo opens, and the setting that moves it.</summary>
public sealed record Door(string Setting, string What, IPEndPoint EndPoint);

/// <summary>The three ports of this silo, shifted by its instance.</summary>
public sealed class Doors(ClusterOptions cluster, HttpOptions http, ListenOptions listen, InstanceOptions instance)
{
    public int Instance => instance.Number;

    public Door Silo => Open("Cluster:SiloPort", "other silos", cluster.SiloPort);

    public Door Gateway => Open("Cluster:GatewayPort", "clients", cluster.GatewayPort);

    public Door Http => Open("Http:Port", "HTTP", http.Port);

    public IEnumerable<Door> All => [Silo, Gateway, Http];

    /// <summary>What is wrong with the three together, in sentences; empty when nothing is. Each alone must be valid.</summary>
    public IEnumerable<string> Problems()
    {
        var ports = new[] { ("Cluster:SiloPort", Shifted(cluster.SiloPort)), ("Cluster:GatewayPort", Shifted(cluster.GatewayPort)), ("Http:Port", Shifted(http.Port)) };
        foreach (var (setting, port) in ports.Where(p => p.Item2 > IPEndPoint.MaxPort))
        {
            yield return $"{setting} shifted by instance {instance.Number} is {port}, and ports end at {IPEndPoint.MaxPort}; choose a smaller port or instance.";
        }

        foreach (var same in ports.GroupBy(p => p.Item2).Where(g => g.Count() > 1))
        {
            yield return $"{string.Join(" and ", same.Select(p => p.Item1))} are the same port, {same.Key}; each needs one of its own.";
        }
    }

    private int Shifted(int port) => port + (instance.Number * InstanceOptions.PortStep);

    private Door Open(string setting, string what, int port) => new(setting, what, new(listen.Parsed, Shifted(port)));
}
