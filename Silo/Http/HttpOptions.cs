using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Silo.Http;

/// <summary>The HTTP port of the silo.</summary>
public sealed class HttpOptions
{
    public const string Section = "Http";

    [Description("The port of HTTP: health at /health/startup, /health/ready and /health/live.")]
    [Range(1, 65535)]
    public int Port { get; set; } = 8080;
}
