using System.Net;

namespace Silo.Endpoints;

/// <summary>What is spoken at a port.</summary>
public enum EndpointProtocol
{
    /// <summary>Orleans' own, between silos and from clients, without a key; a front opens none.</summary>
    Orleans,

    /// <summary>HTTP/1.1, behind the chain of <c>Middleware/</c>.</summary>
    Http,

    /// <summary>gRPC over HTTP/2 without TLS, behind the same chain. Nothing tells the two apart on one port.</summary>
    Grpc,

    /// <summary>
    /// A protocol without keys that its own service listens for; it has an address of its own and is closed unless it is set.
    /// </summary>
    Own,
}

/// <summary>One port that this process listens on, and the setting that moves it.</summary>
/// <param name="Setting">The key of the setting: <c>Http:Port</c>.</param>
/// <param name="Purpose">What it is for, in a sentence about it: "HTTP".</param>
/// <param name="Address">The address that it is opened on.</param>
/// <param name="Port">0: closed.</param>
public sealed record ListeningEndpoint(string Setting, string Purpose, IPAddress Address, int Port, EndpointProtocol Protocol)
{
    /// <summary>Whether only routes that say so are answered there; else all of its protocol are.</summary>
    public bool IsLimited { get; init; }

    /// <exception cref="ArgumentOutOfRangeException">The port is above 65,535: <see cref="ListeningEndpoints.Problems"/> says so
    /// first.</exception>
    public IPEndPoint EndPoint => new(Address, Port);

    public bool IsOnLoopback => IPAddress.IsLoopback(Address);
}
