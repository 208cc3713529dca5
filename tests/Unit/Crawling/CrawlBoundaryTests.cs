using System.Collections.Immutable;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Unit.Crawling;

public sealed class CrawlBoundaryTests
{
    [Theory]
    [InlineData("https://example.org/elsewhere", true)]
    [InlineData("http://example.org/", true)]
    [InlineData("http://example.org:8080/", false)]
    [InlineData("https://docs.example.org/", false)]
    [InlineData("https://example.com/", false)]
    public void HostScopeTakesTheHostAndPortOfASeed(string url, bool isIn) =>
        Assert.Equal(isIn, Decide(Spec(CrawlScope.Host, "https://example.org/a/b.html"), url).In);

    [Theory]
    [InlineData("https://example.org/", true)]
    [InlineData("https://docs.example.org/", true)]
    [InlineData("http://a.b.example.org:8080/", true)]
    [InlineData("https://badexample.org/", false)]
    [InlineData("https://org/", false)]
    [InlineData("https://example.org.evil.example/", false)]
    public void DomainScopeTakesTheHostOfASeedAndThoseBelowIt(string url, bool isIn) =>
        Assert.Equal(isIn, Decide(Spec(CrawlScope.Domain, "https://example.org/"), url).In);

    [Theory]
    [InlineData("https://docs.example.co.uk/", "https://example.co.uk/", true)]
    [InlineData("https://docs.example.co.uk/", "http://shop.example.co.uk:8080/", true)]
    [InlineData("https://docs.example.co.uk/", "https://other.co.uk/", false)]
    [InlineData("https://me.github.io/", "https://you.github.io/", false)]
    [InlineData("https://me.github.io/", "https://a.me.github.io/", true)]
    [InlineData("https://github.io/", "https://you.github.io/", true)]
    [InlineData("http://www.city.kawasaki.jp/", "http://city.kawasaki.jp/", true)]
    [InlineData("http://a.b.kawasaki.jp/", "http://c.b.kawasaki.jp/", false)]
    [InlineData("https://bücher.example.香港/", "https://example.香港/", true)]
    [InlineData("http://localhost/", "http://a.localhost/", true)]
    public void DomainScopeTakesTheRegistrableDomainOfASeed(string seed, string url, bool isIn) =>
        Assert.Equal(isIn, Decide(Spec(CrawlScope.Domain, seed), url).In);

    [Fact]
    public void WhatIsOutOfTheDomainSaysByWhichList() =>
        Assert.Equal(
            "It is neither on nor below example.org (Public Suffix List of 2026-08-19).",
            Decide(Spec(CrawlScope.Domain, "https://www.example.org/"), "https://example.com/").Says
        );

    [Fact]
    public void ACrawlOfAVersionWithoutTheListKeepsItsScope()
    {
        var spec = Spec(CrawlScope.Domain, "https://www.example.org/") with { HostDomains = true };

        Assert.True(Decide(spec, "https://a.www.example.org/").In);
        Assert.Equal("It is neither on nor below www.example.org.", Decide(spec, "https://example.org/").Says);
    }

    [Theory]
    [InlineData("http://10.0.0.1:8080/", true)]
    [InlineData("http://9.10.0.0.1.example/", false)]
    [InlineData("http://10.0.0.2/", false)]
    [InlineData("http://[::1]/", false)]
    public void DomainScopeTakesOfAnAddressOnlyItself(string url, bool isIn) =>
        Assert.Equal(isIn, Decide(Spec(CrawlScope.Domain, "http://10.0.0.1/"), url).In);

    [Theory]
    [InlineData("https://example.org/docs/", true)]
    [InlineData("https://example.org/docs/a/b?c", true)]
    [InlineData("https://example.org/docs", false)]
    [InlineData("https://example.org/docsearch", false)]
    [InlineData("http://example.org/docs/", false)]
    [InlineData("https://example.org:8443/docs/", false)]
    public void PrefixScopeTakesWhatBeginsWithASeedUpToItsLastSlash(string url, bool isIn) =>
        Assert.Equal(isIn, Decide(Spec(CrawlScope.Prefix, "https://example.org/docs/index.html?from=/x/y"), url).In);

    [Theory]
    [InlineData(CrawlScope.Host, "http://later.example/a", "http://later.example/b", true)]
    [InlineData(CrawlScope.Host, "http://later.example/a", "http://later.example:8080/b", false)]
    [InlineData(CrawlScope.Host, "http://later.example/a", "http://example.org/b", true)]
    [InlineData(CrawlScope.Host, "http://later.example/a", "http://docs.later.example/b", false)]
    [InlineData(CrawlScope.Domain, "http://later.example/a", "http://docs.later.example/b", true)]
    [InlineData(CrawlScope.Domain, "http://later.example/a", "http://badlater.example/b", false)]
    public void ASeedThatComesLaterBringsItsHostIntoScope(CrawlScope scope, string page, string link, bool isIn)
    {
        var boundary = Boundary(Spec(scope, "http://example.org/") with { MoreSeeds = true, Exclude = ["*.pdf"] });

        Assert.True(boundary.DecideSeed(Url(page)).In);
        Assert.False(boundary.DecideSeed(Url(page + ".pdf")).In);
        Assert.Equal(isIn, boundary.Decide(Url(link), depth: 1, Url(page)).In);
        Assert.False(Boundary(Spec(scope, "http://example.org/")).DecideSeed(Url(page)).In);
    }

