using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Silo.Endpoints;

namespace Silo.Grpc;

/// <summary>The gRPC port of the silo.</summary>
public sealed class GrpcOptions
{
    public const string Section = "Grpc";

    /// <summary>The setting that moves the endpoint.</summary>
    public const string PortSetting = "Grpc:Port";

    [Description(
        "The port of gRPC, over HTTP/2 without TLS: orders, health and reflection. 0 closes it. While nobody sets it and it is "
            + "taken, this door stays closed with a warning."
    )]
    [Range(0, 65535)]
    public int Port { get; set; } = 4317;

    /// <summary>The endpoint of gRPC.</summary>
    internal ListeningEndpoint Endpoint(ListenOptions listen) => new(PortSetting, "gRPC", listen.Parsed, Port, EndpointProtocol.Grpc);
}
