using System.Collections.Immutable;
using Doubles;
using Grains.Interfaces.Books;
using Grains.Interfaces.Crawling;
using Microsoft.Extensions.DependencyInjection;
using Silo.Books;
using Silo.Cluster;
using Silo.Crawling;
using Unit.Client;
using Xunit;

namespace Unit.Silo;

public sealed class RestTests : IAsyncLifetime
{
    private const string ProblemJson = "application/problem+json";
    private const string Id = "abcdefghi0";

    private readonly ClusterInMemory _cluster = new();
    private readonly TestClock _clock = new();
    private DoorsInMemory _doors = null!;

    public async ValueTask InitializeAsync() => _doors = await Open();

    public ValueTask DisposeAsync() => _doors.DisposeAsync();

    [Fact]
    public async Task ACrawlIsStartedByWhatIsAskedAndTheRestHasItsDefaults()
    {
        var answer = await _doors.Post(
            "/api/crawls",
            """
            {"seeds":["https://a.example/"],"name":"shop","scope":"domain","maxPages":5000000000,"maxDepth":0,"delay":"250ms","concurrency":2,
             "include":["*/shop/*"],"exclude":["/[.]pdf$/"],"allowPrivate":["127.0.0.0/8"],"timeout":"2m","maxBodyBytes":1000}
            """
        );

        Assert.Equal(
            (201, """{"id":"new0000000","name":"shop"}""", "/api/crawls/new0000000"),
            (answer.Status, answer.Body, answer.Header("Location"))
        );
        var spec = Assert.Single(_cluster.Kept.Started);
        Assert.Equal(["https://a.example/"], spec.Seeds);
        Assert.Equal(
            ("shop", CrawlScope.Domain, 5_000_000_000, 0, TimeSpan.FromMilliseconds(250), 2, 64, TimeSpan.FromMinutes(2), 1000),
            (
                spec.Name,
                spec.Scope,
                spec.MaxPages,
                spec.MaxDepth,
                spec.Delay,
                spec.Concurrency,
                spec.Parallel,
                spec.Timeout,
                spec.MaxBodyBytes
            )
        );
        Assert.Equal(["*/shop/*", "/[.]pdf$/", "127.0.0.0/8"], [.. spec.Include, .. spec.Exclude, .. spec.AllowPrivate]);
    }

    [Fact]
    public async Task SeedsAreEnough()
    {
        Assert.Equal(201, (await _doors.Post("/api/crawls", """{"seeds":["https://a.example/"]}""")).Status);
        var spec = Assert.Single(_cluster.Kept.Started);
        Assert.Equivalent(new CrawlSpec { Seeds = ["https://a.example/"] }, spec);
    }

    [Theory]
    [InlineData(
        """{"seeds":["x"],"dely":"1s"}""",
        "#/dely",
        "There is no member \"dely\"; there are seeds, name, scope, maxPages, maxDepth, delay, concurrency, parallel, include, "
            + "exclude, allowPrivate, timeout, maxBodyBytes, keep, maxKeptBytes, sitemaps, headers, userAgent, contact, credentials, noCookies, accept, walk, maxPathDepth, maxRepeats, dropParams, sortParams, moreSeeds, fields, text, hostPages, hostBytes, hostTime, hostErrors, followTraps, perIp, proxy, ignoreRobots, every, revisit."
    )]
    [InlineData("""{"seeds":["x"],"delay":"soon"}""", "#/delay", "\"delay\" is a duration such as 500ms, 1s, 2m or 0; this is \"soon\".")]
    [InlineData("""{"seeds":["x"],"delay":1}""", "#/delay", "\"delay\" is a text.")]
    [InlineData("""{"seeds":["x"],"scope":"world"}""", "#/scope", "\"scope\" is one of host, domain, prefix, any.")]
    [InlineData("""{"seeds":["x"],"scope":1}""", "#/scope", "\"scope\" is one of host, domain, prefix, any.")]
    [InlineData("""{"seeds":["x"],"maxPages":"5"}""", "#/maxPages", "\"maxPages\" is a whole number.")]
    [InlineData("""{"seeds":["x"],"concurrency":3000000000}""", "#/concurrency", "\"concurrency\" is a whole number of 32 bits.")]
    [InlineData("""{"seeds":"x"}""", "#/seeds", "\"seeds\" is a list of texts.")]
    [InlineData("""{"seeds":["x",null]}""", "#/seeds/1", "\"seeds\" is a list of texts.")]
    [InlineData("""{"name":"x"}""", "#", "\"seeds\" is missing.")]
    public async Task ABrokenCrawlIsToldWhatIsWrongAndWhere(string body, string at, string detail)
    {
        var answer = await _doors.Post("/api/crawls", body);

        Assert.Equal((400, ProblemJson, detail), answer.Problem);
        Assert.Equal([(at, detail)], answer.Faults);
        Assert.Empty(_cluster.Kept.Started);
    }

