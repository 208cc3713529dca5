using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Net;

namespace Silo.Cluster;

/// <summary>The network address of all ports of the silo.</summary>
public sealed class ListenOptions
{
    public const string Section = "Listen";

    [Description("The address that every port is opened on. Only loopback addresses (127.0.0.1, ::1) are accepted by this version: the ports of silo and gateway know no passwords.")]
    [LoopbackAddress]
    public string Address { get; set; } = "127.0.0.1";

    public IPAddress Parsed => IPAddress.Parse(Address);
}

/// <summary>Accepts the text of an IP address that only processes of this machine reach.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class LoopbackAddressAttribute : ValidationAttribute
{
    public override bool IsValid(object? value) =>
        value is string text && IPAddress.TryParse(text, out var address) && IPAddress.IsLoopback(address);

    public override string FormatErrorMessage(string name) =>
        $"{name} is a loopback address, 127.0.0.1 or ::1: the ports of silo and gateway know no passwords, and API keys come in a later version.";
}
