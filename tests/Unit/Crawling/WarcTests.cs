using System.Text;
using Doubles.Storage;
using Grains.Crawling.Archive;
using Grains.Crawling.Frontier;
using Grains.Crawling.Pages;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Grains.Storage;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Unit.Crawling;

/// <summary>Kept pages: their records, the objects they are in, and how they are read and swept.</summary>
public sealed class WarcTests
{
    private const string Url = "http://a.example/";
    private static readonly CrawlId Crawl = new("abcdefghij");
    private static readonly HostKey Host = new("a.example");
    private static readonly DateTimeOffset At = new(2026, 11, 30, 8, 0, 0, TimeSpan.Zero);

    private readonly BlobStoreInMemory _blobs = new();
    private readonly TableStoreInMemory _rows = new();
    private readonly FakeTimeProvider _clock = new(At);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void APageIsAResponseARequestAndMetadataWithTheirDigests()
    {
        var records = WarcReader.Read(PageRecords.Of(Url, At, Answer("<title>A</title>"), "sha256:00", depth: 2, charset: "utf-8"));

        Assert.Equal(["response", "request", "metadata"], records.Select(record => record.Type));
        var response = records[0];
        Assert.Equal(
            (Url, "2026-11-30T08:00:00.000Z", "sha256:00"),
            (response.Fields["WARC-Target-URI"], response.Fields["WARC-Date"], response.Fields["WARC-Payload-Digest"])
        );
        Assert.All(records, record => Assert.Equal(WarcWriter.Digest(record.Block.Span, []), record.Fields["WARC-Block-Digest"]));
        Assert.All(records.Skip(1), record => Assert.Equal(response.Fields["WARC-Record-ID"], record.Fields["WARC-Concurrent-To"]));
        Assert.EndsWith("\r\n\r\n<title>A</title>", Text(response), StringComparison.Ordinal);
        Assert.Equal("fetchTimeMs: 0\r\nhopsFromSeed: 2\r\ncharsetForLinkExtraction: utf-8\r\n", Text(records[2]));
    }

    [Fact]
    public void AResponseTellsItsDecodedLengthAndHidesItsCookies()
    {
        var answer = Answer(
            "12345",
            ("Content-Type", "text/html"),
            ("Content-Encoding", "gzip"),
            ("Content-Length", "25"),
            ("Transfer-Encoding", "chunked"),
            ("Set-Cookie", "session=secret; Path=/")
        );

        var head = Text(WarcReader.Read(PageRecords.Of(Url, At, answer, digest: null, depth: 0, charset: null))[0]).Split("\r\n");

        Assert.Equal(
            [
                "HTTP/1.1 200 OK",
                "Content-Type: text/html",
                "X-Crawler-Content-Encoding: gzip",
                "X-Crawler-Content-Length: 25",
                "X-Crawler-Transfer-Encoding: chunked",
                "X-Crawler-Set-Cookie: session",
                "Content-Length: 5",
                "",
                "12345",
            ],
            head
        );
    }

    [Theory]
    [InlineData("length")]
    [InlineData("disconnect")]
    public void ABodyThatIsNotWholeSaysWhy(string why)
    {
        var answer = Answer("12345") with { Truncated = true };
        answer = answer with { Exchange = answer.Exchange! with { TruncatedBy = why } };

        Assert.Equal(why, WarcReader.Read(PageRecords.Of(Url, At, answer, null, 0, null))[0].Fields["WARC-Truncated"]);
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("h2", true)]
    public void RecordsOfAMessageThatCameOverHttp2SaySo(string? protocol, bool says)
    {
        var answer = Answer("<title>A</title>");
        answer = answer with { Exchange = answer.Exchange! with { Protocol = protocol } };

        var records = WarcReader.Read(PageRecords.Of(Url, At, answer, digest: null, depth: 0, charset: null));

        Assert.All(records.Take(2), record => Assert.Equal(says ? "h2" : null, record.Fields.GetValueOrDefault("WARC-Protocol")));
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", Text(records[0]), StringComparison.Ordinal);
    }

    [Fact]
    public void ANotModifiedAnswerIsARevisit()
    {
        var revisit = WarcReader.Read(PageRecords.Of(Url, At, Answer("") with { Status = 304 }, null, 0, null))[0];

        Assert.Equal(("revisit", WarcWriter.NotModified), (revisit.Type, revisit.Fields["WARC-Profile"]));
    }

