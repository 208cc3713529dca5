using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Xunit;

[assembly: AssemblyFixture(typeof(Browser.PageSilo))]

namespace Browser;

/// <summary>One silo for all tests, with a key for each role. It may crawl and send on this machine, and gives up a URL at its first failure.</summary>
public sealed class PageSilo : IAsyncDisposable
{
    public static readonly string[] Settings =
    [
        "--Crawling:AllowPrivate",
        "127.0.0.0/8",
        "--Crawling:Attempts",
        "1",
        "--Webhooks:AllowHttp",
        "true",
        "--Webhooks:AllowPrivate",
        "127.0.0.0/8",
    ];

    private readonly HttpClient _http = new() { Timeout = Wait.HangBound };
    private readonly Lazy<Task<SiloProcess>> _process;

    public PageSilo() => _process = new(Start);

    public SiloPlace Place { get; } = new();

    public Uri Home => new($"http://{Place.Http}/");

    public string Reader { get; private set; } = "";

    public string Writer { get; private set; } = "";

    public string Operator { get; private set; } = "";

    public Task<SiloProcess> Started() => _process.Value;

    /// <summary>A verb of the console that is to succeed; the lines of its output.</summary>
    public async Task<IReadOnlyList<string>> Say(params string[] args)
    {
        await using var console = await ConsoleProcess.Reach([.. args, "--gateway", Place.Gateway.ToString()]);
        Assert.True(await console.Exit == 0, console.Said);
        return console.Output;
    }

    /// <summary>Places an order, as a shop does it; its id.</summary>
    public async Task<string> Order(string customer, string? notes = null)
    {
        var order = new
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
            notes,
        };
        using var answer = await Post("/api/orders", JsonContent.Create(order));
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("id").GetString()!;
    }

    /// <summary>Takes steps of an order, as a shop does it: <c>pay</c>, <c>cancel</c>.</summary>
    public async Task Take(string order, params IEnumerable<string> steps)
    {
        foreach (var step in steps)
        {
            using var answer = await Post($"/api/orders/{order}/{step}", new StringContent(""));
        }
    }

    /// <summary>Adds an endpoint, and answers with its id.</summary>
    public async Task<string> Webhook(string url)
    {
        var lines = await Say("orders", "webhooks", "add", url, "--json");
        return JsonElement.Parse(lines[^1]).GetProperty("id").GetString()!;
    }

    /// <summary>Sends a log record.</summary>
    public async Task Log(string service, string body, int user)
    {
        var record = new
        {
            service,
            severity = "error",
            body,
            attributes = new Dictionary<string, int> { ["user.id"] = user },
        };
        var line = JsonSerializer.Serialize(record) + "\n";
        using var answer = await Post("/api/logs", new StringContent(line, Encoding.UTF8, "application/x-ndjson"));
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (_process is { IsValueCreated: true, Value.IsCompletedSuccessfully: true })
        {
            await (await _process.Value).DisposeAsync();
        }

        Place.Dispose();
    }

    private async Task<HttpResponseMessage> Post(string path, HttpContent content)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Home, path)) { Content = content };
        request.Headers.Add("X-Api-Key", Writer);
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        var answer = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        return answer;
    }

    private async Task<SiloProcess> Start()
    {
        var silo = await SiloProcess.StartReady(Place, Settings);
        Reader = (await Say("keys", "add", "looks", "--role", "reader")).Single();
        Writer = (await Say("keys", "add", "acts", "--role", "writer")).Single();
        Operator = (await Say("keys", "add", "runs", "--role", "operator")).Single();
        return silo;
    }
}
