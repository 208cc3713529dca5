using System.Text;
using Doubles;
using Doubles.Net;
using Grains.Crawling.Pages;
using Grains.Crawling.Urls;
using Grains.Net;
using Xunit;

namespace Unit.Crawling;

/// <summary>What benchmarks rely on.</summary>
public sealed class BigSiteTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(1000)]
    [InlineData(20_000)]
    public void AWalkFromTheRootReachesAllPages(int pages)
    {
        var site = new BigSite(pages);
        var reached = new HashSet<int> { 0 };
        var next = new Queue<int>(reached);
        while (next.TryDequeue(out var page))
        {
            for (var index = 0; index < BigSite.LinksPerPage; index++)
            {
                var link = site.Link(page, index);
                if (link < pages && reached.Add(link))
                {
                    next.Enqueue(link);
                }
            }
        }

        Assert.Equal(pages, reached.Count);
    }

    [Fact]
    public void APageIsWhatItSays()
    {
        var site = new BigSite(20_000);
        Assert.True(CanonicalUrl.TryParse("http://127.0.0.1:8000/", null, out var root));

        var page = site.Page(123);
        var parsed = PageParser.Parse(
            new()
            {
                Status = 200,
                ContentType = ContentType.Parse("text/html"),
                Body = page,
            },
            root
        );

        Assert.Equal(BigSite.PageBytes, page.Length);
        Assert.InRange(BigSite.PageBytes, 14_000, 16_000);
        Assert.Equal("Page 0000123", parsed.Title);
        Assert.Equal(
            Enumerable.Range(0, 50).Select(index => BigSite.PathOf(site.Link(123, index))).Distinct(),
            parsed.Links.Select(link => link.Url.PathAndQuery)
        );
        Assert.Equal(50, Encoding.UTF8.GetString(page).Split("<a ").Length - 1);
    }

    [Theory]
    [InlineData("/", 0)]
    [InlineData("/p/0000001.html", 1)]
    [InlineData("/p/0000099.html", 99)]
    [InlineData("/p/0000100.html", null)]
    [InlineData("/p/0000000.html", null)]
    [InlineData("/p/00000x1.html", null)]
    [InlineData("/p/1.html", null)]
    [InlineData("", null)]
    public void APathMeansAPage(string path, int? page) => Assert.Equal(page, new BigSite(100).PageOf(path));

    [Fact]
    public async Task AWebSiteServesIt()
    {
        var network = new MemoryNetwork();
        await using var site = await WebSite.Start(network);
        site.Pages = new BigSite(100);
        Assert.True(AddressRanges.TryParse("127.0.0.1", out var loopback, out _));
        using var fetcher = new HttpPageFetcher(TimeProvider.System, network.Resolve, network.Connect);

        var fetch = await fetcher.Fetch(
            new(site.UrlOf("/p/0000007.html"), TimeSpan.FromSeconds(30), 1_000_000, loopback, "Test"),
            TestContext.Current.CancellationToken
        );

        Assert.Equal(new BigSite(100).Page(7), fetch.Body);
        Assert.Equal(1, site.Ledger.MostAtOnce);
    }
}
