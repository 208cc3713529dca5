using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using EndToEnd.Crawling;
using EndToEnd.Logs;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Grpc.Reflection.V1Alpha;
using Silo;
using Silo.StartUp;
using Xunit;

namespace EndToEnd;

/// <summary>The doors of a real silo, knocked at as curl does.</summary>
public sealed class DoorsTests : IDisposable
{
    private const string ProblemJson = "application/problem+json";

    private static readonly TimeSpan FirstStart = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly SiloPlace _place = new();
    private readonly HttpClient _http = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _http.Dispose();
        _place.Dispose();
    }

    [Fact]
    public async Task KeysOpenTheDoorsAndEveryWrongKnockIsToldWhatIsWrong()
    {
        string reader, writer;
        await using (var before = await SiloProcess.StartReady(_place, FirstStart))
        {
            reader = await Key("reports", "reader");
            writer = await Key("builds", "writer");
        }

        await using var silo = await SiloProcess.StartReady(_place, FirstStart);
        Assert.Equal((401, ProblemJson), await Knock(HttpMethod.Get, "/api/crawls"));
        Assert.Equal((200, "application/json"), await Knock(HttpMethod.Get, "/api/crawls", reader));
        Assert.Equal((403, ProblemJson), await Knock(HttpMethod.Post, "/api/crawls", reader, """{"seeds":["http://a.example/"]}"""));
        Assert.Equal((400, ProblemJson), await Knock(HttpMethod.Post, "/api/crawls", writer, """{"seeds":["http://a.example/"],"dely":"1s"}"""));
        Assert.Equal((400, ProblemJson), await Knock(HttpMethod.Post, "/api/crawls", writer, """{"seeds":["no url"]}"""));
        Assert.Equal((415, ProblemJson), await Knock(HttpMethod.Post, "/api/crawls", writer, "{}", "text/plain"));
        Assert.Equal((413, ProblemJson), await Knock(HttpMethod.Post, "/api/crawls", writer, new string(' ', 300_000)));
        Assert.Equal((404, ProblemJson), await Knock(HttpMethod.Get, "/api/crawls/none", reader));
        Assert.Equal((405, ProblemJson), await Knock(HttpMethod.Put, "/api/crawls", writer, "{}"));
        Assert.Equal((403, ProblemJson), await Knock(HttpMethod.Get, "/api/cluster", reader));
        Assert.Equal((200, "application/json"), await Knock(HttpMethod.Get, "/openapi/v1.json"));

        await using var list = await ConsoleProcess.Reach("keys", "list", "--gateway", _place.Gateway.ToString());
        Assert.Equal(["builds", "reports"], list.Output.Skip(1).Select(line => line.Split(' ')[0]));
        Assert.DoesNotContain(list.Output, line => line.Contains(reader, StringComparison.Ordinal));
    }

    [Fact]
    public async Task TooFastIsToldWhenToComeAgain()
    {
        await using var silo = await SiloProcess.StartReady(_place, FirstStart, "--Limits:PerKey", "0.01");

        Assert.Equal((200, "application/json"), await Knock(HttpMethod.Get, "/api/crawls"));
        using var answer = await _http.GetAsync(Url("/api/crawls"), Cancel);
        Assert.Equal((HttpStatusCode.TooManyRequests, ProblemJson), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        Assert.InRange(answer.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 100);
        Assert.Equal((200, "text/plain"), await Knock(HttpMethod.Get, "/health/ready"));
    }

    [Fact]
    public async Task ACrawlIsStartedFollowedAndTakenHomeOverHttp()
    {
        await using var site = await CrawledSite.Start(pages: 40);
        await using var silo = await SiloProcess.StartReady(_place, FirstStart);

        using var started = await _http.PostAsJsonAsync(Url("/api/crawls"), new { seeds = new[] { site.Seed }, name = "small", delay = "0", allowPrivate = new[] { "127.0.0.0/8" } }, Cancel);
        Assert.Equal(HttpStatusCode.Created, started.StatusCode);
        var events = await _http.GetStringAsync(Url("/api/crawls/small/events"), Cancel).WaitAsync(Patience, Cancel);
        var last = events.Split("\n\n", StringSplitOptions.RemoveEmptyEntries)[^1].Split('\n');
        var export = await _http.GetStringAsync(Url("/api/crawls/small/export"), Cancel);

        Assert.Equal("event: end", last[1]);
        Assert.Equal(40, JsonDocument.Parse(last[2]["data: ".Length..]).RootElement.GetProperty("pages").GetInt32());
        Assert.Equal(site.Walk.Order(StringComparer.Ordinal), export.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("url").GetString()!).Order(StringComparer.Ordinal));
        Assert.Equal((200, "text/csv"), await Knock(HttpMethod.Get, "/api/crawls/small/export?format=csv&kind=all"));
        Assert.Equal((409, ProblemJson), await Knock(HttpMethod.Post, "/api/crawls/small/pause"));
        Assert.Equal((202, "application/json"), await Knock(HttpMethod.Delete, "/api/crawls/small"));
    }

    [Fact]
    public async Task BeyondLoopbackASiloStartsOnlyWithAKey()
    {
        string[] anywhere = ["--Listen:Address", "0.0.0.0"];
        await using (var refused = SiloProcess.Start(_place, anywhere))
        {
            Assert.Equal(ExitCodes.Failed, await refused.Exit.WaitAsync(FirstStart, Cancel));
            Assert.Equal(
                ["HTTP would listen on 0.0.0.0 (Listen:Address), and there is no API key: whoever reaches it could do everything. "
                    + "Start the silo on loopback first, make a key with «dotnet run -c Release --project Client -- keys add NAME --role operator», and start it again."],
                refused.Errors);
        }

        string key;
        await using (var silo = await SiloProcess.StartReady(_place, FirstStart))
        {
            key = await Key("ops", "operator");
        }

        await using var open = await SiloProcess.StartReady(_place, FirstStart, anywhere);
        Assert.Equal((401, ProblemJson), await Knock(HttpMethod.Get, "/api/cluster"));
        Assert.Equal((200, "application/json"), await Knock(HttpMethod.Get, "/api/cluster", key));
    }

    [Fact]
    public async Task HealthAndReflectionAnswerOverGrpcBehindTheSameChain()
    {
        string key;
        await using (var before = await SiloProcess.StartReady(_place, FirstStart))
        {
            key = await Key("reports", "reader");
        }

        await using var silo = await SiloProcess.StartReady(_place, FirstStart);
        using var channel = GrpcChannel.ForAddress($"http://{_place.Grpc}");

        var health = await new Grpc.Health.V1.Health.HealthClient(channel).CheckAsync(new(), cancellationToken: Cancel);
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, health.Status);

        // Who is turned away is so before anything is asked: a question that is being written then would end as cancelled.
        using var unknown = new ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo(cancellationToken: Cancel);
        var refused = await Assert.ThrowsAsync<RpcException>(() => unknown.ResponseStream.MoveNext(Cancel));
        Assert.Equal(StatusCode.Unauthenticated, refused.StatusCode);
        Assert.StartsWith("This needs an API key", refused.Status.Detail, StringComparison.Ordinal);
        var services = await Services(channel, new() { { "authorization", $"Bearer {key}" } });
        Assert.Contains("grpc.health.v1.Health", services);
        Assert.Contains("opentelemetry.proto.collector.logs.v1.LogsService", services);

        Assert.Equal((404, ProblemJson), await Knock(HttpMethod.Post, "/grpc.health.v1.Health/Check", key, "{}"));
        using var http2 = new HttpRequestMessage(HttpMethod.Get, $"http://{_place.Grpc}/") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using var wrongDoor = await _http.SendAsync(http2, Cancel);
        Assert.Equal(HttpStatusCode.NotFound, wrongDoor.StatusCode);
    }

    [Fact]
    public async Task MetricsAndTheDashboardAreBehindTheChain()
    {
        string reader, ops;
        await using (var before = await SiloProcess.StartReady(_place, FirstStart))
        {
            reader = await Key("reports", "reader");
            ops = await Key("ops", "operator");
        }

        await using var silo = await SiloProcess.StartReady(_place, FirstStart);

        Assert.Equal((401, ProblemJson), await Knock(HttpMethod.Get, "/metrics"));
        Assert.Equal((200, "text/plain"), await Knock(HttpMethod.Get, "/metrics", reader));
        Assert.Equal((403, ProblemJson), await Knock(HttpMethod.Get, "/dashboard/", reader));
        Assert.Equal((200, "text/html"), await Knock(HttpMethod.Get, "/dashboard/", ops));
        using var request = new HttpRequestMessage(HttpMethod.Get, Url("/metrics")) { Headers = { { "X-Api-Key", reader } } };
        using var metrics = await _http.SendAsync(request, Cancel);
        Assert.Contains("doors_request_duration_seconds_count{", await metrics.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ALogForProgramsIsOneObjectALine()
    {
        await using var silo = SiloProcess.Start(_place, "--log", "json");
        await LogDoor.Until(() => Messages().Any(said => said.StartsWith(Banner.Ready, StringComparison.Ordinal)), () => string.Join(Environment.NewLine, silo.Output.Concat(silo.Errors)));
        silo.Terminate();
        Assert.Equal(ExitCodes.Stopped, await silo.Exit.WaitAsync(Patience, Cancel));

        Assert.Equal("Stopped.", Messages().Last());

        // What Orleans warns of on a busy machine is no part of what the silo itself says, and may be written after it.
        IEnumerable<string> Messages() => silo.Output.Select(line => JsonDocument.Parse(line).RootElement)
            .Where(line => line.GetProperty("category").GetString() == "Silo")
            .Select(line => line.GetProperty("message").GetString()!);
    }

    [Fact]
    public async Task ClosedDoorsAreClosedAndTheSiloWorksWithoutThem()
    {
        await using var silo = await SiloProcess.StartReady(_place, FirstStart, "--Http:Port", "0", "--Grpc:Port", "0", "--Logs:OtlpHttpPort", "0");

        Assert.Contains("  HTTP     closed", silo.Output);
        Assert.Contains("  gRPC     closed", silo.Output);
        await Assert.ThrowsAsync<HttpRequestException>(() => _http.GetAsync(Url("/"), Cancel));
        await using var status = await ConsoleProcess.Reach("cluster", "status", "--gateway", _place.Gateway.ToString());
        Assert.Equal(0, await status.Exit);
    }

    [Fact]
    public async Task AFrontCarriesTheDoorsOfASiloThatHasNone()
    {
        await using var site = await CrawledSite.Start(pages: 10);
        using var before = _place.Beside();
        await using var silo = await SiloProcess.StartReady(_place, FirstStart, "--Http:Port", "0", "--Grpc:Port", "0", "--Logs:OtlpHttpPort", "0");
        await using var front = await SiloProcess.StartReady(before, FirstStart, "--Cluster:Role", "Front");

        // On a busy machine Orleans may have warned of something before.
        var banner = front.Output.SkipWhile(line => !line.StartsWith(Banner.Ready, StringComparison.Ordinal)).ToArray();
        Assert.StartsWith("Ready: Orleans front 0.1.0, ", banner[0], StringComparison.Ordinal);
        Assert.Equal([$"  HTTP     http://{before.Http}/", $"  gRPC     {before.Grpc}"], banner[1..3]);
        Assert.DoesNotContain(Listeners(), end => end.Port == before.Silo.Port || end.Port == before.Gateway.Port);
        using var ready = await _http.GetAsync(new Uri($"http://{before.Http}/health/ready"), Cancel);
        Assert.Equal("Healthy\nsilos: Healthy\nnot-stopping: Healthy\nstore: Healthy\n", await ready.Content.ReadAsStringAsync(Cancel));
        using var started = await _http.PostAsJsonAsync(new Uri($"http://{before.Http}/api/crawls"), new { seeds = new[] { site.Seed }, name = "small", delay = "0", allowPrivate = new[] { "127.0.0.0/8" } }, Cancel);
        Assert.Equal(HttpStatusCode.Created, started.StatusCode);
        var events = await _http.GetStringAsync(new Uri($"http://{before.Http}/api/crawls/small/events"), Cancel).WaitAsync(Patience, Cancel);
        Assert.Contains("event: end", events, StringComparison.Ordinal);

        front.Terminate();
        Assert.Equal(ExitCodes.Stopped, await front.Exit.WaitAsync(Patience, Cancel));
    }

    private static System.Net.IPEndPoint[] Listeners() => System.Net.NetworkInformation.IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners();

    private static async Task<IEnumerable<string>> Services(GrpcChannel channel, Metadata headers)
    {
        using var call = new ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo(headers, cancellationToken: Cancel);
        await call.RequestStream.WriteAsync(new() { ListServices = "" }, Cancel);
        await call.RequestStream.CompleteAsync();
        Assert.True(await call.ResponseStream.MoveNext(Cancel));
        return call.ResponseStream.Current.ListServicesResponse.Service.Select(service => service.Name);
    }

    private async Task<string> Key(string name, string role)
    {
        await using var console = await ConsoleProcess.Reach("keys", "add", name, "--role", role, "--gateway", _place.Gateway.ToString());
        return Assert.Single(console.Output);
    }

    /// <summary>The status, and the kind of content.</summary>
    private async Task<(int, string?)> Knock(HttpMethod method, string path, string? key = null, string? body = null, string type = "application/json")
    {
        using var request = new HttpRequestMessage(method, Url(path)) { Content = body is null ? null : new StringContent(body, Encoding.UTF8, type) };
        if (key is not null)
        {
            request.Headers.Add("X-Api-Key", key);
        }

        using var answer = await _http.SendAsync(request, Cancel);
        return ((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType);
    }

    private Uri Url(string path) => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_place.Http.Port}{path}"));
}
