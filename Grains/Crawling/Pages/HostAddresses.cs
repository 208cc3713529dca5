using System.Net;
using System.Net.Sockets;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Pages;

/// <summary>The one address under which a host is known to those who keep a pace per address.</summary>
/// <param name="resolve">All addresses of a name; null: the system's resolver.</param>
public sealed class HostAddresses(Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null)
{
    /// <summary>
    /// Of several addresses IPv4 comes first, then the lowest: two hosts that have the same addresses have the same one here, in whatever
    /// order they are told. Null: the name has none, or cannot be looked up now.
    /// </summary>
    public async Task<string?> Find(HostKey host, CancellationToken cancel)
    {
        var name = new Uri($"http://{host}/").DnsSafeHost;
        if (IPAddress.TryParse(name, out var literal))
        {
            return Plain(literal).ToString();
        }

        try
        {
            return (await (resolve ?? Dns.GetHostAddressesAsync)(name, cancel))
                .Select(Plain)
                .OrderBy(address => address.AddressFamily != AddressFamily.InterNetwork)
                .ThenBy(address => Convert.ToHexString(address.GetAddressBytes()), StringComparer.Ordinal)
                .FirstOrDefault()
                ?.ToString();
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            return null;
        }
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
