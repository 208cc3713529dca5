using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Doubles.Logs;

namespace EndToEnd.Logs;

/// <summary>
/// Sends OTLP requests from several senders, each repeating the same request under the same Idempotency-Key until it is acknowledged; and
/// keeps the ledger outside the silo:
/// what was sent, and what was acknowledged. Every record has a body of its own and carries a digest of it.
/// </summary>
/// <param name="endpoints">Each try of a request goes to the next of them.</param>
internal sealed class LogSender(int recordsPerRequest, params IPEndPoint[] endpoints) : IDisposable
{
    private static readonly TimeSpan BetweenTries = TimeSpan.FromMilliseconds(20);

    private readonly HttpClient _http = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(2) })
    {
        Timeout = TimeSpan.FromSeconds(10),
    };
    private readonly ConcurrentDictionary<string, bool> _sent = [];
    private readonly ConcurrentDictionary<string, bool> _acknowledged = [];
    private readonly List<(int Count, TaskCompletionSource Reached)> _awaited = [];
    private readonly Lock _lock = new();
    private int _requests;
    private int _tries;

    /// <summary>Bodies of records that were sent at least once.</summary>
    public ICollection<string> Sent => _sent.Keys;

    /// <summary>Bodies of records whose request was answered with 200.</summary>
    public ICollection<string> Acknowledged => _acknowledged.Keys;

    /// <summary>Requests that were sent again.</summary>
    public int Repeats => Volatile.Read(ref _tries) - Volatile.Read(ref _requests);

    public static string Digest(string body) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(body)).AsSpan(0, 8));

    /// <summary>Done when so many records are acknowledged.</summary>
    public Task WhenAcknowledged(int records)
    {
        lock (_lock)
        {
            if (_acknowledged.Count >= records)
            {
                return Task.CompletedTask;
            }

            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited.Add((records, reached));
            return reached.Task;
        }
    }

    /// <summary>Sends until <paramref name="enough"/>; what is being sent then is seen through.</summary>
    public Task Run(int senders, CancellationToken enough, CancellationToken cancel) =>
        Task.WhenAll(Enumerable.Range(0, senders).Select(sender => Task.Run(() => Send(sender, enough, cancel), cancel)));

    public void Dispose() => _http.Dispose();

    private async Task Send(int sender, CancellationToken enough, CancellationToken cancel)
    {
        for (var number = 0; !enough.IsCancellationRequested; number++)
        {
            var bodies = Enumerable
                .Range(0, recordsPerRequest)
                .Select(record => string.Create(CultureInfo.InvariantCulture, $"sender {sender} request {number} record {record}"))
                .ToList();
            var request = OtlpProto.Encode(
                OtlpRequest.Of($"service-{sender}", [.. bodies.Select((body, record) => Record(body, number, record))])
            );
            Interlocked.Increment(ref _requests);
            bodies.ForEach(body => _sent[body] = true);
            while (!await Try(request, $"{sender}-{number}", cancel))
            {
                await Task.Delay(BetweenTries, cancel);
            }

            bodies.ForEach(body => _acknowledged[body] = true);
            Tell();
        }
    }

    /// <summary>True: acknowledged. Only what an exporter would send again is sent again; any other answer is a failure.</summary>
    private async Task<bool> Try(byte[] request, string key, CancellationToken cancel)
    {
        var endpoint = endpoints[Interlocked.Increment(ref _tries) % endpoints.Length];
        using var content = new ByteArrayContent(request);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-protobuf");
        content.Headers.Add("Idempotency-Key", key);
        try
        {
            using var answer = await _http.PostAsync(new Uri($"http://{endpoint}/v1/logs"), content, cancel);
            return answer.StatusCode switch
            {
                HttpStatusCode.OK => true,
                HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable => false,
                _ => throw new InvalidOperationException(
                    $"The endpoint answered {answer.StatusCode}: {await answer.Content.ReadAsStringAsync(cancel)}"
                ),
            };
        }
        catch (Exception e)
            when (e is HttpRequestException or IOException || (e is TaskCanceledException && !cancel.IsCancellationRequested))
        {
            return false; // The silo is gone, or its answer is: whether it took the request is not known.
        }
    }

    private void Tell()
    {
        lock (_lock)
        {
            foreach (var (_, reached) in _awaited.Where(awaited => _acknowledged.Count >= awaited.Count))
            {
                reached.TrySetResult();
            }
        }
    }

    private static OtlpRecord Record(string body, int number, int record) =>
        new()
        {
            Time = 1_795_000_000_000_000_000ul + ((ulong)number * 1_000_000) + (ulong)record,
            Severity = 9,
            SeverityText = "INFO",
            Body = new OtlpString(body),
            Attributes = ImmutableArray.Create(new OtlpPair("digest", new OtlpString(Digest(body)))),
        };
}
