using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace Doubles.Net;

/// <summary>
/// A network in memory: names, addresses and ports as on a real one, and no socket. Clients enter it where they would open a connection
/// (<see cref="Connect"/>) or look up a
/// name (<see cref="Resolve"/>); the doubles of servers listen on it, and so does Kestrel, to which it is a transport.
/// </summary>
/// <remarks>
/// Where nobody listens a connection is refused. A listener that does not accept lets <see cref="MaxWaiting"/> connections wait; the next
/// one's opening waits until there is room.
/// </remarks>
public sealed class MemoryNetwork : INetwork, IConnectionListenerFactory
{
    /// <summary>Connections that were opened at one listener and not accepted yet.</summary>
    public const int MaxWaiting = 128;

    private const int FirstPort = 40_000;

    private readonly ConcurrentDictionary<IPEndPoint, Listener> _listeners = new();
    private readonly ConcurrentDictionary<string, IPAddress[]> _names = new(StringComparer.OrdinalIgnoreCase);
    private int _lastPort = FirstPort;
    private int _connections;

    /// <summary>Connections that were opened.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>A port that nobody listens on and that is given to nobody else.</summary>
    public int FreePort() => Interlocked.Increment(ref _lastPort);

    /// <summary>From now on this name has these addresses.</summary>
    public MemoryNetwork Name(string name, params IPAddress[] addresses)
    {
        _names[name] = addresses;
        return this;
    }

    /// <summary>All addresses of a name.</summary>
    /// <exception cref="SocketException">There is no such name.</exception>
    public Task<IPAddress[]> Resolve(string name, CancellationToken cancel) =>
        _names.TryGetValue(name, out var addresses)
            ? Task.FromResult(addresses)
            : Task.FromException<IPAddress[]>(new SocketException((int)SocketError.HostNotFound));

    /// <summary>Opens a connection.</summary>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    public async ValueTask<Stream> Connect(IPEndPoint address, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var any = new IPEndPoint(address.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, address.Port);
        if (!_listeners.TryGetValue(address, out var listener) && !_listeners.TryGetValue(any, out listener))
        {
            throw new SocketException((int)SocketError.ConnectionRefused);
        }

        var (near, far) = MemoryStreamEnd.Pair();
        await listener.Add(far, cancel);
        Interlocked.Increment(ref _connections);
        return near;
    }

    /// <summary>Sends requests over this network: names are looked up here, addresses are not checked.</summary>
    public SocketsHttpHandler HttpHandler() =>
        new()
        {
            AllowAutoRedirect = false,
            ConnectCallback = async (context, cancel) =>
            {
                var host = context.DnsEndPoint.Host;
                var address = IPAddress.TryParse(host, out var literal) ? literal : (await Resolve(host, cancel))[0];
                return await Connect(new(address, context.DnsEndPoint.Port), cancel);
            },
            UseCookies = false,
            UseProxy = false,
        };

    public IListener Listen(IPEndPoint endpoint) => Bind(endpoint);

    /// <summary>For Kestrel.</summary>
    /// <exception cref="AddressInUseException">Somebody listens there.</exception>
    ValueTask<IConnectionListener> IConnectionListenerFactory.BindAsync(EndPoint endpoint, CancellationToken cancellationToken) =>
        new(new KestrelListener(Bind((IPEndPoint)endpoint)));

    private Listener Bind(IPEndPoint endpoint)
    {
        var listener = new Listener(this, endpoint.Port == 0 ? new(endpoint.Address, FreePort()) : endpoint);
        return _listeners.TryAdd(listener.EndPoint, listener)
            ? listener
            : throw new AddressInUseException($"Somebody listens on {endpoint}.");
    }

    private sealed class Listener(MemoryNetwork network, IPEndPoint endpoint) : IListener
    {
        private readonly Channel<MemoryStreamEnd> _waiting = Channel.CreateBounded<MemoryStreamEnd>(MaxWaiting);

        public IPEndPoint EndPoint => endpoint;

        public async ValueTask Add(MemoryStreamEnd end, CancellationToken cancel)
        {
            try
            {
                await _waiting.Writer.WriteAsync(end, cancel);
            }
            catch (ChannelClosedException)
            {
                throw new SocketException((int)SocketError.ConnectionRefused);
            }
        }

        public async ValueTask<Connection> Accept(CancellationToken cancel)
        {
            var end = await Next(cancel) ?? throw new ObjectDisposedException("The listener is disposed of.", innerException: null);
            return new(end, end.Reset, end.CloseWrites);
        }

        /// <summary>Null: the listener is disposed of.</summary>
        public async ValueTask<MemoryStreamEnd?> Next(CancellationToken cancel)
        {
            while (await _waiting.Reader.WaitToReadAsync(cancel))
            {
                if (_waiting.Reader.TryRead(out var end))
                {
                    return end;
                }
            }

            return null;
        }

        public void Dispose()
        {
            network._listeners.TryRemove(new(endpoint, this));
            _waiting.Writer.TryComplete();
            while (_waiting.Reader.TryRead(out var end))
            {
                end.Reset();
            }
        }
    }

    private sealed class KestrelListener(Listener listener) : IConnectionListener
    {
        private int _accepted;

        public EndPoint EndPoint => listener.EndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) =>
            await listener.Next(cancellationToken) is { } end ? new KestrelConnection($"{EndPoint}-{++_accepted}", end, EndPoint) : null;

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => DisposeAsync();

        public ValueTask DisposeAsync()
        {
            listener.Dispose();
            return ValueTask.CompletedTask;
        }
    }

    private sealed class KestrelConnection : DefaultConnectionContext
    {
        private readonly MemoryStreamEnd _end;

        public KestrelConnection(string id, MemoryStreamEnd end, EndPoint here)
            : base(id)
        {
            _end = end;
            Transport = end.Transport;
            ConnectionClosed = end.OtherGone;
            LocalEndPoint = here;
            RemoteEndPoint = new IPEndPoint(IPAddress.Loopback, FirstPort);
        }

        public override void Abort(ConnectionAbortedException abortReason) => _end.Reset();

        public override async ValueTask DisposeAsync()
        {
            await _end.DisposeAsync();
            await base.DisposeAsync();
        }
    }
}
