using System.Collections.Immutable;
using Grains.Crawling.Rows;
using Grains.Crawling.Traps;
using Xunit;

namespace Unit.Crawling;

/// <summary>Facets that are spelled in the path, and what only looks like them.</summary>
public sealed class PathFacetsTests
{
    private const string Site = "http://a.example";

    private readonly PathFacets _facets = new();

    /// <summary>Each line: URLs of one site that came in, the last of which is looked at, and its shape.</summary>
    [Theory]
    [InlineData("/shoes/color/red/size/xl /shoes/size/xs/color/blue", "/shoes/*/*/*/*")]
    [InlineData("/shoes/size/42/color/red /shoes/color/blue/size/43/page/2", "/shoes/*/*/*/*")]
    [InlineData("/en/shop/shoes/color/red/size/xl /en/shop/shoes/size/s/color/blue/", "/en/shop/shoes/*/*/*/*")]
    [InlineData("/color/red/size/xl /size/xs/color/blue", "/*/*/*/*")]
    [InlineData("/s/color/red/size/xl/brand/acme /s/brand/zeta/color/blue /s/size/s/brand/acme/color/red", "/s/*/*/*/*")]
    [InlineData("/s/%C3%B6l/a/size/b /s/size/c/%C3%B6l/d", "/s/*/*/*/*")]
    [InlineData("/shoes/c-red/s-xl /shoes/s-xs/c-blue/", "/shoes/*-*/*-*")]
    [InlineData("/shoes/color_red/size_xl/brand_acme /shoes/size_xs/brand_zeta/color_blue", "/shoes/*_*/*_*")]
    [InlineData("/shoes/color=red/size=xl /shoes/size=xs/color=blue", "/shoes/*=*/*=*")]
    [InlineData("/shoes/color:red/size:xl /shoes/size:xs/color:blue/page:2", "/shoes/*:*/*:*")]
    public void FacetsInAnyOrderHaveTheShapeOfTheirListing(string urls, string shape) => Assert.Equal(Site + shape, Last(urls));

    /// <summary>A shop that sorts its facets: the first one is always in front, and is known by its many values.</summary>
    [Fact]
    public void FacetsThatAreAlwaysInOneOrderHaveTheShapeOfTheirListingToo() =>
        Assert.Equal(
            Site + "/shoes/*/*/*/*",
            Last(
                "/shoes/brand/acme/color/red/size/xl /shoes/color/red/size/s /shoes/brand/beta/size/xl /shoes/brand/zeta/color/blue/size/xs"
            )
        );

    [Theory]
    [InlineData("one facet is a listing", "/shoes/color/red /shoes/size/xl /shoes/color/blue /shoes/size/xs")]
    [InlineData("the pages of an API", "/api/v1/users/list /api/v1/users/get /api/v1/orders/list /api/v1/orders/get /api/v2/users/list")]
    [InlineData("the posts of a blog", "/blog/2024/05/first-post /blog/2024/06/next-post /blog/2025/05/first-post")]
    [InlineData("the archives of a blog", "/blog/tag/news/page/2 /blog/author/ann/page/3 /blog/page/2/tag/news /blog/page/4/author/bob")]
    [InlineData(
        "a tree of documents",
        "/docs/en/guide/install/linux /docs/en/guide/install/windows /docs/en/guide/use/linux /docs/de/guide/use/linux /docs/en/ref/linux"
    )]
    [InlineData("a tree of sources", "/src/main/java/org/acme/a /src/test/java/org/acme/a /src/main/java/org/zeta/b /src/main/res/org/b")]
    [InlineData("packages by their first letter", "/pool/main/a/apt /pool/main/b/bash /pool/contrib/a/alien /pool/main/liba/liba")]
    [InlineData("places of the world", "/hotels/france/paris/centre /hotels/france/lyon/north /hotels/spain/madrid/centre")]
    [InlineData("items with a word before", "/c/shoes/p/17 /c/boots/p/18 /c/shoes/p/19 /c/hats/p/20")]
    [InlineData("titles with dashes", "/news/a-fine-day/more-of-it /news/the-worst-day/less-of-it /news/a-bad-day/some-of-it")]
    [InlineData("numbers beside numbers", "/1/2/3/4 /3/5/1/6 /1/7/3/8")]
    [InlineData("a name with one value", "/a/x/b/y /b/y/a/x")]
    [InlineData("no path at all", "/ / / /")]
    public void DirectoriesAreNoFacets(string site, string urls)
    {
        foreach (var url in urls.Split(' '))
        {
            _facets.Learn(Site + url);
        }

        Assert.All(urls.Split(' '), url => Assert.True(_facets.Find(Site + url) is null, $"{site}: {url} was taken for facets."));
    }

    [Fact]
    public void AUrlIsOfATrapByTwoOfItsNamesAndAnotherPageBelowTheListingIsNot()
    {
        Last("/shoes/color/red/size/xl/brand/acme /shoes/size/xs/brand/zeta/color/blue");
        var found = _facets.Find(Site + "/shoes/color/red/size/xl")!;
        ImmutableArray<TrapRow> traps = TrapTrickle.With([], found.Shape, "e", DateTimeOffset.UnixEpoch, _facets.Names(found));

        Assert.Equal(["brand", "color", "size"], traps[0].Names!.Value);
        Assert.All(["/shoes/size/m/color/green", "/shoes/brand/b/width/wide/size/m", "/shoes/color/red/size/xl/page/9"], url =>
            Assert.Equal(traps[0], TrapTrickle.Find(traps, Site + url))
        );
        Assert.All(
            [
                "/shoes",
                "/shoes/color/red",
                "/shoes/air/reviews/2024",
                "/shoes/air/reviews/by/ann",
                "/shoes/color/red/buy/now",
                "/boots/color/a/size/b",
            ],
            url => Assert.Null(TrapTrickle.Find(traps, Site + url))
        );
        Assert.Equal(traps[0].Names, CrawlJson.Read<TrapRow>(CrawlJson.Write(traps[0])).Names);
        Assert.Null(CrawlJson.Read<TrapRow>("""{"shape":"s","example":"e","nextAt":"2026-01-01T00:00:00Z"}"""u8.ToArray()).Names);
    }

    [Fact]
    public void WhatIsRememberedIsBoundedAndFacetsAreFoundBehindALargeTreeToo()
    {
        for (var page = 0; page < 20_000; page++)
        {
            _facets.Learn($"{Site}/tree/{page}/of/{page}/pages");
        }

        Assert.InRange(_facets.Characters, 1, PathFacets.MaxCharacters);
        Assert.Equal(Site + "/shoes/*/*/*/*", Last("/shoes/color/red/size/xl /shoes/size/xs/color/blue"));
    }

    private string? Last(string urls)
    {
        var last = "";
        foreach (var url in urls.Split(' '))
        {
            _facets.Learn(last = Site + url);
        }

        return _facets.Find(last)?.Shape;
    }
}