    [Fact]
    public void ByPrefixALaterSeedBeginsAsOneOfTheFirst()
    {
        var boundary = Boundary(Spec(CrawlScope.Prefix, "http://example.org/docs/") with { MoreSeeds = true });

        Assert.True(boundary.DecideSeed(Url("http://example.org/docs/a")).In);
        Assert.False(boundary.DecideSeed(Url("http://example.org/blog/")).In);
    }

    [Fact]
    public void AnyScopeTakesEveryUrl() => Assert.True(Decide(Spec(CrawlScope.Any, "https://example.org/"), "http://other.example/").In);

    [Theory]
    [InlineData("*.pdf", "https://example.org/a.pdf", true)]
    [InlineData("*.pdf", "https://example.org/a.pdf?x", false)]
    [InlineData("*.pdf", "https://example.org/a.PDF", false)]
    [InlineData("https://example.org/docs/*", "https://example.org/docs/", true)]
    [InlineData("https://example.org/docs/*", "https://example.org/doc", false)]
    [InlineData("http*://example.org/*", "https://example.org/", true)]
    [InlineData("https://example.org/", "https://example.org/", true)]
    [InlineData("https://example.org/", "https://example.org/a", false)]
    [InlineData("*a*b*c*", "https://example.org/xaxbxcx", true)]
    [InlineData("*/a*b", "https://example.org/ab", true)]
    [InlineData("*/a*a", "https://example.org/a", false)]
    [InlineData("*/page??", "https://example.org/page12", true)]
    [InlineData("*/page??", "https://example.org/page1", false)]
    [InlineData("*/a?c/*x", "https://example.org/abd/abc/x", true)]
    [InlineData("*?id=*", "https://example.org/a?id=1", true)]
    [InlineData("https://example.or?/*", "https://example.org/a", true)]
    [InlineData("*/café/%7e*", "https://example.org/caf%C3%A9/~user", true)]
    [InlineData("*", "https://example.org/", true)]
    [InlineData("/\\.(gif|png)$/", "https://example.org/a.png", true)]
    [InlineData("/\\.(gif|png)$/", "https://example.org/a.png?x", false)]
    [InlineData("/^https:..example/", "https://example.org/", true)]
    [InlineData("//docs//", "https://example.org/docs/", true)]
    public void APatternIsAGlobOrBetweenSlashesARegularExpression(string pattern, string url, bool matches)
    {
        Assert.True(UrlPattern.TryParse(pattern, out var parsed, out var error), error);
        Assert.Equal(matches, parsed.IsMatch(CanonicalUrlTests.Url(url)));
    }

    [Theory]
    [InlineData("", "has 0 characters; 1 to 2048 are wanted")]
    [InlineData("*a\tb", "has a control character at character 3, which is in no URL")]
    [InlineData(
        "/docs/*",
        "can match no URL, because of character 1: a glob is held against the whole URL, so begin it with * or http (a regular "
            + "expression stands between slashes)"
    )]
    [InlineData(
        "httq*",
        "can match no URL, because of character 4: a glob is held against the whole URL, so begin it with * or http (a regular "
            + "expression stands between slashes)"
    )]
    [InlineData("*/a#b", "can match no URL: it has a # at character 4, and URLs are compared without their fragment")]
    [InlineData("/a(b/", "is no regular expression: after character 4: Not enough )'s")]
    [InlineData("/[z-a]/", "is no regular expression: after character 5: [x-y] range in reverse order")]
    public void APatternThatDoesNotParseIsRefusedWithItsPlace(string pattern, string expected)
    {
        Assert.False(UrlPattern.TryParse(pattern, out _, out var error));
        Assert.Equal(expected, error);
    }

    [Theory]
    [InlineData("/a(?=b)/")]
    [InlineData("/(a)\\1/")]
    [InlineData("/(?>a)b/")]
    public void ARegularExpressionThatNeedsBacktrackingIsRefused(string pattern)
    {
        Assert.False(UrlPattern.TryParse(pattern, out _, out var error));
        Assert.StartsWith("uses what cannot be matched in linear time", error, StringComparison.Ordinal);
    }

    [Fact]
    public void ScopeThenExcludeThenIncludeThenDepthDecides()
    {
        var spec = Spec(CrawlScope.Host, "https://example.org/docs/") with
        {
            Include = ["*/docs/*", "*/blog/*"],
            Exclude = ["*.pdf"],
            MaxDepth = 2,
        };

        Assert.Equal(
            new(true, null, "It is in scope and matches the include pattern */docs/*."),
            Decide(spec, "https://example.org/docs/a", depth: 2)
        );
        Assert.Equal(new(false, "scope", "It is not on example.org."), Decide(spec, "https://example.com/docs/a.pdf", depth: 3));
        Assert.Equal(
            new(false, "exclude", "It matches the exclude pattern *.pdf."),
            Decide(spec, "https://example.org/docs/a.pdf", depth: 3)
        );
        Assert.Equal(
            new(false, "include", "It matches none of the 2 include patterns."),
            Decide(spec, "https://example.org/shop", depth: 3)
        );
        Assert.Equal(new(false, "depth", "It is more than 2 steps from a seed."), Decide(spec, "https://example.org/docs/a", depth: 3));
    }

