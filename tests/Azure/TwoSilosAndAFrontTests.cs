using System.Collections.Immutable;
using System.Net;
using System.Text;
using System.Text.Json;
using Xunit;

namespace AzureTests;

/// <summary>
/// Two silos and a front end on one account, found through Orleans' own tables: all three systems at work through the front end, one silo
/// killed with <c>kill -9</c>, and nothing acknowledged is lost.
/// </summary>
public sealed class TwoSilosAndAFrontTests(Azurite azurite) : IAsyncDisposable
{
    private const int Pages = 60;
    private const int Customers = 4;

    private readonly SiloPlace _first = new();
    private readonly List<IAsyncDisposable> _parts = [];
    private readonly List<SiloPlace> _places = [];
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(20) };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        foreach (var part in Enumerable.Reverse(_parts))
        {
            await part.DisposeAsync();
        }

        _http.Dispose();
        _places.ForEach(place => place.Dispose());
        _first.Dispose();
    }

    [Fact]
    public async Task OneOfTwoSilosIsKilledAndEverythingAcknowledgedIsThere()
    {
        var connection = Added(await azurite.Own()).ConnectionString;
        var site = Added(await CrawledSite.Start(Pages));
        var survivor = Added(await SiloProcess.StartReady(_first, AzureStartTests.Settings(connection)));
        var victim = Added(await SiloProcess.StartReady(Beside(), AzureStartTests.Settings(connection)));
        var front = Added(await SiloProcess.StartReady(Beside(), [.. AzureStartTests.Settings(connection), "--Cluster:Role", "Front"]));
        _http.BaseAddress = new($"http://{front.Place.Http}");

        var crawl = await Acknowledged(
            "/api/crawls",
            new
            {
                seeds = new[] { site.Seed },
                delay = "0",
                timeout = "5s",
                allowPrivate = new[] { "127.0.0.0/8" },
            }
        );
        await Wait.For(site.WhenAsked(Pages / 3), "a third of the pages", () => survivor.AllSaid);
        var orders = new List<string>();
        for (var round = 0; round < 6; round++)
        {
            if (round == 3)
            {
                await victim.Kill9();
            }

            orders.AddRange(await Task.WhenAll(Enumerable.Range(0, Customers).Select(Place)));
            await Logged(round);
        }

        await CrawlIsWhole(site, crawl, survivor);
        foreach (var id in orders)
        {
            Assert.Equal("placed", (await Json($"/api/orders/{id}")).GetProperty("status").GetString());
        }

        await LogIsWhole(rounds: 6);
        await using var verify = await ConsoleProcess.Reach("orders", "audit", "verify", "--all", "--gateway", $"{survivor.Place.Gateway}");
        Assert.True(await verify.Exit == ExitCode.Done, verify.Said);
        await using var ledger = await ConsoleProcess.Reach("ledger", "--gateway", $"{survivor.Place.Gateway}");
        Assert.True(await ledger.Exit == ExitCode.Done, ledger.Said);
        await TablesSay(connection, survivor.Place, victim.Place);
    }

    /// <summary>Orleans' table storage alone would fold the four kinds of links into one row, and pages would be taken for done.</summary>
    [Fact]
    public async Task EachOf160UrlsThatDifferInTheirSeparatorsIsFetched()
    {
        var connection = Added(await azurite.Own()).ConnectionString;
        var site = Added(await WebSite.Start(Doubles.Net.LoopbackNetwork.Instance));
        string[] links =
        [
            .. Enumerable.Range(0, 40).SelectMany(i => (string[])[$"/p/{i}/a?b", $"/p/{i}/a/b", $"/p/{i}?a/b", $"/p/{i}/a_b"]),
        ];
        site.Add("/", SiteAnswer.Links(links.Select(site.UrlOf)));
        foreach (var link in links)
        {
            site.Add(link, SiteAnswer.Links([]));
        }

        var silo = Added(await SiloProcess.StartReady(_first, AzureStartTests.Settings(connection)));
        _http.BaseAddress = new($"http://{silo.Place.Http}");
        var crawl = await Acknowledged(
            "/api/crawls",
            new
            {
                seeds = new[] { site.UrlOf("/") },
                delay = "0",
                allowPrivate = new[] { "127.0.0.0/8" },
            }
        );
        await Ended(crawl);

        var exported = await Exported(crawl);
        Assert.Equal(
            links.Append("/").Select(site.UrlOf).Order(StringComparer.Ordinal),
            exported.Where(page => page.Status == 200).Select(page => page.Url).Order(StringComparer.Ordinal)
        );
        Assert.Equal(
            160,
            links.Count(link => site.Ledger.Requests.Count(request => request.Target.EndsWith(link, StringComparison.Ordinal)) == 1)
        );
    }

    private T Added<T>(T part)
        where T : IAsyncDisposable
    {
        _parts.Add(part);
        return part;
    }

    private SiloPlace Beside()
    {
        var place = _first.Beside();
        _places.Add(place);
        return place;
    }

    private Task<string> Place(int customer) =>
        Acknowledged(
            "/api/orders",
            new
            {
                customer = $"c{customer}",
                currency = "EUR",
                lines = new[]
                {
                    new
                    {
                        sku = "tea",
                        quantity = 1,
                        price = 450,
                    },
                },
            }
        );

    /// <summary>Asked again under its key until it is acknowledged; the id of what was made.</summary>
    private async Task<string> Acknowledged(string path, object body)
    {
        var text = JsonSerializer.Serialize(body);
        var key = $"{Guid.NewGuid()}";
        return JsonElement
            .Parse(await Answered(HttpMethod.Post, path, key, () => new StringContent(text, Encoding.UTF8, "application/json")))
            .GetProperty("id")
            .GetString()!;
    }

    private async Task Logged(int round)
    {
        var line = $$"""{"msg":"record {{round}}"}""";
        await Answered(HttpMethod.Post, "/api/logs?service=shop", $"l-{round}", () =>
            new StringContent(line, Encoding.UTF8, "application/x-ndjson")
        );
    }

    private async Task<JsonElement> Json(string path) => JsonElement.Parse(await Answered(HttpMethod.Get, path, key: null, () => null));

    /// <summary>While a silo is gone and the cluster has not noticed, some answers are errors or none: those are asked for again.</summary>
    private async Task<string> Answered(HttpMethod method, string path, string? key, Func<HttpContent?> content)
    {
        var text = "";
        await Wait.Until(
            async () =>
            {
                using var request = new HttpRequestMessage(method, path) { Content = content() };
                if (key is not null)
                {
                    request.Headers.Add("Idempotency-Key", key);
                }

                try
                {
                    using var answer = await _http.SendAsync(request, Cancel);
                    text = await answer.Content.ReadAsStringAsync(Cancel);
                    Assert.True(
                        answer.IsSuccessStatusCode
                            || answer.StatusCode
                                is HttpStatusCode.Conflict
                                    or HttpStatusCode.TooManyRequests
                                    or >= HttpStatusCode.InternalServerError,
                        $"{path}: {answer.StatusCode} {text}"
                    );
                    return answer.IsSuccessStatusCode;
                }
                catch (Exception gone)
                    when (gone is HttpRequestException or IOException
                        || (gone is OperationCanceledException && !Cancel.IsCancellationRequested)
                    )
                {
                    text = gone.Message;
                    return false;
                }
            },
            $"an answer to {method} {path}",
            () => text
        );
        return text;
    }

    private async Task CrawlIsWhole(CrawledSite site, string crawl, SiloProcess survivor)
    {
        await Ended(crawl);
        var exported = await Exported(crawl);
        Assert.Equal(site.Walk.Order(StringComparer.Ordinal), exported.Select(page => page.Url).Order(StringComparer.Ordinal));
        Assert.All(exported, page => Assert.Equal(200, page.Status));
        Assert.True(site.Repeats <= 2, $"{site.Repeats} requests came beyond one per URL.{Environment.NewLine}{survivor.AllSaid}");
    }

    private Task Ended(string crawl) =>
        Wait.Until(async () => (await Json($"/api/crawls/{crawl}")).GetProperty("state").GetString() == "done", "the crawl to end");

    private async Task<ImmutableArray<(string Url, int Status)>> Exported(string crawl) =>
        [
            .. (await Answered(HttpMethod.Get, $"/api/crawls/{crawl}/export?kind=fetched", key: null, () => null))
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonElement.Parse(line))
                .Select(page => (page.GetProperty("url").GetString()!, page.GetProperty("status").GetInt32())),
        ];

    private async Task LogIsWhole(int rounds)
    {
        var found = await Answered(HttpMethod.Get, "/api/logs?query=service:shop", key: null, () => null);
        Assert.All(Enumerable.Range(0, rounds), round => Assert.Contains($"record {round}", found, StringComparison.Ordinal));
    }

    /// <summary>What every Orleans developer looks for is where they look for it.</summary>
    private static async Task TablesSay(string connection, SiloPlace survivor, SiloPlace victim)
    {
        var members = await OrleansTables.Rows(connection, OrleansTables.Members, Cancel);
        Assert.Equal(
            [("Active", $"{survivor.Silo.Port}"), ("Dead", $"{victim.Silo.Port}")],
            members.Where(row => row.ContainsKey("Status")).Select(row => (row.GetString("Status"), row.GetString("Port"))).Order()
        );
        Assert.Contains(members, row => row.RowKey == "VersionRow");
        Assert.All(members, row => Assert.Equal("dev", row.PartitionKey));
        var states = await OrleansTables.Rows(connection, OrleansTables.States, Cancel);
        Assert.DoesNotContain(states, row => row.RowKey == "url"); // A URL's grain keeps nothing (docs/decisions/0015).
        Assert.Empty(await Azurite.Tables(connection).Scan("cluster", "members.dev", Grains.Storage.KeyRange.All, 10, Cancel));
    }
}
