using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Doubles.Storage;
using Grains.Interfaces.Keys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Silo.Endpoints;
using Silo.Keys;
using Silo.Middleware;
using Xunit;

namespace Unit.Silo;

public sealed partial class ChainTests
{
    private const string ProblemJson = "application/problem+json";

    private readonly TableStoreInMemory _store = new();

    [Fact]
    public void TheChainReadsInItsOrder() =>
        Assert.Equal(
            ["head", "tracing", "metrics", "logging", "authentication", "rate limit", "idempotency", "validation", "antiforgery"],
            Chain.Http.Select(link => link.Name)
        );

    [Fact]
    public void CallsOfGrainsPassTheirsInItsOrder() =>
        Assert.Equal(["tracing", "metrics", "deadline", "error mapping"], Chain.OfGrains.Select(link => link.Name));

    [Fact]
    public async Task WithoutAnyKeyThisMachineMayDoEverything()
    {
        await using var doors = await Open();
        Assert.Equal((200, "this-machine"), await StatusAndBody(doors.Get("/operator")));
    }

    [Fact]
    public async Task WithoutAnyKeyNobodyElseMayDoAnything()
    {
        await using var doors = await Open(new() { Address = "0.0.0.0" });
        Assert.Equal(401, (await doors.Get("/reader")).Status);
    }

    [Fact]
    public async Task AsSoonAsThereIsAKeyItIsNeeded()
    {
        await Key("reports", ApiRole.Reader);
        await using var doors = await Open();

        var answer = await doors.Get("/reader");

        Assert.Equal(
            (
                401,
                ProblemJson,
                "This needs an API key: send it as \"Authorization: Bearer KEY\" or \"X-Api-Key: KEY\". An operator makes one "
                    + "with \"keys add NAME --role reader\"."
            ),
            answer.Problem
        );
        Assert.Equal("Bearer", answer.Header("WWW-Authenticate"));
        Assert.Equal(
            (401, ProblemJson, "This API key is not known, or was revoked."),
            (await doors.Get("/reader", "reports.wrong")).Problem
        );
        Assert.Equal((200, "open"), await StatusAndBody(doors.Get("/open")));
    }

    [Fact]
    public async Task AKeyIsSentInEitherOfTwoHeaders()
    {
        var key = await Key("reports", ApiRole.Reader);
        await using var doors = await Open();

        Assert.Equal((200, "reports"), await StatusAndBody(doors.Get("/reader", key)));
        Assert.Equal((200, "reports"), await StatusAndBody(doors.Get("/reader", headers: ("X-Api-Key", key))));
        Assert.Equal((200, "reports"), await StatusAndBody(doors.Get("/reader", headers: ("Authorization", $"bearer {key}"))));
    }

