using Doubles.Storage;
using Grains.Interfaces.Keys;
using Grains.Interfaces.Orders;
using Microsoft.Extensions.DependencyInjection;
using Silo.Orders;
using Unit.Client;
using Xunit;

namespace Unit.Silo;

public sealed class OrderRoutesTests : IAsyncLifetime
{
    private const string Tea = """{"customer":"ann","currency":"EUR","lines":[{"sku":"tea","quantity":2,"price":450}]}""";

    private readonly ClusterInMemory _cluster = new();
    private readonly TableStoreInMemory _store = new();
    private DoorsInMemory _doors = null!;

    public async ValueTask InitializeAsync() =>
        _doors = await DoorsInMemory.Open(app => app.MapOrders(), store: _store, add: services => services.AddSingleton(_cluster.Orders));

    public async ValueTask DisposeAsync() => await _doors.DisposeAsync();

    [Fact]
    public async Task AnOrderIsPlacedUnderItsKey()
    {
        var answer = await Place(Tea, "k");
        var id = IdempotencyKey.Of("this machine", "k").OrderId(8).Value;

        Assert.Equal(
            (201, "application/json", "\"1\"", $"/api/orders/{id}"),
            (answer.Status, answer.Type, answer.Header("ETag"), answer.Header("Location"))
        );
        Assert.Equal(
            $$"""{"id":"{{id}}","version":1,"status":"placed","customer":"ann","currency":"EUR","lines":[{"sku":"tea","quantity":2,"price":450}],"total":900,"notes":null,"email":null,"language":null,"payBefore":null,"placedAt":"2026-03-01T12:00:00+00:00","updatedAt":"2026-03-01T12:00:00+00:00","reason":null}""",
            answer.Body
        );
    }

    [Theory]
    [InlineData("k", "k")]
    [InlineData("\"k\"", "k")]
    [InlineData("\"8e03978e-40d5-43dd-bc93-6894a57f9324\"", "8e03978e-40d5-43dd-bc93-6894a57f9324")]
    public async Task ARepeatGetsTheFirstAnswer(string first, string again)
    {
        var answer = await Place(Tea, first);
        var repeated = await Place(Tea, again);
        Assert.Equal((201, answer.Body, answer.Header("Location")), (repeated.Status, repeated.Body, repeated.Header("Location")));
        Assert.Single(_cluster.KnownOrders.All);
    }

    [Fact]
    public async Task AnotherPayloadUnderTheKeyIs422()
    {
        await Place(Tea, "k");
        Assert.Equal(
            (422, "application/problem+json", "Something else was asked for under this key before. Choose a new key, or ask the same."),
            (await Place(Tea.Replace("ann", "bob", StringComparison.Ordinal), "k")).Problem
        );
    }

