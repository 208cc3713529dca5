using System.Globalization;
using System.Text;
using System.Text.Json;
using Doubles.Net;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Grains.Storage;
using Silo.Storage;
using Xunit;

namespace EndToEnd.Crawling;

/// <summary>A silo for all of these tests, in which each has crawls of its own.</summary>
public sealed class ToldCrawler : IAsyncLifetime
{
    public Crawler Crawler { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Crawler = await Crawler.Run("--Crawling:RetryDelay", "00:00:00.1");

    public ValueTask DisposeAsync() => Crawler is null ? ValueTask.CompletedTask : Crawler.DisposeAsync();
}

/// <summary>The console's verbs against a silo, both as processes.</summary>
public sealed class VerbsTests(ToldCrawler told) : IClassFixture<ToldCrawler>, IAsyncLifetime
{
    private static readonly string[] Fields =
    [
        "url",
        "status",
        "depth",
        "parent",
        "contentType",
        "title",
        "bytes",
        "digest",
        "links",
        "fetchedAt",
        "elapsedMs",
        "error",
        "attempts",
        "location",
        "truncated",
        "leftOut",
        "kept",
        "change",
        "protocol",
    ];

    private readonly Crawler _crawler = told.Crawler;
    private JsonElement _before;
    private CrawledSite? _site;
    private WebSite? _server;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _before = await _crawler.Ledger();

    public async ValueTask DisposeAsync()
    {
        foreach (var part in new IAsyncDisposable?[] { _site, _server })
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
        var shown = await _crawler.AskJson("crawl", "show", id);
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
        Assert.Equal(Crawler.Number(last, "skipped"), Refused(account, "cancelled"));
        Assert.Equal(Crawler.Number(account, "in") - Crawler.Number(_before, "in"), (await _crawler.Export(id, all: true)).Length);

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
        await Wait.Until(async () => !await IsListed("gone"), "the crawl to be gone from the list");
        await using (var shown = await _crawler.Say("crawl", "show", id))
        {
            Assert.Equal(ExitCode.Failed, await shown.Exit);
        }

        await _crawler.StopSilo();
        await LeftNothing(CrawlId.Parse(id));
        await _crawler.StartSilo();
    }

    [Fact]
    public async Task ASecondStartWithTheSameNameIsRefusedAndMakesNothing()
    {
        var id = await StartLargeCrawl("--name", "docs");
        await using var second = await _crawler.Say("crawl", "start", _site!.Seed, "--name", "docs");

        Assert.Equal(ExitCode.Failed, await second.Exit);
        Assert.Contains("docs", Assert.Single(second.Errors), StringComparison.Ordinal);
        Assert.Single(await _crawler.Ask("crawl", "list", "--json"), line => line.Contains("\"docs\"", StringComparison.Ordinal));

        // The next test finds nothing that goes on.
        await _crawler.AskJson("crawl", "cancel", id);
        await Follow(id, ExitCode.Failed);
    }

    [Fact]
    public async Task ALimitOfPagesIsExact()
    {
        _site = await CrawledSite.Start(pages: 200);
        var id = await _crawler.StartCrawl(_site.Seed, "--delay", "0", "--concurrency", "8", "--max-pages", "37");
        var last = await Follow(id, ExitCode.Done);

        Assert.Equal(37, Crawler.Number(last, "pages"));
        Assert.Equal(37, _site.Asked);
        Assert.Equal(37, (await _crawler.Export(id)).Length);
        Assert.Equal(Crawler.Number(last, "skipped"), Refused(await _crawler.Ledger(), "max-pages"));
    }

