using Doubles;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Grains.Storage;
using Xunit;

namespace Cluster.Crawling;

/// <summary>A crawl's session: cookie walls, header fields and credentials over a whole crawl.</summary>
public sealed class SessionTests(CrawlCluster cluster) : IClassFixture<CrawlCluster>
{
    private readonly string _root = $"http://{cluster.NewHost()}/";

    [Fact]
    public async Task AWallThatRedirectsToItselfWithACookieIsPassed()
    {
        cluster.Web.Otherwise = url =>
            url != _root ? null
            : Sent(_root, "Cookie").Contains("seen=1") ? SiteAnswer.Links("/behind")
            : SiteAnswer.Redirect("/").With("Set-Cookie", "seen=1; Path=/");
        cluster.Web.Add(_root + "behind", "<title>Behind</title>");
        var crawl = await cluster.Start(Spec);
        var summary = await cluster.Ended(crawl);

        Assert.Equal((2L, 0L), (summary.Pages, summary.Failed));
        Assert.Equal([null, "seen=1"], Sent(_root, "Cookie"));
        Assert.Equal(["seen=1"], Sent(_root + "behind", "Cookie"));
    }

    [Fact]
    public async Task AWallThatOneHostOfADomainHasPassedIsPassedAtTheOthers()
    {
        var domain = cluster.NewHost();
        var (www, shop) = ($"http://www.{domain}/", $"http://shop.{domain}/");
        cluster.Web.Otherwise = url =>
            url != www && url != shop ? null
            : Sent(url, "Cookie")[^1] != "seen=1" ? SiteAnswer.Redirect("/").With("Set-Cookie", $"seen=1; Path=/; Domain={domain}")
            : SiteAnswer.Links(shop, "/in");
        var crawl = await cluster.Start(Spec with { Seeds = [www], Scope = CrawlScope.Domain });
        var summary = await cluster.Ended(crawl);

        Assert.Equal((4L, 0L), (summary.Pages, summary.Failed));
        Assert.Equal([null, "seen=1"], Sent(www, "Cookie"));
        Assert.Equal(["seen=1"], Sent(shop, "Cookie"));
        Assert.Equal(["seen=1"], Sent(shop + "in", "Cookie"));
    }

    /// <summary>A host whose wall had been passed by a login at another host of its domain stayed behind the wall.</summary>
    [Fact]
    public async Task ALoginAtOneHostOpensTheOtherHostsOfItsDomainAndNoneBeyond()
    {
        var domain = cluster.NewHost();
        var (www, shop, other) = ($"http://www.{domain}/", $"http://shop.{domain}/", $"http://{cluster.NewHost()}/");
        cluster.Web.Add(shop, SiteAnswer.Links(www + "login"));
        cluster.Web.Add(
            www + "login",
            SiteAnswer
                .Links(shop + "in", www + "in", other)
                .With("Set-Cookie", $"login=1; Domain={domain}; Path=/")
                .With("Set-Cookie", "own=2; Path=/")
                .With("Set-Cookie", "all=3; Domain=example; Path=/")
        );
        cluster.Web.Add(shop + "in", SiteAnswer.Links(shop + "out").With("Set-Cookie", "basket=4; Path=/"));
        cluster.Web.Add(shop + "out", SiteAnswer.Links(www + "out").With("Set-Cookie", $"login=; Domain={domain}; Path=/; Max-Age=0"));
        var crawl = await cluster.Start(Spec with { Seeds = [shop], Scope = CrawlScope.Any });
        var summary = await cluster.Ended(crawl);

        Assert.Equal((7L, 0L), (summary.Pages, summary.Failed + summary.Skipped));
        Assert.Equal([null], Sent(shop, "Cookie"));
        Assert.Equal([null], Sent(www + "login", "Cookie"));
        Assert.Equal(["login=1"], Sent(shop + "in", "Cookie"));
        Assert.Equal(["own=2; login=1"], Sent(www + "in", "Cookie"));
        Assert.Equal(["basket=4; login=1"], Sent(shop + "out", "Cookie"));
        Assert.Equal(["own=2"], Sent(www + "out", "Cookie"));
        Assert.Equal([null], Sent(other, "Cookie"));
    }

