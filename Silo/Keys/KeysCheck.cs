using Silo.Cluster;
using Silo.StartUp;

namespace Silo.Keys;

/// <summary>Where HTTP is reached from other machines, there is a key at least.</summary>
public sealed class KeysCheck(Doors doors, KeyRing ring) : IStartUpCheck
{
    public async Task Run(CancellationToken cancel)
    {
        if (doors.Open.FirstOrDefault(door => !door.IsOnLoopback) is { } beyond && await ring.Count(cancel) == 0)
        {
            throw new StartUpException(
                $"{beyond.What} would listen on {beyond.EndPoint.Address} (Listen:Address), and there is no API key: whoever reaches it could do everything. "
                + "Start the silo on loopback first, make a key with «dotnet run --project Client -- keys add NAME --role operator», and start it again.");
        }
    }
}
