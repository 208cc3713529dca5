using System.Security.Cryptography.X509Certificates;
using System.Text;
using Doubles.Net;
using Xunit;

namespace EndToEnd.Crawling;

/// <summary>
/// A silo with a proxy (<c>Crawling:Proxies</c>) and a host of its own (<c>Crawling:OwnHosts</c>), and the sites that its crawls ask.
/// </summary>
public sealed class OwnedPlace : IAsyncLifetime
{
    public const string Password = "pr0xy-passw0rd";

    private readonly X509Certificate2 _certificate = WebSite.SelfSigned("own.example");

    public ForwardProxy Proxy { get; } = new("ann", Password);

    /// <summary>Over https, with a certificate that nobody vouches for; the silo's own.</summary>
    public WebSite Own { get; private set; } = null!;

    /// <summary>The same, and not the silo's own.</summary>
    public WebSite Other { get; private set; } = null!;

    /// <summary>Over http.</summary>
    public WebSite Plain { get; private set; } = null!;

    public Crawler Crawler { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Own = Filled(await WebSite.Start(LoopbackNetwork.Instance, certificate: _certificate));
        Other = Filled(await WebSite.Start(LoopbackNetwork.Instance, certificate: _certificate));
        Plain = Filled(await WebSite.Start(LoopbackNetwork.Instance));
        Crawler = await Crawler.Run(
            "--Crawling:Proxies",
            $"office=http://ann:{Password}@127.0.0.1:{Proxy.Port}",
            "--Crawling:OwnHosts",
            $"127.0.0.1:{Own.Port}"
        );
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in new IAsyncDisposable?[] { Crawler, Own, Other, Plain, Proxy })
        {
            if (part is not null)
            {
                await part.DisposeAsync();
            }
        }

        _certificate.Dispose();
    }

    private static WebSite Filled(WebSite site) =>
        site.Add("/robots.txt", SiteAnswer.Text("User-agent: *\nDisallow: /closed\n"))
            .Add("/", "<title>Home</title><a href=/closed>closed</a><a href=/open>open</a>")
            .Add("/closed", "<title>Closed</title>")
            .Add("/open", "<title>Open</title>");
}

/// <summary>What the operator's proxies and own hosts are good for, and what is seen of them.</summary>
public sealed class OwnHostsTests(OwnedPlace place) : IClassFixture<OwnedPlace>
{
    private readonly Crawler _crawler = place.Crawler;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TheProxyIsAskedForEachPageAndItsPasswordIsSeenNowhere(bool isOwn)
    {
        var site = isOwn ? place.Own : place.Plain;
        var before = place.Proxy.Asked.Count;
        var id = await Crawl(
            site,
            ExitCode.Done,
            "--proxy",
            "office",
            "--header",
            "X-Key: h3ader-s3cret",
            "--credential",
            $"127.0.0.1:{site.Port}=bob:cr3dential"
        );
        var asked = place.Proxy.Asked.Skip(before).ToList();

        Assert.Equal(["/", "/open"], await Fetched(site, id, isOwn ? "h2" : "http/1.1"));
        if (isOwn)
        {
            Assert.All(asked, line => Assert.Equal($"CONNECT 127.0.0.1:{site.Port}", line));
            Assert.NotEmpty(asked);
        }
        else
        {
            Assert.Equal(
                ["/", "/open", "/robots.txt"],
                asked.Select(line => line[$"GET {site.Origin}".Length..]).Order(StringComparer.Ordinal)
            );
        }

        var page = site.Ledger.Requests.Last(request => request.Target == "/open");
        Assert.Equal("h3ader-s3cret", page.Headers["X-Key"]);
        Assert.DoesNotContain(page.Headers.Keys, name => name.StartsWith("Proxy-", StringComparison.OrdinalIgnoreCase));
        string[] secrets =
        [
            OwnedPlace.Password,
            Convert.ToBase64String(Encoding.UTF8.GetBytes($"ann:{OwnedPlace.Password}")),
            $"127.0.0.1:{place.Proxy.Port}",
            "h3ader-s3cret",
            "cr3dential",
            Convert.ToBase64String("bob:cr3dential"u8),
        ];
        var shown = await Shown(id, site);
        Assert.Contains("office", shown, StringComparison.Ordinal);
        Assert.All(secrets, secret => Assert.DoesNotContain(secret, shown, StringComparison.Ordinal));
    }

