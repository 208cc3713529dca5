using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Benchmarks.Logs;

/// <summary>What a load came to.</summary>
/// <param name="Acknowledged">Requests that were answered with 200.</param>
/// <param name="Refused">Requests that were answered with 429 or 503.</param>
/// <param name="Latencies">Of the acknowledged ones, from the moment in which each was due, sorted.</param>
internal sealed record LoadResult(long Acknowledged, long Refused, TimeSpan Took, double[] Latencies)
{
    public double RecordsPerSecond => Acknowledged * LogRequests.Records / Took.TotalSeconds;

    public double Milliseconds(double part) => Latencies.Length == 0 ? 0 : Latencies[(int)Math.Min(Latencies.Length - 1, part * Latencies.Length)];
}

/// <summary>Senders that post OTLP requests over sockets of their own, each waiting for its answer: HTTP/1.1 by hand, so that the generator leaves the processors to the silo.</summary>
internal static class LogLoad
{
    /// <param name="perSecond">Requests due each second in all; null: as fast as answers come.</param>
    public static async Task<LoadResult> Run(IPEndPoint door, LogRequests requests, int senders, TimeSpan duration, double? perSecond = null)
    {
        var began = Stopwatch.GetTimestamp();
        var results = await Task.WhenAll(Enumerable.Range(0, senders).Select(sender => Task.Run(() => Send(door, requests, began, duration, perSecond / senders, (double)sender / senders))));
        var took = Stopwatch.GetElapsedTime(began);
        return new(results.Sum(result => result.Good), results.Sum(result => result.Refused), took, [.. results.SelectMany(result => result.Latencies).Order()]);
    }

    private static async Task<(long Good, long Refused, List<double> Latencies)> Send(IPEndPoint door, LogRequests requests, long began, TimeSpan duration, double? perSecond, double phase)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(door);
        var latencies = new List<double>();
        var answer = new byte[16 * 1024];
        byte[]? slot = null;
        long good = 0, refused = 0;
        for (long sent = 0; ; sent++)
        {
            var due = began;
            if (perSecond is { } rate)
            {
                due += (long)((sent + phase) / rate * Stopwatch.Frequency);
                var wait = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
                if (wait > TimeSpan.Zero)
                {
                    await Task.Delay(wait);
                }
            }
            else
            {
                due = Stopwatch.GetTimestamp();
            }

            if (Stopwatch.GetElapsedTime(began) > duration)
            {
                return (good, refused, latencies);
            }

            var body = requests.Take(ref slot, 1_795_000_000_000_000_000);
            var head = Encoding.ASCII.GetBytes(string.Create(
                CultureInfo.InvariantCulture, $"POST /v1/logs HTTP/1.1\r\nHost: {door}\r\nContent-Type: application/x-protobuf\r\nContent-Length: {body.Length}\r\n\r\n"));
            await socket.SendAsync(new ArraySegment<byte>[] { new(head), new(slot!, 0, body.Length) }, SocketFlags.None);
            var status = await Answer(socket, answer);
            if (status == 200)
            {
                good++;
                latencies.Add(Stopwatch.GetElapsedTime(due).TotalMilliseconds);
            }
            else if (status is 429 or 503)
            {
                refused++;
            }
            else
            {
                throw new InvalidOperationException($"The door answered {status}: {Encoding.UTF8.GetString(answer.AsSpan(0, 400))}");
            }
        }
    }

    /// <summary>Reads one answer with a Content-Length and gives its status.</summary>
    private static async Task<int> Answer(Socket socket, byte[] buffer)
    {
        var filled = 0;
        while (true)
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(filled));
            if (read == 0)
            {
                throw new IOException("The door closed the connection.");
            }

            filled += read;
            var end = buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8);
            if (end >= 0 && filled >= end + 4 + Length(buffer.AsSpan(0, end)))
            {
                return int.Parse(buffer.AsSpan(9, 3), NumberStyles.None, CultureInfo.InvariantCulture);
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
}
