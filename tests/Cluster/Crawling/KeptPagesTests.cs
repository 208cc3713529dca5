using System.Security.Cryptography;
using System.Text;
using Doubles;
using Grains.Crawling.Archive;
using Grains.Interfaces.Books;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Cluster.Crawling;

/// <summary>Pages that a crawl keeps, from the fetch to the export, and until they go.</summary>
public sealed class KeptPagesTests(CrawlCluster cluster) : IClassFixture<CrawlCluster>
{
    private readonly string _root = $"http://{cluster.NewHost()}/";

    [Fact]
    public async Task AnExportHasThePayloadOfEachPageAndAPageIsReadByItsUrl()
    {
        Site(pages: 30);
        cluster.Web.Add(_root + "p0", SiteAnswer.Html("<h1>One</h1><p>two &amp; three"));
        var crawl = await cluster.Start(Spec);
        var summary = await cluster.Ended(crawl);

        var responses = (await Archive(crawl)).Where(record => record.Type == "response").ToList();
        Assert.Equal((31L, 31L, 0L), (summary.Pages, summary.Kept!.Pages, summary.Kept.NotKept));
        Assert.Equal(
            Enumerable.Range(0, 30).Select(page => $"{_root}p{page}").Append(_root).Order(StringComparer.Ordinal),
            responses.Select(record => record.Fields["WARC-Target-URI"]).Order(StringComparer.Ordinal)
        );
        var records = await cluster.Export(crawl);
        Assert.All(responses, record =>
            Assert.Equal(records[record.Fields["WARC-Target-URI"]].Digest, record.Fields["WARC-Payload-Digest"])
        );
        var page = await crawl.WholePage(_root + "p0", PageView.Text, CancellationToken.None);
        Assert.Equal("<h1>One</h1><p>two &amp; three", Encoding.UTF8.GetString(page.Body));
        var reading = await crawl.WholePage(_root + "p0", PageView.Reading, CancellationToken.None);
        Assert.Equal("One\ntwo & three", Encoding.UTF8.GetString(reading.Body));
    }

    [Fact]
    public async Task APageThatCameOverHttp2IsShownWithTheVersionThatWasSpoken()
    {
        cluster.Web.Add(_root, SiteAnswer.Html("<h1>Two</h1>") with { Protocol = "h2" });
        var crawl = await cluster.Start(Spec);
        await cluster.Ended(crawl);

        Assert.StartsWith(
            "HTTP/2 200",
            (await crawl.WholePage(_root, PageView.Body, CancellationToken.None)).Head,
            StringComparison.Ordinal
        );
        var response = (await Archive(crawl)).Single(record => record.Type == "response");
        Assert.Equal("h2", response.Fields["WARC-Protocol"]);
    }

    [Fact]
    public async Task BeyondItsLimitACrawlWritesRowsOnlyAndTheBooksSayHowManyPages()
    {
        Site(pages: 20);
        var crawl = await cluster.Start(Spec with { MaxKeptBytes = 6_000 });
        var summary = await cluster.Ended(crawl);

        Assert.Equal(21, summary.Pages);
        Assert.InRange(summary.Kept!.Bytes, 1, 6_000);
        Assert.Equal((21L, 21L), (summary.Kept.ToKeep, summary.Kept.Pages + summary.Kept.NotKept));
        Assert.InRange(summary.Kept.NotKept, 1, 20);
        Assert.Equal(summary.Kept.Pages, (await Archive(crawl)).Count(record => record.Type == "response"));
        var account = Assert.Single(await cluster.Grains.GetGrain<ILedgerGrain>(0).Read(), account => account.Name == "pages");
        Assert.True(account.Balances, account.ToString());
        Assert.Equal(summary.Kept.NotKept, account.Refused["keep-limit"]);
        await Gone(crawl, summary.Id);
    }