    [Fact]
    public async Task ACertificateThatNobodyVouchesForCountsOnTheOwnHostAlone()
    {
        Assert.Equal(["/", "/open"], await Fetched(place.Own, await Crawl(place.Own, ExitCode.Done), "h2"));

        var other = await Crawl(place.Other, exitCode: 1);

        var record = Assert.Single(await _crawler.Export(other, all: true));
        Assert.Contains("Crawling:OwnHosts names hosts", record.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Equal(0, place.Other.Ledger.Count);
    }

    [Fact]
    public async Task RobotsTxtIsPassedOverOnTheOwnHostAlone()
    {
        place.Own.Add("/out", $"<a href={place.Plain.UrlOf("/closed")}>closed</a><a href={place.Plain.UrlOf("/open")}>open</a>");
        Assert.Equal(["/", "/closed", "/open"], await Fetched(place.Own, await Crawl(place.Own, ExitCode.Done, "--ignore-robots"), "h2"));

        var id = await _crawler.StartCrawl(place.Own.UrlOf("/out"), "--delay", "0", "--scope", "any", "--ignore-robots");
        await _crawler.FollowToEnd(id, ExitCode.Done);

        Assert.Equal(
            new[] { place.Own.UrlOf("/out"), place.Plain.UrlOf("/open") }.Order(StringComparer.Ordinal),
            (await _crawler.Export(id)).Select(record => record.GetProperty("url").GetString()!).Order(StringComparer.Ordinal)
        );
        Assert.Equal(1, (await _crawler.Show(id)).GetProperty("reasons").GetProperty("robots").GetInt64());
        await using var console = await _crawler.Say("crawl", "start", place.Plain.UrlOf("/"), "--ignore-robots");
        Assert.NotEqual(ExitCode.Done, await console.Exit);
        Assert.Contains("is none of the silo's own hosts", console.Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AProxyThatNobodyNamedIsRefusedWithTheNamesThereAre()
    {
        await using var console = await _crawler.Say("crawl", "start", place.Plain.UrlOf("/"), "--proxy", "home");

        Assert.NotEqual(ExitCode.Done, await console.Exit);
        Assert.Contains("There is no proxy \"home\": this silo names office (Crawling:Proxies).", console.Said, StringComparison.Ordinal);
        Assert.DoesNotContain(OwnedPlace.Password, console.Said, StringComparison.Ordinal);
    }

    private async Task<string> Crawl(WebSite site, int exitCode, params string[] options)
    {
        var id = await _crawler.StartCrawl(site.UrlOf("/"), ["--delay", "0", "--keep", "all", .. options]);
        await _crawler.FollowToEnd(id, exitCode);
        return id;
    }

    /// <summary>The paths of the pages, all of which came over this protocol.</summary>
    private async Task<IEnumerable<string>> Fetched(WebSite site, string id, string protocol)
    {
        var records = await _crawler.Export(id);
        Assert.All(records, record =>
            Assert.Equal((200, protocol), (record.GetProperty("status").GetInt32(), record.GetProperty("protocol").GetString()))
        );
        return records.Select(record => record.GetProperty("url").GetString()![site.Origin.Length..]).Order(StringComparer.Ordinal);
    }

    /// <summary>All that is shown of a crawl: console, API, exports and the silo's own lines.</summary>
    private async Task<string> Shown(string id, WebSite site)
    {
        var shown = new StringBuilder();
        string[][] verbs =
        [
            ["crawl", "show", id],
            ["crawl", "show", id, "--json"],
            ["crawl", "hosts", id],
            ["crawl", "explain", id, site.UrlOf("/open")],
            ["crawl", "page", id, site.UrlOf("/open"), "--headers"],
        ];
        foreach (var said in await Task.WhenAll(verbs.Select(verb => _crawler.Ask(verb))))
        {
            shown.AppendJoin('\n', said).AppendLine();
        }

        using var http = new HttpClient { BaseAddress = new($"http://{_crawler.Place.Http}") };
        shown.AppendLine(await http.GetStringAsync(new Uri($"/api/crawls/{id}", UriKind.Relative), Cancel));
        shown.AppendLine(await http.GetStringAsync(new Uri($"/api/crawls/{id}/export?with=body", UriKind.Relative), Cancel));
        await using var warc = await http.GetStreamAsync(new Uri($"/api/crawls/{id}/export?format=warc", UriKind.Relative), Cancel);
        await using var plain = new System.IO.Compression.GZipStream(warc, System.IO.Compression.CompressionMode.Decompress);
        using var reader = new StreamReader(plain, Encoding.Latin1);
        return shown.AppendLine(await reader.ReadToEndAsync(Cancel)).AppendLine(_crawler.Said).ToString();
    }
}
