using System.Globalization;
using System.Text;
using Silo.Endpoints;
using Silo.Grpc;
using Silo.Http;
using Silo.Logs;
using Silo.StartUp;

namespace Silo.Launch;

/// <summary>What a silo says of itself, beside its log.</summary>
/// <param name="Text">For people, of one line or more.</param>
/// <param name="Fields">The same for programs.</param>
public sealed record Announcement(string Text, IReadOnlyCollection<KeyValuePair<string, object?>> Fields);

/// <summary>What is printed when the silo is ready: what it is, where it listens, where its data is, what to type next.</summary>
public static class Banner
{
    /// <summary>The start of what is said first, before anything of the silo is made.</summary>
    public const string Starting = "Starting: ";

    /// <summary>The start of the first line; whoever started the silo as a process may wait for it.</summary>
    public const string Ready = "Ready: ";

    /// <summary>How the last line begins: whoever has read it has read all.</summary>
    public const string LastLine = "Ctrl-C stops ";

    /// <param name="bytes">Of the data; null when the store cannot tell.</param>
    /// <param name="keys">How many API keys there are; null when the store does not say.</param>
    /// <param name="isOpen">Without a key everybody on this machine is let in.</param>
    /// <param name="took">From the start of the process until now.</param>
    public static Announcement Of(
        ListeningEndpoints endpoints,
        string clusterId,
        string folder,
        long? bytes,
        int? keys,
        bool isOpen,
        TimeSpan took
    )
    {
        var gateway = endpoints.Gateway.EndPoint.Port == new ClusterOptions().GatewayPort ? "" : $" --gateway {endpoints.Gateway.EndPoint}";
        var cluster = clusterId == new ClusterOptions().Id ? "" : $" --cluster {clusterId}";
        var client = $"dotnet run -c Release --project Client --";
        var text = new StringBuilder();
        Announcement Announced() =>
            new(
                text.ToString(),
                [
                    new("program", Name(endpoints)),
                    new("version", About.Version),
                    new("instance", endpoints.Instance),
                    new("cluster", clusterId),
                    new("tookSeconds", Math.Round(took.TotalSeconds, 3)),
                    new("silos", endpoints.IsFront ? null : endpoints.Silo.EndPoint.ToString()),
                    new("clients", endpoints.IsFront ? null : endpoints.Gateway.EndPoint.ToString()),
                    new("http", Opened(endpoints, HttpOptions.PortSetting)),
                    new("grpc", Opened(endpoints, GrpcOptions.PortSetting)),
                    new("otlp", Opened(endpoints, LogEndpointsOptions.OtlpSetting)),
                    new("keys", keys),
                    new("open", isOpen),
                    new("data", folder),
                    new("bytes", bytes),
                ]
            );

        text.AppendLine(
            CultureInfo.InvariantCulture,
            $"{Ready}{Name(endpoints)} {About.Version}, instance {endpoints.Instance} of cluster "
                + $"\"{clusterId}\", after {took.TotalSeconds:0.0} s"
        );
        if (!endpoints.IsFront)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  silos    {endpoints.Silo.EndPoint}");
            text.AppendLine(CultureInfo.InvariantCulture, $"  clients  {endpoints.Gateway.EndPoint}");
        }

        text.AppendLine(CultureInfo.InvariantCulture, $"  HTTP     {Open(endpoints, HttpOptions.PortSetting, "http://", "/")}");
        text.AppendLine(CultureInfo.InvariantCulture, $"  API      {Open(endpoints, HttpOptions.PortSetting, "http://", ApiPage.Path)}");
        text.AppendLine(CultureInfo.InvariantCulture, $"  gRPC     {Open(endpoints, GrpcOptions.PortSetting)}");
        text.AppendLine(
            CultureInfo.InvariantCulture,
            $"  OTLP     {Open(endpoints, LogEndpointsOptions.OtlpSetting, "http://", "/v1/logs")}"
        );
        text.AppendLine(CultureInfo.InvariantCulture, $"  keys     {Keys(keys, isOpen)}");
        text.AppendLine(CultureInfo.InvariantCulture, $"  data     {folder}{(bytes is { } size ? $" ({Size(size)})" : "")}");
        if (endpoints.IsFront)
        {
            text.Append(LastLine + "the front; the silos behind it go on.");
            return Announced();
        }

        text.AppendLine();
        text.AppendLine("Next, in another terminal:");
        text.AppendLine(CultureInfo.InvariantCulture, $"  {client} crawl start https://example.org/ --follow{gateway}{cluster}");
        text.AppendLine(CultureInfo.InvariantCulture, $"  {client} cluster status{gateway}{cluster}");
        text.AppendLine(CultureInfo.InvariantCulture, $"  {client} demo");
        text.Append(LastLine + "the silo; what it took on goes on when it starts again.");
        return Announced();
    }

    /// <summary>What is said first: a person and a supervisor see at once that it was started, and as what.</summary>
    public static Announcement OfStart(ListeningEndpoints endpoints, string clusterId) =>
        new(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Starting}{Name(endpoints)} {About.Version}, instance {endpoints.Instance} of cluster \"{clusterId}\", "
                    + $"process {Environment.ProcessId}"
            ),
            [
                new("program", Name(endpoints)),
                new("version", About.Version),
                new("instance", endpoints.Instance),
                new("cluster", clusterId),
                new("process", Environment.ProcessId),
            ]
        );

    private static string Name(ListeningEndpoints endpoints) => endpoints.IsFront ? About.FrontName : About.Name;

    /// <summary>Null: it is closed.</summary>
    private static string? Opened(ListeningEndpoints endpoints, string setting) =>
        endpoints.Find(setting) is { } endpoint && endpoints.IsOpen(endpoint) ? endpoint.EndPoint.ToString() : null;

    private static string Open(ListeningEndpoints endpoints, string setting, string before = "", string after = "") =>
        Opened(endpoints, setting) is { } opened ? $"{before}{opened}{after}" : "closed";

    private static string Keys(int? keys, bool isOpen) =>
        (keys, isOpen) switch
        {
            (null, _) => "unknown: the store did not say",
            (0, true) => "none: HTTP is open to everybody on this machine",
            (0, false) => "none any more: HTTP is closed until one is made",
            _ => keys.Value.ToString(CultureInfo.InvariantCulture),
        };

    /// <summary>Bytes for people: <c>0 B</c>, <c>4.1 KiB</c>, <c>1.2 GiB</c>.</summary>
    public static string Size(long bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB"];
        var size = (double)bytes;
        var unit = 0;
        for (; size >= 1024 && unit < units.Length - 1; unit++)
        {
            size /= 1024;
        }

        return string.Create(
            CultureInfo.InvariantCulture,
            $"{size.ToString(unit == 0 ? "0" : "0.0", CultureInfo.InvariantCulture)} {units[unit]}"
        );
    }
}