    [Fact]
    public async Task WhatTheCrawlListRefusesIsSaidInItsWords()
    {
        _cluster.Kept.Errors = ["\"x\" is no URL.", "The delay: 0 to 1 h."];

        var answer = await _doors.Post("/api/crawls", """{"seeds":["x"]}""");

        Assert.Equal((400, ProblemJson, "2 things are wrong."), answer.Problem);
        Assert.Equal([null, null], answer.Faults.Select(fault => fault.Item1));
        Assert.Equal(["\"x\" is no URL.", "The delay: 0 to 1 h."], answer.Faults.Select(fault => fault.Item2));
    }

    [Fact]
    public async Task CrawlsAreShownAsTheConsoleShowsThem()
    {
        var console = new ConsoleInMemory();
        _cluster.Kept.Crawls.Add(console.Keep(ConsoleInMemory.Crawl()));

        Assert.Equal((await console.Run("crawl", "show", Id, "--json")).Output.TrimEnd(), (await _doors.Get($"/api/crawls/{Id}")).Body);
        Assert.Equal((await console.Run("crawl", "show", "shop", "--json")).Output.TrimEnd(), (await _doors.Get("/api/crawls/shop")).Body);
        var list = (await _doors.Get("/api/crawls")).Json.GetProperty("crawls");
        Assert.Equal(
            [(Id, "running", 7)],
            list.EnumerateArray()
                .Select(crawl =>
                    (crawl.GetProperty("id").GetString()!, crawl.GetProperty("state").GetString()!, crawl.GetProperty("pages").GetInt32())
                )
        );
    }

    [Theory]
    [InlineData("GET", "/api/crawls/none")]
    [InlineData("DELETE", "/api/crawls/none")]
    [InlineData("POST", "/api/crawls/none/pause")]
    [InlineData("GET", "/api/crawls/none/export")]
    [InlineData("GET", "/api/crawls/none/events")]
    [InlineData("GET", "/api/crawls/none/explain?url=x")]
    public async Task AnUnknownCrawlIsNotFound(string method, string path) =>
        Assert.Equal(
            (404, ProblemJson, "There is no crawl \"none\"; GET /api/crawls lists those that are kept."),
            (await _doors.Send(new(method), path)).Problem
        );

    [Theory]
    [InlineData("POST", "/pause", 200, "paused")]
    [InlineData("POST", "/resume", 200, "running")]
    [InlineData("POST", "/cancel", 200, "cancelled")]
    [InlineData("POST", "/end-seeds", 200, "running")]
    [InlineData("DELETE", "", 202, "deleting")]
    public async Task ACrawlIsControlled(string method, string verb, int status, string state)
    {
        Keep(ConsoleInMemory.Crawl());
        await _doors.Get($"/api/crawls/{Id}");

        var answer = await _doors.Send(new(method), $"/api/crawls/{Id}{verb}");

        Assert.Equal((status, state), (answer.Status, answer.Json.GetProperty("state").GetString()));
    }

