using System.Text;
using Doubles;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Cluster.Crawling;

/// <summary>A site that is crawled again: what has not changed costs a 304, and each page says how it stands to the one of before.</summary>
public sealed class RevisitTests(CrawlCluster cluster) : IClassFixture<CrawlCluster>
{
    private readonly string _root = $"http://{cluster.NewHost()}/";

    [Fact]
    public async Task EachPageIsNewChangedUnchangedOrGone()
    {
        var old = $"http://{cluster.NewHost()}/";
        cluster.Web.Add(_root, SiteAnswer.Links("/same", "/edited", "/lost", old).With("ETag", "\"1\""));
        cluster.Web.Add(_root + "same", SiteAnswer.Html("<title>Same</title>Text").With("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT"));
        cluster.Web.Add(_root + "edited", SiteAnswer.Html("<title>Before</title>").With("ETag", "\"2\"")).Add(_root + "lost", "<p>Here");
        cluster.Web.Add(old, "<title>Without a validator</title>");
        var first = await cluster.Start(Spec);
        var before = await cluster.Ended(first);

        cluster.Web.Add(_root + "edited", SiteAnswer.Html("<title>After</title><a href=/fresh>").With("ETag", "\"3\""));
        cluster.Web.Add(_root + "lost", SiteAnswer.Empty(404)).Add(_root + "fresh", "<p>Fresh");
        var again = await cluster.Start(Spec with { Revisit = before.Id });
        var after = await cluster.Ended(again);
        var pages = await cluster.Export(again);

        Assert.Equal((5L, 6L), (before.Pages, after.Pages));
        Assert.Equal(
            [
                KeyValuePair.Create("changed", 1L),
                KeyValuePair.Create("gone", 1L),
                KeyValuePair.Create("new", 1L),
                KeyValuePair.Create("unchanged", 3L),
            ],
            after.Changes!
        );
        Assert.Null(before.Changes);
        Assert.Equal(
            [(_root, 304), (_root + "edited", 200), (_root + "fresh", 200), (_root + "lost", 404), (_root + "same", 304)],
            pages.Values.Where(page => page.Url != old).Select(page => (page.Url, page.Status!.Value)).Order()
        );
        Assert.Equal((200, "unchanged"), (pages[old].Status, pages[old].Change));
        Assert.Equal(("Same", 1, _root), (pages[_root + "same"].Title, pages[_root + "same"].Depth, pages[_root + "same"].Parent));
        Assert.Equal((await cluster.Export(first))[_root + "same"].Digest, pages[_root + "same"].Digest);
        var asked = cluster.Web.Ledger.Requests.Last(request => request.Target == _root + "same").Headers;
        Assert.Equal("Thu, 01 Jan 2026 00:00:00 GMT", asked["If-Modified-Since"]);
        await cluster.Balances(again);
    }

