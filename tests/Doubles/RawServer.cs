using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Doubles;

/// <summary>Listens on 127.0.0.1 and says nothing by itself: the test plays the peer, byte by byte, as badly as it likes.</summary>
public sealed class RawServer : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public RawServer()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    public string Origin => $"http://127.0.0.1:{Port}";

    /// <summary>The next connection.</summary>
    public async Task<RawPeer> Accept(CancellationToken cancel) => new(await _listener.AcceptAsync(cancel));

    public void Dispose() => _listener.Dispose();
}

/// <summary>The server's end of one connection.</summary>
public sealed class RawPeer(Socket socket) : IDisposable
{
    /// <summary>Reads to the empty line that ends a request without a body; answers what was read.</summary>
    public async Task<string> ReadRequest(CancellationToken cancel)
    {
        var request = new StringBuilder();
        var room = new byte[4096];
        while (!request.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            var read = await socket.ReceiveAsync(room, cancel);
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

    public async Task Send(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await socket.SendAsync(bytes, cancel)..];
        }
    }

    /// <summary>Sends without end, until the other side has gone; answers how many bytes went out.</summary>
    public async Task<long> SendForEver(ReadOnlyMemory<byte> piece, CancellationToken cancel)
    {
        for (var sent = 0L; ;)
        {
            try
            {
                sent += await socket.SendAsync(piece, cancel);
            }
            catch (SocketException)
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
            while (await socket.ReceiveAsync(room, cancel) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // Reset is gone too.
        }
    }

    /// <summary>Closes with a reset: what was sent may be lost.</summary>
    public void Cut()
    {
        socket.LingerState = new(enable: true, seconds: 0);
        socket.Dispose();
    }

    public void Dispose() => socket.Dispose();
}
