using System.Diagnostics;
using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Benchmarks.Crawling;

/// <summary>
/// Many hosts on one port: the addresses from 127.1.0.0 on, which loopback has without being told. Each has pages without end, and its
/// robots.txt is 404. Its ledger has what every host was asked and when, by a clock that never goes back.
/// </summary>
internal sealed class ManyHosts : IAsyncDisposable
{
    private const int First = 0x7f_01_00_00;
    private const int LinksPerPage = 3;

    /// <summary>Pages of a host that its links lead to: as good as endless for a host that is asked once in seconds.</summary>
    private const int MaxPage = 1_000_000;

    /// <summary>As servers in use have it, so that hosts that are asked rarely hold no connection.</summary>
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(5);

    private static readonly string Words = string.Concat(Enumerable.Repeat("Rain fell on the harbour, and the boats lay close. ", 60));

    private readonly Lock _lock = new();
    private readonly long[] _last;
    private readonly HashSet<(int Host, int Page)> _pages = [];
    private readonly List<long> _pageTimes = [];
    private readonly TimeSpan _delay;
    private readonly WebApplication _server;
    private int _hostsWithPage;
    private long _requests;
    private long _tooEarly;
    private TimeSpan _shortest = TimeSpan.MaxValue;

    private ManyHosts(int hosts, TimeSpan delay)
    {
        _last = new long[hosts];
        _delay = delay;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.KeepAliveTimeout = KeepAlive;
            kestrel.Listen(IPAddress.Any, 0, endpoint =>
                endpoint.Use(next => connection => IsHost(connection) ? next(connection) : Task.CompletedTask)
            );
        });
        _server = builder.Build();
        _server.Run(Answer);
    }

    public int Count => _last.Length;

    /// <summary>Hosts that were asked for a page.</summary>
    public int HostsWithPage
    {
        get
        {
            lock (_lock)
            {
                return _hostsWithPage;
            }
        }
    }

    /// <summary>Requests so far, robots.txt included: a host's delay counts for each.</summary>
    public long Requests
    {
        get
        {
            lock (_lock)
            {
                return _requests;
            }
        }
    }

    /// <summary>The shortest time from one request of a host to its next.</summary>
    public TimeSpan ShortestGap
    {
        get
        {
            lock (_lock)
            {
                return _shortest;
            }
        }
    }

    /// <summary>Requests that came sooner than the delay after the one before.</summary>
    public long TooEarly
    {
        get
        {
            lock (_lock)
            {
                return _tooEarly;
            }
        }
    }

    private int Port { get; set; }

    /// <param name="delay">Which each host is to be given.</param>
    public static async Task<ManyHosts> Start(int hosts, TimeSpan delay)
    {
        var site = new ManyHosts(hosts, delay);
        await site._server.StartAsync();
        site.Port = new Uri(site._server.Urls.Single()).Port;
        return site;
    }

    /// <summary>The first page of each host.</summary>
    public IEnumerable<string> Seeds() =>
        Enumerable
            .Range(First, Count)
            .Select(at => string.Create(CultureInfo.InvariantCulture, $"http://127.{at >> 16 & 255}.{at >> 8 & 255}.{at & 255}:{Port}/"));

    /// <summary>
    /// How old it is by now that so many pages had been asked for and no more; a page that was asked for twice counts once.
    /// </summary>
    public TimeSpan AgeOf(long pages)
    {
        lock (_lock)
        {
            return pages >= _pageTimes.Count ? TimeSpan.Zero : Stopwatch.GetElapsedTime(_pageTimes[(int)pages]);
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var atOnce = new CancellationTokenSource();
        await atOnce.CancelAsync();
        await _server.StopAsync(atOnce.Token);
        await _server.DisposeAsync();
    }

    /// <summary>Only loopback: any other address of the machine has no host.</summary>
    private bool IsHost(ConnectionContext connection) =>
        connection.LocalEndPoint is IPEndPoint { Address: { } address } && HostOf(address) is >= 0 and var host && host < Count;

    private static int HostOf(IPAddress address)
    {
        var bytes = address.MapToIPv4().GetAddressBytes();
        return bytes[0] == 127 ? ((bytes[0] << 24) | (bytes[1] << 16) | (bytes[2] << 8) | bytes[3]) - First : -1;
    }

    private Task Answer(HttpContext context)
    {
        var now = Stopwatch.GetTimestamp();
        var isPage = int.TryParse(context.Request.Path.Value.AsSpan().TrimStart('/'), CultureInfo.InvariantCulture, out var page);
        isPage |= context.Request.Path == "/";
        OnRequest(HostOf(context.Connection.LocalIpAddress!), isPage ? page : null, now);
        context.Response.StatusCode = isPage ? 200 : 404;
        context.Response.ContentType = isPage ? "text/html; charset=utf-8" : "text/plain";
        if (!isPage)
        {
            context.Response.ContentLength = 0;
            return Task.CompletedTask;
        }

        var links = Enumerable.Range((page * LinksPerPage) + 1, LinksPerPage).Where(link => link < MaxPage);
        var html =
            $"<!DOCTYPE html><title>Page {page}</title><p>{Words}</p>"
            + string.Concat(links.Select(link => $"<a href=\"/{link}\">{link}</a>"));
        context.Response.ContentLength = html.Length;
        return context.Response.WriteAsync(html, context.RequestAborted);
    }

    private void OnRequest(int host, int? page, long now)
    {
        lock (_lock)
        {
            _requests++;
            if (_last[host] is var last and not 0)
            {
                var gap = Stopwatch.GetElapsedTime(last, now);
                _shortest = gap < _shortest ? gap : _shortest;
                _tooEarly += gap < _delay ? 1 : 0;
            }

            _last[host] = now;
            if (page is { } number && _pages.Add((host, number)))
            {
                _hostsWithPage += number == 0 ? 1 : 0;
                _pageTimes.Add(now);
            }
        }
    }
}
