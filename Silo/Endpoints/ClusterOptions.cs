using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Grains.Interfaces.Cluster;

namespace Silo.Endpoints;

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

    [Description(
        "Silo is a member of the cluster, with grains and doors. Front has the doors alone, HTTP and gRPC, and finds the silos "
            + "in the store that it shares with them; so doors and silos scale apart."
    )]
    public ClusterRole Role { get; set; } = ClusterRole.Silo;

    [Description(
        "The name of the cluster. Silos with the same name and the same data are members of one cluster; data that belongs to "
            + "one cluster is refused by silos of another."
    )]
    [RegularExpression("^[0-9A-Za-z._~-]{1,60}$", ErrorMessage = "Cluster:Id has 1 to 60 characters of [0-9A-Za-z._~-].")]
    public string Id { get; set; } = ClusterNames.DefaultClusterId;

    [Description("The name of this silo in the list of members, in logs and in metrics. Empty: silo-0, with the number of its instance.")]
    [RegularExpression("^[0-9A-Za-z._~-]{0,60}$", ErrorMessage = "Cluster:Name has at most 60 characters of [0-9A-Za-z._~-].")]
    public string Name { get; set; } = "";

    [Description(
        "The address at which other silos and clients reach the ports of this silo. They know no passwords: beyond loopback, "
            + "Cluster:TrustedNetwork has to name the private network that the address belongs to."
    )]
    [IpAddress(Any = false)]
    public string Address { get; set; } = "127.0.0.1";

    [Description(
        "The address on which the ports for silos and clients are opened, where it is not Cluster:Address: 0.0.0.0 in a "
            + "container whose platform forwards Cluster:Address to it. Empty: Cluster:Address."
    )]
    [IpAddress(Empty = true)]
    public string ListenAddress { get; set; } = "";

    [Description(
        "Private networks (CIDR, comma-separated) whose machines may reach the ports for silos and clients, and with them "
            + "everything that the cluster knows."
    )]
    [TrustedNetworks]
    public string TrustedNetwork { get; set; } = "";

    [Description("The port at which other silos reach this one.")]
    [Range(1, 65535)]
    public int SiloPort { get; set; } = 11111;

    [Description("The port at which clients, such as the console, reach this silo.")]
    [Range(1, 65535)]
    public int GatewayPort { get; set; } = 30000;

    [Description("The port under which other silos reach Cluster:SiloPort, where a platform forwards another one to it. 0: the same.")]
    [Range(0, 65535)]
    public int AdvertisedSiloPort { get; set; }

    [Description("The port under which clients reach Cluster:GatewayPort, where a platform forwards another one to it. 0: the same.")]
    [Range(0, 65535)]
    public int AdvertisedGatewayPort { get; set; }
}
