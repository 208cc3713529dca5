using System.Collections.Immutable;
using System.Text.Json;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Unit.Client;

public sealed class CrawlVerbsTests
{
    private readonly ConsoleInMemory _console = new();

    [Fact]
    public async Task StartPassesOnWhatWasTyped()
    {
        var printed = await _console.Run(
            "crawl",
            "start",
            "http://a.example/",
            "http://b.example/x",
            "--scope",
            "domain",
            "--max-pages",
            "10",
            "--max-depth",
            "3",
            "--delay",
            "250ms",
            "--concurrency",
            "4",
            "--parallel",
            "9",
            "--include",
            "*a*",
            "--include",
            "/b+/",
            "--exclude",
            "*.pdf",
            "--allow-private",
            "127.0.0.0/8",
            "--timeout",
            "3s",
            "--max-body",
            "512KB",
            "--keep",
            "all",
            "--max-kept",
            "3MB",
            "--sitemaps",
            "only",
            "--header",
            "X-Key: 1",
            "--credential",
            "a.example=u:p",
            "--user-agent",
            "Tester/1",
            "--contact",
            "me@a.example",
            "--no-cookies",
            "--walk",
            "*list*",
            "--max-path-depth",
            "9",
            "--max-repeats",
            "0",
            "--drop-param",
            "utm_*",
            "--sort-params",
            "--accept",
            "text/html,image/*",
            "--field",
            "price=.price",
            "--field",
            "links[]=a@href",
            "--text",
            "--host-pages",
            "5",
            "--host-bytes",
            "6KB",
            "--host-time",
            "7m",
            "--host-errors",
            "8",
            "--every",
            "6h",
            "--proxy",
            "office",
            "--ignore-robots",
            "--per-ip",
            "--name",
            "shop"
        );

        Assert.Equal((ExitCode.Done, "Crawl new0000000 is started.\n", ""), (printed.Code, printed.Output, printed.Error));
        var spec = Assert.Single(_console.Cluster.Kept.Started);
        Assert.Equal(["http://a.example/", "http://b.example/x"], spec.Seeds);
        Assert.Equal(("shop", CrawlScope.Domain, 10L, 3), (spec.Name, spec.Scope, spec.MaxPages, spec.MaxDepth));
        Assert.Equal((TimeSpan.FromMilliseconds(250), 4, 9), (spec.Delay, spec.Concurrency, spec.Parallel));
        Assert.Equal(["*a*", "/b+/"], spec.Include);
        Assert.Equal(["*.pdf"], spec.Exclude);
        Assert.Equal(["127.0.0.0/8"], spec.AllowPrivate);
        Assert.Equal((TimeSpan.FromSeconds(3), 512 * 1024), (spec.Timeout, spec.MaxBodyBytes));
        Assert.Equal((KeepPages.All, 3L * 1024 * 1024), (spec.Keep, spec.MaxKeptBytes));
        Assert.Equal(SitemapUse.Only, spec.Sitemaps);
        Assert.Equal(["X-Key: 1"], spec.Headers);
        Assert.Equal(["a.example=u:p"], spec.Credentials);
        Assert.Equal(("Tester/1", "me@a.example", true), (spec.UserAgent, spec.Contact, spec.NoCookies));
        Assert.Equal(("office", true, true), (spec.Proxy, spec.IgnoreRobots, spec.PerIp));
        Assert.Equal(["text/html", "image/*"], spec.Accept);
        Assert.Equal(["*list*"], spec.Walk);
        Assert.Equal((9, 0, true), (spec.MaxPathDepth, spec.MaxRepeats, spec.SortParams));
        Assert.Equal(["utm_*"], spec.DropParams);
        Assert.Equal(["price=.price", "links[]=a@href"], spec.Fields);
        Assert.True(spec.Text);
        Assert.Equal(TimeSpan.FromHours(6), spec.Every);
        Assert.Equal((5L, 6L * 1024), (spec.HostPages, spec.HostBytes));
        Assert.Equal((TimeSpan.FromMinutes(7), 8L), (spec.HostTime, spec.HostErrors));
    }

