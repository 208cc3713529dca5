using System.Net;
using System.Net.Sockets;

namespace AzureTests;

/// <summary>
/// Passes TCP connections on from one address to another, as the platform does between the address of its environment and an app: while the
/// app is not ready, nobody is let in, and connections that there are go on.
/// </summary>
internal sealed class PlatformRelay : IAsyncDisposable
{
    private static readonly TimeSpan ProbePeriod = TimeSpan.FromMilliseconds(500);

    private readonly CancellationTokenSource _end = new();
    private readonly IPEndPoint _from;
    private readonly IPEndPoint _to;
    private readonly Func<Task<bool>> _isReady;
    private readonly Task _running;

    private PlatformRelay(IPEndPoint from, IPEndPoint to, Func<Task<bool>> isReady)
    {
        (_from, _to, _isReady) = (from, to, isReady);
        _running = Run();
    }

    /// <summary>Always open.</summary>
    public static PlatformRelay Open(IPEndPoint from, IPEndPoint to) => new(from, to, static () => Task.FromResult(true));

    /// <summary>Open while the readiness probe of the app is answered with 200.</summary>
    public static PlatformRelay WhileReady(IPEndPoint from, IPEndPoint to, HttpClient http, Uri probe) =>
        new(from, to, () => IsReady(http, probe));

    /// <summary>Whether the probe is answered with 200.</summary>
    public static async Task<bool> IsReady(HttpClient http, Uri probe)
    {
        try
        {
            using var answer = await http.GetAsync(probe);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _end.Dispose();
    }

    private async Task Run()
    {
        while (true)
        {
            if (await _isReady())
            {
                using var listener = new TcpListener(_from);
                listener.Start();
                using var closed = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
                var accepting = Accept(listener, closed.Token);
                do
                {
                    await Task.Delay(ProbePeriod, _end.Token);
                } while (await _isReady());

                await closed.CancelAsync();
                await accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            await Task.Delay(ProbePeriod, _end.Token);
        }
    }

    private async Task Accept(TcpListener listener, CancellationToken closed)
    {
        while (true)
        {
            var client = await listener.AcceptTcpClientAsync(closed);
            _ = Pass(client);
        }
    }

    private async Task Pass(TcpClient client)
    {
        using (client)
        using (var server = new TcpClient())
        {
            try
            {
                await server.ConnectAsync(_to, _end.Token);
                var (one, other) = (client.GetStream(), server.GetStream());
                await Task.WhenAny(one.CopyToAsync(other, _end.Token), other.CopyToAsync(one, _end.Token));
            }
            catch (Exception cut) when (cut is SocketException or IOException or OperationCanceledException)
            {
                // Either end is gone; both are closed.
            }
        }
    }
}