    /// <summary>Fifty of an answer, of a host, and of a domain: those beyond vanished without a word.</summary>
    [Fact]
    public async Task CookiesThatABoundCutsOffAreCountedWithTheCrawlAndWithTheirPage()
    {
        var domain = cluster.NewHost();
        var (www, shop) = ($"http://www.{domain}/", $"http://shop.{domain}/");
        cluster.Web.Add(www, Cookies(SiteAnswer.Links("/more"), "c", 60).With("Set-Cookie", $"long={new string('x', 5000)}"));
        cluster.Web.Add(www + "more", Cookies(SiteAnswer.Links(shop), "d", 3));
        cluster.Web.Add(shop, Cookies(SiteAnswer.Links("/last"), "s", 40, domain));
        cluster.Web.Add(
            shop + "last",
            Cookies(SiteAnswer.Html("<title>Last</title>"), "t", 20, domain).With("Set-Cookie", "none; Domain=other.example")
        );
        var crawl = await cluster.Start(Spec with { Seeds = [www], Scope = CrawlScope.Domain });
        var summary = await cluster.Ended(crawl);

        Assert.Equal((4L, 12L + 2 + 10), (summary.Pages, summary.CookiesCut));
        Assert.Equal("12 that were too long, too many, or pushed out of a full jar", await Cut(www));
        Assert.StartsWith("2 that were", await Cut(www + "more"), StringComparison.Ordinal);
        Assert.Null(await Cut(shop));
        Assert.StartsWith("10 that were", await Cut(shop + "last"), StringComparison.Ordinal);

        async Task<string?> Cut(string url) =>
            (await crawl.Explain(url)).Lines.Where(line => line.Label == "cookies cut").Select(line => line.Text).SingleOrDefault();
    }

    private static SiteAnswer Cookies(SiteAnswer answer, string name, int count, string? domain = null) =>
        Enumerable
            .Range(0, count)
            .Aggregate(answer, (some, at) => some.With("Set-Cookie", $"{name}{at}=1{(domain is null ? "" : "; Domain=" + domain)}"));

    [Fact]
    public async Task CookiesOfADomainSurviveTheirHostsAndGoWithTheirCrawl()
    {
        var domain = cluster.NewHost();
        var (www, shop) = ($"http://www.{domain}/", $"http://shop.{domain}/");
        cluster.Web.Add(www, SiteAnswer.Html("<title>In</title>").With("Set-Cookie", $"login=1; Domain={domain}"));
        cluster.Web.Add(shop, "<title>Shop</title>");
        var crawl = await cluster.Start(Spec with { Seeds = [www], MoreSeeds = true });
        await cluster.Clock.PassUntil("the login", () => Task.FromResult(cluster.Reported.Contains(www)));
        await cluster.Deactivate($"www.{domain}");
        await crawl.Add([shop, www + "later"]);
        await crawl.EndSeeds();
        await cluster.Ended(crawl);
        Assert.Equal(["login=1"], Sent(shop, "Cookie"));
        Assert.Equal(["login=1"], Sent(www + "later", "Cookie"));

        var jar = CrawlTable.Cookies(CrawlId.Parse(crawl.GetPrimaryKeyString()), domain);
        Assert.Equal(3, (await cluster.Store.Scan(CrawlTable.Name, jar, KeyRange.All, 10)).Count);
        await crawl.Delete();
        await cluster.Clock.PassUntil("the end of the crawl's rows", async () => await crawl.Show() is null);
        Assert.Empty(await cluster.Store.Scan(CrawlTable.Name, jar, KeyRange.All, 10));
    }

