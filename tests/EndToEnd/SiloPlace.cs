using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using Client.Demo;
using Doubles;
using Silo.Cluster;
using Xunit;

namespace EndToEnd;

/// <summary>Where a silo lives during a test: five free ports and a folder, which goes when the place is disposed. A silo may be started in it again and again.</summary>
public sealed class SiloPlace : IDisposable
{
    private const int DoorCount = 5;

    // As many as one instance's ports are from the next one's, so that no instance's port is another's first one; and nobody else takes what comes above.
    private static readonly FreePorts s_instances = new(first: 31_000, count: InstanceOptions.PortStep);

    private readonly bool _ownsFolder;

    public SiloPlace()
        : this(Ports.Take(DoorCount))
    {
    }

    private SiloPlace(int[] ports)
        : this(Directory.CreateTempSubdirectory("silo-").FullName, ports) => _ownsFolder = true;

    private SiloPlace(string folder, int[] ports)
    {
        Folder = folder;
        (Silo, Gateway, Http, Grpc, Otlp) = (Loopback(ports[0]), Loopback(ports[1]), Loopback(ports[2]), Loopback(ports[3]), Loopback(ports[4]));
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
        "--Cluster:SiloPort", Text(Silo),
        "--Cluster:GatewayPort", Text(Gateway),
        "--Http:Port", Text(Http),
        "--Grpc:Port", Text(Grpc),
        "--Logs:OtlpHttpPort", Text(Otlp),
    ];

    /// <summary>A place for another silo of the same cluster: the same folder, other ports.</summary>
    public SiloPlace Beside() => new(Folder, Ports.Take(DoorCount));

    /// <summary>A place whose ports are free for so many instances: each shifts every port by <see cref="InstanceOptions.PortStep"/> more.</summary>
    public static SiloPlace WithRoomFor(int instances)
    {
        const int Attempts = 50;
        for (var attempt = 1; ; attempt++)
        {
            var place = new SiloPlace(s_instances.Take(DoorCount));
            if (place.HasRoomFor(instances))
            {
                return place;
            }

            place.Dispose();
            Assert.True(attempt < Attempts, $"The test looked {Attempts} times for ports that are free for {instances} instances.");
        }
    }

    public void Dispose()
    {
        if (_ownsFolder)
        {
            Directory.Delete(Folder, recursive: true);
        }
    }

    private bool HasRoomFor(int instances)
    {
        var taken = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Select(listener => listener.Port).ToHashSet();
        return !new[] { Silo, Gateway, Http, Grpc, Otlp }
            .SelectMany(end => Enumerable.Range(0, instances).Select(instance => end.Port + (instance * InstanceOptions.PortStep)))
            .Any(taken.Contains);
    }

    private static IPEndPoint Loopback(int port) => new(IPAddress.Loopback, port);

    private static string Text(IPEndPoint end) => end.Port.ToString(CultureInfo.InvariantCulture);
}