    [Fact]
    public async Task APdfOf30MegabytesIsCutAtTheLimitKeptWholeBelowALargerOneAndNotReadWhereItsTypeIsNotWanted()
    {
        const int Limit = 10 * 1024 * 1024;
        var body = new byte[30_000_000];
        new Random(16).NextBytes(body);
        var url = _root + "large.pdf";
        cluster.Web.Add(_root, SiteAnswer.Links("/large.pdf"));
        cluster.Web.Add(url, new SiteAnswer { ContentType = "application/pdf", Body = body });

        var crawl = await cluster.Start(Spec with { Keep = KeepPages.All });
        var summary = await cluster.Ended(crawl);
        var record = (await cluster.Export(crawl))[url];
        Assert.Equal((2L, 1L, 2L), (summary.Pages, summary.Truncated, summary.Kept!.Pages));
        Assert.Equal((Limit, true), (record.Bytes, record.Truncated));
        Assert.Equal(body[..Limit], (await crawl.WholePage(url, PageView.Body, CancellationToken.None)).Body);

        crawl = await cluster.Start(Spec with { Keep = KeepPages.All, MaxBodyBytes = 32_000_000 });
        summary = await cluster.Ended(crawl);
        record = (await cluster.Export(crawl))[url];
        Assert.Equal((2L, 0L, 2L), (summary.Pages, summary.Truncated, summary.Kept!.Pages));
        Assert.Equal((body.Length, "sha256:" + Convert.ToHexStringLower(SHA256.HashData(body))), (record.Bytes, record.Digest));
        Assert.Equal(body, (await crawl.WholePage(url, PageView.Body, CancellationToken.None)).Body);

        crawl = await cluster.Start(Spec with { Keep = KeepPages.All, Accept = ["text/html"] });
        summary = await cluster.Ended(crawl);
        Assert.Equal((1L, 1L, 1L), (summary.Pages, summary.Reasons!["not-accepted"], summary.Kept!.Pages));
    }

    [Fact]
    public async Task AfterTheEndObjectsThatNoRowNamesGoAndThoseOfRowsStay()
    {
        Site(pages: 3);
        var crawl = await cluster.Start(Spec);
        var summary = await cluster.Ended(crawl);
        var orphan = PageArchive.Prefix(summary.Id) + "0-orphan.warc.gz";
        await cluster.Blobs.Put(orphan, "x"u8.ToArray(), TestContext.Current.CancellationToken);
        cluster.Clock.Pass(TimeSpan.FromMinutes(11));
        await cluster.Clock.PassUntil("the sweep", async () =>
        {
            await crawl.Begin(summary.Spec, summary.StartedAt);
            return !(await Blobs(summary.Id)).Contains(orphan);
        });

        Assert.Equal(4, (await Archive(crawl)).Count(record => record.Type == "response"));
    }

    [Fact]
    public async Task ADeletedCrawlLeavesNoObjects()
    {
        Site(pages: 3);
        var crawl = await cluster.Start(Spec);
        var summary = await cluster.Ended(crawl);
        Assert.NotEmpty(await Blobs(summary.Id));

        await Gone(crawl, summary.Id);
        Assert.Empty(await Blobs(summary.Id));
    }

    private CrawlSpec Spec =>
        new()
        {
            Seeds = [_root],
            Delay = TimeSpan.Zero,
            Concurrency = 4,
            Timeout = TimeSpan.FromMinutes(5),
        };

    private void Site(int pages)
    {
        cluster.Web.Add(_root, SiteAnswer.Links(Enumerable.Range(0, pages).Select(page => $"/p{page}")));
        for (var page = 0; page < pages; page++)
        {
            cluster.Web.Add($"{_root}p{page}", $"<title>Page {page}</title>");
        }
    }

    private async Task Gone(ICrawlGrain crawl, CrawlId id)
    {
        await crawl.Delete();
        await cluster.Clock.PassUntil("the crawl to be gone", async () => await cluster.List.Find(id.Value) is null);
    }

    private async Task<List<string>> Blobs(CrawlId id) =>
        await cluster.Blobs.List(PageArchive.Prefix(id), TestContext.Current.CancellationToken).Select(blob => blob.Name).ToListAsync();

    private static async Task<List<WarcRecord>> Archive(ICrawlGrain crawl)
    {
        using var file = new MemoryStream();
        string? cursor = null;
        do
        {
            var part = await crawl.Archive(cursor);
            Assert.Equal(0, part.Missing);
            await file.WriteAsync(part.Bytes);
            cursor = part.Cursor;
        } while (cursor is not null);
        return WarcReader.Read(file.ToArray());
    }
}
