using System.Text;
using Doubles;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Cluster.Crawling;

/// <summary>URLs that a site names in its sitemaps and links nowhere.</summary>
public sealed class SitemapTests(CrawlCluster cluster) : IClassFixture<CrawlCluster>
{
    private readonly string _root = $"http://{cluster.NewHost()}/";

    [Fact]
    public async Task WhatAnIndexInGzipLeadsToIsFetched()
    {
        Robots($"Sitemap: {_root}index.xml\n");
        Xml("index.xml", $"<sitemapindex><sitemap><loc>{_root}pages.xml.gz</loc></sitemap></sitemapindex>");
        var pages = SiteAnswer.Text($"<urlset><url><loc>{_root}1</loc></url><url><loc>{_root}2</loc></url></urlset>").Gzipped();
        cluster.Web.Add(_root + "pages.xml.gz", pages with { ContentType = "application/gzip", Headers = [] });
        Page("", "/linked");
        Page("linked");
        Page("1", "/deeper");
        Page("2");
        Page("deeper");

        Assert.Equal(["", "1", "2", "deeper", "index.xml", "linked", "pages.xml.gz"], await Crawl(SitemapUse.Also));
    }

    [Fact]
    public async Task OnlyWhatSitemapsNameIsFetchedIfTheCrawlAsksSoAndTheUsualPlaceIsTried()
    {
        Robots("");
        Xml("sitemap.xml", $"<urlset><url><loc>{_root}1</loc></url></urlset>");
        Page("", "/linked");
        Page("1", "/deeper");

        Assert.Equal(["", "1", "sitemap.xml"], await Crawl(SitemapUse.Only));
    }

    [Fact]
    public async Task NoSitemapIsAskedForIfTheCrawlAsksSo()
    {
        Robots($"Sitemap: {_root}index.xml\n");
        Page("", "/linked");
        Page("linked");

        Assert.Equal(["", "linked"], await Crawl(SitemapUse.No));
    }

    [Fact]
    public async Task ASitemapMayNameItsOwnHostAndTheOneThatNamesItAndNoOthers()
    {
        var (store, other) = ($"http://{cluster.NewHost()}/", $"http://{cluster.NewHost()}/");
        Robots($"Sitemap: {store}map.txt\n");
        cluster.Web.Add(store + "map.txt", SiteAnswer.Text($"{_root}1\n{other}no\n"));
        Page("");
        Page("1");
        var crawl = await cluster.Start(Spec(SitemapUse.Also) with { Scope = CrawlScope.Any });
        var summary = await cluster.Ended(crawl);

        Assert.Equal([_root, _root + "1", store + "map.txt"], (await cluster.Export(crawl)).Keys.Order(StringComparer.Ordinal));
        Assert.Equal(1, summary.Reasons!["sitemap-foreign"]);
        await cluster.Balances(crawl);
    }

    private async Task<string[]> Crawl(SitemapUse use)
    {
        var crawl = await cluster.Start(Spec(use));
        await cluster.Ended(crawl);
        await cluster.Balances(crawl);
        return [.. (await cluster.Export(crawl)).Keys.Select(url => url[_root.Length..]).Order(StringComparer.Ordinal)];
    }

    private CrawlSpec Spec(SitemapUse use) =>
        new()
        {
            Seeds = [_root],
            Delay = TimeSpan.Zero,
            Timeout = TimeSpan.FromMinutes(5),
            Sitemaps = use,
        };

    private void Robots(string lines) => cluster.Web.Add(_root + "robots.txt", SiteAnswer.Text("User-agent: *\nAllow: /\n" + lines));

    private void Xml(string path, string xml) =>
        cluster.Web.Add(_root + path, new SiteAnswer { ContentType = "application/xml", Body = Encoding.UTF8.GetBytes(xml) });

    private void Page(string path, params string[] links) => cluster.Web.Add(_root + path, SiteAnswer.Links(links));
}
