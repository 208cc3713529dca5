using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Silo.Endpoints;
using Silo.Grpc;
using Silo.Http;
using Silo.Launch;
using Silo.StartUp;
using Xunit;

namespace EndToEnd;

public sealed class PortCheckTests : IDisposable
{
    private readonly TcpListener _taken = new(IPAddress.Loopback, port: 0);

    public PortCheckTests() => _taken.Start();

    public void Dispose() => _taken.Dispose();

    [Fact]
    public async Task ADoorWhoseDefaultPortIsTakenStaysClosed()
    {
        var doors = Doors();
        await Check(doors);

        Assert.False(doors.IsOpen(doors["Http:Port"]));
        Assert.True(doors.IsOpen(doors["Grpc:Port"]));
        Assert.Equal([doors["Grpc:Port"]], doors.Open);
    }

    [Fact]
    public async Task ADoorWhosePortWasSetStopsTheSiloWhenItIsTaken()
    {
        var stopped = await Assert.ThrowsAsync<StartUpException>(() =>
            Check(Doors(), ("Http:Port", Port.ToString(CultureInfo.InvariantCulture)))
        );
        Assert.StartsWith($"Port {Port} for HTTP (Http:Port) is in use on 127.0.0.1", stopped.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WithoutItsGatewayPortASiloDoesNotStart()
    {
        var doors = TestEndpoints.Of(
            new ClusterOptions { SiloPort = Unique.Port(), GatewayPort = Port },
            new HttpOptions { Port = 0 },
            new GrpcOptions { Port = 0 },
            new ListenOptions(),
            new InstanceOptions()
        );
        await Assert.ThrowsAsync<StartUpException>(() => Check(doors));
    }

    [Fact]
    public void APortTakenSinceItWasCheckedIsNamed()
    {
        var doors = TestEndpoints.Of(
            new ClusterOptions { SiloPort = Unique.Port(), GatewayPort = Port },
            new HttpOptions(),
            new GrpcOptions(),
            new ListenOptions(),
            new InstanceOptions { Number = 0 }
        );
        var explained = StartUpErrors.Explain(new SocketException((int)SocketError.AddressAlreadyInUse), doors, "/data")!;

        Assert.StartsWith(
            $"Port {Port} for clients (Cluster:GatewayPort) is in use on 127.0.0.1",
            explained.Message,
            StringComparison.Ordinal
        );
    }

    private int Port => ((IPEndPoint)_taken.LocalEndpoint).Port;

    private ListeningEndpoints Doors() =>
        TestEndpoints.Of(
            new ClusterOptions { SiloPort = Unique.Port(), GatewayPort = Unique.Port() },
            new HttpOptions { Port = Port },
            new GrpcOptions { Port = Unique.Port() },
            new ListenOptions(),
            new InstanceOptions(),
            new() { OtlpHttpPort = 0 }
        );

    private static Task Check(ListeningEndpoints doors, params (string Key, string Value)[] settings) =>
        new PortCheck(
            doors,
            new ConfigurationBuilder().AddInMemoryCollection(settings.ToDictionary(pair => pair.Key, pair => (string?)pair.Value)).Build(),
            NullLogger<PortCheck>.Instance
        ).Run(CancellationToken.None);
}
