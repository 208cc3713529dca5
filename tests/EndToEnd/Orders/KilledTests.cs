using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using Xunit;

namespace EndToEnd.Orders;

/// <summary>
/// What orders are worth when their silo is killed with <c>kill -9</c>: a ledger outside has every answer, and each is given again.
/// </summary>
public sealed class KilledTests : IDisposable
{
    private const int Placers = 16;

    private static readonly string[] Unlimited = ["--Limits:PerKey", "100000", "--Limits:InAll", "100000"];

    private readonly SiloPlace _place = new();
    private readonly HttpClient _http = new() { Timeout = Wait.HangBound };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _http.Dispose();
        _place.Dispose();
    }

    [Fact]
    public async Task WhatWasAcknowledgedIsThereOnceAndIsAnsweredAgain()
    {
        const int Kills = 3;
        var acknowledged = new ConcurrentDictionary<string, string>();
        var asked = new ConcurrentDictionary<string, bool>();
        for (var kill = 0; kill < Kills; kill++)
        {
            var silo = await SiloProcess.StartReady(_place, Unlimited);
            var placers = Enumerable.Range(0, Placers).Select(placer => PlaceUntilItDies($"{kill}-{placer}", asked, acknowledged)).ToList();
            var enough = (kill + 1) * 100;
            await Wait.Until(
                () => acknowledged.Count >= enough || placers.Any(placer => placer.IsCompleted),
                $"{enough} orders to be acknowledged",
                () => silo.AllSaid
            );
            Assert.All(placers, placer => Assert.False(placer.IsCompleted));

            await silo.Kill9();
            await Task.WhenAll(placers);
            await silo.DisposeAsync();
        }

        await using var last = await SiloProcess.StartReady(_place, Unlimited);
        foreach (var key in asked.Keys)
        {
            var (status, body) = await Place(key);
            Assert.Equal(HttpStatusCode.Created, status);
            Assert.Equal(acknowledged.GetValueOrDefault(key, body), body);
        }

        var ids = await All();
        Assert.Equal(asked.Count, ids.Count);
        Assert.Equal(ids.Count, ids.Distinct().Count());
        var books = JsonElement
            .Parse(await _http.GetStringAsync(Url("/api/ledger"), Cancel))
            .GetProperty("accounts")
            .EnumerateArray()
            .Single(account => account.GetProperty("account").GetString() == "steps");
        Assert.Equal(
            (true, asked.Count, 0),
            (books.GetProperty("balances").GetBoolean(), books.GetProperty("done").GetInt32(), books.GetProperty("waiting").GetInt32())
        );
    }

    private async Task PlaceUntilItDies(
        string placer,
        ConcurrentDictionary<string, bool> asked,
        ConcurrentDictionary<string, string> acknowledged
    )
    {
        for (var number = 0; ; number++)
        {
            var key = $"{placer}-{number}";
            asked[key] = true;
            try
            {
                var (status, body) = await Place(key);
                Assert.Equal(HttpStatusCode.Created, status);
                acknowledged[key] = body;
            }
            catch (HttpRequestException)
            {
                return;
            }
        }
    }

    private async Task<(HttpStatusCode, string)> Place(string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Url("/api/orders"));
        request.Headers.Add("Idempotency-Key", key);
        request.Content = new StringContent(
            $$"""{"customer":"{{key}}","currency":"EUR","lines":[{"sku":"tea","quantity":2,"price":450}]}""",
            Encoding.UTF8,
            "application/json"
        );
        using var answer = await _http.SendAsync(request, Cancel);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancel));
    }

    private async Task<List<string>> All()
    {
        var ids = new List<string>();
        for (string? after = ""; after is not null; )
        {
            var page = JsonElement.Parse(
                await _http.GetStringAsync(Url($"/api/orders?take=200{(after is "" ? "" : "&after=" + after)}"), Cancel)
            );
            ids.AddRange(page.GetProperty("orders").EnumerateArray().Select(order => order.GetProperty("id").GetString()!));
            after = page.GetProperty("after").GetString();
        }

        return ids;
    }

    private Uri Url(string path) => new($"http://{_place.Http}{path}");
}
