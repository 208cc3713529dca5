using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using EndToEnd.Api;
using Xunit;

namespace EndToEnd;

/// <summary>Every operation of the API, called with a client that was generated from the description of it.</summary>
public sealed class GeneratedClientTests : IClassFixture<SiloWithKeys>, IDisposable
{
    private readonly SiloWithKeys _silo;
    private readonly Recorder _recorder;
    private readonly HttpClient _http;
    private readonly SiloApi _api;

    public GeneratedClientTests(SiloWithKeys silo)
    {
        _silo = silo;
        _recorder = new(new HttpClientHandler());
        _http = new(_recorder)
        {
            BaseAddress = new($"http://{silo.Place.Http}/"),
            Timeout = Wait.HangBound,
            DefaultRequestHeaders = { Authorization = new("Bearer", silo.Operator) },
        };
        _api = new(_http);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task AClientMadeFromTheDescriptionCallsEveryOperation()
    {
        var served = await _http.GetStringAsync(new Uri("openapi/v1.json", UriKind.Relative), Cancel);
        var path = Path.Combine(Repository.Folder, "docs", "reference", "openapi.json");
        Assert.True(
            JsonNode.DeepEquals(JsonNode.Parse(served), JsonNode.Parse(await File.ReadAllTextAsync(path, Cancel))),
            "The silo describes another API than docs/reference/openapi.json, of which the client is made."
        );

        await Crawls();
        await Logs();
        var order = await Orders();
        await Audit(order);
        await Subscribers(order);
        await Webhooks();
        await Operators();

        Assert.Empty(Operations(served).Keys.Except(_recorder.Called(Operations(served))));
    }

    [Fact]
    public async Task ARefusalIsAProblemWithItsType()
    {
        var missing = await Refused(404, () => _api.ShowCrawlAsync("none", Cancel));
        Assert.Equal("There is no crawl \"none\"; GET /api/crawls lists those that are kept.", missing.Detail);
        var wrong = await Refused(400, () => _api.StartCrawlAsync(new() { Seeds = ["no url"] }, Cancel));
        Assert.NotEmpty(wrong.Errors!);
        await Refused(412, async () => await _api.PayOrderAsync((await Place()).Id, NewKey(), "\"7\", \"8\"", Cancel));
        await Refused(409, async () => await _api.ShipOrderAsync((await Place()).Id, NewKey(), null, Cancel));
        using var reader = new HttpClient { BaseAddress = _http.BaseAddress, Timeout = Wait.HangBound };
        await Refused(401, () => new SiloApi(reader).ListCrawlsAsync(Cancel));
        reader.DefaultRequestHeaders.Add("X-Api-Key", _silo.Reader);
        await Refused(403, () => new SiloApi(reader).ListKeysAsync(Cancel));
    }

    private async Task Crawls()
    {
        await using var site = await CrawledSite.Start(pages: 5);
        var asked = new StartCrawl
        {
            Seeds = [site.Seed],
            Name = "small",
            Scope = CrawlScope.Host,
            Delay = "0",
            AllowPrivate = ["127.0.0.0/8"],
            Keep = KeepPages.All,
        };
        var small = await _api.StartCrawlAsync(asked, Cancel);
        using (var events = await _api.FollowCrawlAsync(small.Id, null, Cancel))
        {
            await Read(events, "event: end");
        }

        var done = await _api.ShowCrawlAsync("small", Cancel);
        Assert.Equal((small.Id, CrawlState.Done, 5, CrawlScope.Host), (done.Id, done.State, done.Pages, done.Spec!.Scope));
        Assert.Contains((await _api.ListCrawlsAsync(Cancel)).Crawls, crawl => crawl.Id == small.Id);
        Assert.Equal(site.Seed, (await _api.ExplainUrlAsync(small.Id, site.Seed, Cancel)).Url);
        Assert.Single((await _api.ListHostsAsync(small.Id, null, 10, Cancel)).Hosts);
        using (var export = await _api.ExportCrawlAsync(small.Id, Format.Jsonl, Kind.Fetched, null, Cancel))
        {
            Assert.Equal(5, (await Text(export)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        }

        using (var page = await _api.ReadPageAsync(small.Id, site.Seed, View.Text, Cancel))
        {
            Assert.Contains("<", await Text(page), StringComparison.Ordinal);
        }

        Assert.Equal(0, (await _api.RetryCrawlAsync(small.Id, null, Cancel)).Retried);
        asked.Name = "slow";
        asked.MoreSeeds = true;
        asked.Delay = "1h";
        var slow = (await _api.StartCrawlAsync(asked, Cancel)).Id;
        Assert.Equal(CrawlState.Paused, (await _api.PauseCrawlAsync(slow, Cancel)).State);
        Assert.Equal(1, (await _api.AddUrlsAsync(slow, new() { Urls = [site.Seed + "more"] }, Cancel)).New);
        Assert.Equal(CrawlState.Running, (await _api.ResumeCrawlAsync(slow, Cancel)).State);
        Assert.Equal(CrawlState.Running, (await _api.EndSeedsAsync(slow, Cancel)).State);
        Assert.Equal(CrawlState.Cancelled, (await _api.CancelCrawlAsync(slow, Cancel)).State);
        await _api.DeleteCrawlAsync(slow, Cancel);
    }

    private async Task Logs()
    {
        using (var tail = await _api.TailLogsAsync("service:till", Cancel))
        {
            using var lines = new MemoryStream("{\"message\":\"sold\",\"level\":\"error\"}\n"u8.ToArray());
            var taken = await _api.SendLogsAsync(new FileParameter(lines, null, "application/x-ndjson"), "till", NewKey(), Cancel);
            Assert.Equal((1, 0), (taken.Accepted, taken.Refused.Count));
            await Read(tail, "event: record");
        }

        var found = await _api.SearchLogsAsync("service:till", "1h", null, 10, Order.Newest, Cancel);
        Assert.Equal("sold", ((System.Text.Json.JsonElement)Assert.Single(found.Records)).GetProperty("body").GetString());
        Assert.Equal(1, (await _api.CountLogsAsync("service:till", "1h", null, 4, Cancel)).Records);
        Assert.Single((await _api.RunLogSqlAsync(new() { Sql = "SELECT count(*) AS n FROM logs" }, Cancel)).Rows);
        Assert.NotEmpty((await _api.ShowLogLedgerAsync("24h", null, Cancel)).Counts);

        const string Rule = "service:noise => drop";
        await _api.TestLogRuleAsync(new() { Rule = Rule, Since = "15m" }, Cancel);
        var added = await _api.AddLogRuleAsync(new() { Rule = Rule }, Cancel);
        Assert.Single((await _api.ListLogRulesAsync(Cancel)).Rules);
        await _api.RemoveLogRuleAsync(added.Number, added.Revision, Cancel);
    }

    private async Task<OrderForm> Orders()
    {
        var order = await Place();
        Assert.Equal(order.Id, (await _api.ShowOrderAsync(order.Id, null, Cancel)).Id);
        await _api.PayOrderAsync(order.Id, NewKey(), "\"1\"", Cancel);
        await _api.ShipOrderAsync(order.Id, NewKey(), "\"1\", \"2\"", Cancel);
        var completed = await _api.CompleteOrderAsync(order.Id, NewKey(), "*", Cancel);
        Assert.Equal((OrderStatus.Completed, 4), (completed.Status, completed.Version));
        Assert.Equal(OrderStatus.Cancelled, (await _api.CancelOrderAsync((await Place()).Id, NewKey(), null, Cancel)).Status);
        var returned = (await Place()).Id;
        await _api.PayOrderAsync(returned, NewKey(), null, Cancel);
        Assert.Equal(OrderStatus.Refunded, (await _api.RefundOrderAsync(returned, NewKey(), null, Cancel)).Status);
        await Wait.Until(
            async () => (await _api.ListOrdersAsync("ann", Status.Completed, 10, null, Cancel)).Orders.Any(one => one.Id == order.Id),
            "the order to be listed as completed"
        );
        using (var all = await _api.WatchOrdersAsync("start", null, Previous.False, null, Cancel))
        {
            await Read(all, "event: change");
        }

        using (var one = await _api.WatchOrderAsync(order.Id, "start", null, null, Cancel))
        {
            await Read(one, "\"status\":\"completed\"");
        }

        return completed;
    }

    private async Task Audit(OrderForm order)
    {
        await Wait.Until(async () => await Proved(order.Id), "the audit to have recorded the order");
        var head = await _api.ShowAuditHeadAsync(Cancel);
        using (var key = await _api.ShowAuditKeyAsync(Cancel))
        {
            Assert.StartsWith("-----BEGIN PUBLIC KEY-----", await Text(key), StringComparison.Ordinal);
        }

        await _api.ProveConsistencyAsync(new() { Older = head }, Cancel);
        Assert.NotEmpty((await _api.ListCheckpointsAsync(null, Cancel)).Checkpoints);
    }

    private async Task<bool> Proved(string order)
    {
        try
        {
            await _api.ProveOrderAsync(order, Cancel);
            return true;
        }
        catch (ApiException<Api.Problem> missing) when (missing.StatusCode == (int)HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    private async Task Subscribers(OrderForm order)
    {
        Assert.Contains((await _api.ListSubscribersAsync(Cancel)).Subscribers, one => one.Name == "audit");
        await Refused(409, () => _api.RemoveSubscriberAsync("audit", Cancel));
        Assert.Empty((await _api.ListDeadLettersAsync(null, null, 10, null, Cancel)).DeadLetters);
        await Refused(404, () => _api.ShowDeadLetterAsync("mail", "0", "1", Cancel));
        Assert.Equal(0, (await _api.ReplayDeadLettersAsync(null, null, null, All.True, Cancel)).Count);
        Assert.Equal(0, (await _api.DiscardDeadLettersAsync(null, null, null, All2.True, Cancel)).Count);
        Assert.Equal(order.Id, (await _api.ListDeliveriesAsync(order.Id, Cancel)).OrderId);
        Assert.Equal(order.Id, (await _api.ShowTimelineAsync(order.Id, Cancel)).OrderId);
        Assert.Equal(0, (await _api.ResendDeliveriesAsync(new() { Order = order.Id }, Cancel)).Count);
        await _api.SetPreferencesAsync(new() { Customer = "ann", Mail = ["shipped"] }, Cancel);
        await Wait.Until(
            async () => (await _api.ShowPreferencesAsync("ann", Cancel)).Mail is { Count: 1 },
            "the customer's wish to be known"
        );
        Assert.Empty((await _api.ListSuppressionsAsync(null, 10, null, Cancel)).Suppressions);
        await Refused(404, () => _api.LiftSuppressionAsync("ann@example.org", Cancel));
    }

    private async Task Webhooks()
    {
        // A name that is kept free for examples (RFC 2606): what is sent there fails, and nobody gets it.
        var hook = await _api.AddWebhookAsync(new() { Url = "https://hooks.invalid/orders", Events = ["order.paid"] }, Cancel);
        Assert.StartsWith("whsec_", hook.Secret, StringComparison.Ordinal);
        Assert.Contains((await _api.ListWebhooksAsync(Cancel)).Webhooks, one => one.Id == hook.Id);
        Assert.NotNull((await _api.PauseWebhookAsync(hook.Id, Cancel)).PausedSince);
        Assert.Null((await _api.ResumeWebhookAsync(hook.Id, Cancel)).PausedSince);
        Assert.Equal(2, (await _api.EditWebhookAsync(hook.Id, new() { PerSecond = 2 }, Cancel)).PerSecond);
        Assert.NotEqual(hook.Secret, (await _api.RotateWebhookSecretAsync(hook.Id, Cancel)).Secret);
        Assert.Equal(hook.Id, (await _api.EnableWebhookAsync(hook.Id, Cancel)).Id);
        Assert.Equal(hook.Id, (await _api.TestWebhookAsync(hook.Id, Cancel)).Id);
        Assert.Equal(hook.Url, (await _api.ShowWebhookAsync(hook.Id, Cancel)).Url);
        await _api.RemoveWebhookAsync(hook.Id, Cancel);
    }

    private async Task Operators()
    {
        Assert.All((await _api.ShowLedgerAsync(Cancel)).Accounts, account => Assert.True(account.Balances, account.Doubt));
        Assert.Single((await _api.ShowClusterAsync(Cancel)).Silos);
        var made = await _api.AddKeyAsync(new() { Name = "shop", Role = ApiRole.Writer }, Cancel);
        Assert.StartsWith("shop.", made.Key, StringComparison.Ordinal);
        Assert.Equal(["builds", "ops", "reports", "shop"], (await _api.ListKeysAsync(Cancel)).Keys.Select(key => key.Name));
        Assert.Equal(3, (await _api.RevokeKeyAsync("shop", Cancel)).Left);
        Assert.InRange((await _api.EraseCustomerAsync(new() { Customer = "ann" }, Cancel)).Orders, 1, int.MaxValue);
    }

    private Task<OrderForm> Place() =>
        _api.PlaceOrderAsync(
            new()
            {
                Customer = "ann",
                Currency = "EUR",
                Lines =
                [
                    new()
                    {
                        Sku = "tea",
                        Quantity = 2,
                        Price = 450,
                    },
                ],
            },
            NewKey(),
            Cancel
        );

    private static string NewKey() => Guid.NewGuid().ToString();

    private static async Task<Api.Problem> Refused(int status, Func<Task> call)
    {
        var refused = await Assert.ThrowsAsync<ApiException<Api.Problem>>(call);
        Assert.Equal((status, status), (refused.StatusCode, refused.Result.Status));
        return refused.Result;
    }

    /// <summary>Reads a stream until something stands in it.</summary>
    private static async Task Read(FileResponse answer, string until)
    {
        using var reader = new StreamReader(answer.Stream, Encoding.UTF8);
        var said = new StringBuilder();
        while (!said.ToString().Contains(until, StringComparison.Ordinal))
        {
            var line = await Wait.For(reader.ReadLineAsync(Cancel).AsTask(), $"\"{until}\" in the stream", said.ToString);
            Assert.True(line is not null, $"The stream ended before \"{until}\":\n{said}");
            said.AppendLine(line);
        }
    }

    private static async Task<string> Text(FileResponse answer)
    {
        using var reader = new StreamReader(answer.Stream, Encoding.UTF8);
        return await reader.ReadToEndAsync(Cancel);
    }

    /// <summary>The method and path of each operation, by its name.</summary>
    private static Dictionary<string, (string Method, string Path)> Operations(string description) =>
        (
            from path in JsonNode.Parse(description)!["paths"]!.AsObject()
            from operation in path.Value!.AsObject()
            select (Name: (string)operation.Value!["operationId"]!, Method: operation.Key.ToUpperInvariant(), Path: path.Key)
        ).ToDictionary(operation => operation.Name, operation => (operation.Method, operation.Path));

    /// <summary>Keeps what was asked for.</summary>
    private sealed class Recorder(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        private readonly ConcurrentDictionary<(string Method, string Path), bool> _asked = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            _asked[(request.Method.Method, request.RequestUri!.AbsolutePath)] = true;
            return base.SendAsync(request, cancellationToken);
        }

        /// <summary>The operations that were asked for: where two paths match, the one with fewer parameters, as routes have it.</summary>
        public HashSet<string> Called(Dictionary<string, (string Method, string Path)> operations) =>
            [
                .. _asked.Keys.SelectMany(asked =>
                    operations
                        .Where(operation =>
                            operation.Value.Method == asked.Method
                            && Regex.IsMatch(asked.Path, $"^{Regex.Replace(operation.Value.Path, @"\{[^}]*\}", "[^/]+")}$")
                        )
                        .OrderBy(operation => operation.Value.Path.Count(letter => letter == '{'))
                        .Take(1)
                        .Select(operation => operation.Key)
                ),
            ];
    }
}