    [Fact]
    public async Task WhatACrawlRefusesIsAConflict()
    {
        Keep(ConsoleInMemory.Crawl()).ControlError = "The crawl is done; only a running one can be paused.";
        Assert.Equal(
            (409, ProblemJson, "The crawl is done; only a running one can be paused."),
            (await _doors.Send(HttpMethod.Post, $"/api/crawls/{Id}/pause")).Problem
        );
    }

    [Fact]
    public async Task HostsAreReadPageByPage()
    {
        Keep(ConsoleInMemory.Crawl()).AskedHosts.AddRange([ConsoleInMemory.Host("a.example"), ConsoleInMemory.Host("b.example")]);

        var first = (await _doors.Get($"/api/crawls/{Id}/hosts?take=1")).Json;
        var rest = (await _doors.Get($"/api/crawls/{Id}/hosts?after=a.example")).Json;

        Assert.Equal("a.example", first.GetProperty("next").GetString());
        Assert.Equal(("b.example", "3s"), Host(rest));
        Assert.Null(rest.GetProperty("next").GetString());
        Assert.Equal([("take", "\"take\" is 1 to 100; this is 101.")], (await _doors.Get($"/api/crawls/{Id}/hosts?take=101")).Faults);

        static (string?, string?) Host(System.Text.Json.JsonElement page) =>
            (page.GetProperty("hosts")[0].GetProperty("host").GetString(), page.GetProperty("hosts")[0].GetProperty("delay").GetString());
    }

    [Fact]
    public async Task ARevisitNeedsNoSeedsButACrawlThatIsKept()
    {
        Keep(
            ConsoleInMemory.Crawl() with
            {
                Spec = new()
                {
                    Seeds = ["http://a.example/"],
                    MaxDepth = 3,
                    Sitemaps = SitemapUse.No,
                },
            }
        );

        Assert.Equal(201, (await _doors.Post("/api/crawls", """{"revisit":"shop","maxDepth":4}""")).Status);
        Assert.Equivalent(
            new CrawlSpec
            {
                Seeds = ["http://a.example/"],
                MaxDepth = 4,
                Sitemaps = SitemapUse.No,
                Revisit = CrawlId.Parse(Id),
            },
            Assert.Single(_cluster.Kept.Started)
        );
        Assert.Equal(
            [("#/revisit", "There is no crawl \"none\" to revisit.")],
            (await _doors.Post("/api/crawls", """{"revisit":"none"}""")).Faults
        );
    }

    [Fact]
    public async Task WhatHasFailedIsTriedAgainPartByPart()
    {
        var crawl = Keep(ConsoleInMemory.Crawl());
        crawl.Retries.AddRange([
            ImmutableSortedDictionary<string, long>.Empty.Add("timeout", 2),
            ImmutableSortedDictionary<string, long>.Empty.Add("timeout", 1),
        ]);

        Assert.Equal(
            """{"retried":3,"reasons":{"timeout":3}}""",
            (await _doors.Send(HttpMethod.Post, $"/api/crawls/{Id}/retry?reason=timeout")).Body
        );
        crawl.ControlError = "Crawl abcdefghi0 is cancelled, for good: start another one.";
        Assert.Equal(
            (409, ProblemJson, "Crawl abcdefghi0 is cancelled, for good: start another one."),
            (await _doors.Send(HttpMethod.Post, $"/api/crawls/{Id}/retry")).Problem
        );
    }

    [Fact]
    public async Task AUrlIsExplained()
    {
        Keep(ConsoleInMemory.Crawl()).Explanation = new("http://a.example/x", "fetched", [new("depth", "2")]);

        Assert.Equal(
            $$"""{"id":"{{Id}}","url":"http://a.example/x","state":"fetched","lines":[{"label":"depth","text":"2"}]}""",
            (await _doors.Get($"/api/crawls/{Id}/explain?url=http://a.example/x")).Body
        );
        Assert.Equal(
            [("url", "\"url\" is missing: the URL to be explained, as it was typed or linked.")],
            (await _doors.Get($"/api/crawls/{Id}/explain")).Faults
        );
    }

