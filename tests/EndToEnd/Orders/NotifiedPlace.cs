using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Doubles.Orders;
using Grains.Interfaces.Orders;
using Xunit;

namespace EndToEnd.Orders;

/// <summary>
/// A place for a silo whose mail and webhooks go to an outside world beside it, which keeps its own ledger and outlives the silo.
/// </summary>
internal sealed class NotifiedPlace : IAsyncDisposable
{
    public const string Domain = "example.com";

    private NotifiedPlace(OutsideProcess outside) => Outside = outside;

    public SiloPlace Place { get; private init; } = null!;

    public OutsideProcess Outside { get; }

    public HttpClient Http { get; private init; } = null!;

    /// <summary>Loopback is let through, waits are short, and no pace holds anything up.</summary>
    public IEnumerable<string> Settings =>
        [
            "--Webhooks:AllowHttp",
            "true",
            "--Webhooks:AllowPrivate",
            "127.0.0.0/8",
            "--Webhooks:PerSecond",
            "100000",
            "--Mail:Host",
            "127.0.0.1",
            "--Mail:Port",
            Outside.SmtpPort.ToString(CultureInfo.InvariantCulture),
            "--Mail:Security",
            "None",
            "--Mail:From",
            $"shop@{Domain}",
            "--Mail:PerSecond",
            "10000",
        ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<NotifiedPlace> Make()
    {
        var place = new SiloPlace();
        try
        {
            return new(await OutsideProcess.Start(place.Folder, Cancel))
            {
                Place = place,
                Http = new() { BaseAddress = new($"http://{place.Http}"), Timeout = Wait.HangBound },
            };
        }
        catch
        {
            place.Dispose();
            throw;
        }
    }

    /// <summary>The waits after the first try.</summary>
    public static IEnumerable<string> Retries(string waits) => ["--Webhooks:Retries", waits, "--Mail:Retries", waits];

    /// <summary>Adds an endpoint of the outside world, which checks signatures with its secret from then on.</summary>
    /// <returns>Its id.</returns>
    public async Task<string> AddWebhook(string path, params string[] events)
    {
        var added = await Add(Outside.Url(path), events);
        await Outside.Secrets(path, added.GetProperty("secret").GetString()!);
        return added.GetProperty("id").GetString()!;
    }

    public async Task<JsonElement> Add(Uri url, params string[] events)
    {
        using var answer = await Http.PostAsJsonAsync("/api/orders/webhooks", new { url = url.AbsoluteUri, events }, Cancel);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancel));
        return await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel);
    }

    public async Task<JsonElement> Get(string path) =>
        JsonElement.Parse(await Http.GetStringAsync(new Uri(path, UriKind.Relative), Cancel));

    /// <returns>The order's id.</returns>
    public async Task<string> PlaceOrder(string customer, string? email, string? language = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/orders")
        {
            Content = JsonContent.Create(
                new
                {
                    customer,
                    currency = "EUR",
                    lines = new[]
                    {
                        new
                        {
                            sku = "tea",
                            quantity = 2,
                            price = 450,
                        },
                    },
                    email,
                    language,
                }
            ),
        };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString("n"));
        using var answer = await Http.SendAsync(request, Cancel);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancel));
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("id").GetString()!;
    }

    /// <summary>
    /// What became of telling one subscriber of an order's version, once that is known: it comes to that by itself, in its own time.
    /// </summary>
    public async Task<JsonElement> Delivery(string order, string subscriber, long version = 1, string? status = null)
    {
        var (last, found) = (default(JsonElement), default(JsonElement));
        await Wait.Until(
            async () =>
            {
                last = await Get($"/api/orders/{order}/deliveries");
                found = last.GetProperty("deliveries")
                    .EnumerateArray()
                    .FirstOrDefault(one =>
                        one.GetProperty("subscriber").GetString() == subscriber && one.GetProperty("version").GetInt64() == version
                    );
                return found.ValueKind == JsonValueKind.Object
                    && found.GetProperty("status").GetString() is var now
                    && (status is null ? now != "waiting" : now == status);
            },
            $"the delivery of version {version} of {order} to {subscriber}",
            () => $"{last}"
        );
        return found;
    }

    public async Task Post(string path)
    {
        using var answer = await Http.PostAsync(new Uri(path, UriKind.Relative), null, Cancel);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancel));
    }

    public async Task Delete(string path)
    {
        using var answer = await Http.DeleteAsync(new Uri(path, UriKind.Relative), Cancel);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancel));
    }

    public async Task Step(string order, string step)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/orders/{order}/{step}");
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString("n"));
        using var answer = await Http.SendAsync(request, Cancel);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancel));
    }

    /// <summary>
    /// Waits until nothing is on its way: every subscriber is at the end of the feed, and nothing waits to be tried again. It comes to that
    /// by itself, in its own time.
    /// </summary>
    public static async Task<IReadOnlyList<SubscriberState>> Settled(OrderDesk desk, Func<SubscriberState, bool>? those = null)
    {
        IReadOnlyList<SubscriberState> states = [];
        await Wait.Until(
            async () =>
                (states = [.. (await desk.Subscribers.List(Cancel)).Where(those ?? (static _ => true))]).All(state =>
                    state.Lag == 0 && state.Waiting == 0
                ),
            "all subscribers to come to the end of the feed",
            () =>
                string.Join(
                    "; ",
                    states
                        .Where(state => state.Lag > 0 || state.Waiting > 0)
                        .Select(state => $"{state.Name}/{state.Partition}: lag {state.Lag}, waiting {state.Waiting}, {state.Halt}")
                )
        );
        return states;
    }

    /// <summary>All changes that are in the feed, from its rows: what was committed.</summary>
    public static async Task<List<OrderChange>> Committed(OrderDesk desk)
    {
        var committed = new List<OrderChange>();
        for (var partition = 0; partition < await desk.Partitions(Cancel); partition++)
        {
            for (var from = 1L; ; )
            {
                var read = await desk.Feed(partition).Read(from, IOrderFeedGrain.MaxTake, Cancel);
                if (read.Changes.IsEmpty)
                {
                    break;
                }

                committed.AddRange(read.Changes);
                from = read.Next;
            }
        }

        return committed;
    }

    public static string WebhookId(OrderChange change) => $"msg_{change.OrderId}_{change.Version}";

    public static string MessageId(OrderChange change) => $"{change.OrderId}.{change.Version}.mail@{Domain}";

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Outside.DisposeAsync();
        Place.Dispose();
    }
}