    [Theory]
    [InlineData("--keep", "some", "--keep is none, html or all; this is \"some\"")]
    [InlineData("--sitemaps", "1", "--sitemaps is also, only or no; this is \"1\"")]
    [InlineData("--field", "x=p[", "The field \"x=p[\" is refused: \"[\" at character 4 is no CSS selector")]
    [InlineData("--host-time", "soon", "--host-time is a duration such as 500ms, 1s, 2m or 0; this is \"soon\"")]
    [InlineData("--max-kept", "much", "--max-kept is a size such as 512KB or 10MB; this is \"much\"")]
    public async Task StartRefusesAValueThatItDoesNotKnow(string option, string value, string sentence)
    {
        var printed = await _console.Run("crawl", "start", "http://a.example/", option, value);

        Assert.Equal((ExitCode.WrongUsage, $"{sentence}. Try: crawl start --help\n"), (printed.Code, printed.Error));
    }

    [Fact]
    public async Task APageIsPrintedWithItsHeadersAndItsAbsenceIsSaid()
    {
        var kept = _console.Keep(ConsoleInMemory.Crawl());
        kept.KeptPages["http://a.example/"] = new(null, "HTTP/1.1 200 OK", "<p>Grüße"u8.ToArray(), 10, null, IsText: true);

        var page = await _console.Run("crawl", "page", "shop", "http://a.example/", "--headers");
        var none = await _console.Run("crawl", "page", "shop", "http://a.example/none");

        Assert.Equal((ExitCode.Done, "HTTP/1.1 200 OK\r\n\r\n<p>Grüße"), (page.Code, page.Output));
        Assert.Equal((ExitCode.Failed, "Crawl abcdefghi0 has not fetched http://a.example/none.\n"), (none.Code, none.Error));
    }

