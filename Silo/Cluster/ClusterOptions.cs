using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Grains.Interfaces.Cluster;

namespace Silo.Cluster;

/// <summary>What a process of this program is.</summary>
public enum ClusterRole
{
    /// <summary>A member of the cluster: it has grains, and the doors too.</summary>
    Silo,

    /// <summary>Doors alone, before silos elsewhere: no grains, and no ports for silos and clients.</summary>
    Front,
}

/// <summary>Which cluster the silo belongs to, and the ports at which its members and clients reach it.</summary>
public sealed class ClusterOptions
{
    public const string Section = "Cluster";

    [Description("Silo is a member of the cluster, with grains and doors. Front has the doors alone, HTTP and gRPC, and finds the silos in the store that it shares with them; so doors and silos scale apart.")]
    public ClusterRole Role { get; set; } = ClusterRole.Silo;

    [Description("The name of the cluster. Silos with the same name and the same data are members of one cluster; data that belongs to one cluster is refused by silos of another.")]
    [RegularExpression("^[0-9A-Za-z._~-]{1,60}$", ErrorMessage = "Cluster:Id has 1 to 60 characters of [0-9A-Za-z._~-].")]
    public string Id { get; set; } = ClusterNames.DefaultClusterId;

    [Description("The address of the ports for silos and clients. They know no passwords: beyond loopback, Cluster:TrustedNetwork has to name the private network that the address belongs to.")]
    [IpAddress(Any = false)]
    public string Address { get; set; } = "127.0.0.1";

    [Description("Private networks (CIDR, comma-separated) whose machines may reach the ports for silos and clients, and with them everything that the cluster knows.")]
    [TrustedNetworks]
    public string TrustedNetwork { get; set; } = "";

    [Description("The port at which other silos reach this one.")]
    [Range(1, 65535)]
    public int SiloPort { get; set; } = 11111;

    [Description("The port at which clients, such as the console, reach this silo.")]
    [Range(1, 65535)]
    public int GatewayPort { get; set; } = 30000;
}
