using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Silo.Cluster;
using Xunit;

namespace EndToEnd;

/// <summary>Where a silo lives during a test: five free ports and a folder, which goes when the place is disposed. A silo may be started in it again and again.</summary>
public sealed class SiloPlace : IDisposable
{
    private readonly bool _ownsFolder;

    public SiloPlace()
        : this(Directory.CreateTempSubdirectory("silo-").FullName) => _ownsFolder = true;

    private SiloPlace(string folder)
    {
        Folder = folder;
        var listeners = Enumerable.Range(0, 5).Select(_ => new TcpListener(IPAddress.Loopback, port: 0)).ToArray();
        foreach (var listener in listeners)
        {
            listener.Start();
        }

        (Silo, Gateway, Http, Grpc, Otlp) = (EndPointOf(listeners[0]), EndPointOf(listeners[1]), EndPointOf(listeners[2]), EndPointOf(listeners[3]), EndPointOf(listeners[4]));
        foreach (var listener in listeners)
        {
            listener.Dispose();
        }
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
    public SiloPlace Beside() => new(Folder);

    /// <summary>A place whose ports are free for so many instances: each shifts every port by <see cref="InstanceOptions.PortStep"/> more.</summary>
    public static SiloPlace WithRoomFor(int instances)
    {
        const int Attempts = 50;
        for (var attempt = 1; ; attempt++)
        {
            var place = new SiloPlace();
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
        var shifted = new[] { Silo, Gateway, Http, Otlp }.SelectMany(end => Enumerable.Range(0, instances).Select(instance => end.Port + (instance * InstanceOptions.PortStep))).ToArray();
        return shifted.Distinct().Count() == shifted.Length && shifted.All(port => port <= IPEndPoint.MaxPort && !taken.Contains(port));
    }

    private static IPEndPoint EndPointOf(TcpListener listener) => (IPEndPoint)listener.LocalEndpoint;

    private static string Text(IPEndPoint end) => end.Port.ToString(CultureInfo.InvariantCulture);
}
