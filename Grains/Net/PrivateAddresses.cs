using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace Grains.Net;

/// <summary>
/// Which addresses are not on the public internet, so that no link and no DNS record leads us to a machine behind the wall
/// (IANA's registries of special-purpose addresses, RFC 6890 and its successors).
/// </summary>
public static class PrivateAddresses
{
    private static readonly ImmutableArray<(IPNetwork Range, string Kind)> Kinds =
    [
        Range("0.0.0.0/8", "this network"),
        Range("10.0.0.0/8", "private"),
        Range("100.64.0.0/10", "shared by a carrier"),
        Range("127.0.0.0/8", "loopback"),
        // Azure's platform: DNS, health probes and the guest agent's secrets, on an address that looks public.
        Range("168.63.129.16/32", "a cloud's own service"),
        Range("169.254.0.0/16", "link-local"),
        Range("172.16.0.0/12", "private"),
        Range("192.0.0.0/24", "for protocols"),
        Range("192.0.2.0/24", "for documentation"),
        Range("192.88.99.0/24", "a 6to4 relay"),
        Range("192.168.0.0/16", "private"),
        Range("198.18.0.0/15", "for benchmarks"),
        Range("198.51.100.0/24", "for documentation"),
        Range("203.0.113.0/24", "for documentation"),
        Range("224.0.0.0/4", "multicast"),
        Range("255.255.255.255/32", "broadcast"),
        Range("240.0.0.0/4", "reserved"),
        Range("::/128", "unspecified"),
        Range("::1/128", "loopback"),
        Range("::/96", "IPv4-compatible"),
        Range("64:ff9b:1::/48", "a local translation"),
        Range("100::/64", "discarded"),
        Range("2001:2::/48", "for benchmarks"),
        Range("2001:10::/28", "an identifier"),
        Range("2001:20::/28", "an identifier"),
        Range("2001:db8::/32", "for documentation"),
        Range("3fff::/20", "for documentation"),
        Range("fc00::/7", "private"),
        Range("fe80::/10", "link-local"),
        Range("fec0::/10", "site-local"),
        Range("ff00::/8", "multicast"),
    ];

    private static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");
    private static readonly IPNetwork Teredo = IPNetwork.Parse("2001::/32");

    /// <summary>
    /// Whether no connection may be made: the address, or an IPv4 address that it carries for a translator or a tunnel, is not public and
    /// not in <paramref name="allowed"/>.
    /// </summary>
    public static bool Refuses(IPAddress address, AddressRanges allowed)
    {
        if (allowed.Contains(address))
        {
            return false;
        }

        var plain = Plain(address);
        if (KindOfOwn(plain) is not null)
        {
            return true;
        }

        foreach (var carried in Carried(plain))
        {
            if (Refuses(carried, allowed))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>What kind of address it is, in a word or two for a message; null for a public one.</summary>
    public static string? Kind(IPAddress address)
    {
        var plain = Plain(address);
        return KindOfOwn(plain) ?? Carried(plain).Select(Kind).FirstOrDefault(kind => kind is not null);
    }

    /// <summary>The IPv4 address that an IPv4-mapped one is; any other as it is, without its zone.</summary>
    internal static IPAddress Plain(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        return address is { AddressFamily: AddressFamily.InterNetworkV6, ScopeId: not 0 } ? new(address.GetAddressBytes()) : address;
    }

    private static string? KindOfOwn(IPAddress plain)
    {
        foreach (var (range, kind) in Kinds)
        {
            if (range.Contains(plain))
            {
                return kind;
            }
        }

        return plain.AddressFamily == AddressFamily.InterNetworkV6 && !GlobalUnicast.Contains(plain) && !Nat64.Contains(plain)
            ? "not global"
            : null;
    }

    private static ImmutableArray<IPAddress> Carried(IPAddress plain)
    {
        if (plain.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return [];
        }

        var bytes = plain.GetAddressBytes();
        if (Nat64.Contains(plain))
        {
            return [new(bytes.AsSpan(12))];
        }

        if (SixToFour.Contains(plain))
        {
            return [new(bytes.AsSpan(2, 4))];
        }

        if (Teredo.Contains(plain))
        {
            // RFC 4380 §4: the server, and the client with all bits turned.
            var client = bytes.AsSpan(12).ToArray();
            for (var i = 0; i < client.Length; i++)
            {
                client[i] ^= 0xFF;
            }

            return [new(bytes.AsSpan(4, 4)), new(client)];
        }

        return [];
    }

    private static (IPNetwork Range, string Kind) Range(string range, string kind) => (IPNetwork.Parse(range), kind);
}
