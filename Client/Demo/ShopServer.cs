using System.Collections.Immutable;
using Microsoft.AspNetCore.Http;

namespace Client.Demo;

/// <summary>What the shop saw, kept outside of the silo: the witness.</summary>
/// <param name="Requests">By path, those for <c>/robots.txt</c> left out.</param>
/// <param name="Strays">Requests for paths that the shop does not have.</param>
/// <param name="SmallestGap">Between the arrivals of two requests; null when there were not two.</param>
internal sealed record ShopLedger(ImmutableSortedDictionary<string, int> Requests, int Strays, TimeSpan? SmallestGap);

/// <summary>Serves the bookshop on loopback, on a port that the system chooses, and counts who asked for what.</summary>
internal sealed class ShopServer : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _requests = new(StringComparer.Ordinal);
    private readonly Bookshop _shop;
    private readonly TimeProvider _clock;
    private LoopbackServer _server = null!;
    private int _strays;
    private long? _last;
    private TimeSpan? _smallestGap;

    private ShopServer(Bookshop shop, TimeProvider clock)
    {
        _shop = shop;
        _clock = clock;
    }

    /// <inheritdoc cref="LoopbackServer.Url"/>
    public Uri Url => _server.Url;

    public static async Task<ShopServer> Open(Bookshop shop, TimeProvider clock, CancellationToken cancel)
    {
        var server = new ShopServer(shop, clock);
        server._server = await LoopbackServer.Open(server.Answer, cancel);
        return server;
    }

    public ShopLedger Read()
    {
        lock (_lock)
        {
            return new(_requests.ToImmutableSortedDictionary(StringComparer.Ordinal), _strays, _smallestGap);
        }
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private Task Answer(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "/";
        var response = context.Response;
        if (path == "/robots.txt")
        {
            response.ContentType = "text/plain";
            return response.WriteAsync(Bookshop.Robots);
        }

        var time = Count(path);
        if (path == Bookshop.Till && time == 1)
        {
            response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            response.Headers.RetryAfter = "1";
            return Task.CompletedTask;
        }

        if (_shop.Open(path) is not { } page)
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }

        response.StatusCode = page.Status;
        response.ContentType = "text/html; charset=utf-8";
        if (page.Location is { } location)
        {
            response.Headers.Location = location;
        }

        return response.WriteAsync(page.Html);
    }

    /// <summary>The how manieth request for this path it is.</summary>
    private int Count(string path)
    {
        lock (_lock)
        {
            var now = _clock.GetTimestamp();
            if (_last is { } last && _clock.GetElapsedTime(last, now) is var gap && (_smallestGap is null || gap < _smallestGap))
            {
                _smallestGap = gap;
            }

            _last = now;
            // Only what the shop knows is kept by name, so the ledger cannot grow.
            if (_shop.Open(path) is null && !_shop.Forbidden.Contains(path))
            {
                return ++_strays;
            }

            return _requests[path] = _requests.GetValueOrDefault(path) + 1;
        }
    }
}
