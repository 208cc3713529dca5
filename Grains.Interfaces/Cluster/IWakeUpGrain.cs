namespace Grains.Interfaces.Cluster;

/// <summary>
/// The second net under what sleeps: holds the one reminder of a system, and wakes the system when it comes. The key is the system's name.
/// </summary>
[Alias("cluster.IWakeUpGrain")]
public interface IWakeUpGrain : IGrainWithStringKey
{
    /// <summary>Sees to it that the reminder is there. Called when a silo starts.</summary>
    [Alias("Arm")]
    Task Arm(CancellationToken cancel = default);
}
