using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Doubles.Logs;
using Grains.Interfaces.Logs;
using Xunit;

namespace EndToEnd.Logs;

/// <summary>A silo with one shard, whose linger is long enough to see what waits.</summary>
public sealed class LingeringSilo()
    : ReadySilo(["--Logs:Shards", "1", "--Logs:Linger", "00:00:01", "--Limits:PerKey", "100000", "--Limits:InAll", "100000"]),
        IAsyncLifetime
{
    private SilosClient? _client;

    /// <summary>What its one shard has counted so far.</summary>
    public Task<LogShardState> Shard() =>
        SilosClient.Ask(
            () => _client!.Grains.GetGrain<ILogBatchGrain>(0).Show(TestContext.Current.CancellationToken),
            "the state of the shard"
        );

    public async ValueTask InitializeAsync()
    {
        await Started();
        _client = await SilosClient.Connect(TestContext.Current.CancellationToken, Place.Gateway);
    }

    public override async ValueTask DisposeAsync()
    {
        if (_client is not null)
        {
            await _client.DisposeAsync();
        }

        await base.DisposeAsync();
    }
}

/// <summary>
/// Requests of equal bytes: different records unless the answer to an earlier one is known to be lost, at every endpoint.
/// </summary>
public sealed class EqualRequestsTests(LingeringSilo silo) : IClassFixture<LingeringSilo>, IAsyncLifetime
{
    private readonly SiloPlace _place = silo.Place;
    private readonly HttpClient _http = new() { Timeout = Wait.HangBound };

    /// <summary>Each test's records are its own: what an earlier test sent is no repetition.</summary>
    private readonly string _message = $"the same {Guid.NewGuid():N}";

    private LogShardState _before = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> Endpoints => ["OTLP protobuf", "OTLP JSON", "OTLP gRPC", "NDJSON"];

    public async ValueTask InitializeAsync() => _before = await silo.Shard();

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        return ValueTask.CompletedTask;
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
        await Wait.Until(async () => (await silo.Shard()).WaitingRecords == 1, "the first request to come");
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await Wait.Until(
            async () => await silo.Shard() is { WaitingRecords: 0 } shard && shard.Total.Stored == _before.Total.Stored + 1,
            "the first request to be stored"
        );

        await Post(endpoint, Cancel);
        await Post(endpoint, Cancel);

        Assert.Equal((3, 2, 1), await Counted());
    }

    /// <summary>What came to the shard's account in this test.</summary>
    private async Task<(long Received, long Stored, long Repeated)> Counted()
    {
        var (total, before) = ((await silo.Shard()).Total, _before.Total);
        Assert.True(total.Balances);
        return (total.Received - before.Received, total.Stored - before.Stored, total.Repeated - before.Repeated);
    }

    private async Task Post(string endpoint, CancellationToken cancel)
    {
        var record = OtlpRequest.Of("shop", new OtlpRecord { Time = 1_795_000_000_000_000_000, Body = new OtlpString(_message) });
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
                Encoding.UTF8.GetBytes($$"""{"time":"2026-11-23T09:54:47Z","msg":"{{_message}}"}"""),
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
