using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Net;

namespace Silo.Endpoints;

/// <summary>The network address of the doors: HTTP and gRPC.</summary>
public sealed class ListenOptions
{
    public const string Section = "Listen";

    [Description(
        "The address that HTTP is opened on: a loopback address, one of this machine's, or 0.0.0.0 or [::] for all of them. "
            + "Beyond loopback an API key is needed; the ports for silos and clients have an address of their own, Cluster:Address."
    )]
    [IpAddress]
    public string Address { get; set; } = "127.0.0.1";

    public IPAddress Parsed => IPAddress.Parse(Address);
}

/// <summary>Accepts the text of an IP address.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class IpAddressAttribute : ValidationAttribute
{
    /// <summary>An address of all networks (0.0.0.0, ::) is accepted too.</summary>
    public bool Any { get; init; } = true;

    /// <summary>No text at all is accepted too.</summary>
    public bool Empty { get; init; }

    public override bool IsValid(object? value) => value is string text && ((Empty && text.Length == 0) || IsAddress(text));

    private bool IsAddress(string text) =>
        IPAddress.TryParse(text, out var address) && (Any || !(address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)));

    public override string FormatErrorMessage(string name) =>
        Any
            ? $"{name} is an IP address, such as 127.0.0.1, ::1 or 0.0.0.0."
            : $"{name} is the IP address at which other silos reach this one, such as 127.0.0.1 or 10.0.0.5.";
}
