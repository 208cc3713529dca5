using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Net;
using Grains.Logs;
using Silo.Endpoints;

namespace Silo.Logs;

/// <summary>Where log records come in, beside the ports of HTTP and gRPC.</summary>
public sealed class LogEndpointsOptions
{
    public const string Section = LogsOptions.Section;

    /// <summary>The setting that moves the endpoint of OTLP over HTTP.</summary>
    public const string OtlpSetting = "Logs:OtlpHttpPort";

    /// <summary>The setting that moves the endpoint of syslog.</summary>
    public const string SyslogSetting = "Logs:SyslogPort";

    [Description(
        "A port for OTLP over HTTP alone (POST /v1/logs), where OpenTelemetry's exporters look for it; the port of HTTP takes "
            + "it too. 0 closes it. While nobody sets it and it is taken, this door stays closed with a warning."
    )]
    [Range(0, 65535)]
    public int OtlpHttpPort { get; set; } = 4318;

    [Description(
        "The port of syslog, over TCP and UDP; 514 is the usual one. 0 opens none. Syslog knows neither keys nor "
            + "acknowledgements: what was received is in memory until it is stored."
    )]
    [Range(0, 65535)]
    public int SyslogPort { get; set; }

    [Description("The address that syslog is opened on. It asks nobody for a key: beyond loopback, whoever reaches it may write.")]
    [IpAddress]
    public string SyslogAddress { get; set; } = "127.0.0.1";

    public IPAddress ParsedSyslogAddress => IPAddress.Parse(SyslogAddress);

    /// <summary>The endpoints of OTLP over HTTP and of syslog.</summary>
    internal IEnumerable<ListeningEndpoint> Endpoints(ListenOptions listen) =>
        [
            new(OtlpSetting, "OTLP over HTTP", listen.Parsed, OtlpHttpPort, EndpointProtocol.Http) { IsLimited = true },
            new(SyslogSetting, "syslog", ParsedSyslogAddress, SyslogPort, EndpointProtocol.Own),
        ];
}
