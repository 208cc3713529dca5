using System.Net;
using System.Net.Sockets;

namespace Doubles.Net;

/// <summary>Real sockets, for tests of real processes.</summary>
public sealed class LoopbackNetwork : INetwork
{
    private LoopbackNetwork() { }

    public static LoopbackNetwork Instance { get; } = new();

    public IListener Listen(IPEndPoint endpoint) => new Listener(endpoint);

    private sealed class Listener : IListener
    {
        private readonly Socket _socket;

        public Listener(IPEndPoint endpoint)
        {
            _socket = new(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            // So that a server can be back on its port at once.
            _socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            _socket.Bind(endpoint);
            _socket.Listen();
            EndPoint = (IPEndPoint)_socket.LocalEndPoint!;
        }

        public IPEndPoint EndPoint { get; }

        public async ValueTask<Connection> Accept(CancellationToken cancel)
        {
            Socket socket;
            try
            {
                socket = await _socket.AcceptAsync(cancel);
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.OperationAborted)
            {
                throw new ObjectDisposedException("The listener is disposed of.", exception);
            }

            socket.NoDelay = true; // Two short answers in a row: the second would wait for the client's word on the first, 40 ms.
            return new(
                new NetworkStream(socket, ownsSocket: true),
                () =>
                {
                    socket.LingerState = new(enable: true, seconds: 0);
                    socket.Dispose();
                },
                () => socket.Shutdown(SocketShutdown.Send)
            );
        }

        public void Dispose() => _socket.Dispose();
    }
}
