using System.Net;
using System.Text;
using Doubles.Net;

namespace Doubles;

/// <summary>
/// Listens at 127.0.0.1 of a network and says nothing by itself: the test plays the peer, byte by byte, as badly as it likes.
/// </summary>
public sealed class RawServer(INetwork network) : IDisposable
{
    private readonly IListener _listener = network.Listen(new(IPAddress.Loopback, 0));

    public int Port => _listener.EndPoint.Port;

    public string Origin => $"http://127.0.0.1:{Port}";

    /// <summary>The next connection.</summary>
    public async Task<RawPeer> Accept(CancellationToken cancel) => new(await _listener.Accept(cancel));

    public void Dispose() => _listener.Dispose();
}

/// <summary>The server's end of one connection.</summary>
public sealed class RawPeer(Connection connection) : IDisposable
{
    /// <summary>Reads to the empty line that ends a request without a body; answers what was read.</summary>
    public async Task<string> ReadRequest(CancellationToken cancel)
    {
        var request = new StringBuilder();
        var room = new byte[4096];
        while (!request.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            var read = await connection.Stream.ReadAsync(room, cancel);
            if (read == 0)
            {
                break;
            }

            request.Append(Encoding.Latin1.GetString(room, 0, read));
        }

        return request.ToString();
    }

    /// <summary>One byte per character (Latin-1).</summary>
    public Task Send(string text, CancellationToken cancel) => Send(Encoding.Latin1.GetBytes(text), cancel);

    public async Task Send(ReadOnlyMemory<byte> bytes, CancellationToken cancel) => await connection.Stream.WriteAsync(bytes, cancel);

    /// <summary>Sends without end, until the other side has gone; answers how many bytes went out.</summary>
    public async Task<long> SendForEver(ReadOnlyMemory<byte> piece, CancellationToken cancel)
    {
        for (var sent = 0L; ; )
        {
            try
            {
                await connection.Stream.WriteAsync(piece, cancel);
                sent += piece.Length;
            }
            catch (IOException)
            {
                return sent;
            }
        }
    }

    /// <summary>Done when the other side has closed its end or cut the connection.</summary>
    public async Task Gone(CancellationToken cancel)
    {
        var room = new byte[4096];
        try
        {
            while (await connection.Stream.ReadAsync(room, cancel) > 0) { }
        }
        catch (IOException)
        {
            // Reset is gone too.
        }
    }

    /// <summary>Closes with a reset: what was sent may be lost.</summary>
    public void Cut() => connection.Reset();

    public void Dispose() => connection.Dispose();
}
