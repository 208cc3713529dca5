using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Unit.Crawling;

/// <summary>Rows of earlier versions mean what they meant.</summary>
public sealed class CrawlRowsTests
{
    [Fact]
    public void ACrawlThatKnewNeitherSitemapsNorCookiesGoesOnWithoutThem()
    {
        var order = CrawlJson.Read<CrawlOrder>(
            """{"id":{"value":"tzc7dt8m3z"},"version":3,"state":"Running","spec":{"seeds":["http://a.example/"],"scope":"Domain","delay":"00:00:01"}}"""u8.ToArray()
        );

        Assert.Equal((SitemapUse.No, true, KeepPages.None), (order.Spec.Sitemaps, order.Spec.NoCookies, order.Spec.Keep));
        Assert.True(order.Spec.HostDomains);
        Assert.Equal((0, 0), (order.Spec.MaxPathDepth, order.Spec.MaxRepeats));
        Assert.Equal((CrawlScope.Domain, TimeSpan.FromSeconds(1)), (order.Spec.Scope, order.Spec.Delay));
    }

    [Theory]
    [InlineData(SitemapUse.Also, false)]
    [InlineData(SitemapUse.Only, true)]
    [InlineData(SitemapUse.No, false)]
    public void WhatWasAskedIsReadAsItWasWritten(SitemapUse sitemaps, bool noCookies)
    {
        var spec = new CrawlSpec
        {
            Seeds = ["http://a.example/?a&b"],
            Sitemaps = sitemaps,
            NoCookies = noCookies,
        };
        var read = CrawlJson.Read<ListedCrawl>(CrawlJson.Write(new ListedCrawl(new("tzc7dt8m3z"), spec, DateTimeOffset.UnixEpoch))).Spec;

        Assert.Equal((sitemaps, noCookies, spec.Seeds[0]), (read.Sitemaps, read.NoCookies, read.Seeds[0]));
        Assert.Equivalent(spec, read);
    }
}