    [Fact]
    public async Task AnUnchangedPageIsReadWhereItWasKeptAndCostsARevisitRecord()
    {
        cluster.Web.Add(_root, SiteAnswer.Html("<title>Kept</title>Text").With("ETag", "\"1\""));
        var first = await cluster.Ended(await cluster.Start(Spec));
        var again = await cluster.Start(Spec with { Revisit = first.Id });
        var second = await cluster.Ended(again);
        var third = await cluster.Start(Spec with { Revisit = second.Id });
        await cluster.Ended(third);

        var page = await third.Page(_root, PageView.Body, offset: 0);
        Assert.Equal((304, "<title>Kept</title>Text"), (page.Page!.Status, Encoding.UTF8.GetString(page.Body)));
        Assert.Equal((1L, 1L), (second.Kept!.Pages, second.Changes!["unchanged"]));
        Assert.Equal(304, (await cluster.Export(again))[_root].Status);
        var archive = Unpacked((await again.Archive(cursor: null)).Bytes);
        Assert.Contains("WARC-Type: revisit\r\n", archive, StringComparison.Ordinal);
        Assert.Contains($"WARC-Refers-To-Target-URI: {_root}\r\n", archive, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FieldsAndTextAreInTheExportAlsoOfAPageThatHasNotChanged()
    {
        cluster.Web.Add(_root, SiteAnswer.Html("<h1>One</h1><a href=/plain>two").With("ETag", "\"1\""));
        cluster.Web.Add(_root + "plain", SiteAnswer.Text("as it is"));
        var spec = Spec with { Fields = ["h=h1", "links[]=a@href"], Text = true };
        var first = await cluster.Start(spec);
        var summary = await cluster.Ended(first);
        var again = await cluster.Start(spec with { Revisit = summary.Id });
        await cluster.Ended(again);
        var other = await cluster.Start(spec with { Revisit = summary.Id, Fields = ["h=h1"] });
        await cluster.Ended(other);

        foreach (var crawl in (ICrawlGrain[])[first, again])
        {
            var pages = await cluster.Export(crawl);
            var extract = pages[_root].Extract!;
            Assert.Equal([("h", "One"), ("links", "/plain")], extract.Fields.Select(field => (field.Name, Assert.Single(field.Values))));
            Assert.Equal(("One\ntwo", "as it is"), (extract.Text, pages[_root + "plain"].Extract!.Text));
        }

        Assert.Equal((304, 200), ((await cluster.Export(again))[_root].Status, (await cluster.Export(other))[_root].Status));
        Assert.Single((await cluster.Export(other))[_root].Extract!.Fields);
    }

    [Fact]
    public async Task AnExportWithLargeTextsHasEachPageOnceAndCountsWhatIsCut()
    {
        cluster.Web.Add(_root, SiteAnswer.Links(Enumerable.Range(0, 60).Select(page => $"/{page}")));
        for (var page = 0; page < 60; page++)
        {
            cluster.Web.Add($"{_root}{page}", SiteAnswer.Html($"<p>{page} {new string('a', 40_000)}"));
        }

        var crawl = await cluster.Start(Spec with { Text = true, Concurrency = 8, Keep = KeepPages.None });
        var summary = await cluster.Ended(crawl);
        var pages = await cluster.Export(crawl);

        Assert.Equal((61L, 60L), (summary.Pages, summary.Cut));
        Assert.Equal(61, pages.Count);
        Assert.Equal(60, pages.Values.Count(page => page.Extract is { Text.Length: 32 * 1024, Cut: ["text"] }));
    }

    [Fact]
    public async Task ACrawlIsMadeAgainWhenItsTimeHasComeAlsoAfterARestartUntilItIsCancelled()
    {
        cluster.Web.Add(_root, SiteAnswer.Html("One").With("ETag", "\"1\""));
        var every = TimeSpan.FromMinutes(10);
        var begun = cluster.Clock.GetUtcNow();
        var first = await cluster.Start(Spec with { Every = every, Name = "again" });
        var done = await cluster.Ended(first);
        Assert.Equal((done.Id, 1, begun + every), (done.Rounds!.Last, done.Rounds.Number, done.Rounds.NextAt));
        await cluster.List.Wake();
        Assert.Null(await cluster.List.Find("again-2"));

        await cluster.Restart(done.Id);
        cluster.Clock.Pass(every);
        await cluster.List.Wake();
        var second = cluster.Grains.GetGrain<ICrawlGrain>((await cluster.List.Find("again-2"))!.Value.Value);
        var round = await cluster.Ended(second);
        Assert.Equal((1L, 1L, 2), (round.Pages, round.Changes!["unchanged"], round.Rounds!.Number));
        Assert.Equal(2, (await cluster.List.List()).Count(crawl => crawl.Rounds?.Last == round.Id));

        Assert.Null((await second.Cancel()).Error);
        Assert.Null((await second.Show())!.Rounds);
        cluster.Clock.Pass(2 * every);
        await cluster.List.Wake();
        Assert.Null(await cluster.List.Find("again-3"));
        Assert.Equal("Crawl " + round.Id + " is done and cannot become cancelled.", (await second.Cancel()).Error);
    }

    [Fact]
    public async Task RoundsOfLongAgoAreDeletedAndWhatTheyFetchedIsNotMissed()
    {
        cluster.Web.Add(_root, SiteAnswer.Html("<title>Kept</title>Text").With("ETag", "\"1\""));
        var every = TimeSpan.FromMinutes(10);
        var first = await cluster.Ended(await cluster.Start(Spec with { Every = every, Name = "often" }));
        var statuses = new List<int?>();
        for (var round = 2; round <= 20; round++)
        {
            cluster.Clock.Pass(every);
            await cluster.List.Wake();
            var crawl = cluster.Grains.GetGrain<ICrawlGrain>((await cluster.List.Find($"often-{round}"))!.Value.Value);
            await cluster.Ended(crawl);
            statuses.Add((await cluster.Export(crawl))[_root].Status);
            Assert.Equal("<title>Kept</title>Text", Encoding.UTF8.GetString((await crawl.Page(_root, PageView.Body, offset: 0)).Body));
        }

        Assert.Equal([.. Enumerable.Repeat<int?>(304, 16), 200, 304, 304], statuses);
        await cluster.Clock.PassUntil("the deletion of the first of 20 rounds", async () =>
            await cluster.Grains.GetGrain<ICrawlGrain>(first.Id.Value).Show() is null
        );
        Assert.NotNull(await cluster.List.Find("often-3"));
        var last = cluster.Grains.GetGrain<ICrawlGrain>((await cluster.List.Find("often-19"))!.Value.Value);
        Assert.Equal("<title>Kept</title>Text", Encoding.UTF8.GetString((await last.Page(_root, PageView.Body, offset: 0)).Body));
    }

    [Fact]
    public async Task ACrawlThatIsNotKeptIsNotRevisited() =>
        Assert.Equal(
            ["There is no crawl zzzzzzzzzz to revisit."],
            (await cluster.List.Start(Spec with { Revisit = new CrawlId("zzzzzzzzzz") })).Errors
        );

    private static string Unpacked(byte[] members)
    {
        using var gzip = new System.IO.Compression.GZipStream(new MemoryStream(members), System.IO.Compression.CompressionMode.Decompress);
        using var reader = new StreamReader(gzip, Encoding.Latin1);
        return reader.ReadToEnd();
    }

    private CrawlSpec Spec =>
        new()
        {
            Seeds = [_root],
            Scope = CrawlScope.Any,
            Delay = TimeSpan.Zero,
            Timeout = TimeSpan.FromMinutes(5),
        };
}