    [Theory]
    [InlineData("", "application/x-ndjson", "jsonl")]
    [InlineData("?format=csv", "text/csv", "csv")]
    public async Task AnExportIsWhatTheConsoleWrites(string query, string type, string format)
    {
        var console = new ConsoleInMemory();
        var crawl = console.Keep(ConsoleInMemory.Crawl());
        crawl.ExportPages.AddRange([
            [Page("http://a.example/é,1"), Page("http://a.example/2")],
            [],
            [Page("http://a.example/3")],
        ]);
        _cluster.Kept.Crawls.Add(crawl);

        var answer = await _doors.Get($"/api/crawls/{Id}/export{query}");

        Assert.Equal(
            (200, type, $"attachment; filename=\"{Id}.{format}\""),
            (answer.Status, answer.Type, answer.Header("Content-Disposition"))
        );
        Assert.Equal((await console.Run("crawl", "export", Id, "--format", format)).Output, answer.Body);
    }

    [Fact]
    public async Task AnExportAsksForTheNextPageWhenTheCallerHasTakenThisOne()
    {
        var crawl = Keep(ConsoleInMemory.Crawl());
        var page = Enumerable.Range(0, 500).Select(i => Page($"http://a.example/{new string('x', 2000)}{i}")).ToArray();
        crawl.ExportPages.AddRange(Enumerable.Repeat(page, 100));

        using var answer = await _doors.Http.GetAsync(
            new Uri($"/api/crawls/{Id}/export", UriKind.Relative),
            HttpCompletionOption.ResponseHeadersRead,
            TestContext.Current.CancellationToken
        );
        await using var body = await answer.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, await body.ReadAsync(new byte[1], TestContext.Current.CancellationToken));

