using System.Security.Cryptography;
using System.Text.Json;
using Doubles.Net;
using Xunit;

namespace EndToEnd.Crawling;

/// <summary>Kept pages as a foreign program reads them (npm's <c>warcio</c>), and after <c>kill -9</c>.</summary>
public sealed class KeptPagesTests : IAsyncLifetime
{
    private readonly string _file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".warc.gz");
    private Crawler _crawler = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _crawler = await Crawler.Run();

    public async ValueTask DisposeAsync()
    {
        File.Delete(_file);
        await _crawler.DisposeAsync();
    }

    [Fact]
    public async Task AForeignReaderFindsEachPayloadAsTheServerHasIt()
    {
        await using var site = await WebSite.Start(LoopbackNetwork.Instance);
        var pdf = new byte[300_000];
        new Random(7).NextBytes(pdf);
        var packed = SiteAnswer.Html("<title>Packed</title>" + new string('x', 20_000));
        site.Add("/", SiteAnswer.Links("/packed", "/file.pdf", "/moved", "/missing").With("Set-Cookie", "session=secret"));
        site.Add("/packed", packed.Gzipped());
        site.Add("/file.pdf", new SiteAnswer { ContentType = "application/pdf", Body = pdf });
        site.Add("/moved", SiteAnswer.Redirect("/"));
        site.Add("/missing", SiteAnswer.Html("<p>Nothing here") with { Status = 404 });
        var id = await _crawler.StartCrawl(site.UrlOf("/"), "--delay", "0", "--keep", "all");
        await _crawler.FollowToEnd(id, ExitCode.Done);

        await _crawler.Ask("crawl", "export", id, "--out", _file);
        var records = await Read();

        var responses = records.Where(record => Text(record, "type") == "response").ToDictionary(record => Text(record, "url"));
        Assert.Equal(5, responses.Count);
        Assert.Equal(5, records.Count(record => Text(record, "type") == "request"));
        foreach (var (target, body) in new[] { ("/packed", packed.Body), ("/file.pdf", pdf) })
        {
            var sha256 = Convert.ToHexStringLower(SHA256.HashData(body.Span));
            var response = responses[site.UrlOf(target)];
            Assert.Equal(
                (body.Length, sha256, $"sha256:{sha256}"),
                (response.GetProperty("bytes").GetInt32(), Text(response, "sha256"), Text(response, "payloadDigest"))
            );
        }

        Assert.Equal(
            [200, 200, 302, 404, 200],
            new[] { "/", "/packed", "/moved", "/missing", "/file.pdf" }.Select(target =>
                responses[site.UrlOf(target)].GetProperty("status").GetInt32()
            )
        );
        Assert.Equal("gzip", Text(responses[site.UrlOf("/packed")].GetProperty("headers"), "x-crawler-content-encoding"));
        Assert.DoesNotContain(records, record => record.ToString().Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    [Trait(Campaign.Kind, Campaign.Name)]
    public async Task AfterEachKillEachPageIsInTheArchiveOnceAndWhole()
    {
        var kills = Campaign.Rounds("CRAWL_KILLS", most: 200);
        await using var site = await CrawledSite.Start(pages: Math.Max(400, kills * 50));
        var first = site.Hold(1);
        var id = await _crawler.StartCrawl(site.Seed, "--delay", "0", "--concurrency", "4");
        first.Open();
        for (var kill = 1; kill <= kills; kill++)
        {
            await Wait.For(site.WhenAsked(site.Walk.Length * kill / (kills + 1)), $"kill {kill}", () => _crawler.Said);
            await _crawler.KillAndRestart();
        }

        await _crawler.FollowToEnd(id, ExitCode.Done);
        await _crawler.Ask("crawl", "export", id, "--out", _file);

        var responses = (await Read()).Where(record => Text(record, "type") == "response").ToList();
        Assert.Equal(
            site.Walk.Order(StringComparer.Ordinal),
            responses.Select(record => Text(record, "url")).Order(StringComparer.Ordinal)
        );
        Assert.All(responses, record => Assert.Equal(Text(record, "payloadDigest"), "sha256:" + Text(record, "sha256")));
    }

    /// <summary>The records of the file, as the foreign reader has them.</summary>
    private Task<List<JsonElement>> Read() => NodeModules.Read("warcio", [_file], "", Cancel);

    private static string Text(JsonElement from, string name) => from.GetProperty(name).GetString()!;
}
