using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Doubles.Logs;
using Grains.Logs.Batching;
using Xunit;

namespace EndToEnd.Logs;

/// <summary>
/// More than the silo can take, and a store that refuses: what is too much is told so at once, what was acknowledged is stored, and it
/// recovers by itself.
/// A round lasts until so many requests were turned away; set <c>LOG_OVERLOAD</c> to the number of rounds for a campaign (3 without it, at
/// most 600).
/// </summary>
[Trait(Campaign.Kind, Campaign.Name)]
public sealed class LogOverloadTests : IDisposable
{
    private const int Records = 512;
    private const int Shards = 1;

    /// <summary>Requests that are turned away in a round.</summary>
    private const int TurnedAwayInRound = 500;

    /// <summary>Requests at once: several times what fits into the buffer.</summary>
    private const int AtOnce = 400;

    private readonly SiloPlace _place = new();
    private readonly HttpClient _http = new(new SocketsHttpHandler { MaxConnectionsPerServer = 512 }) { Timeout = Wait.HangBound };
    private readonly ConcurrentDictionary<HttpStatusCode, long> _answers = [];
    private long _next;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _http.Dispose();
        _place.Dispose();
    }

    [Fact]
    public async Task MoreThanFitsIsTurnedAwayAndWhatWasAcknowledgedIsStored()
    {
        var rounds = Campaign.Rounds("LOG_OVERLOAD", most: 600);
        // The buffer is written every two seconds, however fast the machine is: some 110 requests fit, and the rest of those that come
        // meanwhile do not.
        await using var silo = await SiloProcess.StartReady(
            _place,
            "--Logs:Shards",
            $"{Shards}",
            "--Logs:BufferBytes",
            $"{8 * 1024 * 1024}",
            "--Logs:Linger",
            "00:00:02",
            "--Logs:SegmentBytes",
            $"{64 * 1024 * 1024}",
            "--Logs:SegmentRecords",
            "1000000",
            "--Limits:PerKey",
            "100000",
            "--Limits:InAll",
            "100000"
        );
        for (var round = 1; round <= rounds; round++)
        {
            await Overload(round * TurnedAwayInRound);
            await Task.WhenAll(
                Enumerable
                    .Range(0, 10)
                    .Select(_ => Wait.Until(async () => await Post() == HttpStatusCode.OK, "a request to be taken again"))
            );
        }

        var answers = _answers.ToDictionary();
        Assert.Equal(
            [HttpStatusCode.OK, HttpStatusCode.TooManyRequests],
            answers.Keys.Where(status => status != HttpStatusCode.ServiceUnavailable).Order()
        );
        var peak = PeakMemoryOf(silo.ProcessId);
        Assert.True(peak <= 600L * 1024 * 1024, $"The silo held {peak / (1024 * 1024)} MiB.");
        var stored = await StoredSoFar();
        // What is answered with 503 may have been stored, which the silo could not know.
        Assert.InRange(
            stored,
            answers[HttpStatusCode.OK] * Records,
            (answers[HttpStatusCode.OK] + answers.GetValueOrDefault(HttpStatusCode.ServiceUnavailable)) * Records
        );
        Campaign.Report(
            "log-overload",
            "Logs: more than fits",
            $"{rounds} times {AtOnce} senders at once sent without a pause, until {TurnedAwayInRound:#,0} requests were turned away.",
            ("requests acknowledged", answers[HttpStatusCode.OK]),
            ("requests turned away", answers.Where(answer => answer.Key != HttpStatusCode.OK).Sum(answer => answer.Value)),
            ("records acknowledged and missing", Math.Max(0, (answers[HttpStatusCode.OK] * Records) - stored)),
            ("MiB held at most", peak / (1024 * 1024))
        );
    }

    [Fact]
    public async Task WhileTheStoreRefusesNothingIsAcknowledgedAndAfterwardsItGoesOnByItself()
    {
        await using var silo = await SiloProcess.StartReady(_place, "--Logs:Shards", $"{Shards}", "--Logs:Linger", "00:00:00.05");
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
        var shard = Assert.Single((await StoredRecords.Of(_place, Shards, Cancel)).Shards);
        Assert.Equal((3 * Records, 0), (shard.Total.Stored, shard.Total.Repeated));
    }

    /// <summary>Senders that send again whatever became of the request before, until so many were turned away in all.</summary>
    private Task Overload(long turnedAway) =>
        Wait.For(
            Task.WhenAll(
                Enumerable
                    .Range(0, AtOnce)
                    .Select(async _ =>
                    {
                        while (_answers.GetValueOrDefault(HttpStatusCode.TooManyRequests) < turnedAway)
                        {
                            await Post();
                        }
                    })
            ),
            $"{turnedAway} requests to be turned away",
            () => string.Join(", ", _answers)
        );

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
        return OtlpProto.Encode(
            OtlpRequest.Of(
                "shop",
                [
                    .. Enumerable
                        .Range(0, Records)
                        .Select(record => new OtlpRecord
                        {
                            Time = 1_795_000_000_000_000_000ul + ((ulong)number * 1_000_000) + (ulong)record,
                            Severity = 9,
                            Body = new OtlpString(
                                string.Create(
                                    CultureInfo.InvariantCulture,
                                    $"request {number} record {record} of a load that is more than the silo can take"
                                )
                            ),
                        }),
                ]
            )
        );
    }

    private async Task<long> StoredSoFar()
    {
        var stored = await StoredRecords.Of(_place, Shards, Cancel);
        var total = stored.Shards.Select(shard => shard.Total).Aggregate(Tally.Sum);
        Assert.True(total.Balances, total.ToString());
        Assert.Equal(stored.Records.Count, total.Stored);
        return total.Stored;
    }

    private static long PeakMemoryOf(int process) =>
        long.Parse(
            File.ReadLines($"/proc/{process}/status")
                .Single(line => line.StartsWith("VmHWM:", StringComparison.Ordinal))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture
        ) * 1024;
}
