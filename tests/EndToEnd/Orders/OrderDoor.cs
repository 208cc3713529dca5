using System.Net;
using System.Text;
using System.Text.Json;
using Xunit;

namespace EndToEnd.Orders;

/// <summary>An answer over HTTP, read to its end.</summary>
internal sealed record DoorAnswer(int Status, string Body, string? ETag, string? Location, string? RetryAfter)
{
    public JsonElement Json => JsonElement.Parse(Body);

    public string Id => Json.GetProperty("id").GetString()!;

    /// <summary>Status and sentence of what was refused.</summary>
    public (int Status, string? Detail) Problem => (Status, Json.GetProperty("detail").GetString());

    public override string ToString() => $"{Status} {ETag} {Location} {RetryAfter} {Body}";
}

/// <summary>A silo's orders as programs meet them: requests over HTTP, and the console's verbs.</summary>
internal sealed class OrderDoor(SiloPlace place) : IDisposable
{
    // As many connections as requests: some tests hold many at once.
    private readonly HttpClient _http = new() { BaseAddress = new($"http://{place.Http}"), Timeout = Wait.HangBound };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static string Tea(string customer, string more = "") =>
        $$"""{"customer":"{{customer}}","currency":"EUR","lines":[{"sku":"tea","quantity":2,"price":450}]{{more}}}""";

    public void Dispose() => _http.Dispose();

    public Task<DoorAnswer> Get(string path, params (string Name, string Value)[] headers) => Send(HttpMethod.Get, path, null, headers);

    public Task<DoorAnswer> Post(string path, string? json = null, params (string Name, string Value)[] headers) =>
        Send(HttpMethod.Post, path, json, headers);

    public async Task<DoorAnswer> Send(HttpMethod method, string path, string? json, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in headers)
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }

        request.Content = json is null ? null : new StringContent(json, Encoding.UTF8, "application/json");
        using var answer = await _http.SendAsync(request, Cancel);
        return new(
            (int)answer.StatusCode,
            await answer.Content.ReadAsStringAsync(Cancel),
            answer.Headers.ETag?.ToString(),
            answer.Headers.Location?.ToString(),
            answer.Headers.RetryAfter?.ToString()
        );
    }

    /// <summary>Places an order and moves it on; its id.</summary>
    public async Task<string> Placed(string customer, string more = "", params IEnumerable<string> steps)
    {
        var order = await Post("/api/orders", Tea(customer, more));
        Assert.True(order.Status == (int)HttpStatusCode.Created, order.Body);
        foreach (var step in steps)
        {
            var taken = await Post($"/api/orders/{order.Id}/{step}");
            Assert.True(taken.Status == (int)HttpStatusCode.OK, taken.Body);
        }

        return order.Id;
    }

    /// <summary>A verb of <c>orders</c>, run to its end.</summary>
    public async Task<ConsoleRun> Run(params IEnumerable<string> args)
    {
        await using var console = await ConsoleProcess.Reach(["orders", .. args, "--gateway", $"{place.Gateway}"]);
        return new(await console.Exit, Text(console.Output), Text(console.Errors));
    }

    /// <summary>
    /// A verb that succeeds and says nothing beside its output; the objects that it printed, a line each, without what ends a list.
    /// </summary>
    public async Task<JsonElement[]> RunJson(params IEnumerable<string> args)
    {
        var run = await Run([.. args, "--json"]);
        Assert.True(run.Code == 0 && run.Error is "", run.Output + run.Error);
        return run.Entries;
    }

    /// <summary>Until every subscriber has come to the end, or, with <paramref name="isSo"/>, until the list of them is so.</summary>
    public async Task<JsonElement> Settled(Func<JsonElement, bool>? isSo = null)
    {
        isSo ??= subscriber => Number(subscriber, "lag") == 0 && Number(subscriber, "waiting") == 0;
        var subscribers = default(JsonElement);
        await Wait.Until(
            async () => (subscribers = (await Get("/api/orders/subscribers")).Json.GetProperty("subscribers")).EnumerateArray().All(isSo),
            "the subscribers to be through",
            () => $"{subscribers}"
        );
        return subscribers;
    }

    public static long Number(JsonElement element, string name) => element.GetProperty(name).GetInt64();

    public static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private static string Text(IEnumerable<string> lines) => string.Concat(lines.Select(line => line + "\n"));
}
