using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Security;
using Grains.Net;

namespace Grains.Crawling.Pages;

/// <summary>What may be connected to, and how.</summary>
/// <param name="Allowed">Private addresses that may be connected to.</param>
/// <param name="Proxy">Through this one; null: straight.</param>
/// <param name="AnyCertificate">Certificates are not checked.</param>
internal sealed record ConnectionRules(AddressRanges Allowed, NamedProxy? Proxy = null, bool AnyCertificate = false);

/// <summary>
/// A pool of connections for each set of rules, so that no request rides on a connection that it may not make.
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
    private readonly Dictionary<ConnectionRules, Pool> _pools = [];
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

    public Lease Take(ConnectionRules rules)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!_pools.TryGetValue(rules, out var pool))
            {
                DropTheOldestUnused();
                pool = new(rules, new HttpMessageInvoker(Handler(rules), disposeHandler: true));
                _pools.Add(rules, pool);
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
            _pools.Remove(oldest.Rules);
            oldest.Invoker.Dispose();
        }
    }

    private SocketsHttpHandler Handler(ConnectionRules rules) =>
        new()
        {
            // Nothing of ours is told to strangers.
            ActivityHeadersPropagator = null,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectCallback = (context, cancel) =>
                rules.Proxy is { } proxy
                    ? OpenProxy(proxy, context.DnsEndPoint, cancel)
                    : CheckedConnection.Open(context.DnsEndPoint, rules.Allowed, resolve, connect, cancel),
            ConnectTimeout = ConnectTimeout,
            MaxConnectionsPerServer = int.MaxValue,

            // A connection of HTTP/2 is shared: one that is dead is to be noticed, or each request on it would run into its time limit.
            KeepAlivePingDelay = TimeSpan.FromSeconds(20),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            KeepAlivePingTimeout = TimeSpan.FromSeconds(10),

            // What is left of a body that was cut: a little is read to keep the connection, more is not.
            MaxResponseDrainSize = 64 * 1024,
            MaxResponseHeadersLength = HttpPageFetcher.MaxHeaderBytes / 1024,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(90),

            // So that a change in DNS is seen.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            ResponseDrainTimeout = TimeSpan.FromSeconds(1),
            UseCookies = false,
            Proxy = rules.Proxy is { } named ? new Always(named) : null,
            UseProxy = rules.Proxy is not null,
            SslOptions = rules.AnyCertificate ? Unchecked() : new(),
        };

    /// <summary>For hosts that the operator calls his own (<c>Crawling:OwnHosts</c>), in a pool that no other host uses.</summary>
    [SuppressMessage("Security", "CA5359", Justification = "The operator named the hosts.")]
    private static SslClientAuthenticationOptions Unchecked() => new() { RemoteCertificateValidationCallback = (_, _, _, _) => true };

    /// <summary>The operator named it: its address may be private, and is nobody's business.</summary>
    private async ValueTask<Stream> OpenProxy(NamedProxy proxy, DnsEndPoint address, CancellationToken cancel)
    {
        try
        {
            return await CheckedConnection.Open(address, allowed: null, resolve, connect, cancel).ConfigureAwait(false);
        }
        catch (CannotConnectException cause)
        {
            throw new CannotConnectException(ConnectFailure.Proxy, $"The proxy \"{proxy}\" cannot be connected to.", cause);
        }
    }

    /// <summary>One proxy for every host.</summary>
    private sealed class Always(NamedProxy proxy) : IWebProxy
    {
        public ICredentials? Credentials { get; set; } = proxy.Credentials;

        public Uri GetProxy(Uri destination) => proxy.Address;

        public bool IsBypassed(Uri host) => false;
    }

    internal sealed class Pool(ConnectionRules rules, HttpMessageInvoker invoker)
    {
        public ConnectionRules Rules { get; } = rules;

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
