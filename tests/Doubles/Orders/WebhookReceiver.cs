using System.Collections.Concurrent;
using System.Text;
using System.Threading.Channels;
using Doubles.Net;

namespace Doubles.Orders;

/// <summary>A call that a receiver got whole.</summary>
public sealed record ReceivedWebhook(string Line, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Id => Headers["webhook-id"];

    /// <summary>As it was asked for, with its query.</summary>
    public string Path => Line.Split(' ') is [_, var path, ..] ? path : "";
}

/// <summary>What a receiver does with one call.</summary>
public sealed record WebhookAnswer
{
    private WebhookAnswer(string head)
    {
        Head = head;
    }

    public string Head { get; }

    /// <summary>Bytes without end follow, until the caller has gone.</summary>
    public bool IsEndless { get; private init; }

    /// <summary>After the head nothing happens until the caller has gone.</summary>
    public bool Stalls { get; private init; }

    /// <summary>The connection is reset after the head.</summary>
    public bool Cuts { get; private init; }

    /// <summary>Before the head; the call is in the ledger by then.</summary>
    public Task Delay { get; init; } = Task.CompletedTask;

    public static WebhookAnswer Status(int status, params (string Name, string Value)[] headers) =>
        new(
            $"HTTP/1.1 {status} "
                + $"X\r\n{string.Concat(headers.Select(header => $"{header.Name}: {header.Value}\r\n"))}{(status is 204 or 304 ? "" : "Content-Length: 2\r\n")}\r\n{(status is 204 or 304 ? "" : "ok")}"
        );

    /// <summary>With a body in ASCII.</summary>
    public static WebhookAnswer Text(int status, string body) =>
        new($"HTTP/1.1 {status} X\r\nContent-Type: text/plain\r\nContent-Length: {body.Length}\r\n\r\n{body}");

    /// <summary>Not HTTP at all, or too much of it.</summary>
    public static WebhookAnswer Raw(string text) => new(text) { Cuts = false, Stalls = true };

    public static WebhookAnswer BodyWithoutEnd(int status) =>
        new($"HTTP/1.1 {status} X\r\nTransfer-Encoding: chunked\r\n\r\n") { IsEndless = true };

    /// <summary>The head, and no byte of the body that it promises.</summary>
    public static WebhookAnswer BodyThatStalls(int status) => new($"HTTP/1.1 {status} X\r\nContent-Length: 100\r\n\r\n") { Stalls = true };

    public static WebhookAnswer Silence { get; } = new("") { Stalls = true };

    /// <summary>The call is in the ledger, and no byte comes back.</summary>
    public static WebhookAnswer Cut { get; } = new("") { Cuts = true };

    public static WebhookAnswer CutInHead { get; } = new("HTTP/1.1 200 O") { Cuts = true };

    public static WebhookAnswer CutInBody(int status) =>
        new($"HTTP/1.1 {status} X\r\nContent-Length: 100\r\n\r\nonly a part") { Cuts = true };
}

/// <summary>
/// Receives webhooks at 127.0.0.1 of a network, keeps a ledger of all that came whole, and misbehaves as it is told to: one answer each,
/// then 204 again.
/// </summary>
public sealed class WebhookReceiver : IAsyncDisposable
{
    private const int MaxHeaders = 100;

    private readonly Service _listener;
    private readonly ConcurrentQueue<WebhookAnswer> _answers = new();
    private readonly ConcurrentQueue<ReceivedWebhook> _ledger = new();
    private readonly Channel<ReceivedWebhook> _arrivals = Channel.CreateUnbounded<ReceivedWebhook>();

    /// <param name="network">Where it listens.</param>
    /// <param name="port">The one of a receiver that was here before, to be back; 0 for any.</param>
    public WebhookReceiver(INetwork network, int port = 0)
    {
        _listener = new(network, port, Serve);
        _listener.Start();
    }

    public int Port => _listener.Port;

    public Uri Url => new($"http://127.0.0.1:{Port}/hooks");

    /// <summary>What came, in order.</summary>
    public IReadOnlyList<ReceivedWebhook> Ledger => [.. _ledger];

    public int Connections => _listener.Connections;

    /// <summary>Asked for each call when it has come whole, before all else; null: answered in turn.</summary>
    public Func<ReceivedWebhook, WebhookAnswer?>? Decide { get; init; }

    /// <summary>
    /// Keeps what came. Without it nothing is kept, and <see cref="Decide"/> alone sees the calls: for loads without end.
    /// </summary>
    public bool Remembers { get; init; } = true;

    /// <summary>For calls for which there is none in line.</summary>
    public WebhookAnswer Otherwise { get; set; } = WebhookAnswer.Status(204);

    public void Answer(params WebhookAnswer[] answers)
    {
        foreach (var answer in answers)
        {
            _answers.Enqueue(answer);
        }
    }

    /// <summary>The next call that came whole.</summary>
    public ValueTask<ReceivedWebhook> Next(CancellationToken cancel) => _arrivals.Reader.ReadAsync(cancel);

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task Serve(Connection connection)
    {
        using (connection)
        {
            var stream = connection.Stream;
            try
            {
                var wire = new WireReader(stream);
                while (await Read(wire) is { } call)
                {
                    if (Remembers)
                    {
                        _ledger.Enqueue(call);
                        _arrivals.Writer.TryWrite(call);
                    }

                    var answer = Decide?.Invoke(call) ?? (_answers.TryDequeue(out var next) ? next : Otherwise);
                    await answer.Delay.WaitAsync(_listener.Stopped);
                    await stream.WriteAsync(Encoding.Latin1.GetBytes(answer.Head), _listener.Stopped);
                    if (answer.IsEndless)
                    {
                        var piece = Encoding.ASCII.GetBytes("1000\r\n" + new string('x', 4096) + "\r\n");
                        while (true)
                        {
                            await stream.WriteAsync(piece, _listener.Stopped);
                        }
                    }

                    if (answer.Cuts)
                    {
                        // What was sent is to arrive first where there was something: a reset would take it along.
                        if (answer.Head.Length == 0)
                        {
                            connection.Reset();
                        }

                        return;
                    }

                    if (answer.Stalls)
                    {
                        await wire.Peek(_listener.Stopped);
                        return;
                    }
                }
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException)
            {
                // The caller has gone, or the receiver is stopped.
            }
        }
    }

    private async Task<ReceivedWebhook?> Read(WireReader wire)
    {
        if (await wire.Peek(_listener.Stopped) is not { } first || !char.IsAsciiLetterUpper((char)first))
        {
            // Gone, or TLS where none is spoken.
            return null;
        }

        var line = await wire.Line(_listener.Stopped);
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        while (await wire.Line(_listener.Stopped) is { } header)
        {
            if (header.Length == 0)
            {
                var body = new byte[
                    headers.TryGetValue("Content-Length", out var length)
                        ? int.Parse(length, System.Globalization.CultureInfo.InvariantCulture)
                        : 0
                ];
                await wire.Whole(body, _listener.Stopped);
                return new(line!, headers, body);
            }

            var pair = header.Split(": ", 2);
            if (pair.Length < 2 || headers.Count == MaxHeaders)
            {
                return null;
            }

            headers.Add(pair[0], pair[1]);
        }

        return null;
    }
}
