using System.ComponentModel.DataAnnotations;
using System.Net;

namespace Silo.Endpoints;

/// <summary>Networks whose every machine may talk to silo and gateway ports, which know no passwords.</summary>
internal static class TrustedNetworks
{
    /// <param name="text">CIDR, separated by commas; may be empty.</param>
    /// <returns>Null when the text cannot be read, or names everybody.</returns>
    public static IReadOnlyList<IPNetwork>? TryParse(string? text)
    {
        var networks = new List<IPNetwork>();
        foreach (var part in (text ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!IPNetwork.TryParse(part, out var network) || network.PrefixLength == 0)
            {
                return null;
            }

            networks.Add(network);
        }

        return networks;
    }
}

/// <summary>Accepts a list of networks, also none; not the network of everybody.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class TrustedNetworksAttribute : ValidationAttribute
{
    public override bool IsValid(object? value) => TrustedNetworks.TryParse(value as string) is not null;

    public override string FormatErrorMessage(string name) =>
        $"{name} is a list of networks, such as 10.0.0.0/8,fd00::/8, or nothing; one of everybody (/0) is not to be trusted.";
}