        // 100 MB wait; what lies between the two is the system's and Kestrel's buffers, some megabytes.
        Assert.InRange(crawl.Controls.Count, 1, 20);
    }

    [Fact]
    public async Task AnExportOfAnOddKindIsRefused() =>
        Assert.Equal(
            [
                ("format", "\"format\" is jsonl, csv, parquet or warc; this is \"xml\"."),
                ("kind", "\"kind\" is fetched or all; this is \"some\"."),
            ],
            (await ExportOf("?format=xml&kind=some")).Faults
        );

    [Fact]
    public async Task EventsTellEachChangeOnceAndEndWithTheCrawl()
    {
        var running = ConsoleInMemory.Crawl();
        Keep(
            running,
            running with
            {
                Elapsed = TimeSpan.FromSeconds(13),
            },
            running with
            {
                Pages = 9,
                Queued = 8,
            },
            ConsoleInMemory.Crawl(state: CrawlState.Done)
        );

        var answer = await Events(looksAgain: 3);

        Assert.Equal((200, "text/event-stream"), (answer.Status, answer.Type));
        var events = answer.Body.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("retry: 2000", events[0]);
        Assert.Equal(
            [
                ("id: running-20-7-1-2-1", "event: progress"),
                ("id: running-20-9-1-2-1", "event: progress"),
                ("id: done-20-7-1-2-1", "event: end"),
            ],
            events[1..].Select(text => (text.Split('\n')[0], text.Split('\n')[1]))
        );
        Assert.Contains("\"pages\":9,", events[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhoComesBackAfterTheEndIsToldNotToComeAgain()
    {
        Keep(ConsoleInMemory.Crawl(state: CrawlState.Done));

        Assert.Equal(200, (await _doors.Get($"/api/crawls/{Id}/events", headers: ("Last-Event-ID", "running-20-7-1-2-1"))).Status);
        Assert.Equal(204, (await _doors.Get($"/api/crawls/{Id}/events", headers: ("Last-Event-ID", "done-20-7-1-2-1"))).Status);
    }

    [Fact]
    public async Task ADeletedCrawlsEventsEnd()
    {
        Keep(ConsoleInMemory.Crawl(), ConsoleInMemory.Crawl(state: CrawlState.Deleting));
        Assert.EndsWith("event: gone\ndata: {}\n\n", (await Events(looksAgain: 1)).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhenAllPlacesForLongAnswersAreTakenTheNextIsToComeAgain()
    {
        await using var doors = await Open(("Limits:Streams", "1"));
        Keep(ConsoleInMemory.Crawl());
        using (
            await doors.Http.GetAsync(
                new Uri($"/api/crawls/{Id}/events", UriKind.Relative),
                HttpCompletionOption.ResponseHeadersRead,
                TestContext.Current.CancellationToken
            )
        )
        {
            var refused = await doors.Get($"/api/crawls/{Id}/events");
            Assert.Equal(
                (503, ProblemJson, "All 1 places for long answers are taken (Limits:Streams). Come again when Retry-After is over."),
                refused.Problem
            );
            Assert.Equal("5", refused.Header("Retry-After"));
            Assert.Equal(503, (await doors.Get($"/api/crawls/{Id}/export")).Status);
        }
    }

    [Fact]
    public async Task TheBooksAndTheClusterAreShown()
    {
        _cluster.Accounts.Add(
            new("crawling", "urls", 3, 2, ImmutableSortedDictionary<string, long>.Empty.Add("robots", 1), 0, 10, "Refused.")
        );
        _cluster.Shown = new(
            "dev",
            "1.2.3",
            [new("127.0.0.1:1", "127.0.0.1:2", "silo-0", "Active", DateTimeOffset.UnixEpoch)],
            [new("HostGrain", 4)],
            [new("crawling", 5)],
            "Local"
        );

        Assert.Equal(
            """{"accounts":[{"system":"crawling","account":"urls","in":3,"done":2,"refused":{"robots":1},"waiting":0,"bound":10,"whenFull":"Refused.","balances":true,"doubt":null}]}""",
            (await _doors.Get("/api/ledger")).Body
        );
        Assert.Equal(
            """{"clusterId":"dev","version":"1.2.3","silos":[{"address":"127.0.0.1:1","gateway":"127.0.0.1:2","name":"silo-0","status":"Active","startedAt":"1970-01-01T00:00:00+00:00"}],"activations":[{"grainType":"HostGrain","count":4}],"storage":[{"system":"crawling","bytes":5}],"storageKind":"Local","health":[]}""",
            (await _doors.Get("/api/cluster")).Body
        );
    }

    [Fact]
    public async Task TheBooksSayHowFastWorkComesInSinceTheyWereReadBefore()
    {
        Account urls = new("crawling", "urls", 3, 2, ImmutableSortedDictionary<string, long>.Empty, 1, 10, "Refused.");
        _cluster.Accounts.Add(urls);
        Assert.DoesNotContain("PerSecond", (await _doors.Get("/api/ledger")).Body, StringComparison.Ordinal);

        _clock.Advance(TimeSpan.FromSeconds(4));
        _cluster.Accounts[0] = urls with { In = 23, Done = 4, Waiting = 19 };
        var books = (await _doors.Get("/api/ledger")).Json;

        Assert.Equal(4, books.GetProperty("ratesOverSeconds").GetDouble());
        var account = Assert.Single(books.GetProperty("accounts").EnumerateArray());
        Assert.Equal((5, 0.5), (account.GetProperty("inPerSecond").GetDouble(), account.GetProperty("donePerSecond").GetDouble()));
    }

    [Fact]
    public async Task HeadIsAnsweredAsGetIsWithoutTheBody()
    {
        Keep(ConsoleInMemory.Crawl());
        foreach (
            var (path, status, type) in new[]
            {
                ("/api/crawls", 200, "application/json"),
                ($"/api/crawls/{Id}", 200, "application/json"),
                ("/api/ledger", 200, "application/json"),
                ("/api/crawls/none", 404, ProblemJson),
                ("/api/crawls?page=2", 400, ProblemJson),
                ("/api/nothing", 404, ProblemJson),
            }
        )
        {
            var answer = await _doors.Send(HttpMethod.Head, path);
            Assert.Equal((status, type, ""), (answer.Status, answer.Type, answer.Body));
        }

        Assert.Equal(405, (await _doors.Send(HttpMethod.Head, $"/api/crawls/{Id}/pause")).Status);
    }

    [Fact]
    public async Task TheHeadOfAnAnswerWithoutAnEndEndsAndItsPlaceIsFreeAgain()
    {
        await using var doors = await Open(("Limits:Streams", "1"));
        Keep(ConsoleInMemory.Crawl());
        for (var again = 0; again < 3; again++)
        {
            var answer = await doors.Send(HttpMethod.Head, $"/api/crawls/{Id}/events");
            Assert.Equal((200, "text/event-stream", ""), (answer.Status, answer.Type, answer.Body));
        }
    }

    [Fact]
    public async Task KeysAreMadeShownOnceListedAndRevoked()
    {
        var made = await _doors.Post("/api/keys", """{"name":"reports","role":"reader"}""");
        Assert.Equal((201, """{"name":"reports","role":"reader","key":"secret-of-reports"}"""), (made.Status, made.Body));
        Assert.Equal("no-store", made.Header("Cache-Control"));
        Assert.Equal(
            """{"keys":[{"name":"reports","role":"reader","addedAt":"2026-03-01T12:00:00+00:00"}]}""",
            (await _doors.Get("/api/keys")).Body
        );
        Assert.Equal(409, (await _doors.Post("/api/keys", """{"name":"reports","role":"reader"}""")).Status);
        Assert.Equal(
            [("#/role", "\"role\" is one of reader, writer, operator.")],
            (await _doors.Post("/api/keys", """{"name":"reports","role":"boss"}""")).Faults
        );
        Assert.Equal(
            (200, """{"name":"reports","revoked":true,"left":0}"""),
            await _doors.Send(HttpMethod.Delete, "/api/keys/reports") is var revoked ? (revoked.Status, revoked.Body) : default
        );
        Assert.Equal(
            (404, ProblemJson, "There is no key \"reports\"; GET /api/keys lists those that are known."),
            (await _doors.Send(HttpMethod.Delete, "/api/keys/reports")).Problem
        );
        Assert.True(_cluster.KnownKeys.IsClosed);
    }

    /// <summary>All events, when so many times it was looked again whether there is something new.</summary>
    private async Task<DoorsInMemory.Answer> Events(int looksAgain)
    {
        var answer = _doors.Get($"/api/crawls/{Id}/events");
        for (; looksAgain > 0; looksAgain--)
        {
            await _clock.Armed(CrawlEvents.Look, TestContext.Current.CancellationToken);
            _clock.Advance(CrawlEvents.Look);
        }

        return await answer;
    }

    private Task<DoorsInMemory.Answer> ExportOf(string query)
    {
        Keep(ConsoleInMemory.Crawl());
        return _doors.Get($"/api/crawls/{Id}/export{query}");
    }

    private Task<DoorsInMemory> Open(params (string Key, string Value)[] settings) =>
        DoorsInMemory.Open(
            app =>
            {
                app.MapCrawls();
                app.MapLedger();
                app.MapCluster();
                app.MapKeys();
            },
            add: services => services.AddSingleton<Orleans.IGrainFactory>(new GrainsInMemory(_cluster)).AddSingleton<LedgerRates>(),
            clock: _clock,
            settings: settings
        );

    private CrawlInMemory Keep(params CrawlSummary[] looks)
    {
        var crawl = new CrawlInMemory(looks[0].Id, looks);
        _cluster.Kept.Crawls.Add(crawl);
        return crawl;
    }

    private static PageRecord Page(string url) =>
        new(
            url,
            200,
            1,
            "http://a.example/",
            "text/html",
            "A \"title\", with\nlines",
            1234,
            "sha256:00",
            3,
            DateTimeOffset.UnixEpoch,
            12,
            1,
            null,
            false,
            null
        );
}
