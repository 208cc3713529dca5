using System.Text.Json;
using Grains.Interfaces.Orders;
using Microsoft.Extensions.DependencyInjection;
using Silo.Orders;
using Unit.Client;
using Unit.Orders;
using Xunit;

namespace Unit.Silo;

/// <summary>Endpoints, time lines and sending again over HTTP.</summary>
public sealed class WebhookRoutesTests : IAsyncLifetime
{
    private readonly ClusterInMemory _cluster = new();
    private DoorsInMemory _doors = null!;

    public async ValueTask InitializeAsync() =>
        _doors = await DoorsInMemory.Open(app => app.MapOrders(), add: services => services.AddSingleton(_cluster.Orders));

    public async ValueTask DisposeAsync() => await _doors.DisposeAsync();

    [Fact]
    public async Task AnEndpointIsEditedPausedAndResumed()
    {
        await Add();
        var edited = await Patch("""{"events":["paid"],"perSecond":2.5,"graceSeconds":0}""");
        Assert.Equal(200, edited.Status);
        var read = JsonDocument.Parse(edited.Body).RootElement;
        Assert.Equal(
            ("order.paid", 2.5, 0.0),
            (
                read.GetProperty("events")[0].GetString(),
                read.GetProperty("perSecond").GetDouble(),
                read.GetProperty("graceSeconds").GetDouble()
            )
        );

        var paused = JsonDocument.Parse((await _doors.Send(HttpMethod.Post, "/api/orders/webhooks/endpoint00/pause")).Body).RootElement;
        Assert.Equal(JsonValueKind.String, paused.GetProperty("pausedSince").ValueKind);
        var resumed = JsonDocument.Parse((await _doors.Send(HttpMethod.Post, "/api/orders/webhooks/endpoint00/resume")).Body).RootElement;
        Assert.Equal(JsonValueKind.Null, resumed.GetProperty("pausedSince").ValueKind);
    }

    [Theory]
    [InlineData("""{}""", "#")]
    [InlineData("""{"url":"http://example.org/"}""", "#/url")]
    [InlineData("""{"events":["eaten"]}""", "#/events")]
    [InlineData("""{"perSecond":-1}""", "#/perSecond")]
    [InlineData("""{"graceSeconds":1e12}""", "#/graceSeconds")]
    public async Task WhatIsWrongInAnEditIsNamed(string body, string at)
    {
        await Add();
        var wrong = await Patch(body);
        Assert.Equal((400, at), (wrong.Status, Assert.Single(wrong.Faults).Item1));
    }

    [Theory]
    [InlineData("PATCH", "/api/orders/webhooks/0123456789", """{"perSecond":1}""")]
    [InlineData("PATCH", "/api/orders/webhooks/NOBODY", """{"perSecond":1}""")]
    [InlineData("POST", "/api/orders/webhooks/0123456789/pause", null)]
    [InlineData("POST", "/api/orders/webhooks/0123456789/resume", null)]
    public async Task AnEndpointThatThereIsNotIsNotFound(string method, string path, string? body) =>
        Assert.Equal(404, (await _doors.Send(new(method), path, content: body is null ? null : Json(body))).Status);

    [Fact]
    public async Task ATimeLineIsGotByTheOrder()
    {
        var id = Given.Id();
        _cluster.KnownSubscribers.Timelines[id] = new(
            id,
            [new(Given.Start, OrderTimelineKind.Try, 1, "order.placed", "webhook-a", "http-500: Answered 500.", "no", null)],
            ["audit"]
        );
        Assert.Equal(
            $$"""{"orderId":"{{id}}","entries":[{"at":"2026-03-01T12:00:00+00:00","kind":"try","version":1,"what":"order.placed","""
                + "\"subscriber\":\"webhook-a\",\"detail\":\"http-500: Answered 500.\",\"answer\":\"no\"}],\"behind\":[\"audit\"],\"leftOut\":0}",
            (await _doors.Get($"/api/orders/{id}/timeline")).Body
        );
        Assert.Equal(404, (await _doors.Get($"/api/orders/{Given.Id("nobody")}/timeline")).Status);
    }

    [Fact]
    public async Task DeliveriesSinceATimeAreMadeOnceMore()
    {
        _cluster.KnownSubscribers.Resent = new(3, 1, "8df.2-8de");
        var resent = await _doors.Post("/api/orders/deliveries/resend", """{"subscriber":"webhook-a","since":"2026-03-01T11:00:00Z"}""");
        Assert.Equal((200, """{"count":3,"gone":1,"after":"8df.2-8de"}"""), (resent.Status, resent.Body));
    }

    [Theory]
    [InlineData("""{}""", 400)]
    [InlineData("""{"since":"2026-03-01T11:00:00Z"}""", 400)]
    [InlineData("""{"subscriber":"mail","version":1,"since":"2026-03-01T11:00:00Z"}""", 400)]
    [InlineData("""{"subscriber":"mail","since":"2026-03-01T11:00:00Z","after":"x"}""", 400)]
    [InlineData("""{"order":"nobody"}""", 404)]
    public async Task WhatCannotBeSentAgainIsRefused(string body, int status) =>
        Assert.Equal(status, (await _doors.Post("/api/orders/deliveries/resend", body)).Status);

    private Task<DoorsInMemory.Answer> Patch(string json) =>
        _doors.Send(HttpMethod.Patch, "/api/orders/webhooks/endpoint00", content: Json(json));

    private static StringContent Json(string json) => new(json, System.Text.Encoding.UTF8, "application/json");

    private Task<WebhookAdded> Add() => _cluster.Orders.Webhooks.Add(new("https://example.org/", [], null));
}