    [Theory]
    [InlineData(
        CrawlScope.Host,
        "It is on the host of the seed https://b.example/x/.",
        "It is not on a.example or b.example or c.example or 1 more."
    )]
    [InlineData(
        CrawlScope.Domain,
        "It is on or below b.example, the domain of the seed https://b.example/x/.",
        "It is neither on nor below a.example or b.example or c.example or 1 more (Public Suffix List of 2026-08-19)."
    )]
    [InlineData(
        CrawlScope.Prefix,
        "It begins with https://b.example/x/, from a seed.",
        "It does not begin with https://a.example/ or https://b.example/x/ or https://c.example/ or 1 more."
    )]
    public void ADecisionNamesTheSeedThatDecided(CrawlScope scope, string saysIn, string saysOut)
    {
        var spec = Spec(scope, "https://a.example/", "https://b.example/x/", "https://c.example/", "https://d.example/");

        Assert.Equal(saysIn, Decide(spec, "https://b.example/x/y").Says);
        Assert.Equal(saysOut, Decide(spec, "https://e.example/").Says);
    }

    [Fact]
    public void SeedsAreCanonicalAndEachOnce()
    {
        var boundary = Create(
            Spec(CrawlScope.Host, "HTTP://Example.org", "http://example.org/#top", "http://example.org/b", "http://example.org:80/")
        );

        Assert.Equal(["http://example.org/", "http://example.org/b"], boundary.Seeds.Select(seed => seed.Text));
    }

    [Fact]
    public void EveryWrongSeedAndPatternIsNamed()
    {
        var spec = Spec(CrawlScope.Host, "https://example.org/", "example.org", "ftp://example.org/") with
        {
            Include = ["/(/"],
            Exclude = ["docs"],
        };

        Assert.False(CrawlBoundary.TryCreate(spec, out _, out var errors));
        Assert.Equal(
            [
                "The seed \"example.org\" is refused: it has no scheme; did you mean https://example.org/?",
                "The seed \"ftp://example.org/\" is refused: ftp: is not http or https.",
                "The include pattern \"/(/\" is no regular expression: after character 2: Not enough )'s.",
                "The exclude pattern \"docs\" can match no URL, because of character 1: a glob is held against the whole URL, "
                    + "so begin it with * or http (a regular expression stands between slashes).",
            ],
            errors
        );
    }

    [Fact]
    public void ASeedThatItsOwnPatternsLeaveOutIsAnError()
    {
        var spec = Spec(CrawlScope.Host, "https://example.org/") with { Include = ["*.html"] };

        Assert.False(CrawlBoundary.TryCreate(spec, out _, out var errors));
        Assert.Equal(
            [
                "The seed \"https://example.org/\" would not be crawled: It does not match the include pattern *.html. Change "
                    + "the patterns or leave it out.",
            ],
            errors
        );
    }

    [Fact]
    public void NoSeedTooManySeedsAndTooManyPatternsAreErrors()
    {
        Assert.Equal(["There is no seed: at least one http or https URL is wanted."], Errors(Spec(CrawlScope.Host)));
        Assert.Equal(
            ["There are 1001 seeds: at most 1000 are taken at once; moreSeeds lets others follow."],
            Errors(Spec(CrawlScope.Host, [.. Enumerable.Range(0, 1001).Select(i => $"http://h{i}/")]))
        );
        Assert.Equal(
            ["There are 101 exclude patterns: at most 100 are taken."],
            Errors(Spec(CrawlScope.Host, "http://a/") with { Exclude = [.. Enumerable.Repeat("*x", 101)] })
        );
    }

    private static CrawlBoundary Boundary(CrawlSpec spec)
    {
        Assert.True(CrawlBoundary.TryCreate(spec, out var boundary, out _));
        return boundary;
    }

    private static CanonicalUrl Url(string text)
    {
        Assert.True(CanonicalUrl.TryParse(text, null, out var url));
        return url;
    }

    private static CrawlSpec Spec(CrawlScope scope, params string[] seeds) => new() { Seeds = [.. seeds], Scope = scope };

    private static BoundaryDecision Decide(CrawlSpec spec, string url, int depth = 0) =>
        Create(spec).Decide(CanonicalUrlTests.Url(url), depth);

    private static CrawlBoundary Create(CrawlSpec spec)
    {
        Assert.True(CrawlBoundary.TryCreate(spec, out var boundary, out var errors), string.Join(' ', errors));
        Assert.Empty(errors);
        return boundary;
    }

    private static ImmutableArray<string> Errors(CrawlSpec spec)
    {
        Assert.False(CrawlBoundary.TryCreate(spec, out _, out var errors));
        return errors;
    }
}
