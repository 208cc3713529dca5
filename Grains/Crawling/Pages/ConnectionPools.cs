using System.Net;
using Grains.Net;

namespace Grains.Crawling.Pages;

/// <summary>
/// A pool of connections for each set of allowed private ranges, so that no request rides on a connection that it may not make.
/// At most <see cref="MaxPools"/> are kept beyond those in use: the one unused for longest goes.
/// </summary>
internal sealed class ConnectionPools(
    Func<string, CancellationToken, Task<IPAddress[]>>? resolve,
    Func<IPEndPoint, CancellationToken, ValueTask<Stream>>? connect
) : IDisposable
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

    private SocketsHttpHandler Handler(AddressRanges allowed) =>
        new()
        {
            // Nothing of ours is told to strangers.
            ActivityHeadersPropagator = null,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectCallback = (context, cancel) => CheckedConnection.Open(context.DnsEndPoint, allowed, resolve, connect, cancel),
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
        public Task<HttpResponseMessage> Send(HttpRequestMessage message, CancellationToken cancel) =>
            pool.Invoker.SendAsync(message, cancel);

        public void Dispose() => pools.GiveBack(pool);
    }
}
