using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Silo.Endpoints;

namespace Silo.Http;

/// <summary>The HTTP port of the silo.</summary>
public sealed class HttpOptions
{
    public const string Section = "Http";

    /// <summary>The setting that moves the endpoint.</summary>
    public const string PortSetting = "Http:Port";

    [Description(
        "The port of HTTP: the page at /, the API with its description at /api, /health. 0 closes it. While nobody sets it and it "
            + "is taken, this door stays closed with a warning."
    )]
    [Range(0, 65535)]
    public int Port { get; set; } = 8080;

    /// <summary>The endpoint of HTTP.</summary>
    internal ListeningEndpoint Endpoint(ListenOptions listen) => new(PortSetting, "HTTP", listen.Parsed, Port, EndpointProtocol.Http);
}
