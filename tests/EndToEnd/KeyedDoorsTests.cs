using System.Net;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Grpc.Reflection.V1Alpha;
using Silo.Orders.Wire;
using Xunit;

namespace EndToEnd;

/// <summary>A silo with an API key for each role.</summary>
public sealed class SiloWithKeys : IAsyncLifetime
{
    private SiloProcess? _process;

    public SiloPlace Place { get; } = new();

    public string Reader { get; private set; } = "";

    public string Writer { get; private set; } = "";

    public string Operator { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        using var door = new HttpDoor(Place);
        await using (await SiloProcess.StartReady(Place))
        {
            Reader = await door.AddKey("reports", "reader");
            Writer = await door.AddKey("builds", "writer");
            Operator = await door.AddKey("ops", "operator");
        }

        _process = await SiloProcess.StartReady(Place);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        Place.Dispose();
    }
}

/// <summary>The endpoints of a real silo that asks for API keys.</summary>
public sealed class KeyedDoorsTests : IClassFixture<SiloWithKeys>, IDisposable
{
    private const string ProblemJson = "application/problem+json";

    private readonly SiloWithKeys _silo;
    private readonly HttpClient _http = new() { Timeout = Wait.HangBound };
    private readonly HttpDoor _door;

    public KeyedDoorsTests(SiloWithKeys silo) => (_silo, _door) = (silo, new(silo.Place));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _door.Dispose();
        _http.Dispose();
    }

    [Fact]
    public async Task KeysOpenTheDoorsAndEveryWrongKnockIsToldWhatIsWrong()
    {
        Assert.Equal((401, ProblemJson), await _door.Knock(HttpMethod.Get, "/api/crawls"));
        Assert.Equal((200, "application/json"), await _door.Knock(HttpMethod.Get, "/api/crawls", _silo.Reader));
        Assert.Equal(
            (403, ProblemJson),
            await _door.Knock(HttpMethod.Post, "/api/crawls", _silo.Reader, """{"seeds":["http://a.example/"]}""")
        );
        Assert.Equal(
            (400, ProblemJson),
            await _door.Knock(HttpMethod.Post, "/api/crawls", _silo.Writer, """{"seeds":["http://a.example/"],"dely":"1s"}""")
        );
        Assert.Equal((400, ProblemJson), await _door.Knock(HttpMethod.Post, "/api/crawls", _silo.Writer, """{"seeds":["no url"]}"""));
        Assert.Equal((415, ProblemJson), await _door.Knock(HttpMethod.Post, "/api/crawls", _silo.Writer, "{}", "text/plain"));
        Assert.Equal((413, ProblemJson), await _door.Knock(HttpMethod.Post, "/api/crawls", _silo.Writer, new string(' ', 300_000)));
        Assert.Equal((404, ProblemJson), await _door.Knock(HttpMethod.Get, "/api/crawls/none", _silo.Reader));
        Assert.Equal((405, ProblemJson), await _door.Knock(HttpMethod.Put, "/api/crawls", _silo.Writer, "{}"));
        Assert.Equal((403, ProblemJson), await _door.Knock(HttpMethod.Get, "/api/cluster", _silo.Reader));
        Assert.Equal((200, "application/json"), await _door.Knock(HttpMethod.Get, "/openapi/v1.json"));

        await using var list = await ConsoleProcess.Reach("keys", "list", "--gateway", _silo.Place.Gateway.ToString());
        Assert.Equal(["builds", "ops", "reports"], list.Output.Skip(1).Select(line => line.Split(' ')[0]));
        Assert.DoesNotContain(list.Output, line => line.Contains(_silo.Reader, StringComparison.Ordinal));
    }

    [Fact]
    public async Task HealthAndReflectionAnswerOverGrpcBehindTheSameChain()
    {
        using var channel = GrpcChannel.ForAddress($"http://{_silo.Place.Grpc}");

        var health = await new Grpc.Health.V1.Health.HealthClient(channel).CheckAsync(new(), cancellationToken: Cancel);
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, health.Status);

        // Who is turned away is so before anything is asked: a question that is being written then would end as cancelled.
        using var unknown = new ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo(cancellationToken: Cancel);
        var refused = await Assert.ThrowsAsync<RpcException>(() => unknown.ResponseStream.MoveNext(Cancel));
        Assert.Equal(StatusCode.Unauthenticated, refused.StatusCode);
        Assert.StartsWith("This needs an API key", refused.Status.Detail, StringComparison.Ordinal);
        var services = await Services(channel, new() { { "authorization", $"Bearer {_silo.Reader}" } });
        Assert.Contains("grpc.health.v1.Health", services);
        Assert.Contains("opentelemetry.proto.collector.logs.v1.LogsService", services);

        Assert.Equal((404, ProblemJson), await _door.Knock(HttpMethod.Post, "/grpc.health.v1.Health/Check", _silo.Reader, "{}"));
        using var http2 = new HttpRequestMessage(HttpMethod.Get, $"http://{_silo.Place.Grpc}/")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using var wrongDoor = await _http.SendAsync(http2, Cancel);
        Assert.Equal(HttpStatusCode.NotFound, wrongDoor.StatusCode);
    }

    [Fact]
    public async Task MetricsAndTheDashboardAreBehindTheChain()
    {
        Assert.Equal((401, ProblemJson), await _door.Knock(HttpMethod.Get, "/metrics"));
        Assert.Equal((200, "text/plain"), await _door.Knock(HttpMethod.Get, "/metrics", _silo.Reader));
        Assert.Equal((403, ProblemJson), await _door.Knock(HttpMethod.Get, "/dashboard/", _silo.Reader));
        Assert.Equal((200, "text/html"), await _door.Knock(HttpMethod.Get, "/dashboard/", _silo.Operator));
        using var request = new HttpRequestMessage(HttpMethod.Get, _door.Url("/metrics")) { Headers = { { "X-Api-Key", _silo.Reader } } };
        using var metrics = await _http.SendAsync(request, Cancel);
        Assert.Contains("doors_request_duration_seconds_count{", await metrics.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhereThereAreApiKeysGrpcNeedsOneAndAKeyForWhatIsDoneOnce()
    {
        using var channel = GrpcChannel.ForAddress($"http://{_silo.Place.Grpc}");
        var book = new OrderBook.OrderBookClient(channel);
        var asked = new PlaceRequest
        {
            Customer = "ann",
            Currency = "EUR",
            Lines =
            {
                new OrderState.Types.Line
                {
                    Sku = "tea",
                    Quantity = 2,
                    Price = 450,
                },
            },
        };

        Assert.Equal(StatusCode.Unauthenticated, await Refused(() => book.PlaceAsync(asked, Key("k", null), cancellationToken: Cancel)));
        Assert.Equal(
            StatusCode.PermissionDenied,
            await Refused(() => book.PlaceAsync(asked, Key("k", _silo.Reader), cancellationToken: Cancel))
        );
        Assert.Equal(
            StatusCode.InvalidArgument,
            await Refused(() => book.PlaceAsync(asked, Key(null, _silo.Writer), cancellationToken: Cancel))
        );
        var order = await book.PlaceAsync(asked, Key("k", _silo.Writer), cancellationToken: Cancel);
        Assert.Equal(order, await book.ShowAsync(new() { OrderId = order.Id }, Key(null, _silo.Reader), cancellationToken: Cancel));
    }

    private static async Task<IEnumerable<string>> Services(GrpcChannel channel, Metadata headers)
    {
        using var call = new ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo(headers, cancellationToken: Cancel);
        await call.RequestStream.WriteAsync(new() { ListServices = "" }, Cancel);
        await call.RequestStream.CompleteAsync();
        Assert.True(await call.ResponseStream.MoveNext(Cancel));
        return call.ResponseStream.Current.ListServicesResponse.Service.Select(service => service.Name);
    }

    private static Metadata Key(string? key, string? apiKey)
    {
        var headers = new Metadata();
        if (key is not null)
        {
            headers.Add("idempotency-key", key);
        }

        if (apiKey is not null)
        {
            headers.Add("authorization", $"Bearer {apiKey}");
        }

        return headers;
    }

    private static async Task<StatusCode> Refused(Func<AsyncUnaryCall<OrderState>> ask)
    {
        return (await Assert.ThrowsAsync<RpcException>(async () => await ask())).StatusCode;
    }
}
