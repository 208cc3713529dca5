using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Grains.Interfaces.Cluster;

namespace Grains.Client;

/// <summary>Where a cluster is reached: the gateways of one silo or more, and the cluster's id.</summary>
public sealed record ClusterAddress(ImmutableArray<GatewayAddress> Gateways, string ClusterId)
{
    public static readonly TimeSpan UsualTimeout = TimeSpan.FromSeconds(10);

    /// <summary>
    /// To reach a silo, names looked up and all gateways tried. Where nobody listens that is known at once; a silo that is busy or starts
    /// may need the whole of it to begin.
    /// </summary>
    public TimeSpan ConnectTimeout { get; init; } = UsualTimeout;

    public static readonly ClusterAddress Local = new([new("127.0.0.1", GatewayAddress.DefaultPort)], ClusterNames.DefaultClusterId);

    /// <summary>Gateways, separated by commas, of a cluster with the usual id.</summary>
    /// <exception cref="FormatException">One of them is no gateway, or there is none.</exception>
    public static ClusterAddress Parse(string gateways)
    {
        var named = gateways.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return named.Length == 0
            ? throw new FormatException("No gateway is named: it would look like 127.0.0.1:30000.")
            : new([.. named.Select(GatewayAddress.Parse)], ClusterNames.DefaultClusterId);
    }

    public override string ToString() => string.Join(", ", Gateways);
}

/// <param name="Host">A name or an address, without brackets.</param>
public readonly record struct GatewayAddress(string Host, int Port)
{
    public const int DefaultPort = 30000;

    /// <summary><c>host:port</c>, <c>[::1]:port</c>, or a host alone for port 30000.</summary>
    public static bool TryParse(string text, out GatewayAddress gateway)
    {
        gateway = default;
        // "[::1]:30100" would be read too, without its port.
        if (!text.StartsWith('[') && IPAddress.TryParse(text, out var bare))
        {
            gateway = new(bare.ToString(), DefaultPort);
            return true;
        }

        var colon = text.LastIndexOf(':');
        var host = (colon < 0 ? text : text[..colon]).Trim('[', ']');
        var port = DefaultPort;
        if (
            Uri.CheckHostName(host) == UriHostNameType.Unknown
            || (colon >= 0 && !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port))
            || port is < 1 or > 65535
        )
        {
            return false;
        }

        gateway = new(host, port);
        return true;
    }

    public static GatewayAddress Parse(string text) =>
        TryParse(text, out var gateway)
            ? gateway
            : throw new FormatException($"\"{text}\" is no gateway: it would look like 127.0.0.1:30000.");

    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
