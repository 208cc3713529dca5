using System.Globalization;
using System.Text.Json;
using Client;
using Doubles;
using Doubles.Net;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Grains.Storage;
using Silo.Storage;
using Xunit;

namespace EndToEnd.Crawling;

/// <summary>The console's verbs against a silo, both as processes.</summary>
public sealed class VerbsTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static readonly string[] Fields =
    [
        "url", "status", "depth", "parent", "contentType", "title", "bytes", "digest", "links", "fetchedAt", "elapsedMs", "error", "attempts", "location", "truncated",
    ];

    private Crawler _crawler = null!;
    private CrawledSite? _site;
    private WebSite? _server;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        foreach (var part in new IAsyncDisposable?[] { _crawler, _site, _server })
        {
            if (part is not null)
            {
                await part.DisposeAsync();
            }
        }
    }

    [Fact]
    public async Task APausedCrawlStaysPausedOverAKillUntilItIsResumed()
    {
        var id = await StartLargeCrawl();
        var paused = await _crawler.AskJson("crawl", "pause", id);
        Assert.Equal("paused", paused.GetProperty("state").GetString());
        await _crawler.KillAndRestart();

        var asked = _site!.Asked;
        var shown = await _crawler.Show(id);
        Assert.Equal("paused", shown.GetProperty("state").GetString());
        Assert.InRange(Crawler.Number(shown, "queued"), 1, _site.Walk.Length);
        await _crawler.Ledger();
        Assert.Equal(asked, _site.Asked);

        await _crawler.AskJson("crawl", "resume", id);
        await Follow(id, ExitCode.Done);
        Assert.Equal(_site.Walk.Order(StringComparer.Ordinal), Urls(await _crawler.Export(id)));
    }

    [Fact]
    public async Task ACancelledCrawlSkipsWhatWaits()
    {
        var id = await StartLargeCrawl();
        await _crawler.AskJson("crawl", "cancel", id);
        var last = await Follow(id, ExitCode.Failed);

        Assert.Equal(("cancelled", 0), (last.GetProperty("state").GetString(), Crawler.Number(last, "queued")));
        var account = await _crawler.Ledger();
        Assert.Equal(Crawler.Number(last, "skipped"), Crawler.Number(account.GetProperty("refused"), "cancelled"));
        Assert.Equal(Crawler.Number(account, "in"), (await _crawler.Export(id, "--all")).Length);

        await using var resumed = await _crawler.Say("crawl", "resume", id);
        Assert.Equal(ExitCode.Failed, await resumed.Exit);
        Assert.Contains("cancelled", Assert.Single(resumed.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ADeletedCrawlLeavesNoRows()
    {
        var id = await StartLargeCrawl("--name", "gone");
        await using (var asked = await _crawler.Say("crawl", "delete", id))
        {
            Assert.Equal(ExitCode.WrongUsage, await asked.Exit);
        }

        Assert.Equal("deleted", (await _crawler.AskJson("crawl", "delete", id, "--yes")).EnumerateObject().Last().Name);
        // Its name is free again once its rows are gone; until then the console says why it is not.
        await Until(async () => (await _crawler.Ask("crawl", "list", "--json")).Count == 0, "the crawl to be gone from the list");
        await using (var shown = await _crawler.Say("crawl", "show", id))
        {
            Assert.Equal(ExitCode.Failed, await shown.Exit);
        }

        await _crawler.StopSilo();
        await using var store = SqliteTableStore.Open(Path.Combine(_crawler.Place.Data, "tables"));
        var crawl = CrawlId.Parse(id);
        var host = new HostKey(new Uri(_site!.Seed).Authority);
        Assert.Empty(await Rows(store, CrawlTable.Crawl(crawl)));
        Assert.Empty(await Rows(store, CrawlTable.Urls(crawl, host)));
        Assert.DoesNotContain(await Rows(store, CrawlTable.Crawls), row => row.Key != PartitionWriter.HeadKey);
        Assert.DoesNotContain(await Rows(store, CrawlTable.Host(host)), row => row.Key.StartsWith(CrawlTable.CrawlPrefix, StringComparison.Ordinal));
    }

    [Fact]
    public async Task ASecondStartWithTheSameNameIsRefusedAndMakesNothing()
    {
        await StartLargeCrawl("--name", "docs");
        await using var second = await _crawler.Say("crawl", "start", _site!.Seed, "--name", "docs");

        Assert.Equal(ExitCode.Failed, await second.Exit);
        Assert.Contains("docs", Assert.Single(second.Errors), StringComparison.Ordinal);
        Assert.Single(await _crawler.Ask("crawl", "list", "--json"));
    }

    [Fact]
    public async Task ALimitOfPagesIsExact()
    {
        _site = await CrawledSite.Start(pages: 200);
        _crawler = await Crawler.Run();
        var id = await _crawler.StartCrawl(_site.Seed, "--delay", "0", "--concurrency", "8", "--max-pages", "37");
        var last = await Follow(id, ExitCode.Done);

        Assert.Equal(37, Crawler.Number(last, "pages"));
        Assert.Equal(37, _site.Asked);
        Assert.Equal(37, (await _crawler.Export(id)).Length);
        Assert.Equal(Crawler.Number(last, "skipped"), Crawler.Number((await _crawler.Ledger()).GetProperty("refused"), "max-pages"));
    }

    [Fact]
    public async Task APrivateAddressIsRefusedUnlessItIsAllowed()
    {
        _site = await CrawledSite.Start(pages: 1);
        _crawler = await Crawler.Run();
        var refused = (await _crawler.AskJson("crawl", "start", _site.Seed)).GetProperty("id").GetString()!;
        var last = await Follow(refused, ExitCode.Done);

        Assert.Equal((0, 0, 1), (Crawler.Number(last, "pages"), Crawler.Number(last, "failed"), Crawler.Number(last, "skipped")));
        Assert.Empty(_site.Requests);
        Assert.Equal(1, Crawler.Number((await _crawler.Ledger()).GetProperty("refused"), "private-address"));
        var record = Assert.Single(await _crawler.Export(refused, "--all"));
        Assert.Contains("private-address", record.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Equal("skipped", (await _crawler.AskJson("crawl", "explain", refused, _site.Seed)).GetProperty("state").GetString());

        var allowed = await _crawler.StartCrawl(_site.Seed, "--delay", "0");
        Assert.Equal(2, Crawler.Number(await Follow(allowed, ExitCode.Done), "pages"));
    }

    [Fact]
    public async Task AnExportHasItsFieldsInBothForms()
    {
        _server = await WebSite.Start(LoopbackNetwork.Instance);
        _server
            .Add("/robots.txt", SiteAnswer.Text("User-agent: *\nDisallow: /secret\n"))
            .Add("/", "<!DOCTYPE html><title>One, \"two\"</title><a href=/moved>a</a><a href=/secret>b</a><a href=/none>c</a><a href=/plain.txt>d</a><a href=/broken>e</a>")
            .Add("/moved", SiteAnswer.Redirect("/target?b=2&a=1"))
            .Add("/target?b=2&a=1", "<title>Target</title>")
            .Add("/plain.txt", SiteAnswer.Text("plain"))
            .Add("/broken", SiteAnswer.Empty(503));
        _crawler = await Crawler.Run("--Crawling:RetryDelay", "00:00:00.1");
        var id = await _crawler.StartCrawl(_server.UrlOf("/"), "--delay", "0");
        await Follow(id, ExitCode.Done);

        var records = (await _crawler.Export(id, "--all")).ToDictionary(record => record.GetProperty("url").GetString()!.Replace(_server.Origin, "", StringComparison.Ordinal));
        Assert.Equal(["/", "/broken", "/moved", "/none", "/plain.txt", "/secret", "/target?b=2&a=1"], records.Keys.Order(StringComparer.Ordinal));
        Assert.All(records.Values, record => Assert.Equal(Fields, record.EnumerateObject().Select(field => field.Name)));

        var home = records["/"];
        Assert.Equal((200, 0, "One, \"two\"", 5, 1), (home.GetProperty("status").GetInt32(), home.GetProperty("depth").GetInt32(), home.GetProperty("title").GetString(), home.GetProperty("links").GetInt32(), home.GetProperty("attempts").GetInt32()));
        Assert.Equal(JsonValueKind.Null, home.GetProperty("parent").ValueKind);
        Assert.Equal(JsonValueKind.Null, home.GetProperty("error").ValueKind);
        Assert.Matches("^sha256:[0-9a-f]{64}$", home.GetProperty("digest").GetString());
        Assert.Equal("text/html", home.GetProperty("contentType").GetString()!.Split(';')[0]);
        Assert.Equal(TimeSpan.Zero, DateTimeOffset.Parse(home.GetProperty("fetchedAt").GetString()!, CultureInfo.InvariantCulture).Offset);
        Assert.InRange(home.GetProperty("elapsedMs").GetInt64(), 0, 10_000);

        Assert.Equal((302, _server.UrlOf("/target?b=2&a=1")), (records["/moved"].GetProperty("status").GetInt32(), records["/moved"].GetProperty("location").GetString()));
        Assert.Equal((_server.UrlOf("/moved"), 2), (records["/target?b=2&a=1"].GetProperty("parent").GetString(), records["/target?b=2&a=1"].GetProperty("depth").GetInt32()));
        Assert.Equal(404, records["/none"].GetProperty("status").GetInt32());
        Assert.Equal((200, 5L), (records["/plain.txt"].GetProperty("status").GetInt32(), records["/plain.txt"].GetProperty("bytes").GetInt64()));
        Assert.Equal((503, 3), (records["/broken"].GetProperty("status").GetInt32(), records["/broken"].GetProperty("attempts").GetInt32()));
        Assert.NotEqual(JsonValueKind.Null, records["/broken"].GetProperty("error").ValueKind);
        Assert.Equal(3, _server.Ledger.CountOf("/broken"));
        Assert.Equal("Not fetched: robots.", records["/secret"].GetProperty("error").GetString());
        Assert.Equal(0, _server.Ledger.CountOf("/secret"));

        var file = Path.Combine(_crawler.Place.Folder, "pages.csv");
        await _crawler.Ask("crawl", "export", id, "--format", "csv", "--out", file);
        var csv = await File.ReadAllTextAsync(file, Cancel);
        Assert.Equal(string.Join(',', Fields), csv.Split("\r\n")[0]);
        Assert.Equal(1 + 6 + 1, csv.Split("\r\n").Length);
        Assert.Contains(",\"One, \"\"two\"\"\",", csv, StringComparison.Ordinal);

        var explained = await _crawler.AskJson("crawl", "explain", id, _server.UrlOf("/secret#part"));
        Assert.Equal((_server.UrlOf("/secret"), "skipped"), (explained.GetProperty("url").GetString(), explained.GetProperty("state").GetString()));
        Assert.Contains("/secret", Line(explained, "robots"), StringComparison.Ordinal);
        Assert.Equal("out of scope", (await _crawler.AskJson("crawl", "explain", id, "http://elsewhere.example/")).GetProperty("state").GetString());
    }

    [Fact]
    public async Task TheExitCodeSaysHowItWent()
    {
        _crawler = await Crawler.Run();
        Assert.Empty(await _crawler.Ask("crawl", "list", "--json"));

        await using var unknown = await _crawler.Say("crawl", "show", "aaaaaaaaaa");
        Assert.Equal(ExitCode.Failed, await unknown.Exit);
        Assert.Contains("aaaaaaaaaa", Assert.Single(unknown.Errors), StringComparison.Ordinal);

        await using var notAUrl = await _crawler.Say("crawl", "start", "ftp://127.0.0.1/");
        Assert.Equal(ExitCode.Failed, await notAUrl.Exit);
        Assert.Contains("ftp://127.0.0.1/", Assert.Single(notAUrl.Errors), StringComparison.Ordinal);

        await using var wrong = await _crawler.Say("crawl", "start", "http://127.0.0.1/", "--max-pages", "many");
        Assert.Equal(ExitCode.WrongUsage, await wrong.Exit);
        Assert.Contains("many", wrong.Said, StringComparison.Ordinal);

        using var nobody = new SiloPlace();
        await using var nowhere = await ConsoleProcess.Run("crawl", "list", "--gateway", nobody.Gateway.ToString());
        Assert.Equal(ExitCode.NoSilo, await nowhere.Exit);
        Assert.Contains(nobody.Gateway.ToString(), nowhere.Said, StringComparison.Ordinal);
        Assert.Contains("dotnet run -c Release --project Silo", nowhere.Said, StringComparison.Ordinal);
    }

    /// <summary>A crawl in the middle of its work, for some seconds more: eight pages were asked for, and many more are known.</summary>
    private async Task<string> StartLargeCrawl(params string[] options)
    {
        _site = await CrawledSite.Start(pages: 150);
        _crawler = await Crawler.Run();
        var id = await _crawler.StartCrawl(_site.Seed, ["--delay", "60ms", .. options]);
        await _site.WhenAsked(8).WaitAsync(Patience, Cancel);
        return id;
    }

    private Task<JsonElement> Follow(string id, int exitCode) => _crawler.FollowToEnd(id, exitCode, Cancel);

    /// <summary>Asks again until it is so: each question is a process of its own, so there is a pause between two of them by nature.</summary>
    private static async Task Until(Func<Task<bool>> holds, string what)
    {
        const int Questions = 60;
        for (var question = 0; !await holds(); question++)
        {
            Assert.True(question < Questions, $"The test asked {Questions} times and still waits for {what}.");
        }
    }

    private static IEnumerable<string> Urls(IEnumerable<JsonElement> records) =>
        records.Select(record => record.GetProperty("url").GetString()!).Order(StringComparer.Ordinal);

    private static string Line(JsonElement explained, string label) =>
        explained.GetProperty("lines").EnumerateArray().First(line => line.GetProperty("label").GetString() == label).GetProperty("text").GetString()!;

    private static async Task<IReadOnlyList<TableRow>> Rows(SqliteTableStore store, string partition) =>
        await store.Scan(CrawlTable.Name, partition, KeyRange.All, StoreLimits.MaxScan, Cancel);
}
