using System.Globalization;
using System.Net;

namespace Doubles.Processes;

/// <summary>
/// Where a silo lives during a test: five free ports and a folder, which goes when the place is disposed. A silo may be started in it again
/// and again.
/// </summary>
public sealed class SiloPlace : IDisposable
{
    private const int DoorCount = 5;

    private readonly bool _ownsFolder;

    public SiloPlace()
        : this(Unique.Ports(DoorCount)) { }

    private SiloPlace(int[] ports)
        : this(Unique.Folder("silo"), ports) => _ownsFolder = true;

    private SiloPlace(string folder, int[] ports)
    {
        Folder = folder;
        (Silo, Gateway, Http, Grpc, Otlp) = (
            Loopback(ports[0]),
            Loopback(ports[1]),
            Loopback(ports[2]),
            Loopback(ports[3]),
            Loopback(ports[4])
        );
    }

    /// <summary>The silo's current folder. Its data is in <c>data</c> below.</summary>
    public string Folder { get; }

    public string Data => Path.Combine(Folder, "data");

    public IPEndPoint Silo { get; }

    public IPEndPoint Gateway { get; }

    public IPEndPoint Http { get; }

    public IPEndPoint Grpc { get; }

    public IPEndPoint Otlp { get; }

    /// <summary>Settings that name the ports.</summary>
    public IEnumerable<string> Settings =>
        [
            "--Cluster:SiloPort",
            Text(Silo),
            "--Cluster:GatewayPort",
            Text(Gateway),
            "--Http:Port",
            Text(Http),
            "--Grpc:Port",
            Text(Grpc),
            "--Logs:OtlpHttpPort",
            Text(Otlp),
        ];

    /// <summary>A place for another silo of the same cluster: the same folder, other ports.</summary>
    public SiloPlace Beside() => new(Folder, Unique.Ports(DoorCount));

    /// <summary>A place whose ports are its own for so many instances: each (<c>--instance</c>) shifts every port by 100 more.</summary>
    public static SiloPlace WithRoomFor(int instances) => new(Unique.Ports(DoorCount, instances));

    public void Dispose()
    {
        if (_ownsFolder)
        {
            Directory.Delete(Folder, recursive: true);
        }
    }

    private static IPEndPoint Loopback(int port) => new(IPAddress.Loopback, port);

    private static string Text(IPEndPoint end) => end.Port.ToString(CultureInfo.InvariantCulture);
}