    [Fact]
    public async Task APrivateAddressIsRefusedUnlessItIsAllowed()
    {
        _site = await CrawledSite.Start(pages: 1);
        var refused = (await _crawler.AskJson("crawl", "start", _site.Seed)).GetProperty("id").GetString()!;
        var last = await Follow(refused, ExitCode.Failed);

        Assert.Equal((0, 1, 0), (Crawler.Number(last, "pages"), Crawler.Number(last, "failed"), Crawler.Number(last, "skipped")));
        Assert.Empty(_site.Requests);
        Assert.Equal(1, Refused(await _crawler.Ledger(), "private-address"));
        var record = Assert.Single(await _crawler.Export(refused, all: true));
        Assert.Contains("127.0.0.1, which is loopback", record.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Equal("failed", (await _crawler.AskJson("crawl", "explain", refused, _site.Seed)).GetProperty("state").GetString());

        var allowed = await _crawler.StartCrawl(_site.Seed, "--delay", "0");
        Assert.Equal(2, Crawler.Number(await Follow(allowed, ExitCode.Done), "pages"));
    }

    [Fact]
    public async Task AnExportHasItsFieldsInBothForms()
    {
        _server = await WebSite.Start(LoopbackNetwork.Instance);
        _server
            .Add("/robots.txt", SiteAnswer.Text("User-agent: *\nDisallow: /secret\n"))
            .Add(
                "/",
                "<!DOCTYPE html><title>One, \"two\"</title><a href=/moved>a</a><a href=/secret>b</a><a href=/none>c</a><a "
                    + "href=/plain.txt>d</a><a href=/broken>e</a>"
            )
            .Add("/moved", SiteAnswer.Redirect("/target?b=2&a=1"))
            .Add("/target?b=2&a=1", "<title>Target</title>")
            .Add("/plain.txt", SiteAnswer.Text("plain"))
            .Add("/broken", SiteAnswer.Empty(503));
        var id = await _crawler.StartCrawl(_server.UrlOf("/"), "--delay", "0");
        await Follow(id, ExitCode.Done);

        var records = (await _crawler.Ask("crawl", "export", id, "--all", "--format", "jsonl"))
            .Select(line => JsonElement.Parse(line))
            .ToDictionary(record => record.GetProperty("url").GetString()!.Replace(_server.Origin, "", StringComparison.Ordinal));
        Assert.Equal(
            ["/", "/broken", "/moved", "/none", "/plain.txt", "/secret", "/target?b=2&a=1"],
            records.Keys.Order(StringComparer.Ordinal)
        );
        Assert.All(records.Values, record => Assert.Equal(Fields, record.EnumerateObject().Select(field => field.Name)));

        var home = records["/"];
        Assert.Equal(
            (200, 0, "One, \"two\"", 5, 1),
            (
                home.GetProperty("status").GetInt32(),
                home.GetProperty("depth").GetInt32(),
                home.GetProperty("title").GetString(),
                home.GetProperty("links").GetInt32(),
                home.GetProperty("attempts").GetInt32()
            )
        );
        Assert.Equal(JsonValueKind.Null, home.GetProperty("parent").ValueKind);
        Assert.Equal(JsonValueKind.Null, home.GetProperty("error").ValueKind);
        Assert.Matches("^sha256:[0-9a-f]{64}$", home.GetProperty("digest").GetString());
        Assert.Equal("text/html", home.GetProperty("contentType").GetString()!.Split(';')[0]);
        Assert.Equal(TimeSpan.Zero, DateTimeOffset.Parse(home.GetProperty("fetchedAt").GetString()!, CultureInfo.InvariantCulture).Offset);
        Assert.InRange(home.GetProperty("elapsedMs").GetInt64(), 0, (long)Wait.HangBound.TotalMilliseconds);

        Assert.Equal(
            (302, _server.UrlOf("/target?b=2&a=1")),
            (records["/moved"].GetProperty("status").GetInt32(), records["/moved"].GetProperty("location").GetString())
        );
        Assert.Equal(
            (_server.UrlOf("/moved"), 1),
            (records["/target?b=2&a=1"].GetProperty("parent").GetString(), records["/target?b=2&a=1"].GetProperty("depth").GetInt32())
        );
        Assert.Equal(404, records["/none"].GetProperty("status").GetInt32());
        Assert.Equal(
            (200, 5L),
            (records["/plain.txt"].GetProperty("status").GetInt32(), records["/plain.txt"].GetProperty("bytes").GetInt64())
        );
        Assert.Equal(
            (503, 3),
            (records["/broken"].GetProperty("status").GetInt32(), records["/broken"].GetProperty("attempts").GetInt32())
        );
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
        Assert.Equal(
            (_server.UrlOf("/secret"), "skipped"),
            (explained.GetProperty("url").GetString(), explained.GetProperty("state").GetString())
        );
        Assert.Contains("/secret", Line(explained, "robots"), StringComparison.Ordinal);
        Assert.Equal(
            "out of scope",
            (await _crawler.AskJson("crawl", "explain", id, "http://elsewhere.example/")).GetProperty("state").GetString()
        );
    }

    /// <summary>It ended as done, with an empty export and exit code 0.</summary>
    [Fact]
    public async Task ACrawlWhoseOnlySeedNobodyAnswersEndsWithOneAndSaysWhy()
    {
        await using var crawler = await Crawler.Run("--Crawling:RobotsPatience", "00:00:00");
        var seed = $"http://127.0.0.1:{Unique.Port()}/";

        await using var started = await crawler.Say(
            "crawl",
            "start",
            seed,
            "--name",
            "nobody",
            "--allow-private",
            "127.0.0.0/8",
            "--follow"
        );
        Assert.Equal(ExitCode.Failed, await started.Exit);
        Assert.Contains($"seed {seed}: unreachable. {seed}robots.txt: No connection to 127.0.0.1", started.Said, StringComparison.Ordinal);
        Assert.Contains("0 done, 0 queued, 1 failed, 0 skipped (unreachable 1)", started.Said, StringComparison.Ordinal);

        await using var shown = await crawler.Say("crawl", "show", "nobody", "--json");
        Assert.Equal(ExitCode.Failed, await shown.Exit);
        var record = Assert.Single(await crawler.Export("nobody"));
        Assert.Equal(JsonValueKind.Null, record.GetProperty("fetchedAt").ValueKind);
        Assert.Contains("No connection to 127.0.0.1", record.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Equal("failed", (await crawler.AskJson("crawl", "explain", "nobody", seed)).GetProperty("state").GetString());
    }

    [Fact]
    public async Task TheExitCodeSaysHowItWent()
    {
        await using var unknown = await _crawler.Say("crawl", "show", "aaaaaaaaaa");
        Assert.Equal(ExitCode.Failed, await unknown.Exit);
        Assert.Contains("aaaaaaaaaa", Assert.Single(unknown.Errors), StringComparison.Ordinal);

        await using var notAUrl = await _crawler.Say("crawl", "start", "ftp://127.0.0.1/");
        Assert.Equal(ExitCode.WrongUsage, await notAUrl.Exit);
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
        var id = await _crawler.StartCrawl(_site.Seed, ["--delay", "60ms", .. options]);
        await Wait.For(_site.WhenAsked(8), "the eighth request", () => _crawler.Said);
        return id;
    }

    private async Task LeftNothing(CrawlId crawl)
    {
        await using var store = SqliteTableStore.Open(Path.Combine(_crawler.Place.Data, "tables"));
        var host = new HostKey(new Uri(_site!.Seed).Authority);
        Assert.Empty(await Rows(store, CrawlTable.Crawl(crawl)));
        Assert.Empty(await Rows(store, CrawlTable.Urls(crawl, host)));
        Assert.DoesNotContain(await Rows(store, CrawlTable.Crawls), row =>
            row.Key.Contains(crawl.ToString(), StringComparison.Ordinal)
            || Encoding.UTF8.GetString(row.Payload.Span).Contains("gone", StringComparison.Ordinal)
        );
        Assert.DoesNotContain(await Rows(store, CrawlTable.Host(host)), row =>
            row.Key.StartsWith(CrawlTable.CrawlPrefix, StringComparison.Ordinal)
        );
    }

    private async Task<bool> IsListed(string name) =>
        (await _crawler.Ask("crawl", "list", "--json")).Any(line => line.Contains($"\"{name}\"", StringComparison.Ordinal));

    /// <summary>URLs that were refused for this reason in this test.</summary>
    private long Refused(JsonElement account, string reason)
    {
        return Of(account) - Of(_before);

        long Of(JsonElement one) => one.GetProperty("refused").TryGetProperty(reason, out var count) ? count.GetInt64() : 0;
    }

    private Task<JsonElement> Follow(string id, int exitCode) => _crawler.FollowToEnd(id, exitCode);

    private static IEnumerable<string> Urls(IEnumerable<JsonElement> records) =>
        records.Select(record => record.GetProperty("url").GetString()!).Order(StringComparer.Ordinal);

    private static string Line(JsonElement explained, string label) =>
        explained
            .GetProperty("lines")
            .EnumerateArray()
            .First(line => line.GetProperty("label").GetString() == label)
            .GetProperty("text")
            .GetString()!;

    private static async Task<IReadOnlyList<TableRow>> Rows(SqliteTableStore store, string partition) =>
        await store.Scan(CrawlTable.Name, partition, KeyRange.All, StoreLimits.MaxScan, Cancel);
}
