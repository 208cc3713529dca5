using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using Doubles.Logs;
using Grains.Interfaces.Logs;
using Xunit;

namespace EndToEnd.Logs;

/// <summary>
/// Requests of equal bytes: different records unless the answer to an earlier one is known to be lost, at every endpoint.
/// </summary>
public sealed class EqualRequestsTests : IAsyncLifetime
{
    private readonly SiloPlace _place = new();
    private readonly HttpClient _http = new() { Timeout = Wait.HangBound };
    private SiloProcess _silo = null!;
    private SilosClient _client = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> Endpoints => ["OTLP protobuf", "OTLP JSON", "OTLP gRPC", "NDJSON"];

    public async ValueTask InitializeAsync()
    {
        _silo = await SiloProcess.StartReady(
            _place,
            "--Logs:Shards",
            "1",
            "--Logs:Linger",
            "00:00:01",
            "--Limits:PerKey",
            "100000",
            "--Limits:InAll",
            "100000"
        );
        _client = await SilosClient.Connect(Cancel, _place.Gateway);
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _silo.DisposeAsync();
        _http.Dispose();
        _place.Dispose();
    }

    [Theory]
    [MemberData(nameof(Endpoints))]
    public async Task EveryEqualRecordThatASenderSendsByItselfIsStored(string endpoint)
    {
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Post(endpoint, Cancel)));
        await Post(endpoint, Cancel);
        await Post(endpoint, Cancel);

        Assert.Equal((22, 22, 0), await Counted());
    }

    [Theory]
    [MemberData(nameof(Endpoints))]
    public async Task ASenderThatGaveUpBeforeTheAnswerMaySendTheSameAgainOnceAndItIsStoredOnce(string endpoint)
    {
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var first = Post(endpoint, giveUp.Token);
        await Wait.Until(async () => (await Show()).WaitingRecords == 1, "the first request to come");
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await Wait.Until(async () => (await Show()) is { WaitingRecords: 0, Records: 1 }, "the first request to be stored");

        await Post(endpoint, Cancel);
        await Post(endpoint, Cancel);

        Assert.Equal((3, 2, 1), await Counted());
    }

    private async Task<(long Received, long Stored, long Repeated)> Counted()
    {
        var total = (await Show()).Total;
        Assert.True(total.Balances);
        return (total.Received, total.Stored, total.Repeated);
    }

    private Task<LogShardState> Show() =>
        SilosClient.Ask(() => _client.Grains.GetGrain<ILogBatchGrain>(0).Show(Cancel), "the state of the shard");

    private async Task Post(string endpoint, CancellationToken cancel)
    {
        var record = OtlpRequest.Of("shop", new OtlpRecord { Time = 1_795_000_000_000_000_000, Body = new OtlpString("the same") });
        var (url, body, type) = endpoint switch
        {
            "OTLP protobuf" => ($"http://{_place.Otlp}/v1/logs", OtlpProto.Encode(record), "application/x-protobuf"),
            "OTLP JSON" => ($"http://{_place.Http}/v1/logs", OtlpJson.Encode(record), "application/json"),
            "OTLP gRPC" => (
                $"http://{_place.Grpc}/opentelemetry.proto.collector.logs.v1.LogsService/Export",
                Framed(OtlpProto.Encode(record)),
                "application/grpc"
            ),
            _ => (
                $"http://{_place.Http}/api/logs?service=shop",
                """{"time":"2026-11-23T09:54:47Z","msg":"the same"}"""u8.ToArray(),
                "application/x-ndjson"
            ),
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, url)
        {
            Content = new ByteArrayContent(body) { Headers = { ContentType = MediaTypeHeaderValue.Parse(type) } },
            Version = endpoint is "OTLP gRPC" ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using var answer = await _http.SendAsync(request, cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        if (endpoint is "OTLP gRPC")
        {
            Assert.Equal("0", Assert.Single(answer.TrailingHeaders.GetValues("grpc-status")));
        }
    }

    private static byte[] Framed(byte[] message)
    {
        var framed = new byte[5 + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), message.Length);
        message.CopyTo(framed, 5);
        return framed;
    }
}
