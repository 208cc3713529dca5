using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Grpc.Net.Client;
using Silo.Launch;
using Silo.Orders.Wire;
using Xunit;

namespace EndToEnd;

/// <summary>A client that hangs up is no failure of the silo, wherever in a request it does.</summary>
public sealed class HungUpTests : IDisposable
{
    private readonly SiloPlace _place = new();

    /// <summary>A site that takes connections and never answers: a crawl of it is running for as long as the test is.</summary>
    private readonly TcpListener _silent = new(IPAddress.Loopback, port: 0);

    private readonly IPEndPoint _syslog = new(IPAddress.Loopback, Unique.Port());

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _silent.Dispose();
        _place.Dispose();
    }

    [Fact]
    public async Task ClientsThatHangUpInTheMiddleAreNoWarningInTheLog()
    {
        _silent.Start();
        await using var silo = SiloProcess.Start(
            _place,
            "--log",
            "json",
            "--Logs:SyslogPort",
            $"{_syslog.Port}",
            "--Logging:LogLevel:Silo.Middleware.Logging",
            "Debug"
        );
        await Wait.For(
            silo.Wrote(line => line.Contains($"\"message\":\"{Banner.Ready}", StringComparison.Ordinal)),
            "the silo to be ready",
            () => silo.AllSaid
        );
        var crawl = await StartCrawl();

        // In the middle of an answer that goes on for as long as somebody reads.
        string[] streams = ["/api/orders/watch", "/api/logs/tail", $"/api/crawls/{crawl}/events"];
        foreach (var path in streams)
        {
            await HangUp(_place.Http, Head("GET", path), until: "retry: ");
        }

        // In the middle of a body that the silo has begun to read.
        var bodies = new[]
        {
            (_place.Http, "/api/orders", "application/json"),
            (_place.Http, "/api/crawls", "application/json"),
            (_place.Http, "/api/logs", "application/x-ndjson"),
            (_place.Otlp, "/v1/logs", "application/json"),
        };
        foreach (var (endpoint, path, type) in bodies)
        {
            var head = Head("POST", path, $"Expect: 100-continue\r\nContent-Length: 1000\r\nContent-Type: {type}\r\n");
            await HangUp(endpoint, head, until: "100 Continue", rest: "{\"body\":");
        }

        // Before the answer.
        string[] questions = ["/api/cluster", "/api/ledger", $"/api/crawls/{crawl}/export"];
        foreach (var path in questions)
        {
            await UntilNoticed(path, () => HangUp(_place.Http, Head("GET", path)));
        }

        // gRPC: in the middle of a stream, of a request, and of a message of OTLP.
        await HangUpAWatch();
        string[] messages = ["/opentelemetry.proto.collector.logs.v1.LogsService/Export", "/orders.v1.OrderBook/Place"];
        foreach (var path in messages)
        {
            await UntilNoticed(path, () => HangUpAMessage(_place.Grpc, path));
        }

        await HangUp(_syslog, "<13>1 2026-11-23T12:00:00Z h app - - - a message that has no end");

        foreach (var path in (string[])[.. streams, .. bodies.Select(body => body.Item2), "/orders.v1.OrderWatch/Watch"])
        {
            await Wait.For(silo.Wrote(line => Answered(line, path)), $"the end of {path} to be noticed", () => silo.AllSaid);
        }

        await silo.Stop();
        Assert.Empty(silo.Errors);
        Assert.DoesNotContain(silo.Output.TakeWhile(line => !IsOfItsStop(line)), IsWarningOfOurs);

        // One that leaves before the silo has begun with it is nothing to the silo: then another one tries.
        Task UntilNoticed(string path, Func<Task> hangUp) =>
            Wait.Until(
                async () =>
                {
                    await hangUp();
                    return silo.Output.Any(line => Answered(line, path));
                },
                $"the end of {path} to be noticed",
                () => silo.AllSaid
            );
    }

    private static bool Answered(string line, string path) =>
        JsonElement.Parse(line) is var entry
        && entry.GetProperty("category").GetString() == "Silo.Middleware.Logging"
        && entry.GetProperty("fields").GetProperty("Path").GetString() == path;

    /// <summary>From here on it may warn of what its own stop breaks off.</summary>
    private static bool IsOfItsStop(string line) => line.Contains("\"message\":\"Stopping: ", StringComparison.Ordinal);

    /// <summary>Orleans may warn of itself on a busy machine.</summary>
    private static bool IsWarningOfOurs(string line) =>
        JsonElement.Parse(line) is var entry
        && entry.GetProperty("level").GetString() is "Warning" or "Error" or "Critical"
        && !(entry.GetProperty("category").GetString()!.StartsWith("Orleans.", StringComparison.Ordinal) && !IsOfConnections(entry));

    private static bool IsOfConnections(JsonElement entry) =>
        entry.GetProperty("category").GetString()!.StartsWith("Orleans.Runtime.Messaging", StringComparison.Ordinal);

    private async Task<string> StartCrawl()
    {
        await using var console = await ConsoleProcess.Reach(
            "crawl",
            "start",
            $"http://{_silent.LocalEndpoint}/",
            "--allow-private",
            "127.0.0.0/8",
            "--timeout",
            "5m",
            "-q",
            "--gateway",
            $"{_place.Gateway}"
        );
        Assert.True(await console.Exit == ExitCode.Done, console.Said);
        return Assert.Single(console.Output);
    }

    private static string Head(string method, string path, string headers = "") =>
        $"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n";

    /// <summary>Sends a request, and leaves.</summary>
    /// <param name="until">Of the answer: then the connection is reset. Null: it is closed without reading.</param>
    /// <param name="rest">What is sent before it is reset.</param>
    private static async Task HangUp(IPEndPoint endpoint, string request, string? until = null, string rest = "")
    {
        using var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(endpoint, Cancel);
        await socket.SendAsync(Encoding.UTF8.GetBytes(request), Cancel);
        if (until is null)
        {
            return;
        }

        var answer = new StringBuilder();
        var buffer = new byte[1024];
        while (!answer.ToString().Contains(until, StringComparison.Ordinal))
        {
            var read = await Wait.For(socket.ReceiveAsync(buffer, Cancel).AsTask(), "the answer to begin", answer.ToString);
            Assert.True(read > 0, answer.ToString());
            answer.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }

        await socket.SendAsync(Encoding.UTF8.GetBytes(rest), Cancel);
        socket.LingerState = new(enable: true, seconds: 0);
    }

    private async Task HangUpAWatch()
    {
        using var channel = GrpcChannel.ForAddress($"http://{_place.Grpc}");
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        using var watch = new OrderWatch.OrderWatchClient(channel).Watch(new WatchRequest(), cancellationToken: leave.Token);
        Assert.True(await Wait.For(watch.ResponseStream.MoveNext(Cancel), "the watch to begin"));
        await leave.CancelAsync();
    }

    /// <summary>Sends the beginning of a message, and resets the stream.</summary>
    private static async Task HangUpAMessage(IPEndPoint endpoint, string method)
    {
        using var handler = new SocketsHttpHandler();
        using var client = new HttpMessageInvoker(handler);
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var body = new HalfMessage(leave.Token);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{endpoint}{method}")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = body,
        };
        request.Headers.TE.Add(new("trailers"));
        var answer = client.SendAsync(request, leave.Token);
        await Wait.For(body.Sent, "half of the message to be sent");
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);
    }

    /// <summary>The first bytes of a message of gRPC that tells of a thousand.</summary>
    private sealed class HalfMessage : HttpContent
    {
        private readonly TaskCompletionSource _sent = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly CancellationToken _leave;

        public HalfMessage(CancellationToken leave)
        {
            _leave = leave;
            Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        }

        public Task Sent => _sent.Task;

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(new byte[] { 0, 0, 0, 3, 232, 10 }, _leave);
            await stream.FlushAsync(_leave);
            _sent.TrySetResult();
            await Task.Delay(Timeout.Infinite, _leave);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
