using Grains.Crawling.Specs;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;
using Grains.Net;
using Xunit;

namespace Unit.Crawling;

public sealed class CrawlSpecCheckTests
{
    private static readonly CrawlSpec Good = new() { Seeds = ["http://example.org"] };

    [Fact]
    public void AGoodCrawlComesBackWithCanonicalSeedsEachOnce()
    {
        Assert.Empty(
            CrawlSpecCheck.Check(
                Good with
                {
                    Seeds = ["HTTP://Example.org", "http://example.org/#top", "http://b.org/x"],
                },
                new(),
                out var canonical
            )
        );

        Assert.Equal(["http://example.org/", "http://b.org/x"], canonical!.Seeds);
    }

    [Fact]
    public void EachThingThatIsWrongIsASentenceOfItsOwn()
    {
        var errors = CrawlSpecCheck.Check(
            Good with
            {
                Seeds = ["ftp://a"],
                Name = "a b",
                MaxPages = 0,
                MaxDepth = -1,
                Concurrency = 257,
                Parallel = 0,
                MaxBodyBytes = 0,
            },
            new(),
            out _
        );

        Assert.Equal(7, errors.Length);
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("")]
    [InlineData("ä")]
    [InlineData("abcdefghij")]
    public void SuchANameIsRefused(string name) =>
        Refused(
            Good with
            {
                Name = name,
            },
            $"\"{name}\" is no name for a crawl: 1 to 60 letters, digits, \".\", \"_\" and \"-\", and not of the form of an id "
                + $"(10 small letters and digits)."
        );

    [Fact]
    public void LimitsAreNamedInTheirSentences()
    {
        Refused(Good with { MaxPages = 0 }, "The limit of pages: 1 to 1000000000; this is 0.");
        Refused(Good with { MaxDepth = -1 }, "The limit of depth: 0 to 100000; this is -1.");
        Refused(Good with { Concurrency = 0 }, "Requests to one host at once: 1 to 256; this is 0.");
        Refused(Good with { Parallel = 1025 }, "Requests of the crawl at once: 1 to 1024; this is 1025.");
        Refused(Good with { MaxBodyBytes = 0 }, "The limit of a body in bytes: 1 to 268435456; this is 0.");
        Refused(Good with { Delay = TimeSpan.FromSeconds(-1) }, "The delay: 0 s to 3600 s; this is -1 s.");
        Refused(Good with { Timeout = TimeSpan.FromSeconds(0.5) }, "The time-out of a fetch: 1 s to 300 s; this is 0.5 s.");
        Refused(Good with { Scope = (CrawlScope)9 }, "There is no scope 9: host, domain, prefix and any are known.");
    }

    [Fact]
    public void TooManyCharactersOfSeedsAreRefused()
    {
        var path = new string('x', 1900);

        Refused(
            Good with
            {
                Seeds = [.. Enumerable.Range(0, 40).Select(i => $"http://example.org/{path}{i}")],
            },
            "The seeds have more than 65536 characters together. Start with fewer; links lead to the others."
        );
    }

    [Fact]
    public void PatternsThatWouldNotFitIntoARowAreRefusedBeforeAnythingIsStored() =>
        Refused(
            Good with
            {
                Include = ["*", .. LongPatterns],
                Exclude = [.. LongPatterns],
            },
            "The seeds, patterns and ranges take more than 256 KiB together. Start with fewer."
        );

    [Fact]
    public void ListsThatWereNotSentAreEmpty()
    {
        Refused(Good with { Seeds = default }, "There is no seed: at least one http or https URL is wanted.");
        Assert.Empty(CrawlSpecCheck.Check(Good with { Include = default, Exclude = default, AllowPrivate = default }, new(), out _));
    }

    [Fact]
    public void PrivateRangesCountByThemselvesOnlyWhileTheSiloListensOnLoopback()
    {
        var spec = Good with { AllowPrivate = ["127.0.0.0/8"] };

        Refused(
            spec,
            "This silo allows no private addresses. Start it with --Crawling:AllowPrivate and the ranges that crawls may connect to."
        );
        Assert.Empty(CrawlSpecCheck.Check(spec, new() { ListensOnLoopback = true }, out _));
    }

    [Fact]
    public void ACrawlNarrowsWhatTheSiloAllowsAndCannotWidenIt()
    {
        var silo = new SiloLimits { AllowPrivate = "10.0.0.0/8", ListensOnLoopback = true };

        Assert.Empty(CrawlSpecCheck.Check(Good with { AllowPrivate = ["10.1.0.0/16"] }, silo, out _));
        Assert.Equal(
            ["This silo allows the private addresses 10.0.0.0/8; a crawl can narrow that, not widen it."],
            CrawlSpecCheck.Check(Good with { AllowPrivate = ["127.0.0.0/8"] }, silo, out _)
        );
    }

    [Fact]
    public void AProxyIsOneOfThoseThatTheSiloNames()
    {
        Assert.True(ProxyList.TryParse("office=http://10.0.0.5:3128,far=socks5://u:p@proxy.example", out var proxies));
        var silo = new SiloLimits { Proxies = proxies };

        Assert.Empty(CrawlSpecCheck.Check(Good with { Proxy = "far" }, silo, out _));
        Assert.Equal(
            ["There is no proxy \"near\": this silo names far, office (Crawling:Proxies)."],
            CrawlSpecCheck.Check(Good with { Proxy = "near" }, silo, out _)
        );
        Refused(
            Good with
            {
                Proxy = "near",
            },
            "There is no proxy \"near\": this silo names none. Start it with --Crawling:Proxies near=URL."
        );
    }

    [Fact]
    public void RobotsTxtIsIgnoredOnTheSilosOwnHostsAlone()
    {
        Assert.True(OwnHosts.TryParse("example.org, *.test.example", out var own));
        var silo = new SiloLimits { OwnHosts = own };
        var spec = Good with { IgnoreRobots = true };

        Assert.Empty(CrawlSpecCheck.Check(spec with { Seeds = ["http://example.org/", "http://a.test.example/"] }, silo, out _));
        Assert.Equal(
            ["other.example is none of the silo's own hosts (example.org, *.test.example; Crawling:OwnHosts), so its robots.txt counts."],
            CrawlSpecCheck.Check(spec with { Seeds = ["http://example.org/", "http://other.example/"] }, silo, out _)
        );
        Refused(
            spec,
            "This silo names no hosts of its own, so robots.txt counts everywhere. Start it with --Crawling:OwnHosts and the hosts whose "
                + "robots.txt may be ignored."
        );
    }

    private static IEnumerable<string> LongPatterns => Enumerable.Range(0, 99).Select(i => "*" + new string('x', 2000) + i);

    private static void Refused(CrawlSpec spec, string sentence) => Assert.Equal([sentence], CrawlSpecCheck.Check(spec, new(), out _));
}
