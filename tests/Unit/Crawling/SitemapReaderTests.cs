using System.IO.Compression;
using System.Text;
using Grains.Crawling.Sitemaps;
using Grains.Crawling.Urls;
using Xunit;

namespace Unit.Crawling;

/// <summary>Sitemaps in all their forms (sitemaps.org, protocol 0.9).</summary>
public sealed class SitemapReaderTests
{
    private const string Root = "http://a.example/";

    [Theory]
    [InlineData(
        "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><url><loc> http://a.example/1 </loc></url><url><loc>http://a.example/2</loc></url></urlset>"
    )]
    [InlineData(
        "<?xml version='1.0' encoding='UTF-8'?>\n<!-- x --><urlset><url><loc><![CDATA[http://a.example/1]]></loc></url><url><loc>http://a.example/2</loc></url></urlset>"
    )]
    [InlineData(
        "<x:urlset xmlns:x='urn:wrong'><x:url><x:loc>http://a.example/1</x:loc></x:url><x:url><x:loc>http://a.example/2</x:loc></x:url></x:urlset>"
    )]
    [InlineData(
        "<urlset xmlns:i='urn:i'><url><i:image><i:loc>http://a.example/no</i:loc></i:image><loc>http://a.example/1</loc></url><url><loc>http://a.example/2</loc></url></urlset>"
    )]
    [InlineData(
        "<rss version='2.0'><channel><link>http://a.example/no</link><item><link>http://a.example/1</link></item><item><link>http://a.example/2</link></item></channel></rss>"
    )]
    [InlineData(
        "<feed xmlns='http://www.w3.org/2005/Atom'><link href='http://a.example/no'/><entry><link rel='edit' href='http://a.example/no'/><link href='http://a.example/1'/></entry><entry><link rel='alternate' href='http://a.example/2'/></entry></feed>"
    )]
    [InlineData("http://a.example/1\r\n\r\nhttp://a.example/2\n")]
    [InlineData("\uFEFFhttp://a.example/1\nhttp://a.example/2\nno url\nhttp://a.example/1")]
    public void EachFormNamesItsPages(string text)
    {
        Assert.Equal(["1", "2"], Names(Read(text)));
        Assert.Equal(["1", "2"], Names(Read(Gzip(text))));
    }

    [Fact]
    public void AnIndexNamesSitemaps()
    {
        var sitemap = Read(
            "<sitemapindex><sitemap><loc>http://a.example/s1.xml.gz</loc><lastmod>2026-01-01</lastmod></sitemap></sitemapindex>"
        );

        Assert.Empty(sitemap.Entries);
        Assert.Equal(["http://a.example/s1.xml.gz"], sitemap.Sitemaps.Select(url => url.Text));
    }

    [Fact]
    public void HigherPriorityComesFirstThenTheLaterChange()
    {
        var sitemap = Read(
            "<urlset>"
                + Entry("old", "2026-01-01", "")
                + Entry("new", "2026-05-01T10:00:00+02:00", "0.5")
                + Entry("first", "", "0.9")
                + Entry("none", "someday", "high")
                + Entry("last", "2026-06-01", "0.1")
                + "</urlset>"
        );

        Assert.Equal(["first", "new", "old", "none", "last"], Names(sitemap));
    }

    [Theory]
    [InlineData("<urlset><url><loc>http://a.example/1</loc></url><url><loc>http://a.example/2</lo", "1")]
    [InlineData("<urlset><url><loc>http://a.example/1</loc></url><url><loc>http://a.example/2&nbsp;</loc></url></urlset>", "1")]
    public void OfABrokenOneCountsWhatStandsBefore(string text, string names)
    {
        var sitemap = Read(text);

        Assert.Equal(names.Split(' '), Names(sitemap));
        Assert.StartsWith("It is no whole XML: line 1: ", sitemap.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void OfATornGzipCountsWhatWasUnpacked()
    {
        var packed = Gzip(string.Concat(Enumerable.Range(0, 20_000).Select(page => $"{Root}{page}\n")));
        var sitemap = SitemapReader.Read(packed.AsMemory(0, packed.Length / 2), Url(Root));

        Assert.InRange(sitemap.Entries.Length, 1, 19_999);
        Assert.StartsWith("Its gzip is not whole", sitemap.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void EntriesBeyondTheBoundAreCounted()
    {
        var sitemap = Read(string.Concat(Enumerable.Range(0, SitemapReader.MaxEntries + 3).Select(page => $"{Root}{page}\n")));

        Assert.Equal((SitemapReader.MaxEntries, 3), (sitemap.Entries.Length, sitemap.LeftOut));
    }

    [Fact]
    public void AGzipBombCostsNoMoreThanTheBound()
    {
        var sitemap = SitemapReader.Read(Gzip(new string(' ', SitemapReader.MaxBytes + 10)), Url(Root));

        Assert.Empty(sitemap.Entries);
        Assert.StartsWith("It has more than 50 MiB", sitemap.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void AnExternalEntityIsNotFetched() =>
        Assert.Empty(
            Read(
                "<!DOCTYPE u [<!ENTITY x SYSTEM 'file:///etc/hostname'>]><urlset><url><loc>http://a.example/&x;</loc></url></urlset>"
            ).Entries
        );

    private static string Entry(string name, string lastModified, string priority) =>
        $"<url><loc>{Root}{name}</loc><lastmod>{lastModified}</lastmod><priority>{priority}</priority></url>";

    private static string[] Names(Sitemap sitemap) => [.. sitemap.Entries.Select(entry => entry.Url.Text[Root.Length..])];

    private static Sitemap Read(string text) => Read(Encoding.UTF8.GetBytes(text));

    private static Sitemap Read(byte[] body) => SitemapReader.Read(body, Url(Root + "sitemap.xml"));

    private static CanonicalUrl Url(string text) => CanonicalUrl.TryParse(text, null, out var url) ? url : throw new FormatException(text);

    private static byte[] Gzip(string text)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal))
        {
            gzip.Write(Encoding.UTF8.GetBytes(text));
        }

        return packed.ToArray();
    }
}