    [Fact]
    public async Task PagesThatComeWhileAnObjectIsStoredShareTheNextOne()
    {
        var blobs = new HeldBlobs(_blobs);
        var archive = new PageArchive(blobs, _clock);
        var first = archive.Keep(Crawl, Records("1"), Cancel);
        await blobs.Reached;
        var others = Enumerable.Range(2, 5).Select(page => archive.Keep(Crawl, Records($"{page}"), Cancel)).ToList();
        blobs.Open();
        var kept = await Task.WhenAll(others);

        Assert.NotEqual((await first).Blob, kept[0].Blob);
        Assert.Single(kept.Select(page => page.Blob).Distinct());
        Assert.Equal("4", await Body(kept[2]));
        Assert.Equal("1", await Body(await first));
    }

    [Fact]
    public async Task AnObjectThatCouldNotBeStoredFailsItsPagesAndNoOthers()
    {
        var blobs = new HeldBlobs(_blobs) { Fails = true };
        var archive = new PageArchive(blobs, _clock);
        var first = archive.Keep(Crawl, Records("1"), Cancel);
        await blobs.Reached;
        var second = archive.Keep(Crawl, Records("2"), Cancel);
        blobs.Open();

        await Assert.ThrowsAsync<IOException>(() => first);
        Assert.Equal("2", await Body(await second));
        Assert.Equal("3", await Body(await archive.Keep(Crawl, Records("3"), Cancel)));
    }