    [Fact]
    public async Task RobotsTxtIsIgnoredOnOwnHostsAndItsSitemapsAreNot()
    {
        var (own, other) = ($"http://{cluster.NewHost()}.own/", $"http://{cluster.NewHost()}/");
        cluster.Web.Add(own + "robots.txt", SiteAnswer.Text("User-agent: *\nDisallow: /\nCrawl-delay: 60\nSitemap: /map.xml"));
        cluster.Web.Add(other + "robots.txt", SiteAnswer.Text("User-agent: *\nDisallow: /"));
        cluster.Web.Add(own, SiteAnswer.Links("/in", other));
        cluster.Web.Add(own + "in", "<title>In</title>");
        cluster.Web.Add(own + "map.xml", $"<urlset><url><loc>{own}mapped</loc></url></urlset>");
        cluster.Web.Add(own + "mapped", "<title>Mapped</title>");
        var crawl = await cluster.Start(Spec with { Seeds = [own], Scope = CrawlScope.Any, IgnoreRobots = true });
        var summary = await cluster.Ended(crawl);

        Assert.Equal((4L, 1L), (summary.Pages, summary.Reasons!["robots"]));
        Assert.Equal([null], Sent(own + "mapped", "Cookie"));
        Assert.Empty(Sent(other, "Cookie"));
        var robots = Assert.Single((await crawl.Explain(own + "in")).Lines, line => line.Label == "robots").Text;
        Assert.StartsWith("ignored (--ignore-robots): ", robots, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WithoutCookiesAWallStaysWhatItIs()
    {
        cluster.Web.Add(_root, SiteAnswer.Redirect("/").With("Set-Cookie", "seen=1"));
        var crawl = await cluster.Start(Spec with { NoCookies = true });
        await cluster.Ended(crawl);

        Assert.Equal([null], Sent(_root, "Cookie"));
        Assert.Equal("It redirects to itself.", (await cluster.Export(crawl))[_root].Error);
    }

    [Fact]
    public async Task HeaderFieldsAndCredentialsGoToNoOtherHostNorIntoWhatIsKept()
    {
        var other = $"http://{cluster.NewHost()}/";
        cluster.Web.Add(_root, SiteAnswer.Redirect(other + "led"));
        cluster.Web.Add(other + "led", "<title>Led</title>");
        var crawl = await cluster.Start(
            Spec with
            {
                Scope = CrawlScope.Any,
                Headers = ["X-Key: secret"],
                Credentials = [$"{new Uri(_root).Host}=user:secret"],
                UserAgent = "Tester/1",
                Keep = KeepPages.All,
            }
        );
        var summary = await cluster.Ended(crawl);

        Assert.Equal(2, summary.Pages);
        Assert.Equal(["secret"], Sent(_root, "X-Key"));
        Assert.Equal(["Basic dXNlcjpzZWNyZXQ="], Sent(_root, "Authorization"));
        Assert.Equal([null], Sent(other + "led", "X-Key"));
        Assert.Equal([null], Sent(other + "led", "Authorization"));
        Assert.Equal([null], Sent(_root + "robots.txt", "X-Key"));
        Assert.Equal(["Tester/1"], Sent(other + "led", "User-Agent"));
    }

    [Fact]
    public async Task WhatIsNotOfAnAcceptedTypeIsSkippedAndCounted()
    {
        cluster.Web.Add(_root, SiteAnswer.Links("/a.pdf", "/b"));
        cluster.Web.Add(_root + "a.pdf", SiteAnswer.Html("%PDF") with { ContentType = "application/pdf" });
        cluster.Web.Add(_root + "b", "<title>B</title>");
        var crawl = await cluster.Start(Spec with { Accept = ["text/html"] });
        var summary = await cluster.Ended(crawl);

        Assert.Equal((2L, 0L, 1L), (summary.Pages, summary.Failed, summary.Skipped));
        Assert.Equal(1, summary.Reasons!["not-accepted"]);
        var skipped = (await cluster.Export(crawl, ExportKind.All))[_root + "a.pdf"];
        Assert.Equal("Its type application/pdf is none that the crawl accepts; the body was not read.", skipped.Error);
        await cluster.Balances(crawl);
    }

    private CrawlSpec Spec =>
        new()
        {
            Seeds = [_root],
            Delay = TimeSpan.Zero,
            Timeout = TimeSpan.FromMinutes(5),
        };

    /// <summary>Of each request for a URL the value of a field; null: it was not sent.</summary>
    private string?[] Sent(string url, string name) =>
        [.. cluster.Web.Ledger.Requests.Where(request => request.Target == url).Select(request => request.Headers.GetValueOrDefault(name))];
}