    [Fact]
    public async Task AWarcFileIsWrittenPartByPart()
    {
        var kept = _console.Keep(ConsoleInMemory.Crawl());
        kept.ArchiveParts.AddRange([
            [1, 2],
            [3],
        ]);
        var file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".warc.gz");
        try
        {
            var printed = await _console.Run("crawl", "export", "shop", "--out", file);

            Assert.Equal((ExitCode.Done, $"2 pages written to {file}.\n"), (printed.Code, printed.Output));
            Assert.Equal([1, 2, 3], await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task AWarcFileIsNotPrinted()
    {
        _console.Keep(ConsoleInMemory.Crawl());

        var printed = await _console.Run("crawl", "export", "shop", "--format", "warc");

        Assert.Equal((ExitCode.WrongUsage, "A WARC file is no text: say where it goes with --out FILE.\n"), (printed.Code, printed.Error));
    }

    [Fact]
    public async Task UrlsOfAFileAreAddedAThousandAtATime()
    {
        var kept = _console.Keep(ConsoleInMemory.Crawl());
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllLinesAsync(
                file,
                Enumerable.Range(0, 1_500).Select(page => $" http://a.example/{page}").Append("").Append("# a note").Append("nonsense"),
                TestContext.Current.CancellationToken
            );

            var printed = await _console.Run("crawl", "add", "shop", "http://a.example/typed", "--from", file);

            Assert.Equal(
                (ExitCode.Failed, "1,501 URLs added, 0 known before, 1 refused.\n", "One is no URL.\n"),
                (printed.Code, printed.Output, printed.Error)
            );
            Assert.Equal([1000, 502], kept.Added.Select(call => call.Length));
            Assert.Equal(["http://a.example/typed", "http://a.example/0"], kept.Added[0][..2]);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task ThreeThousandSeedsOfAFileGoInOneCallAfterTheOther()
    {
        var file = await SeedFile(Enumerable.Range(0, 3_000).Select(page => $"http://a.example/{page}").Append("nonsense"));
        try
        {
            var printed = await _console.Run("crawl", "start", "--from", file);

            Assert.Equal(
                (ExitCode.Failed, "Crawl new0000000 is started.\n3,000 seeds taken, 0 known before, 1 refused.\n", "One is no URL.\n"),
                (printed.Code, printed.Output, printed.Error)
            );
            var crawl = Assert.Single(_console.Cluster.Kept.Crawls);
            Assert.Equal((1_000, true), (_console.Cluster.Kept.Started[0].Seeds.Length, _console.Cluster.Kept.Started[0].MoreSeeds));
            Assert.Equal([1_000, 1_000, 1], crawl.Added.Select(call => call.Length));
            Assert.Equal(["end seeds"], crawl.Controls);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task SeedsGoOnWhereASiloWentAwayAndWhoeverInterruptsThemIsToldHowToGoOn()
    {
        var file = await SeedFile(Enumerable.Range(0, 2_500).Select(page => $"http://a.example/{page}"));
        try
        {
            _console.Pace = _console.Pace with { Repeat = TimeSpan.FromMinutes(1) };
            _console.Cluster.Kept.OnStarted = crawl =>
            {
                var calls = 0;
                crawl.OnAdd = _ => _ = calls++ == 0 ? throw new TimeoutException() : 0;
            };
            var lost = await _console.Run("crawl", "start", "--from", file);
            _console.Cluster.Kept.OnStarted = crawl => crawl.OnAdd = call => _ = call == 1 ? throw new InvalidOperationException("No.") : 0;
            var broken = await _console.Run("crawl", "start", "--from", file);
            var last = await _console.Run("crawl", "add", "new0000001", "--from", file, "--last");

            Assert.Equal(
                (ExitCode.Done, "Crawl new0000000 is started.\n2,500 seeds taken, 0 known before, 0 refused.\n"),
                (lost.Code, lost.Output)
            );
            Assert.Equal(
                (ExitCode.Failed, "2,000 seeds are taken, and stay. Go on with: crawl add new0000001 --from FILE --last\nIt failed: No.\n"),
                (broken.Code, broken.Error)
            );
            Assert.Equal((ExitCode.Failed, "It failed: No.\n"), (last.Code, last.Error));
            _console.Cluster.Kept.Crawls[1].OnAdd = _ => { };
            Assert.Equal(ExitCode.Done, (await _console.Run("crawl", "add", "new0000001", "--from", file, "--last")).Code);
            Assert.Equal(["end seeds"], _console.Cluster.Kept.Crawls[1].Controls);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task ARevisitIsAskedAsTheCrawlBeforeWasUnlessSomethingIsTyped()
    {
        var past = new CrawlSpec
        {
            Seeds = ["http://a.example/"],
            Name = "shop",
            Scope = CrawlScope.Domain,
            MaxPages = 10,
            Headers = ["X-Key: 1"],
            NoCookies = true,
            Proxy = "office",
            IgnoreRobots = true,
            PerIp = true,
            MoreSeeds = true,
        };
        _console.Keep(ConsoleInMemory.Crawl() with { Spec = past });

        await _console.Run("crawl", "start", "--revisit", "shop", "--name", "again", "--max-pages", "20");

        Assert.Equivalent(
            past with
            {
                Name = "again",
                MaxPages = 20,
                Revisit = CrawlId.Parse("abcdefghi0"),
            },
            Assert.Single(_console.Cluster.Kept.Started)
        );
        Assert.Equal(["end seeds"], _console.Cluster.Kept.Crawls[1].Controls);
    }

    [Fact]
    public async Task HostsAreListedPageByPageWithWhatSlowsThem()
    {
        var kept = _console.Keep(ConsoleInMemory.Crawl());
        kept.AskedHosts.AddRange(Enumerable.Range(0, 250).Select(host => ConsoleInMemory.Host($"h{host:000}.example")));

        var some = await _console.Run("crawl", "hosts", "shop", "--limit", "1");
        var json = await _console.Run("crawl", "hosts", "shop", "--limit", "240", "--after", "h009.example", "--json");
        var wrong = await _console.Run("crawl", "hosts", "shop", "--limit", "0");

        Assert.Equal(
            [
                "host          state    done  queued  failed  delay  next       why",
                "h000.example  slowed  1,234       5       2  3s     12:00:00Z  2 failure(s) in a row.",
            ],
            some.Lines.Select(line => line.Replace("     3s  ", "  3s     ", StringComparison.Ordinal))
        );
        Assert.Equal("The list of hosts ends after 1: go on with --after h000.example, or see more with --limit.\n", some.Error);
        Assert.Equal(240, json.Entries.Length);
        Assert.Equal(
            """{"host":"h249.example","state":"slowed","why":"2 failure(s) in a row.","askedDelay":"1s","delay":"3s","nextAt":"2026-03-01T12:00:00+00:00","inFlight":0,"pages":1234,"queued":5,"failed":2,"bytes":4096,"reasons":{"http-503":2}}""",
            json.Entries[^1]
        );
        Assert.Equal(
            (ExitCode.WrongUsage, "--limit is a whole number, 1 or more; this is \"0\". Try: crawl hosts --help\n"),
            (wrong.Code, wrong.Error)
        );
    }

    [Fact]
    public async Task RetrySaysHowManyAndForWhatReason()
    {
        var kept = _console.Keep(ConsoleInMemory.Crawl());
        kept.Retries.AddRange([
            ImmutableSortedDictionary<string, long>.Empty.Add("timeout", 1_000),
            ImmutableSortedDictionary<string, long>.Empty.Add("http-503", 4).Add("timeout", 234),
        ]);

        var all = await _console.Run("crawl", "retry", "shop");
        var json = await _console.Run("crawl", "retry", "shop", "--reason", "timeout", "--json");
        kept.Retries.Clear();
        var none = await _console.Run("crawl", "retry", "shop", "--reason", "tls");
        kept.ControlError = "Crawl abcdefghi0 is cancelled, for good: start another one.";
        var closed = await _console.Run("crawl", "retry", "shop");

        Assert.Equal((ExitCode.Done, "1,238 URLs are tried again: timeout 1,234, http-503 4.\n"), (all.Code, all.Output));
        Assert.Equal("""{"id":"abcdefghi0","retried":1238,"reasons":{"http-503":4,"timeout":1234}}""" + "\n", json.Output);
        Assert.Equal((ExitCode.Done, "Nothing to try again: no URL failed with tls.\n"), (none.Code, none.Output));
        Assert.Equal((ExitCode.Failed, "Crawl abcdefghi0 is cancelled, for good: start another one.\n"), (closed.Code, closed.Error));
        Assert.Equal(["retry - -", "retry - 1", "retry timeout -", "retry timeout 1", "retry tls -", "retry - -"], kept.Controls);
    }

    private static async Task<string> SeedFile(IEnumerable<string> lines)
    {
        var file = Path.GetTempFileName();
        await File.WriteAllLinesAsync(file, lines, TestContext.Current.CancellationToken);
        return file;
    }

    [Fact]
    public async Task StartLeavesOutWhatWasNotTyped()
    {
        await _console.Run("crawl", "start", "http://a.example/");

        var spec = Assert.Single(_console.Cluster.Kept.Started);
        Assert.Equal(JsonSerializer.Serialize(new CrawlSpec { Seeds = ["http://a.example/"] }), JsonSerializer.Serialize(spec));
    }

    [Fact]
    public async Task StartForProgramsIsOneObjectWithTheId()
    {
        var printed = await _console.Run("crawl", "start", "http://a.example/", "--name", "shop", "--json");

        Assert.Equal("""{"id":"new0000000","name":"shop"}""" + "\n", printed.Output);
    }

    [Fact]
    public async Task WhatTheClusterRefusesIsSaidAndFails()
    {
        _console.Cluster.Kept.Errors = ["\"http://a/\" is excluded.", "The name \"a b\" has a space."];

        var printed = await _console.Run("crawl", "start", "http://a/", "--name", "a b");

        Assert.Equal(
            (ExitCode.Failed, "", "\"http://a/\" is excluded. The name \"a b\" has a space.\n"),
            (printed.Code, printed.Output, printed.Error)
        );
    }

    [Fact]
    public async Task StartWithFollowEndsWithTheSummary()
    {
        _console.Cluster.Kept.Looks = (id, spec) =>
            [
                ConsoleInMemory.Crawl(id.Value, spec.Name),
                ConsoleInMemory.Crawl(id.Value, spec.Name, CrawlState.Done) with
                {
                    Pages = 17,
                    Queued = 0,
                },
            ];

        var printed = await _console.Run("crawl", "start", "http://a.example/", "--follow", "--json");

        Assert.Equal(ExitCode.Done, printed.Code);
        Assert.Equal(
            [
                """{"id":"new0000000","name":null}""",
                """{"id":"new0000000","name":null,"state":"running","pages":7,"failed":1,"skipped":2,"queued":10,"added":20,"hosts":1,"bytes":4096,"elapsedSeconds":12.5,"startedAt":"2026-03-01T12:00:00+00:00","endedAt":null,"note":null}""",
                """{"id":"new0000000","name":null,"state":"done","pages":17,"failed":1,"skipped":2,"queued":0,"added":20,"hosts":1,"bytes":4096,"elapsedSeconds":12.5,"startedAt":"2026-03-01T12:00:00+00:00","endedAt":"2026-03-01T12:00:12.5+00:00","note":null}""",
            ],
            printed.Lines
        );
    }

    [Fact]
    public async Task ListShowsTheCrawlsInColumns()
    {
        _console.Keep(ConsoleInMemory.Crawl());
        _console.Keep(ConsoleInMemory.Crawl("zzzzzzzzz9", null, CrawlState.Done) with { Pages = 1234, Queued = 0 });

        var printed = await _console.Run("crawl", "list");

        Assert.Equal(
            [
                "id          name  state     done  queued  failed  skipped  hosts  size    took",
                "abcdefghi0  shop  running      7      10       1        2      1  4 KB  12.5 s",
                "zzzzzzzzz9        done     1,234       0       1        2      1  4 KB  12.5 s",
            ],
            printed.Lines
        );
    }

    [Fact]
    public async Task AnEmptyListIsASentenceForPeopleAndNothingForPrograms()
    {
        Assert.Equal("No crawl is kept. Start one with: crawl start https://example.org/\n", (await _console.Run("crawl", "list")).Output);
        Assert.Empty((await _console.Run("crawl", "list", "--json")).Entries);
    }

    [Fact]
    public async Task ShowFindsACrawlByItsName()
    {
        _console.Keep(ConsoleInMemory.Crawl());

        var printed = await _console.Run("crawl", "show", "shop", "--json");

        Assert.Equal(
            """{"id":"abcdefghi0","name":"shop","state":"running","pages":7,"failed":1,"skipped":2,"queued":10,"added":20,"hosts":1,"bytes":4096,"elapsedSeconds":12.5,"startedAt":"2026-03-01T12:00:00+00:00","endedAt":null,"note":null,"spec":{"seeds":["http://a.example/"],"scope":"host","maxPages":null,"maxDepth":null,"delay":"1s","concurrency":1,"parallel":64,"include":[],"exclude":[],"allowPrivate":[],"timeout":"30s","maxBodyBytes":10485760,"keep":"html","maxKeptBytes":2147483648,"sitemaps":"also","headerNames":[],"userAgent":null,"contact":null,"credentialHosts":[],"noCookies":false,"accept":[],"walk":[],"maxPathDepth":50,"maxRepeats":3,"dropParams":[],"sortParams":false}}"""
                + "\n",
            printed.Output
        );
    }

    [Fact]
    public async Task ShowTellsWhatWasAskedAndHowFarItIs()
    {
        _console.Keep(ConsoleInMemory.Crawl() with { Note = "Paused by hand." });

        var printed = await _console.Run("crawl", "show", "abcdefghi0");

        Assert.Equal(
            [
                "id        abcdefghi0",
                "name      shop",
                "state     running",
                "note      Paused by hand.",
                "done      7",
                "queued    10",
                "failed    1",
                "skipped   2",
                "hosts     1",
                "size      4 KB",
                "started   2026-03-01 12:00:00Z",
                "took      12.5 s",
                "seeds     http://a.example/",
                "scope     host",
                "delay     1s",
                "at once   1 a host, 64 in all",
                "timeout   30s",
                "max body  10 MB",
                "sitemaps  also",
                "keep      html",
                "max kept  2 GB",
            ],
            printed.Lines
        );
    }

    [Theory]
    [InlineData("show")]
    [InlineData("follow")]
    [InlineData("pause")]
    [InlineData("resume")]
    [InlineData("cancel")]
    [InlineData("delete")]
    [InlineData("export")]
    public async Task AnUnknownCrawlIsASentenceAndAFailure(string verb)
    {
        var printed = await _console.Run("crawl", verb, "nosuch");

        Assert.Equal(
            (ExitCode.Failed, "", "There is no crawl \"nosuch\"; \"crawl list\" shows those that are kept.\n"),
            (printed.Code, printed.Output, printed.Error)
        );
    }

    [Theory]
    [InlineData("pause", "Crawl shop (abcdefghi0) is paused: 7 done, 10 queued, 1 failed, 2 skipped.\n")]
    [InlineData("resume", "Crawl shop (abcdefghi0) goes on: 7 done, 10 queued, 1 failed, 2 skipped.\n")]
    [InlineData("cancel", "Crawl shop (abcdefghi0) is cancelled: 7 done, 10 queued, 1 failed, 2 skipped.\n")]
    public async Task AControlIsPassedOnAndTold(string verb, string told)
    {
        var crawl = _console.Keep(ConsoleInMemory.Crawl());

        var printed = await _console.Run("crawl", verb, "shop");

        Assert.Equal((ExitCode.Done, told), (printed.Code, printed.Output));
        Assert.Equal([verb], crawl.Controls);
    }

    [Fact]
    public async Task AControlThatIsRefusedFailsWithItsReason()
    {
        _console.Keep(ConsoleInMemory.Crawl()).ControlError = "The crawl is done; only a running one can be paused.";

        var printed = await _console.Run("crawl", "pause", "shop", "--json");

        Assert.Equal(
            (ExitCode.Failed, "", """{"error":"The crawl is done; only a running one can be paused."}""" + "\n"),
            (printed.Code, printed.Output, printed.Error)
        );
    }

    [Fact]
    public async Task DeleteAsksNobodyWhenPipedAndDeletesNothing()
    {
        var crawl = _console.Keep(ConsoleInMemory.Crawl());

        var printed = await _console.Run("crawl", "delete", "shop");

        Assert.Equal(
            (ExitCode.WrongUsage, "Nobody can be asked here: to delete crawl shop (abcdefghi0) with all it found, say --yes.\n"),
            (printed.Code, printed.Error)
        );
        Assert.Empty(crawl.Controls);
    }

    [Fact]
    public async Task DeleteWithYesDeletes()
    {
        var crawl = _console.Keep(ConsoleInMemory.Crawl());

        var printed = await _console.Run("crawl", "delete", "shop", "--yes", "--json");

        Assert.Equal((ExitCode.Done, """{"id":"abcdefghi0","name":"shop","deleted":true}""" + "\n"), (printed.Code, printed.Output));
        Assert.Equal(["delete"], crawl.Controls);
    }

    [Theory]
    [InlineData(true, ExitCode.Done)]
    [InlineData(false, ExitCode.Failed)]
    public async Task DeleteOnATerminalAsksFirst(bool answer, int code)
    {
        var crawl = _console.Keep(ConsoleInMemory.Crawl());
        _console.IsTerminal = true;
        var asked = "";
        _console.Confirm = question =>
        {
            asked = question;
            return answer;
        };

        var printed = await _console.Run("crawl", "delete", "shop");

        Assert.Equal((code, "Delete crawl shop (abcdefghi0) and its 20 URLs?"), (printed.Code, asked));
        Assert.Equal(answer ? ["delete"] : [], crawl.Controls);
    }

    [Fact]
    public async Task ExplainListsWhatDecided()
    {
        _console.Keep(ConsoleInMemory.Crawl()).Explanation = new(
            "http://a.example/x",
            "skipped",
            [new("scope", "host a.example"), new("robots", "Disallow: /x")]
        );

        Assert.Equal(
            ["url     http://a.example/x", "state   skipped", "scope   host a.example", "robots  Disallow: /x"],
            (await _console.Run("crawl", "explain", "shop", "HTTP://a.example/x")).Lines
        );
        Assert.Equal(
            """{"id":"abcdefghi0","url":"http://a.example/x","state":"skipped","lines":[{"label":"scope","text":"host a.example"},{"label":"robots","text":"Disallow: /x"}]}"""
                + "\n",
            (await _console.Run("crawl", "explain", "shop", "HTTP://a.example/x", "--json")).Output
        );
    }
}
