using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Doubles;

/// <summary>
/// A forward proxy on loopback that wants credentials: it passes a GET with a whole URL on to its host, and opens a tunnel for CONNECT. One
/// request a connection. It remembers for what it was asked with the right credentials.
/// </summary>
public sealed class ForwardProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, port: 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentQueue<string> _asked = [];
    private readonly string _credentials;
    private readonly Task _accepting;

    public ForwardProxy(string user, string password)
    {
        _credentials = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"));
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = Accept();
    }

    public int Port { get; }

    /// <summary><c>GET http://host/path</c> or <c>CONNECT host:port</c>, of those it passed on.</summary>
    public IReadOnlyCollection<string> Asked => _asked;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stopping.Dispose();
    }

    private async Task Accept()
    {
        var serving = new List<Task>();
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                serving.Add(Serve(await _listener.AcceptTcpClientAsync(_stopping.Token)));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                break;
            }
        }

        await Task.WhenAll(serving);
    }

    private async Task Serve(TcpClient client)
    {
        try
        {
            using (client)
            {
                await Serve(client.GetStream());
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
        {
            // Whoever asked has gone, or the test is over.
        }
    }

    private async Task Serve(NetworkStream near)
    {
        var lines = await ReadHead(near);
        var (method, target) = (lines[0].Split(' ')[0], lines[0].Split(' ')[1]);
        if (!lines.Contains($"Proxy-Authorization: {_credentials}", StringComparer.OrdinalIgnoreCase))
        {
            await Send(near, "HTTP/1.1 407 No", "Proxy-Authenticate: Basic realm=\"test\"", "Content-Length: 0", "Connection: close");
            return;
        }

        var isTunnel = method == "CONNECT";
        var url = new Uri(isTunnel ? $"https://{target}/" : target);
        _asked.Enqueue($"{method} {target}");
        using var far = new TcpClient();
        await far.ConnectAsync(url.Host, url.Port, _stopping.Token);
        if (isTunnel)
        {
            await Send(near, "HTTP/1.1 200 Open");
        }
        else
        {
            var fields = lines[1..]
                .Where(line =>
                    !line.StartsWith("Proxy-", StringComparison.OrdinalIgnoreCase)
                    && !line.StartsWith("Connection:", StringComparison.OrdinalIgnoreCase)
                );
            await Send(far.GetStream(), [$"{method} {url.PathAndQuery} HTTP/1.1", .. fields, "Connection: close"]);
        }

        // The first side that ends it ends it for both.
        await Task.WhenAny(near.CopyToAsync(far.GetStream(), _stopping.Token), far.GetStream().CopyToAsync(near, _stopping.Token));
    }

    private async Task<string[]> ReadHead(NetworkStream stream)
    {
        var head = new StringBuilder();
        var octet = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await stream.ReadExactlyAsync(octet, _stopping.Token);
            head.Append((char)octet[0]);
        }

        return head.ToString().Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
    }

    private async Task Send(NetworkStream stream, params string[] lines) =>
        await stream.WriteAsync(Encoding.Latin1.GetBytes(string.Join("\r\n", lines) + "\r\n\r\n"), _stopping.Token);
}
