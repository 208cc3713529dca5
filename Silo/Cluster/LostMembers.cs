using System.Net;
using System.Net.NetworkInformation;
using Silo.StartUp;

namespace Silo.Cluster;

/// <summary>
/// Writes off members that were killed on this machine. Who joins must reach every member that may be alive, and would wait a minute and a
/// half for one
/// that cannot say that it is not; but a member whose port on loopback nobody listens on is gone, and this machine can see that.
/// </summary>
/// <remarks>
/// A silo opens its port before it is written down as a member, and is written down as dead before it closes it, so none is written off
/// that lives.
/// </remarks>
public sealed partial class LostMembers(IMembershipTable members, ILogger<LostMembers> logger) : IStartUpCheck
{
    /// <summary>Other silos change the table too; what is not written off after so many tries is left to the cluster.</summary>
    private const int Tries = 10;

    public async Task Run(CancellationToken cancel)
    {
        await members.InitializeMembershipTableAsync(tryInitTableVersion: true, cancel);
        for (var attempt = 1; attempt <= Tries; attempt++)
        {
            var table = await members.ReadAllAsync(cancel);
            var lost = table.Members.FirstOrDefault(member => IsLost(member.Item1, Listeners()));
            if (lost is null)
            {
                return;
            }

            var (entry, etag) = lost;
            entry.Status = SiloStatus.Dead;
            if (await members.UpdateRowAsync(entry, etag, table.Version.Next(), cancel))
            {
                LogWrittenOff(entry.SiloName, entry.SiloAddress.Endpoint);
                attempt = 0;
            }
        }
    }

    /// <param name="listeners">What is listened on, on this machine.</param>
    internal static bool IsLost(MembershipEntry member, IReadOnlyCollection<IPEndPoint> listeners)
    {
        var end = member.SiloAddress.Endpoint;
        return member.Status is SiloStatus.Joining or SiloStatus.Active
            && IPAddress.IsLoopback(end.Address)
            && !listeners.Any(listener =>
                listener.Port == end.Port
                && (
                    listener.Address.Equals(end.Address)
                    || listener.Address.Equals(IPAddress.Any)
                    || listener.Address.Equals(IPAddress.IPv6Any)
                )
            );
    }

    /// <summary>What is listened on, on this machine.</summary>
    internal static IPEndPoint[] Listeners() => IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners();
}
