using System.Collections.Concurrent;
using System.Net;

namespace Doubles.Net;

/// <summary>
/// Takes connections at 127.0.0.1 and has each served, until it is disposed of: then it waits for those that are being served.
/// </summary>
internal sealed class Service : IAsyncDisposable
{
    private readonly IListener _listener;
    private readonly CancellationTokenSource _stopped = new();
    private readonly ConcurrentDictionary<Task, byte> _running = new();
    private readonly Func<Connection, Task> _serve;
    private Task _accepting = Task.CompletedTask;
    private int _connections;

    /// <param name="network">Where it listens.</param>
    /// <param name="port">The one of a server that was here before, to be back; 0 for any.</param>
    /// <param name="serve">Begins with a connection, which is its own from then on, and throws nothing.</param>
    public Service(INetwork network, int port, Func<Connection, Task> serve)
    {
        _serve = serve;
        Stopped = _stopped.Token;
        _listener = network.Listen(new(IPAddress.Loopback, port));
    }

    public int Port => _listener.EndPoint.Port;

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
                var connection = await _listener.Accept(Stopped);
                Interlocked.Increment(ref _connections);
                var task = _serve(connection);
                _running[task] = 0;
                _ = task.ContinueWith(done => _running.TryRemove(done, out _), TaskScheduler.Default);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
        {
            // Stopped.
        }
    }
}
