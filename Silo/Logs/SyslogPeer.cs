using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Silo.Logs;

/// <summary>One connection of syslog and the address that it came from.</summary>
internal sealed class SyslogPeer : IDisposable
{
    private readonly Socket _socket;
    private readonly CancellationTokenSource _closed;

    /// <param name="socket">Is disposed with this.</param>
    /// <param name="stop">Ends the reading of all connections.</param>
    public SyslogPeer(Socket socket, CancellationToken stop)
    {
        _socket = socket;
        _closed = CancellationTokenSource.CreateLinkedTokenSource(stop);
        AddressText = socket.RemoteEndPoint is IPEndPoint end ? SyslogSenders.TextOf(end.Address) : [];
        Address = Encoding.ASCII.GetString(AddressText);
    }

    public string Address { get; }

    /// <summary>The address as UTF-8.</summary>
    public byte[] AddressText { get; }

    /// <summary>No more is read.</summary>
    public bool IsClosed => _closed.IsCancellationRequested;

    /// <exception cref="OperationCanceledException">It was closed.</exception>
    public Task<int> Receive(Memory<byte> into) => _socket.ReceiveAsync(into, _closed.Token).AsTask();

    /// <summary>Ends the reading; what was read is still handed in. Also when it is over.</summary>
    public void Close()
    {
        try
        {
            _closed.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It ended by itself a moment ago.
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        _closed.Dispose();
    }
}

/// <summary>The addresses of datagrams' senders as text, made once for each; some of the last ones are kept. Not thread-safe.</summary>
internal sealed class SyslogSenders
{
    private const int MaxKept = 1024;

    private static readonly IPEndPoint Any = new(IPAddress.Any, 0);
    private static readonly IPEndPoint AnyV6 = new(IPAddress.IPv6Any, 0);

    private readonly Dictionary<SocketAddress, byte[]> _texts = [];

    public byte[] TextOf(SocketAddress from)
    {
        if (_texts.TryGetValue(from, out var text))
        {
            return text;
        }

        if (_texts.Count == MaxKept)
        {
            _texts.Clear();
        }

        var copy = new SocketAddress(from.Family, from.Size);
        from.Buffer[..from.Size].CopyTo(copy.Buffer);
        var end = (IPEndPoint)(from.Family == AddressFamily.InterNetworkV6 ? AnyV6 : Any).Create(copy);
        return _texts[copy] = TextOf(end.Address);
    }

    /// <summary>An address of IPv4 that was mapped into IPv6 is its own.</summary>
    public static byte[] TextOf(IPAddress address) =>
        Encoding.ASCII.GetBytes((address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString());
}
