using System.Net;
using System.Net.Sockets;

namespace Grains.Crawling.Pages;

/// <summary>No connection came about, and why.</summary>
internal sealed class CannotConnectException(FetchFailure failure, string sentence, Exception? cause = null) : Exception(sentence, cause)
{
    public FetchFailure Failure { get; } = failure;
}

/// <summary>
/// A pool of connections for each set of allowed private ranges, so that no request rides on a connection that it may not make.
/// At most <see cref="MaxPools"/> are kept beyond those in use: the one unused for longest goes.
/// </summary>
internal sealed class ConnectionPools(Func<string, CancellationToken, Task<IPAddress[]>> resolve) : IDisposable
{
    public const int MaxPools = 16;

    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly Dictionary<AddressRanges, Pool> _pools = [];
    private long _turn;
    private bool _disposed;

    /// <summary>How many pools there are, for tests.</summary>
    internal int Count
    {
        get
        {
            lock (_lock)
            {
                return _pools.Count;
            }
        }
    }

    public Lease Take(AddressRanges allowed)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!_pools.TryGetValue(allowed, out var pool))
            {
                DropTheOldestUnused();
                pool = new(allowed, new HttpMessageInvoker(Handler(allowed), disposeHandler: true));
                _pools.Add(allowed, pool);
            }

            pool.Users++;
            pool.LastTurn = ++_turn;
            return new(this, pool);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            foreach (var pool in _pools.Values)
            {
                pool.Invoker.Dispose();
            }

            _pools.Clear();
        }
    }

    private void GiveBack(Pool pool)
    {
        lock (_lock)
        {
            pool.Users--;
            if (_pools.Count > MaxPools)
            {
                DropTheOldestUnused();
            }
        }
    }

    private void DropTheOldestUnused()
    {
        if (_pools.Count < MaxPools)
        {
            return;
        }

        var oldest = _pools.Values.Where(pool => pool.Users == 0).MinBy(pool => pool.LastTurn);
        if (oldest is not null)
        {
            _pools.Remove(oldest.Allowed);
            oldest.Invoker.Dispose();
        }
    }

    private SocketsHttpHandler Handler(AddressRanges allowed) => new()
    {
        // Nothing of ours is told to strangers.
        ActivityHeadersPropagator = null,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectCallback = (context, cancel) => Connect(context.DnsEndPoint, allowed, cancel),
        ConnectTimeout = ConnectTimeout,
        MaxConnectionsPerServer = int.MaxValue,

        // What is left of a body that was cut: a little is read to keep the connection, more is not.
        MaxResponseDrainSize = 64 * 1024,
        MaxResponseHeadersLength = HttpPageFetcher.MaxHeaderBytes / 1024,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(90),

        // So that a change in DNS is seen.
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        ResponseDrainTimeout = TimeSpan.FromSeconds(1),
        UseCookies = false,
        UseProxy = false,
    };

    // The address that is checked is the one that is connected to: no second look-up lies between.
    private async ValueTask<Stream> Connect(DnsEndPoint host, AddressRanges allowed, CancellationToken cancel)
    {
        var addresses = await Resolve(host.Host, cancel).ConfigureAwait(false);
        var permitted = Array.FindAll(addresses, address => !PrivateAddresses.Refuses(address, allowed));
        if (permitted.Length == 0)
        {
            var address = addresses[0];
            throw new CannotConnectException(
                FetchFailure.PrivateAddress,
                $"{host.Host} is {address}, which is {PrivateAddresses.Kind(address)} and not among the ranges that may be connected to ({(allowed.IsEmpty ? "none" : allowed)}).");
        }

        SocketException? last = null;
        foreach (var address in permitted)
        {
            var target = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
            var socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(target, host.Port), cancel).ConfigureAwait(false);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException exception)
            {
                socket.Dispose();
                last = exception;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        throw new CannotConnectException(FetchFailure.Unreachable, $"No connection to {host.Host} ({permitted[^1]}) on port {host.Port}: {last!.SocketErrorCode}.", last);
    }

    private async Task<IPAddress[]> Resolve(string host, CancellationToken cancel)
    {
        if (IPAddress.TryParse(host, out var literal))
        {
            return [literal];
        }

        try
        {
            var addresses = await resolve(host, cancel).ConfigureAwait(false);
            return addresses.Length > 0 ? addresses : throw new CannotConnectException(FetchFailure.Unreachable, $"The name {host} has no address.");
        }
        catch (SocketException exception)
        {
            throw new CannotConnectException(FetchFailure.Unreachable, $"The name {host} has no address: {exception.SocketErrorCode}.", exception);
        }
        catch (ArgumentException exception)
        {
            throw new CannotConnectException(FetchFailure.BadUrl, $"{host} is no name that DNS could know: {exception.Message}", exception);
        }
    }

    internal sealed class Pool(AddressRanges allowed, HttpMessageInvoker invoker)
    {
        public AddressRanges Allowed { get; } = allowed;

        public HttpMessageInvoker Invoker { get; } = invoker;

        public int Users { get; set; }

        public long LastTurn { get; set; }
    }

    /// <summary>Keeps a pool alive until the answer is read.</summary>
    internal readonly struct Lease(ConnectionPools pools, Pool pool) : IDisposable
    {
        public Task<HttpResponseMessage> Send(HttpRequestMessage message, CancellationToken cancel) => pool.Invoker.SendAsync(message, cancel);

        public void Dispose() => pools.GiveBack(pool);
    }
}