    [Fact]
    public async Task AnExportHasEachPageOfARowOnceAndWholeHoweverItIsCut()
    {
        var archive = new PageArchive(_blobs, _clock);
        var random = new Random(1);
        var large = new string([.. Enumerable.Range(0, 3_000_000).Select(_ => (char)random.Next(' ', '~'))]);
        for (var page = 0; page < 250; page++)
        {
            await Row($"{Url}{page}", await archive.Keep(Crawl, Records(page == 100 ? large : $"{page}", $"{Url}{page}"), Cancel));
        }

        await archive.Keep(Crawl, Records("named by no row"), Cancel);
        var (records, parts) = await ReadArchive();

        Assert.True(parts > 2, $"{parts} parts");
        Assert.Equal("warcinfo", records[0].Type);
        Assert.Equal(
            Enumerable.Range(0, 250).Select(page => $"{Url}{page}").Order(StringComparer.Ordinal),
            records
                .Where(record => record.Type == "response")
                .Select(record => record.Fields["WARC-Target-URI"])
                .Order(StringComparer.Ordinal)
        );
        Assert.EndsWith(
            large,
            Text(records.Single(record => record.Fields.GetValueOrDefault("WARC-Target-URI") == $"{Url}100" && record.Type == "response")),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task ASweepRemovesTheObjectsThatNoRowNamesAndNoOthers()
    {
        var archive = new PageArchive(_blobs, _clock);
        var named = await archive.Keep(Crawl, Records("1"), Cancel);
        await Row(Url, named);
        await archive.Keep(Crawl, Records("2"), Cancel);
        await archive.Keep(new("zzzzzzzzzz"), Records("of another crawl"), Cancel);
        var sweep = new PageSweep(_rows, _blobs, Crawl);

        Assert.Equal(1, await sweep.RemoveUnnamed([Host], Cancel));
        Assert.Equal("1", await Body(named));
        Assert.Equal(1, await sweep.RemoveAll(Cancel));
        Assert.Single(await _blobs.List("pages/", Cancel).ToListAsync(Cancel));
    }

    [Theory]
    [InlineData(
        "<head><title>T</title></head><h1>One&amp;two</h1>\n<p>three\n four<script>no()</script></p>five",
        "One&two\nthree four\nfive"
    )]
    [InlineData("<ul><li>a</li><li><b>b</b>c</li></ul><table><tr><td>1</td><td>2</td></tr></table>", "a\nbc\n1 2")]
    [InlineData("<style>p{}</style><template>no</template> ", "")]
    public void ReadingTextHasALineForEachBlock(string html, string text) => Assert.Equal(text, ReadingText.Of(html, isXml: false));

    [Fact]
    public void APageBeyondWhatMayBeKeptIsCountedAndNamedByNoRow()
    {
        var head = new HostHead { Host = Host.Value, KeptBytes = 90 };
        var crawl = new HostCrawl(
            new(Crawl, 1, CrawlState.Running, new() { Seeds = [Url], MaxKeptBytes = 100 }),
            head,
            maxUrls: 10,
            new(3, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), () => 0.5)
        );

        Finish(crawl, "1", new("b", 0, 10));
        Finish(crawl, "2", new("b", 10, 1));

        Assert.Equal((2L, 1L, 100L, 1L), (head.ToKeep, head.Kept, head.KeptBytes, head.NotKept));
        Assert.True(crawl.OrderForWorkers.KeptFull);
    }

    private static void Finish(HostCrawl crawl, string name, KeptPage kept)
    {
        var page = new PageRecord(Url + name, 200, 0, null, "text/html", null, 1, null, 0, At, 0, 1, null, false, null, Kept: kept);
        var work = crawl.Finish(
            new(QueueEntry.Ready(0), Url + name, 0, null, 0),
            new(Crawl, LeaseKind.Page, Url + name, 1, FetchResult.Answered, null, null, page, [], null),
            At
        );
        Assert.True(work.Fill(new()));
    }

    private static PageFetch Answer(string body, params (string, string)[] headers) =>
        new()
        {
            Status = 200,
            Body = Encoding.UTF8.GetBytes(body),
            Exchange = new(
                "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
                "HTTP/1.1 200 OK",
                [.. headers],
                IsDecoded: true,
                TruncatedBy: null
            ),
        };

    private static ReadOnlyMemory<byte> Records(string body, string url = Url) =>
        PageRecords.Of(url, At, Answer(body), digest: null, depth: 0, charset: null);

    private static string Text(WarcRecord record) => Encoding.UTF8.GetString(record.Block.Span);

    private async Task<string> Body(KeptPage page) => Encoding.UTF8.GetString((await PageContent.Read(_blobs, page, Cancel))!.Body.Span);

    private async Task Row(string url, KeptPage kept)
    {
        await _rows.Commit(
            CrawlTable.Name,
            CrawlTable.Crawl(Crawl),
            [RowChange.Put(CrawlTable.HostPrefix + StoreLimits.HashKey(Host.Value), CrawlJson.Write(new ListedHost(Host.Value, null)))],
            Cancel
        );
        var page = new PageRecord(url, 200, 0, null, "text/html", null, 1, null, 0, At, 0, 1, null, false, null, Kept: kept);
        await _rows.Commit(
            CrawlTable.Name,
            CrawlTable.Urls(Crawl, Host),
            [RowChange.Put(CrawlTable.Url(url), CrawlJson.Write(new UrlRow(url, 0, null, UrlState.Fetched, 1, null, page)))],
            Cancel
        );
    }

    private async Task<(List<WarcRecord> Records, int Parts)> ReadArchive()
    {
        var reader = new ArchiveReader(_rows, _blobs, Crawl, _clock);
        var file = new MemoryStream();
        var parts = 0;
        string? cursor = null;
        do
        {
            var part = await reader.Read(cursor, Cancel);
            Assert.InRange(part.Bytes.Length, 0, ArchivePart.MaxBytes);
            file.Write(part.Bytes);
            cursor = part.Cursor;
            parts++;
        } while (cursor is not null);
        return (WarcReader.Read(file.ToArray()), parts);
    }

    /// <summary>Holds its first object back until it is opened, and fails it if told so.</summary>
    private sealed class HeldBlobs(IBlobStore store) : IBlobStore
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool Fails { get; init; }

        public Task Reached => _reached.Task;

        public void Open() => _open.SetResult();

        public async Task<bool> Put(string name, ReadOnlyMemory<byte> content, CancellationToken cancel = default)
        {
            var isFirst = _reached.TrySetResult();
            await _open.Task;
            return isFirst && Fails ? throw new IOException("The disk is full.") : await store.Put(name, content, cancel);
        }

        public Task<ReadOnlyMemory<byte>?> Get(string name, long offset, int? length, CancellationToken cancel) =>
            store.Get(name, offset, length, cancel);

        public IAsyncEnumerable<BlobEntry> List(string prefix, CancellationToken cancel) => store.List(prefix, cancel);

        public Task Delete(string name, CancellationToken cancel) => store.Delete(name, cancel);
    }
}