    [Fact]
    public async Task WhatIsBeingDoneIs409AndMayBeAskedAgain()
    {
        _cluster.KnownOrders.Answer = new(null, OrderRefusal.InFlight, "It is being done.", [], Repeated: false);
        var answer = await Place(Tea, "k");
        Assert.Equal((409, "application/problem+json", "It is being done."), answer.Problem);
        Assert.Equal("1", answer.Header("Retry-After"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"")]
    [InlineData("\"\"")]
    [InlineData("a\\b")]
    [InlineData("a\"b")]
    public async Task AKeyOfTheWrongFormIs400(string key) =>
        Assert.Equal(
            (
                400,
                "application/problem+json",
                "Idempotency-Key stands once and has 1 to 255 printable ASCII characters without quotes and backslashes."
            ),
            (await Place(Tea, key)).Problem
        );

    [Fact]
    public async Task WhereNoApiKeyIsConfiguredAKeyMayBeMissing()
    {
        Assert.Equal(201, (await Place(Tea, null)).Status);
        Assert.Equal(201, (await Place(Tea, null)).Status);
        Assert.Equal(2, _cluster.KnownOrders.All.Count());
    }

    [Fact]
    public async Task WhereCallersHaveApiKeysItMayNot()
    {
        var (ann, bob) = (await DoorsInMemory.Key(_store, "ann", ApiRole.Writer), await DoorsInMemory.Key(_store, "bob", ApiRole.Writer));
        await using var doors = await DoorsInMemory.Open(
            app => app.MapOrders(),
            store: _store,
            add: services => services.AddSingleton(_cluster.Orders)
        );

        Assert.Equal(
            (
                400,
                "application/problem+json",
                "Idempotency-Key is missing: a text of your choice, a new one for each thing that is to be done once, such as a UUID."
            ),
            (await doors.Post("/api/orders", Tea, ann)).Problem
        );
        Assert.Equal(401, (await doors.Post("/api/orders", Tea)).Status);
        var first = await Send(doors, "k", ann);
        Assert.Equal(first.Body, (await Send(doors, "k", ann)).Body);
        // Another client never receives it, and places its own.
        Assert.NotEqual(first.Header("Location"), (await Send(doors, "k", bob)).Header("Location"));
    }

    [Fact]
    public async Task WhatIsWrongIsToldWithItsPlace()
    {
        Assert.Equal(
            [
                ("#/currency", "\"currency\" is three capital letters of ISO 4217, such as EUR; this is \"eur\"."),
                ("#/lines/0/quantity", "\"quantity\" is 1 to 1,000,000; this is 0."),
            ],
            (await Place("""{"customer":"ann","currency":"eur","lines":[{"sku":"tea","quantity":0,"price":1}]}""", "k")).Faults
        );
        Assert.Equal(
            [("#/lines/0/quantity", "\"lines\" is a list of objects with sku, quantity, price.")],
            (await Place("""{"customer":"ann","currency":"EUR","lines":[{"sku":"tea","quantity":"2","price":1}]}""", "k")).Faults
        );
        Assert.Equal(
            400,
            (
                await Place("""{"customer":"ann","currency":"EUR","lines":[{"sku":"tea","quantity":2,"price":1,"colour":"green"}]}""", "k")
            ).Status
        );
        Assert.Equal(
            [("#/lines/1", "A line is an object with sku, quantity and price.")],
            (await Place("""{"customer":"ann","currency":"EUR","lines":[{"sku":"tea","quantity":2,"price":1},null]}""", "k")).Faults
        );
        foreach (var time in new[] { "soon", "2030-01-31T12:00:00", "2030-13-31T12:00:00Z", "2030-01-31" })
        {
            Assert.Equal(
                [("#/payBefore", $"\"payBefore\" is a time with its offset, such as 2030-01-31T12:00:00Z; this is \"{time}\".")],
                (await Place(Tea[..^1] + $",\"payBefore\":\"{time}\"}}", "k")).Faults
            );
        }

        // Nothing was made under the key, so it may be used for what is right.
        Assert.Equal(201, (await Place(Tea, "k")).Status);
    }

    [Theory]
    [InlineData("2030-01-31T12:00:00Z", "2030-01-31T12:00:00+00:00")]
    [InlineData("2030-01-31T12:00:00.25+02:00", "2030-01-31T10:00:00.25+00:00")]
    public async Task ATimeToPayBeforeIsToldInUtc(string given, string told) =>
        Assert.Equal(told, (await Place(Tea[..^1] + $",\"payBefore\":\"{given}\"}}", "k")).Json.GetProperty("payBefore").GetString());

    [Fact]
    public async Task TheVersionIsTheEntityTag()
    {
        var path = (await Place(Tea, "k")).Header("Location")!;
        Assert.Equal((200, "\"1\""), (await _doors.Get(path)) is var shown ? (shown.Status, shown.Header("ETag")) : default);
        foreach (var known in new[] { "\"1\"", "W/\"1\"", "\"7\", \"1\"", "*" })
        {
            Assert.Equal(
                (304, "", "\"1\""),
                (await _doors.Get(path, headers: ("If-None-Match", known))) is var same
                    ? (same.Status, same.Body, same.Header("ETag"))
                    : default
            );
        }

        Assert.Equal(200, (await _doors.Get(path, headers: ("If-None-Match", "\"2\""))).Status);
    }

    [Theory]
    [InlineData("\"1\", \"2\"")]
    [InlineData("\"2\",\"1\"")]
    [InlineData("\"x,y\", \"1\"")]
    [InlineData("W/\"7\", \"1\"")]
    [InlineData("*")]
    public async Task AStepMayNameSeveralVersionsAndIsTakenForAnyOfThem(string versions)
    {
        var path = (await Place(Tea, "k")).Header("Location")!;
        Assert.Equal(
            (200, "\"2\""),
            await Step(path, "pay", ("If-Match", versions)) is var paid ? (paid.Status, paid.Header("ETag")) : default
        );
    }

    [Fact]
    public async Task AStepMayNameTheVersionThatItIsMeantFor()
    {
        var path = (await Place(Tea, "k")).Header("Location")!;
        var stale = await Step(path, "pay", ("If-Match", "\"2\""));
        Assert.Equal((412, "\"1\""), (stale.Status, stale.Header("ETag")));
        Assert.Equal(412, (await Step(path, "pay", ("If-Match", "W/\"1\""))).Status);
        Assert.Equal(412, (await Step(path, "pay", ("If-Match", "\"x\""))).Status);
        Assert.Equal(412, (await Step(path, "pay", ("If-Match", "\"2\", W/\"1\", \"1,2\""))).Status);
        Assert.Equal(400, (await Step(path, "pay", ("If-Match", "*, \"1\""))).Status);
        Assert.Equal(400, (await Step(path, "pay", ("If-Match", "\"1\" \"2\""))).Status);
        Assert.Equal(400, (await Step(path, "pay", ("If-Match", "1"))).Status);
        Assert.Equal(
            (200, "\"2\""),
            (await Step(path, "pay", ("If-Match", "\"1\""), ("Idempotency-Key", "p"))) is var paid
                ? (paid.Status, paid.Header("ETag"))
                : default
        );
        Assert.Equal(
            (200, "\"2\""),
            (await Step(path, "pay", ("If-Match", "\"1\""), ("Idempotency-Key", "p"))) is var again
                ? (again.Status, again.Header("ETag"))
                : default
        );
        Assert.Equal(200, (await Step(path, "ship", ("If-Match", "*"))).Status);
    }

    [Fact]
    public async Task AStepThatDoesNotFitIs409()
    {
        var placed = await Place(Tea, "k");
        var id = placed.Json.GetProperty("id").GetString();
        Assert.Equal(
            (409, "application/problem+json", $"The order {id} is placed; only a paid one can be shipped."),
            (await Step(placed.Header("Location")!, "ship")).Problem
        );
    }

    [Theory]
    [InlineData("GET", "/api/orders/nosuch")]
    [InlineData("GET", "/api/orders/06-1s9xjyjq5zkgjvn8sb8p22w3hz")]
    [InlineData("GET", "/api/orders/99-1s9xjyjq5zkgjvn8sb8p22w3hz")]
    [InlineData("POST", "/api/orders/nosuch/pay")]
    [InlineData("POST", "/api/orders/06-1s9xjyjq5zkgjvn8sb8p22w3hz/pay")]
    [InlineData("POST", "/api/orders/06-1s9xjyjq5zkgjvn8sb8p22w3hz/lose")]
    public async Task WhatIsNotThereIs404(string method, string path) => Assert.Equal(404, (await _doors.Send(new(method), path)).Status);

    [Fact]
    public async Task ListsArePagesThatLeadOn()
    {
        await Place(Tea, "a");
        await Place(Tea, "b");
        await Place(Tea.Replace("ann", "bob", StringComparison.Ordinal), "c");
        var first = await _doors.Get("/api/orders?customer=ann&status=placed&take=1");
        var after = first.Json.GetProperty("after").GetString();
        var second = await _doors.Get($"/api/orders?customer=ann&take=1&after={after}");

        Assert.Equal(_cluster.KnownOrders.All.ElementAt(1).Id.Value, first.Json.GetProperty("orders")[0].GetProperty("id").GetString());
        Assert.Equal(_cluster.KnownOrders.All.First().Id.Value, second.Json.GetProperty("orders")[0].GetProperty("id").GetString());
        Assert.Equal(System.Text.Json.JsonValueKind.Null, second.Json.GetProperty("after").ValueKind);
        Assert.Equal("""{"orders":[],"after":null}""", (await _doors.Get("/api/orders?status=paid")).Body);
    }

    [Fact]
    public async Task AListSaysWhatIsWrongWithItsQuestion() =>
        Assert.Equal(
            [
                ("status", "\"status\" is placed, paid, shipped, completed, cancelled, refunded; this is \"lost\"."),
                ("take", "\"take\" is 1 to 200; this is \"many\"."),
            ],
            (await _doors.Get("/api/orders?status=lost&take=many")).Faults
        );

    private Task<DoorsInMemory.Answer> Place(string body, string? key) =>
        _doors.Send(HttpMethod.Post, "/api/orders", content: Json(body), headers: key is null ? [] : [("Idempotency-Key", key)]);

    private static Task<DoorsInMemory.Answer> Send(DoorsInMemory doors, string key, string apiKey) =>
        doors.Send(HttpMethod.Post, "/api/orders", apiKey, Json(Tea), ("Idempotency-Key", key));

    private Task<DoorsInMemory.Answer> Step(string path, string step, params (string, string)[] headers) =>
        _doors.Send(HttpMethod.Post, $"{path}/{step}", headers: headers);

    private static StringContent Json(string body) => new(body, System.Text.Encoding.UTF8, "application/json");

    [Fact]
    public async Task SubscribersAndDeadLettersAreThereForPrograms()
    {
        var letter = _cluster.KnownSubscribers.Add("mail", 0, 0x1f, "no address", Unit.Orders.Given.Placed());

        Assert.Equal("""{"subscribers":[]}""", (await _doors.Get("/api/orders/subscribers")).Body);
        Assert.Contains(
            "\"id\":\"mail/0/1f\"",
            (await _doors.Get("/api/orders/dead-letters?subscriber=mail")).Body,
            StringComparison.Ordinal
        );
        Assert.Contains(
            letter.Change.OrderId.Value,
            (await _doors.Get("/api/orders/dead-letters/mail/0/1f")).Body,
            StringComparison.Ordinal
        );
        Assert.Equal(404, (await _doors.Get("/api/orders/dead-letters/mail/0/2")).Status);
        Assert.Equal(400, (await _doors.Get("/api/orders/dead-letters?after=nonsense")).Status);
    }
}