    [Fact]
    public async Task WhatIsLookedAtWithABrowserTakesTheKeyAsAPassword()
    {
        var key = await Key("ops", ApiRole.Operator);
        await using var doors = await Open();
        var basic = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"me:{key}"));

        Assert.StartsWith("Basic realm=", (await doors.Get("/page")).Header("WWW-Authenticate"), StringComparison.Ordinal);
        Assert.Equal((200, "ops"), await StatusAndBody(doors.Get("/page", headers: ("Authorization", basic))));
        Assert.Equal(401, (await doors.Get("/page", headers: ("Authorization", "Basic bm8gY29sb24="))).Status);
        Assert.Equal(401, (await doors.Get("/page", headers: ("Authorization", "Basic ?"))).Status);
        Assert.Equal(401, (await doors.Get("/operator", headers: ("Authorization", basic))).Status);
    }

    [Theory]
    [InlineData(ApiRole.Reader, 200, 403, 403, 403)]
    [InlineData(ApiRole.Writer, 200, 200, 403, 403)]
    [InlineData(ApiRole.Operator, 200, 200, 200, 200)]
    public async Task EachRoleMayDoWhatThoseBeforeItMay(ApiRole role, int reader, int writer, int @operator, int withoutRule)
    {
        var key = await Key("k", role);
        await using var doors = await Open();

        Assert.Equal(
            [reader, writer, @operator, withoutRule],
            [
                (await doors.Get("/reader", key)).Status,
                (await doors.Get("/writer", key)).Status,
                (await doors.Get("/operator", key)).Status,
                (await doors.Get("/no-rule", key)).Status,
            ]
        );
    }

    [Fact]
    public async Task ARoleThatIsNotEnoughIsNamed()
    {
        var key = await Key("reports", ApiRole.Reader);
        await using var doors = await Open();
        Assert.Equal(
            (403, ProblemJson, "The key \"reports\" is for a reader, and this is for a writer."),
            (await doors.Get("/writer", key)).Problem
        );
    }

    [Theory]
    [InlineData("Origin", "https://evil.example", 403)]
    [InlineData("Host", "evil.example", 403)]
    [InlineData("Host", "localhost", 200)]
    [InlineData("Host", "[::1]:8080", 200)]
    public async Task WithoutKeysAWebPageOfAnotherSiteIsRefused(string header, string value, int status)
    {
        await using var doors = await Open();
        Assert.Equal(status, (await doors.Get("/reader", headers: (header, value))).Status);
    }

    [Theory]
    [InlineData("X-Forwarded-For", "10.0.0.4")]
    [InlineData("x-forwarded-for", "127.0.0.1")]
    [InlineData("X-Forwarded-Host", "silo.example")]
    [InlineData("X-Forwarded-Proto", "https")]
    [InlineData("Forwarded", "for=192.0.2.60;proto=http")]
    [InlineData("X-Real-IP", "127.0.0.1")]
    [InlineData("X-Client-IP", "10.0.0.4")]
    [InlineData("True-Client-IP", "10.0.0.4")]
    [InlineData("CF-Connecting-IP", "10.0.0.4")]
    [InlineData("Via", "1.1 proxy")]
    public async Task WithoutKeysARequestThatCameThroughAProxyIsNotTakenForOneOfThisMachine(string header, string value)
    {
        await using var doors = await Open();

        var answer = await doors.Get("/reader", headers: (header, value));

        Assert.Equal(401, answer.Status);
        Assert.Contains("came through a proxy", answer.Problem.Item3, StringComparison.Ordinal);
        Assert.Equal(200, (await doors.Get("/open", headers: (header, value))).Status);
    }

    [Fact]
    public async Task AKeyOpensBehindAProxyToo()
    {
        var key = await Key("reports", ApiRole.Reader);
        await using var doors = await Open();
        Assert.Equal(200, (await doors.Get("/reader", key, ("X-Forwarded-For", "10.0.0.4"))).Status);
    }

    [Fact]
    public async Task AfterTheLastKeyWasRevokedThisMachineMayDoNothing()
    {
        await KeyTable.Close(_store, TestContext.Current.CancellationToken);
        await using var doors = await Open();
        Assert.Equal(401, (await doors.Get("/reader")).Status);
    }

    [Fact]
    public async Task WhatIsTooFastIsToldWhenToComeAgain()
    {
        var (one, other) = (await Key("one", ApiRole.Reader), await Key("other", ApiRole.Reader));
        await using var doors = await Open(settings: ("Limits:PerKey", "0.01"));

        Assert.Equal(200, (await doors.Get("/reader", one)).Status);
        var refused = await doors.Get("/reader", one);

        Assert.Equal((429, ProblemJson, "\"one\" may make 0.01 requests a second. Come again when Retry-After is over."), refused.Problem);
        Assert.InRange(int.Parse(refused.Header("Retry-After")!, System.Globalization.CultureInfo.InvariantCulture), 1, 100);
        Assert.Equal(200, (await doors.Get("/reader", other)).Status);
        Assert.Equal(200, (await doors.Get("/health", one)).Status);
    }

    [Fact]
    public async Task AllTogetherHaveALimitToo()
    {
        var (one, other) = (await Key("one", ApiRole.Reader), await Key("other", ApiRole.Reader));
        await using var doors = await Open(settings: ("Limits:InAll", "0.01"));

        Assert.Equal(200, (await doors.Get("/reader", one)).Status);
        Assert.Equal(
            (429, ProblemJson, "All together may make 0.01 requests a second. Come again when Retry-After is over."),
            (await doors.Get("/reader", other)).Problem
        );
    }

    [Fact]
    public async Task AnUnknownPathIsNotFoundAndAWrongMethodIsNamedWithTheRightOnes()
    {
        await using var doors = await Open();

        Assert.Equal((404, ProblemJson, "GET /no/such is not known. / says what is."), (await doors.Get("/no/such")).Problem);
        var wrong = await doors.Send(HttpMethod.Delete, "/reader");
        Assert.Equal((405, ProblemJson, "/reader does not take DELETE; it takes GET, HEAD."), wrong.Problem);
        Assert.Equal("GET, HEAD", wrong.Header("Allow"));
    }

    [Theory]
    [InlineData(
        """{"name":"x","sise":3,"clour":1}""",
        "#/sise There is no member \"sise\"; there are name, size, tags.",
        "#/clour There is no member \"clour\"; there are name, size, tags."
    )]
    [InlineData("""{"name":"x","size":"three"}""", "#/size \"size\" is a whole number of 32 bits.")]
    [InlineData("""{"name":"x","size":1.5}""", "#/size \"size\" is a whole number of 32 bits.")]
    [InlineData("""{"name":"x","tags":["a",1]}""", "#/tags/1 \"tags\" is a list of texts.")]
    [InlineData("""{"size":1}""", "# \"name\" is missing.")]
    [InlineData("""[]""", "# The body is a JSON object.")]
    [InlineData("", "# The body is empty; it is a JSON object.")]
    [InlineData("""{"name":""", "# The body is no JSON: line 1, column 9.")]
    [InlineData("""{"name":"x","name":"y"}""", "# The body is no JSON.")]
    public async Task ABrokenBodyIsToldWhatIsWrongAndWhere(string body, params string[] faults)
    {
        await using var doors = await Open();

        var answer = await doors.Post("/things", body);

        Assert.Equal((400, ProblemJson), (answer.Status, answer.Type));
        Assert.Equal(faults, answer.Faults.Select(fault => $"{fault.Item1} {fault.Item2}"));
    }

    [Fact]
    public async Task ARightBodyReachesTheRoute()
    {
        await using var doors = await Open();
        Assert.Equal((200, "x 3 a,b"), await StatusAndBody(doors.Post("/things", """{"name":"x","size":3,"tags":["a","b"]}""")));
    }

    [Fact]
    public async Task AnotherKindOfContentIsRefused()
    {
        await using var doors = await Open();
        using var text = new StringContent("{}", Encoding.UTF8, "text/plain");
        Assert.Equal(
            (415, ProblemJson, "/things takes application/json; this is text/plain; charset=utf-8."),
            (await doors.Send(HttpMethod.Post, "/things", content: text)).Problem
        );
    }

    [Fact]
    public async Task ALongBodyIsRefusedWhetherItsLengthIsToldOrNot()
    {
        await using var doors = await Open();
        var body = $$"""{"name":"{{new string('x', 200)}}"}""";

        Assert.Equal((413, ProblemJson, "The body has 100 bytes at most."), (await doors.Post("/things", body)).Problem);
        using var unknown = new StreamContent(new UnknownLength(Encoding.UTF8.GetBytes(body)))
        {
            Headers = { ContentType = new("application/json") },
        };
        Assert.Equal(
            (413, ProblemJson, "The body has 100 bytes at most."),
            (await doors.Send(HttpMethod.Post, "/things", content: unknown)).Problem
        );
    }

    [Fact]
    public async Task AnUnknownParameterIsRefusedByName()
    {
        await using var doors = await Open();

        var answer = await doors.Get("/query?fromat=csv&format=csv&format=jsonl");

        Assert.Equal(400, answer.Status);
        Assert.Equal(
            [("fromat", "There is no parameter \"fromat\"; this takes format."), ("format", "\"format\" stands 2 times; once is right.")],
            answer.Faults
        );
    }

    [Fact]
    public async Task AFailureKeepsItsInsidesAndNamesItsTrace()
    {
        await using var doors = await Open();

        var answer = await doors.Get("/fails", headers: ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));

        Assert.Equal((500, ProblemJson, "It is not your request that is wrong. The log has more under this traceId."), answer.Problem);
        Assert.Equal("0af7651916cd43dd8448eb211c80319c", answer.Json.GetProperty("traceId").GetString());
        Assert.Equal("0af7651916cd43dd8448eb211c80319c", answer.Header("Trace-Id"));
        Assert.DoesNotContain("secret", answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AClusterThatDoesNotAnswerIsToBeAskedAgain()
    {
        await using var doors = await Open();

        var answer = await doors.Get("/times-out");

        Assert.Equal((503, ProblemJson), (answer.Status, answer.Type));
        Assert.Equal("1", answer.Header("Retry-After"));
    }

    [Fact]
    public async Task AnAnswerThatFailsHalfWayIsCutOff()
    {
        await using var doors = await Open();
        await Assert.ThrowsAsync<HttpRequestException>(() => doors.Get("/fails-half-way"));
    }

    [Fact]
    public async Task WhoCallsByGrpcGetsItsOwnStatus()
    {
        await Key("reports", ApiRole.Reader);
        await using var doors = await Open();
        using var call = new ByteArrayContent([]) { Headers = { ContentType = new("application/grpc") } };

        var answer = await doors.Send(HttpMethod.Post, "/things", content: call);

        Assert.Equal((200, "16"), (answer.Status, answer.Header("grpc-status")));
        Assert.StartsWith("This%20needs%20an%20API%20key", answer.Header("grpc-message"), StringComparison.Ordinal);
    }

    private Task<DoorsInMemory> Open(ListenOptions? listen = null, params (string Key, string Value)[] settings) =>
        DoorsInMemory.Open(Map, listen, _store, add: null, settings: settings);

    private Task<string> Key(string name, ApiRole role) => DoorsInMemory.Key(_store, name, role);

    private static async Task<(int, string)> StatusAndBody(Task<DoorsInMemory.Answer> answer) =>
        ((await answer).Status, (await answer).Body);

    private static void Map(WebApplication app)
    {
        app.MapGet("/open", () => "open").ForAll();
        app.MapGet("/health", () => "healthy").ForAll(unlimited: true);
        app.MapGet("/reader", Name).For(ApiRole.Reader);
        app.MapGet("/writer", Name).For(ApiRole.Writer);
        app.MapGet("/operator", Name).For(ApiRole.Operator);
        app.MapGet("/page", Name).For(ApiRole.Operator).WithMetadata(new ForBrowsers());
        app.MapGet("/no-rule", Name);
        app.MapGet("/query", Name).For(ApiRole.Reader).WithMetadata(new TakesQuery("format"));
        app.MapPost("/things", (HttpContext context) =>
                ITakesBody.BodyOf<Thing>(context) is var thing ? $"{thing.Name} {thing.Size} {string.Join(',', thing.Tags)}" : ""
            )
            .For(ApiRole.Writer)
            .WithMetadata(new TakesBody<Thing>(ThingJson.Default.Thing, maxBytes: 100));
        app.MapGet("/fails", string () => throw new InvalidOperationException("The secret is 42.")).For(ApiRole.Reader);
        app.MapGet("/times-out", string () => throw new TimeoutException("The secret is 42.")).For(ApiRole.Reader);
        app.MapGet("/fails-half-way", async (HttpContext context) =>
            {
                await context.Response.WriteAsync("half");
                await context.Response.Body.FlushAsync();
                throw new InvalidOperationException("The secret is 42.");
            })
            .For(ApiRole.Reader);

        static string Name(HttpContext context) => Caller.Of(context).Name;
    }

    internal sealed record Thing
    {
        public required string Name { get; init; }

        public int Size { get; init; }

        public ImmutableArray<string> Tags { get; init; } = [];
    }

    [JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
    [JsonSerializable(typeof(Thing))]
    internal sealed partial class ThingJson : JsonSerializerContext;

    private sealed class UnknownLength(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
