using System.Net;
using System.Net.Sockets;

namespace Doubles;

/// <summary>A network on loopback that can be cut: passes bytes on to one address, and drops all connections when it is told to.</summary>
public sealed class CuttingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, port: 0);
    private readonly IPEndPoint _target;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly HashSet<Socket> _sockets = [];
    private readonly Task _accepting;

    public CuttingProxy(IPEndPoint target)
    {
        _target = target;
        _listener.Start();
        EndPoint = (IPEndPoint)_listener.LocalEndpoint;
        _accepting = Accept();
    }

    public IPEndPoint EndPoint { get; }

    /// <summary>Connections that were cut so far.</summary>
    public int Cuts { get; private set; }

    /// <summary>Every connection ends here and now, in the middle of whatever it carries. New ones are taken.</summary>
    public void Cut()
    {
        Socket[] sockets;
        lock (_gate)
        {
            sockets = [.. _sockets];
            _sockets.Clear();
            Cuts += sockets.Length / 2;
        }

        foreach (var socket in sockets)
        {
            socket.Close(timeout: 0); // A reset, as from a network that is gone.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Dispose();
        await _accepting;
        Cut();
        _stopping.Dispose();
    }

    private async Task Accept()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                _ = Carry(await _listener.AcceptSocketAsync(_stopping.Token));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                return;
            }
        }
    }

    private async Task Carry(Socket near)
    {
        var far = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        near.NoDelay = true;
        try
        {
            await far.ConnectAsync(_target, _stopping.Token);
            lock (_gate)
            {
                _sockets.Add(near);
                _sockets.Add(far);
            }

            await Task.WhenAny(Pump(near, far), Pump(far, near));
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Nobody is at the other end, or it was cut: the near end hears of that by its own end.
        }
        finally
        {
            lock (_gate)
            {
                _sockets.Remove(near);
                _sockets.Remove(far);
            }

            near.Dispose();
            far.Dispose();
        }
    }

    private static async Task Pump(Socket from, Socket to)
    {
        var buffer = new byte[32 * 1024];
        try
        {
            for (int read; (read = await from.ReceiveAsync(buffer)) > 0; )
            {
                for (var sent = 0; sent < read; )
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, read - sent));
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // One end is gone, so the other goes.
        }
    }
}
