using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Doubles.Logs;
using Grains.Logs.Batching;
using Xunit;

namespace EndToEnd.Logs;

/// <summary>
/// More than the silo can take, and a store that refuses: what is too much is told so at once, what was acknowledged is stored, and it recovers by itself.
/// The overload lasts 15 s here; set <c>LOG_OVERLOAD</c> to more seconds for a campaign.
/// </summary>
public sealed class LogOverloadTests : IDisposable
{
    private const int Records = 512;
    private const int Shards = 1;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly SiloPlace _place = new();
    private readonly HttpClient _http = new(new SocketsHttpHandler { MaxConnectionsPerServer = 512 }) { Timeout = Patience };
    private readonly ConcurrentDictionary<HttpStatusCode, long> _answers = [];
    private long _next;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _http.Dispose();
        _place.Dispose();
    }

    [Fact]
    public async Task TenTimesTheCapacityIsTurnedAwayAndWhatWasAcknowledgedIsStored()
    {
        var duration = TimeSpan.FromSeconds(Math.Clamp(int.Parse(Environment.GetEnvironmentVariable("LOG_OVERLOAD") ?? "15", CultureInfo.InvariantCulture), 5, 600));
        // The buffer and the linger are its capacity: 8 MiB each half second, some 110 requests a second.
        await using var silo = await SiloProcess.StartReady(
            _place, Patience, "--Logs:Shards", $"{Shards}", "--Logs:BufferBytes", $"{8 * 1024 * 1024}", "--Logs:Linger", "00:00:00.5", "--Logs:SegmentBytes", $"{64 * 1024 * 1024}", "--Logs:SegmentRecords", "1000000");
        var capacity = await Capacity();
        _answers.Clear();
        var acknowledged = await StoredSoFar();

        await Load(10 * capacity, duration);

        var answers = _answers.ToDictionary();
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.TooManyRequests], answers.Keys.Where(status => status != HttpStatusCode.ServiceUnavailable).Order());
        Assert.True(answers[HttpStatusCode.TooManyRequests] > answers[HttpStatusCode.OK], $"{answers[HttpStatusCode.TooManyRequests]} of {answers.Values.Sum()} requests were turned away, at ten times the capacity.");
        var peak = PeakMemoryOf(silo.ProcessId);
        Assert.True(peak <= 600L * 1024 * 1024, $"The silo held {peak / (1024 * 1024)} MiB.");
        await NormalAgain();

        Assert.Equal(acknowledged + ((answers[HttpStatusCode.OK] + 10) * Records), await StoredSoFar());
    }

    [Fact]
    public async Task WhileTheStoreRefusesNothingIsAcknowledgedAndAfterwardsItGoesOnByItself()
    {
        await using var silo = await SiloProcess.StartReady(_place, Patience, "--Logs:Shards", $"{Shards}", "--Logs:Linger", "00:00:00.05");
        Assert.Equal(HttpStatusCode.OK, await Post());
        var folder = Path.Combine(_place.Data, "blobs", "objects");
        Directory.Move(folder, folder + ".away");
        await File.WriteAllTextAsync(folder, "in the way", Cancel);

        var request = Request();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await Post(request));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await Post(request));
        File.Delete(folder);
        Directory.Move(folder + ".away", folder);
        Assert.Equal(Records, await StoredSoFar());

        Assert.Equal(HttpStatusCode.OK, await Post(request));
        Assert.Equal(HttpStatusCode.OK, await Post(request));

        // What was refused was not stored, and what was acknowledged is not a repeat because its bytes are equal.
        var shard = Assert.Single((await StoredRecords.Of(_place, Shards, Patience, Cancel)).Shards);
        Assert.Equal((3 * Records, 0), (shard.Total.Stored, shard.Total.Repeated));
    }

    /// <summary>Requests a second that are acknowledged when as many wait as fit.</summary>
    private async Task<double> Capacity()
    {
        var since = Stopwatch.GetTimestamp();
        using var end = new CancellationTokenSource(TimeSpan.FromSeconds(4));
        await Task.WhenAll(Enumerable.Range(0, 40).Select(async _ =>
        {
            while (!end.IsCancellationRequested)
            {
                await Post();
            }
        }));
        return _answers.GetValueOrDefault(HttpStatusCode.OK) / Stopwatch.GetElapsedTime(since).TotalSeconds;
    }

    /// <summary>Requests that are due at their time, whatever became of those before.</summary>
    private async Task Load(double perSecond, TimeSpan duration)
    {
        var pending = new List<Task>();
        var since = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(since) is var elapsed && elapsed < duration)
        {
            for (var due = elapsed.TotalSeconds * perSecond; pending.Count < due;)
            {
                pending.Add(Post());
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), Cancel);
        }

        await Task.WhenAll(pending);
    }

    /// <summary>After five seconds none is turned away any more, and ten requests, one after the other, are all acknowledged.</summary>
    private async Task NormalAgain()
    {
        var since = Stopwatch.GetTimestamp();
        for (var good = 0; good < 10;)
        {
            var asked = Stopwatch.GetElapsedTime(since);
            if (await Post() == HttpStatusCode.OK)
            {
                good++;
                continue;
            }

            Assert.True(asked < TimeSpan.FromSeconds(5), $"A request was turned away after {asked.TotalSeconds:0.0} s, when {good} of 10 were acknowledged.");
        }
    }

    private async Task<HttpStatusCode> Post(byte[]? request = null)
    {
        using var content = new ByteArrayContent(request ?? Request());
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-protobuf");
        using var answer = await _http.PostAsync(new Uri($"http://{_place.Http}/v1/logs"), content, Cancel);
        if (answer.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable)
        {
            Assert.Equal(TimeSpan.FromSeconds(1), answer.Headers.RetryAfter?.Delta);
        }

        _answers.AddOrUpdate(answer.StatusCode, 1, (_, count) => count + 1);
        return answer.StatusCode;
    }

    private byte[] Request()
    {
        var number = Interlocked.Increment(ref _next);
        return OtlpProto.Encode(OtlpRequest.Of("shop", [.. Enumerable.Range(0, Records).Select(record => new OtlpRecord
        {
            Time = 1_795_000_000_000_000_000ul + ((ulong)number * 1_000_000) + (ulong)record,
            Severity = 9,
            Body = new OtlpString(string.Create(CultureInfo.InvariantCulture, $"request {number} record {record} of a load that is more than the silo can take")),
        })]));
    }

    private async Task<long> StoredSoFar()
    {
        var stored = await StoredRecords.Of(_place, Shards, Patience, Cancel);
        var total = stored.Shards.Select(shard => shard.Total).Aggregate(Tally.Sum);
        Assert.True(total.Balances, total.ToString());
        Assert.Equal(stored.Records.Count, total.Stored);
        return total.Stored;
    }

    private static long PeakMemoryOf(int process) =>
        long.Parse(File.ReadLines($"/proc/{process}/status").Single(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
}
