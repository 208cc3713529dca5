using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Silo.Http;

/// <summary>The HTTP port of the silo.</summary>
public sealed class HttpOptions
{
    public const string Section = "Http";

    [Description(
        "The port of HTTP: the page at /, and /api, /openapi, /health. 0 closes it. While nobody sets it and it is taken, this "
            + "door stays closed with a warning."
    )]
    [Range(0, 65535)]
    public int Port { get; set; } = 8080;
}
