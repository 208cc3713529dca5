namespace Grains.Interfaces.Cluster;

/// <summary>Names that silos and consoles must agree on before they can talk.</summary>
public static class ClusterNames
{
    /// <summary>Orleans' service id: the same for every silo and console, for what is stored belongs to it.</summary>
    public const string ServiceId = "orleans";

    /// <summary>The cluster's id when nobody names one.</summary>
    public const string DefaultClusterId = "dev";
}
