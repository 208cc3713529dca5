using System.Net;
using System.Net.Sockets;
using Doubles.Net;
using Xunit;

namespace Unit.Net;

/// <summary>What other tests rely on: the network in memory has the manners of TCP.</summary>
public sealed class MemoryNetworkTests
{
    private readonly MemoryNetwork _network = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task BytesGoBothWays()
    {
        var (client, server) = await Connected();

        await client.WriteAsync("ping"u8.ToArray(), Cancel);
        Assert.Equal("ping", await Text(server.Stream, 4));
        await server.Stream.WriteAsync("pong"u8.ToArray(), Cancel);
        Assert.Equal("pong", await Text(client, 4));
    }

    [Fact]
    public async Task WhereNobodyListensAConnectionIsRefused()
    {
        var refused = await Assert.ThrowsAsync<SocketException>(async () =>
            await _network.Connect(new(IPAddress.Loopback, _network.FreePort()), Cancel)
        );

        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
    }

    [Fact]
    public async Task AListenerThatWasDisposedOfRefusesAndResetsWhoWaits()
    {
        var listener = Listen();
        var waiting = await _network.Connect(listener.EndPoint, Cancel);
        listener.Dispose();

        await AssertReset(() => Read(waiting));
        await Assert.ThrowsAsync<SocketException>(async () => await _network.Connect(listener.EndPoint, Cancel));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await listener.Accept(Cancel));
        using var back = _network.Listen(listener.EndPoint);
        Assert.Equal(listener.EndPoint, back.EndPoint);
    }

    [Fact]
    public async Task WhoClosesLetsArriveWhatWasWrittenAndResetsWhoWritesOn()
    {
        var (client, server) = await Connected();
        await server.Stream.WriteAsync("bye"u8.ToArray(), Cancel);
        server.Dispose();

        Assert.Equal("bye", await Text(client, 3));
        Assert.Equal(0, await Read(client));
        await AssertReset(() => client.WriteAsync(new byte[1], Cancel).AsTask());
    }

    [Fact]
    public async Task WhoHalfClosesCanStillRead()
    {
        var (client, server) = await Connected();
        server.CloseWrites();

        Assert.Equal(0, await Read(client));
        await client.WriteAsync("last"u8.ToArray(), Cancel);
        Assert.Equal("last", await Text(server.Stream, 4));
    }

    [Fact]
    public async Task AResetEndsReadsAndWritesThatWait()
    {
        var (client, server) = await Connected();
        var reading = Read(client);
        var writing = client.WriteAsync(new byte[1_000_000], Cancel).AsTask();
        server.Reset();

        await AssertReset(() => reading);
        await AssertReset(() => writing);
    }

    [Fact]
    public async Task WhoClosesItsOwnEndAbortsItsReadsAndWritesThatWait()
    {
        var (client, _) = await Connected();
        var reading = Read(client);
        var writing = client.WriteAsync(new byte[1_000_000], Cancel).AsTask();
        await client.DisposeAsync();

        await Assert.ThrowsAsync<IOException>(() => reading);
        await Assert.ThrowsAsync<IOException>(() => writing);
    }

    [Fact]
    public async Task AWriterWaitsUntilTheOtherEndReads()
    {
        var (client, server) = await Connected();
        var writing = client.WriteAsync(new byte[200_000], Cancel).AsTask();

        Assert.False(writing.IsCompleted);
        await server.Stream.ReadExactlyAsync(new byte[200_000], Cancel);
        await writing;
    }

    [Fact]
    public async Task AReadWithoutRoomWaitsForSomethingAndTakesNothing()
    {
        var (client, server) = await Connected();
        var waiting = client.ReadAsync(Memory<byte>.Empty, Cancel).AsTask();
        Assert.False(waiting.IsCompleted);

        await server.Stream.WriteAsync("x"u8.ToArray(), Cancel);

        Assert.Equal(0, await waiting);
        Assert.Equal("x", await Text(client, 1));
    }

    [Fact]
    public async Task ANameHasTheAddressesThatItWasGivenAndNoOtherNameHasAny()
    {
        _network.Name("shop.example", IPAddress.Loopback, IPAddress.IPv6Loopback);

        Assert.Equal([IPAddress.Loopback, IPAddress.IPv6Loopback], await _network.Resolve("SHOP.example", Cancel));
        await Assert.ThrowsAsync<SocketException>(() => _network.Resolve("other.example", Cancel));
    }

    private static Task<int> Read(Stream stream) => stream.ReadAsync(new byte[100], Cancel).AsTask();

    private static async Task<string> Text(Stream stream, int bytes)
    {
        var room = new byte[bytes];
        await stream.ReadExactlyAsync(room, Cancel);
        return System.Text.Encoding.ASCII.GetString(room);
    }

    private static async Task AssertReset(Func<Task> act)
    {
        var exception = await Assert.ThrowsAnyAsync<IOException>(act);
        Assert.Equal(SocketError.ConnectionReset, Assert.IsType<SocketException>(exception.InnerException).SocketErrorCode);
    }

    private IListener Listen() => _network.Listen(new(IPAddress.Loopback, 0));

    private async Task<(Stream Client, Connection Server)> Connected()
    {
        var listener = Listen();
        var client = await _network.Connect(listener.EndPoint, Cancel);
        return (client, await listener.Accept(Cancel));
    }
}
