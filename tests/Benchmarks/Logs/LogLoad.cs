using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace Benchmarks.Logs;

/// <summary>What a load came to.</summary>
/// <param name="Acknowledged">Requests that were answered with 200.</param>
/// <param name="Refused">Requests that were answered with 429 or 503.</param>
/// <param name="Latencies">Of the acknowledged ones, from the moment in which each was due, sorted.</param>
internal sealed record LoadResult(long Acknowledged, long Refused, TimeSpan Took, double[] Latencies)
{
    public double RecordsPerSecond => Acknowledged * LogRequests.Records / Took.TotalSeconds;

    public double Milliseconds(double part) =>
        Latencies.Length == 0 ? 0 : Latencies[(int)Math.Min(Latencies.Length - 1, part * Latencies.Length)];
}

/// <summary>One connection to a door, and how a request goes over it.</summary>
internal interface ILogConnection : IDisposable
{
    /// <summary>200 when it is stored, 429 or 503 when it is to come again; anything else is an exception.</summary>
    /// <param name="body">An <c>ExportLogsServiceRequest</c>.</param>
    Task<int> Post(ReadOnlyMemory<byte> body);
}

/// <summary>Senders that post OTLP requests, each waiting for its answer.</summary>
internal static class LogLoad
{
    /// <param name="perSecond">Requests due each second in all; null: as fast as answers come.</param>
    public static async Task<LoadResult> Run(
        Func<ILogConnection> connect,
        LogRequests requests,
        int senders,
        TimeSpan duration,
        double? perSecond = null
    )
    {
        var began = Stopwatch.GetTimestamp();
        var results = await Task.WhenAll(
            Enumerable
                .Range(0, senders)
                .Select(sender => Task.Run(() => Send(connect, requests, began, duration, perSecond / senders, (double)sender / senders)))
        );
        var took = Stopwatch.GetElapsedTime(began);
        return new(
            results.Sum(result => result.Good),
            results.Sum(result => result.Refused),
            took,
            [.. results.SelectMany(result => result.Latencies).Order()]
        );
    }

    private static async Task<(long Good, long Refused, List<double> Latencies)> Send(
        Func<ILogConnection> connect,
        LogRequests requests,
        long began,
        TimeSpan duration,
        double? perSecond,
        double phase
    )
    {
        using var connection = connect();
        var latencies = new List<double>();
        byte[]? slot = null;
        long good = 0,
            refused = 0;
        for (long sent = 0; ; sent++)
        {
            var due = perSecond is { } rate ? began + (long)((sent + phase) / rate * Stopwatch.Frequency) : Stopwatch.GetTimestamp();
            if (Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due) is var wait && wait > TimeSpan.Zero)
            {
                await Task.Delay(wait);
            }

            if (Stopwatch.GetElapsedTime(began) > duration)
            {
                return (good, refused, latencies);
            }

            if (await connection.Post(requests.Take(ref slot, 1_795_000_000_000_000_000)) == 200)
            {
                good++;
                latencies.Add(Stopwatch.GetElapsedTime(due).TotalMilliseconds);
            }
            else
            {
                refused++;
            }
        }
    }
}

/// <summary>HTTP/1.1 by hand over a socket of its own, so that the generator leaves the processors to the silo.</summary>
internal sealed class HttpConnection(IPEndPoint door) : ILogConnection
{
    private readonly Socket _socket = Connect(door);
    private readonly byte[] _answer = new byte[16 * 1024];

    public async Task<int> Post(ReadOnlyMemory<byte> body)
    {
        var head = Encoding.ASCII.GetBytes(
            string.Create(
                CultureInfo.InvariantCulture,
                $"POST /v1/logs HTTP/1.1\r\nHost: {door}\r\nContent-Type: application/x-protobuf\r\nContent-Length: {body.Length}\r\n\r\n"
            )
        );
        MemoryMarshal.TryGetArray(body, out var bytes);
        await _socket.SendAsync(new ArraySegment<byte>[] { new(head), bytes }, SocketFlags.None);
        var status = await Answer();
        return status is 200 or 429 or 503
            ? status
            : throw new InvalidOperationException($"The door answered {status}: {Encoding.UTF8.GetString(_answer.AsSpan(0, 400))}");
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>Reads one answer with a Content-Length and gives its status.</summary>
    private async Task<int> Answer()
    {
        var filled = 0;
        while (true)
        {
            var read = await _socket.ReceiveAsync(_answer.AsMemory(filled));
            if (read == 0)
            {
                throw new IOException("The door closed the connection.");
            }

            filled += read;
            var end = _answer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8);
            if (end >= 0 && filled >= end + 4 + Length(_answer.AsSpan(0, end)))
            {
                return int.Parse(_answer.AsSpan(9, 3), NumberStyles.None, CultureInfo.InvariantCulture);
            }
        }
    }

    private static int Length(ReadOnlySpan<byte> head)
    {
        var at = head.IndexOf("Content-Length: "u8);
        if (at < 0)
        {
            return 0;
        }

        var rest = head[(at + 16)..];
        var end = rest.IndexOf((byte)'\r');
        return int.Parse(end < 0 ? rest : rest[..end], NumberStyles.None, CultureInfo.InvariantCulture);
    }

    private static Socket Connect(IPEndPoint door)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(door);
        return socket;
    }
}

/// <summary>
/// gRPC over HTTP/2 with the framework's client, a connection for each sender: the message is framed by hand, and built once.
/// </summary>
internal sealed class GrpcConnection(IPEndPoint door) : ILogConnection
{
    private readonly HttpClient _http = new(new SocketsHttpHandler());
    private readonly Uri _export = new($"http://{door}/opentelemetry.proto.collector.logs.v1.LogsService/Export");
    private byte[] _frame = [];

    public async Task<int> Post(ReadOnlyMemory<byte> body)
    {
        if (_frame.Length < body.Length + 5)
        {
            _frame = new byte[body.Length + (64 * 1024)];
        }

        BinaryPrimitives.WriteInt32BigEndian(_frame.AsSpan(1), body.Length);
        body.CopyTo(_frame.AsMemory(5));
        using var request = new HttpRequestMessage(HttpMethod.Post, _export)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ReadOnlyMemoryContent(_frame.AsMemory(0, body.Length + 5)),
        };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/grpc");
        request.Headers.TryAddWithoutValidation("TE", "trailers");
        using var answer = await _http.SendAsync(request);
        await answer.Content.ReadAsByteArrayAsync();
        var status = Find(answer.TrailingHeaders) ?? Find(answer.Headers);
        return status switch
        {
            "0" => 200,
            "14" => 503,
            _ => throw new InvalidOperationException($"The door answered gRPC status {status}, HTTP {(int)answer.StatusCode}."),
        };
    }

    public void Dispose() => _http.Dispose();

    private static string? Find(HttpResponseHeaders headers) => headers.TryGetValues("grpc-status", out var values) ? values.First() : null;
}
