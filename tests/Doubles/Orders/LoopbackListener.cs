using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Doubles.Orders;

/// <summary>Takes connections on 127.0.0.1 and has each served, until it is disposed of: then it waits for those that are being served.</summary>
internal sealed class LoopbackListener : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stopped = new();
    private readonly ConcurrentDictionary<Task, byte> _running = new();
    private readonly Func<Socket, Task> _serve;
    private Task _accepting = Task.CompletedTask;
    private int _connections;

    /// <param name="port">The one of a server that was here before, to be back; 0 for any.</param>
    /// <param name="serve">Begins with a connection, which is its own from then on, and throws nothing.</param>
    public LoopbackListener(int port, Func<Socket, Task> serve)
    {
        _serve = serve;
        Stopped = _stopped.Token;
        _listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        _listener.Listen();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>That were taken.</summary>
    public int Connections => Volatile.Read(ref _connections);

    public CancellationToken Stopped { get; }

    public void Start() => _accepting = Accept();

    public async ValueTask DisposeAsync()
    {
        if (_accepting.IsCompleted)
        {
            return;
        }

        await _stopped.CancelAsync();
        _listener.Dispose();
        await _accepting;
        await Task.WhenAll(_running.Keys);
        _stopped.Dispose();
    }

    private async Task Accept()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptAsync(Stopped);
                socket.NoDelay = true; // Two short answers in a row: the second would wait for the client's word on the first, 40 ms.
                Interlocked.Increment(ref _connections);
                var task = _serve(socket);
                _running[task] = 0;
                _ = task.ContinueWith(done => _running.TryRemove(done, out _), TaskScheduler.Default);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }
}
