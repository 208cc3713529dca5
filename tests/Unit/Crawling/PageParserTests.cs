using System.Text;
using Grains.Crawling.Pages;
using Grains.Crawling.Urls;
using Xunit;

namespace Unit.Crawling;

public sealed class PageParserTests
{
    private static readonly CanonicalUrl Page = Url("http://site.example/dir/page.html?q=1");

    [Fact]
    public void LinksAreResolvedAgainstThePage() =>
        Assert.Equal(
            [
                "http://site.example/dir/a",
                "http://site.example/b?x=1&y=2",
                "http://other.example/",
                "https://third.example/c",
                "http://site.example/dir/page.html?q=2",
                "http://site.example/",
            ],
            Links(
                "<a href=a><a href='/b?x=1&amp;y=2'><a href=//other.example><a href=' https://third.example/c#top '><a "
                    + "href='?q=2'><a href='..'>"
            )
        );

    [Fact]
    public void EachUrlIsThereOnceInTheOrderOfThePage() =>
        Assert.Equal(
            ["http://site.example/dir/b", "http://site.example/dir/a"],
            Links("<a href=b><a href=a><a href='b'><a href='./a#x'><a href='http://SITE.example:80/dir/b'>")
        );

    [Fact]
    public void WhatIsNoWebAddressIsNoLink() =>
        Assert.Empty(
            Links(
                "<a href='mailto:a@b.example'><a href='javascript:go()'><a href='tel:1'><a href='data:,x'><a href='http://'><a "
                    + "href='http://a b/'><a name=x><a>"
            )
        );

    [Fact]
    public void TheseElementsLeadOn()
    {
        var page = Parse(
            "<a href=1><area href=2><iframe src=3></iframe><frame src=4><link rel=next href=5><link rel=canonical href=6><link "
                + "rel='x ALTERNATE' href=7><meta http-equiv=Refresh content='0; url=8'>"
        );

        Assert.Equal(
            [
                ("1", LinkKind.Anchor),
                ("2", LinkKind.Anchor),
                ("3", LinkKind.Frame),
                ("4", LinkKind.Frame),
                ("5", LinkKind.Next),
                ("6", LinkKind.Canonical),
                ("7", LinkKind.Alternate),
                ("8", LinkKind.Refresh),
            ],
            page.Links.Select(link => (link.Url.Text["http://site.example/dir/".Length..], link.Kind))
        );
        Assert.Equal("http://site.example/dir/6", page.Canonical?.Text);
    }

    [Fact]
    public void TheseDoNot() =>
        Assert.Empty(
            Links(
                "<link rel=stylesheet href=1><link rel='alternate stylesheet' href=2><link href=3><link rel=icon href=4><img "
                    + "src=5><script src=6></script><form action=7><area src=8><iframe href=9></iframe>"
                    + "<!--<a href=10>--><script>'<a href=11>'</script><style><a href=12></style><textarea><a "
                    + "href=13></textarea><title><a href=14></title><x a='<a href=15>'><iframe><a href=16></iframe>"
            )
        );

    [Fact]
    public void LinksInNoscriptLeadOn() => Assert.Equal(["http://site.example/dir/1"], Links("<noscript><a href=1></noscript>"));

    [Fact]
    public void TheFirstBaseIsWhereAllLinksStart() =>
        Assert.Equal(
            ["http://site.example/base/a", "http://site.example/base/b"],
            Links("<a href=a><base target=x><base href='/base/x'><base href='/other/'><a href=b>")
        );

    [Fact]
    public void ABaseThatIsNoWebAddressIsNone() => Assert.Equal(["http://site.example/dir/a"], Links("<base href='data:,x'><a href=a>"));

    [Fact]
    public void NoFollowCountsWhenEachLinkToTheUrlSaysIt()
    {
        var page = Parse(
            "<a href=1 rel='external NoFollow'><a href=2 rel=nofollow><a href=2><a href=3><a href=3 rel=nofollow><a href=4 "
                + "rel=nofollow><a href=./4><a href=5 rel=nofollows>"
        );

        Assert.Equal([true, false, false, false, false], page.Links.Select(link => link.NoFollow));
    }

    [Theory]
    [InlineData("<meta name=robots content=noindex>", true, false)]
    [InlineData("<META NAME=Robots CONTENT='x, NoFollow ,y'>", false, true)]
    [InlineData("<meta name=robots content=none>", true, true)]
    [InlineData("<meta name=robots content='noindex'><meta name=robots content=nofollow>", true, true)]
    [InlineData("<meta name=robots content='index, follow'>", false, false)]
    [InlineData("<meta name=testcrawler content=noindex>", true, false)]
    [InlineData("<meta name=googlebot content=noindex>", false, false)]
    [InlineData("<meta content=noindex>", false, false)]
    public void MetaRobotsIsRead(string html, bool noIndex, bool noFollow) => Assert.Equal((noIndex, noFollow), Wishes(Answer(html)));

    [Theory]
    [InlineData("noindex", true, false)]
    [InlineData("NoFollow, noarchive", false, true)]
    [InlineData("none", true, true)]
    [InlineData("googlebot: noindex", false, false)]
    [InlineData("TestCrawler: noindex, nofollow", true, true)]
    [InlineData("googlebot: noindex, testcrawler: nofollow", false, true)]
    [InlineData("unavailable_after: 25 Jun 2030 15:00:00 GMT, noindex", true, false)]
    [InlineData("max-snippet: 5, noindex", true, false)]
    [InlineData("", false, false)]
    [InlineData("noindex nofollow", true, true)]
    [InlineData("noindex; nofollow", true, true)]
    [InlineData("TESTCRAWLER:nofollow", false, true)]
    [InlineData("testcrawler/1.0: nofollow", false, true)]
    [InlineData("noindex, otherbot: nofollow, noarchive, TestCrawler: none", true, true)]
    [InlineData("testcrawler: noindex, otherbot: nofollow", true, false)]
    [InlineData("testcrawlers: nofollow", false, false)]
    [InlineData("*: nofollow", false, true)]
    [InlineData("unavailable_after: 25 Jun 2030 15:00:00 GMT, nofollow", false, true)]
    [InlineData("unavailable_after: Tue, 25 Jun 2030 15:00:00 GMT, nofollow", false, true)]
    [InlineData("unavailable_after: Tuesday, 25-Jun-30 15:00:00 GMT, nofollow", false, true)]
    [InlineData("otherbot: unavailable_after: 25 Jun 2010 15:00:00 GMT, noindex, testcrawler: nofollow", false, true)]
    [InlineData("unavailable_after: 25 Jun 2010 25:00:00 GMT, nofollow", false, true)]
    [InlineData("unavailable_after: soon, noindex", true, false)]
    [InlineData("max-image-preview: large, max-snippet:-1, nofollow", false, true)]
    public void TheRobotsHeaderIsRead(string header, bool noIndex, bool noFollow)
    {
        Assert.Equal((noIndex, noFollow), Wishes(Answer("<p>x") with { RobotsTags = [header] }));
        Assert.Equal((noIndex, noFollow), Wishes(Answer("x", "application/pdf") with { RobotsTags = ["archive", header] }));
    }

    [Fact]
    public void EachRobotsHeaderLineSpeaksToAllUntilItNamesSomebody() =>
        Assert.Equal((true, true), Wishes(Answer("<p>x") with { RobotsTags = ["otherbot: none", "noindex", "testcrawler: nofollow"] }));

    /// <summary>The date is 2010-06-25 15:00:00 UTC, and a weekday that is wrong does not make it none.</summary>
    [Theory]
    [InlineData("25 Jun 2010 15:00:00 GMT")]
    [InlineData("25 June 2010 15:00:00 UTC")]
    [InlineData("Fri, 25 Jun 2010 15:00:00 GMT")]
    [InlineData("Sat, 25 Jun 2010 15:00:00 GMT")]
    [InlineData("Friday, 25-Jun-10 15:00:00 GMT")]
    [InlineData("25-Jun-2010 15:00:00 GMT")]
    [InlineData("25-Jun-2010 10:00:00 EST")]
    [InlineData("25 Jun 2010 08:00:00 PDT")]
    [InlineData("Fri, 25 Jun 2010 17:00:00 +0200")]
    [InlineData("Fri Jun 25 15:00:00 2010")]
    [InlineData("2010-06-25T15:00:00Z")]
    [InlineData("2010-06-25T17:00:00+02:00")]
    [InlineData("2010-06-25 15:00:00")]
    [InlineData("June 25, 2010 15:00")]
    [InlineData("Friday, June 25, 2010 3:00 PM")]
    public void WhatIsUnavailableAfterADateIsNotFollowedAfterItAndNotBefore(string date)
    {
        var (before, after) = (
            new DateTimeOffset(2010, 6, 25, 14, 59, 59, TimeSpan.Zero),
            new DateTimeOffset(2010, 6, 25, 15, 0, 0, TimeSpan.Zero)
        );
        foreach (
            var answer in (PageFetch[])
                [
                    Answer("<p>x") with
                    {
                        RobotsTags = [$"unavailable_after: {date}"],
                    },
                    Answer("<p>x") with
                    {
                        RobotsTags = [$"testcrawler: unavailable_after:{date}, noarchive"],
                    },
                    Answer($"<meta name=robots content='noarchive, unavailable_after: {date}'>"),
                ]
        )
        {
            Assert.Equal((false, false), At(before));
            Assert.Equal((true, true), At(after));

            (bool, bool) At(DateTimeOffset now)
            {
                var page = PageParser.Parse(answer, Page, "TestCrawler", now);
                return (page.NoIndex, page.NoFollow);
            }
        }

        Assert.False(
            PageParser.Parse(Answer("") with { RobotsTags = [$"otherbot: unavailable_after: {date}"] }, Page, "TestCrawler", after).NoFollow
        );
    }

    [Theory]
    [InlineData("0;url=x", "x")]
    [InlineData("5; URL = x", "x")]
    [InlineData("0, 'x y'", "x y")]
    [InlineData("0 x", "x")]
    [InlineData(" 1.5;  url='x;y' z", "x;y")]
    [InlineData("0;url=\"x", "x")]
    [InlineData("0;urlx", "urlx")]
    [InlineData(".5;url=x", "x")]
    [InlineData("0;url=url=x", "url=x")]
    [InlineData("5", null)]
    [InlineData("5;", null)]
    [InlineData("5; url=", null)]
    [InlineData("x;url=y", null)]
    [InlineData("5x;url=y", null)]
    [InlineData("", null)]
    public void ARefreshNamesItsTarget(string content, string? target)
    {
        Assert.Equal(target is not null, RefreshTarget.TryParse(content, out var found));
        Assert.Equal(target ?? "", found.ToString());
    }

    [Fact]
    public void HeadersLeadOnFromThePageAndNotFromItsBase()
    {
        var page = PageParser.Parse(
            Answer("<base href=/base/><a href=a>") with
            {
                Links =
                [
                    "<2>; rel=\"next\", <3>; title=\"a, <b>; \\\" c\"; rel='x'",
                    "</c>;rel=canonical;rel=next, <4>; rel=\"prev alternate\" , <5>",
                ],
                Refresh = "3; url=6",
            },
            Page
        );

        Assert.Equal(
            [
                "http://site.example/dir/2 Next",
                "http://site.example/c Canonical",
                "http://site.example/dir/4 Alternate",
                "http://site.example/dir/6 Refresh",
                "http://site.example/base/a Anchor",
            ],
            page.Links.Select(link => $"{link.Url.Text} {link.Kind}")
        );
        Assert.Equal("http://site.example/c", page.Canonical?.Text);
    }

    [Theory]
    [InlineData("<title>A</title>", "A")]
    [InlineData("<title>\n  A \t b&amp;c&nbsp;d\r\n</title>", "A b&c\u00A0d")]
    [InlineData("<title></title><title>B</title>", "B")]
    [InlineData("<title>A</title><title>B</title>", "A")]
    [InlineData("<title> </title>", null)]
    [InlineData("<svg><title>A</title></svg><title>B</title>", "B")]
    [InlineData("<title>A<b>", "A<b>")]
    [InlineData("<p>A", null)]
    public void TheTitleIsTidied(string html, string? title) => Assert.Equal(title, Parse(html).Title);

    [Fact]
    public void ATitleHasAtMost300Characters()
    {
        Assert.Equal(new string('x', 300), Parse($"<title>{new string('x', 300)}</title>").Title);
        Assert.Equal(new string('x', 300), Parse($"<title>{new string('x', 100_000)}</title>").Title);
        Assert.Equal(new string('x', 299), Parse($"<title>{new string('x', 299)}😀</title>").Title);
        Assert.Equal(new string('x', 299), Parse($"<title>{new string('x', 299)} yz</title>").Title);
    }

    [Fact]
    public void OfAPageAtMostTenThousandLinksAreTaken()
    {
        var page = Parse(string.Concat(Enumerable.Range(0, 10_003).Select(i => $"<a href={i}>")) + "<a href=5>");

        Assert.Equal(10_000, page.Links.Length);
        Assert.Equal("http://site.example/dir/9999", page.Links[^1].Url.Text);
        Assert.Equal(3, page.LinksLeftOut);
    }

    [Fact]
    public void LinksThatAreTooLongAreCounted()
    {
        var page = Parse(
            $"<a href='{new string('a', 2048)}'><a href='/{new string('b', 3000)}'><a "
                + $"href='http://c/{new string('c', 2048)}'><a href='javascript:{new string('d', 3000)}'><a href=e>"
        );

        Assert.Equal(["http://site.example/dir/e"], page.Links.Select(link => link.Url.Text));
        Assert.Equal(3, page.LinksTooLong);
    }

    /// <summary>An answer without a Content-Type, or with one that means nothing, was not read.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("*/*")]
    [InlineData("unknown/unknown")]
    [InlineData("text/plain, text/html")]
    public void HtmlIsReadAsSuchAlsoWhereNobodySaysSo(string contentType)
    {
        var page = PageParser.Parse(Answer("\n<!DOCTYPE html><title>A</title><a href=1>", contentType), Page);

        Assert.Equal(("text/html", "A", 1), (page.MediaType, page.Title, page.Links.Length));
    }

    [Fact]
    public void HtmlWithoutATypeIsNotReadWhereTheServerForbidsToGuess()
    {
        var page = PageParser.Parse(Answer("<!DOCTYPE html><a href=1>", "") with { NoSniff = true }, Page);

        Assert.Equal(("text/plain", 0), (page.MediaType, page.Links.Length));
    }

    private const string Xhtml =
        "<?xml version='1.0'?><!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Strict//EN' 'x'>\n<html xmlns='http://www.w3.org/1999/xhtml'>"
        + "<head><script src='x.js'/><title>A &amp; B</title><style/></head><body><iframe src='1'/><textarea/><a href='2'/>"
        + "<script><![CDATA[ if (a < b) '<a href=x>' ]]></script><!-- <a href='y'/> --><?php echo '<a href=z>' ?><a "
        + "href='3?a&#38;b'>x</a></body></html>";

    /// <summary>An empty script element took the rest of the page with it.</summary>
    [Theory]
    [InlineData("application/xhtml+xml")]
    [InlineData("application/xml")]
    [InlineData("text/xml; charset=utf-8")]
    [InlineData("application/vnd.wap.xhtml+xml")]
    [InlineData("")]
    public void XhtmlIsReadAsXml(string contentType)
    {
        var page = PageParser.Parse(Answer(Xhtml, contentType), Page);

        Assert.Equal("A & B", page.Title);
        Assert.Equal(
            ["http://site.example/dir/1", "http://site.example/dir/2", "http://site.example/dir/3?a&b"],
            page.Links.Select(link => link.Url.Text)
        );
    }

    [Theory]
    [InlineData("<rss xmlns='http://www.w3.org/2005/Atom'><a href='1'/></rss>")]
    [InlineData("<html><a href='1'/></html>")]
    [InlineData("<html xmlns='http://www.w3.org/1999/xhtml/'><a href='1'/></html>")]
    [InlineData("<!-- <html xmlns='http://www.w3.org/1999/xhtml'> --><svg><a href='1'/></svg>")]
    [InlineData("words")]
    public void OtherXmlIsNotRead(string xml) => Assert.Empty(PageParser.Parse(Answer(xml, "application/xml"), Page).Links);

    [Theory]
    [InlineData("application/pdf")]
    [InlineData("text/plain")]
    [InlineData("application/xml")]
    [InlineData("application/octet-stream")]
    public void WhatIsNoHtmlHasNoTitleAndNoLinks(string contentType)
    {
        var page = PageParser.Parse(
            Answer("<title>A</title><a href=1>", contentType) with
            {
                Links = ["<2>; rel=next"],
                Refresh = "0; url=3",
            },
            Page
        );

        Assert.Null(page.Title);
        Assert.Empty(page.Links);
        Assert.Null(page.Charset);
    }

    [Fact]
    public void AFailureHasNothing() =>
        Assert.Equal(new ParsedPage(), PageParser.Parse(PageFetch.Failed(FetchFailure.Timeout, "Late.", TimeSpan.Zero), Page));

    /// <summary>The title is "é" in each encoding.</summary>
    [Theory]
    [InlineData("EF BB BF", "C3 A9", "text/html; charset=iso-8859-1", "", "utf-8")]
    [InlineData("", "E9", "text/html; charset=iso-8859-1", "<meta charset=utf-8>", "windows-1252")]
    [InlineData("", "C3 A9", "text/html; charset=\"UTF8\"", "<meta charset=latin1>", "utf-8")]
    [InlineData("", "C3 A9", "text/html; charset=nonsense", "", "utf-8")]
    [InlineData("", "E9", "text/html", "<meta charset=latin1>", "windows-1252")]
    [InlineData("", "E9", "text/html", "<meta http-equiv=content-type content='text/html; charset=windows-1252'>", "windows-1252")]
    [InlineData("", "C3 A9", "text/html", "<!--<meta charset=latin1>--><meta name=x content='charset=latin1'>", "utf-8")]
    [InlineData("", "C3 A9", "text/html", "<meta charset=utf-16>", "utf-8")]
    [InlineData("", "E9", "text/html", "", "windows-1252")]
    [InlineData("", "E9", "text/html", "<meta charset=utf-7>", "windows-1252")]
    [InlineData("", "E9", "text/html", "<meta charset=iso-8859-9>", "windows-1254")]
    [InlineData("", "A8 A6", "text/html; charset=gb2312", "", "gb18030")]
    [InlineData("", "E9", "text/html; charset=ibm850", "", "windows-1252")]
    [InlineData("", "E9", "text/html", "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>", "windows-1252")]
    [InlineData("", "A8 A6", "text/html", "<?xml version='1.0' encoding = 'GBK' ?>", "gb18030")]
    [InlineData("", "E9", "text/html", "<?xml version='1.0' encoding='gbk'?><meta charset=latin1>", "windows-1252")]
    [InlineData("", "C3 A9", "text/html; charset=utf-8", "<?xml version='1.0' encoding='gbk'?>", "utf-8")]
    [InlineData("EF BB BF", "C3 A9", "text/html", "<?xml version='1.0' encoding='gbk'?>", "utf-8")]
    [InlineData("", "C3 A9", "text/html", "<?xml version='1.0' encoding='utf-16'?>", "utf-8")]
    [InlineData("", "C3 A9", "text/html", "<?xml version='1.0' encoding='nonsense'?>", "utf-8")]
    [InlineData("", "C3 A9", "text/html", "<?xml version='1.0' encoding='gbk?>", "utf-8")]
    [InlineData("", "C3 A9", "text/html", " <?xml version='1.0' encoding='gbk'?>", "utf-8")]
    [InlineData("", "A8 A6", "application/xhtml+xml", "<?xml version='1.0' encoding='gbk'?><meta charset='latin1'/>", "gb18030")]
    [InlineData(
        "",
        "A8 A6",
        "application/xml",
        "<?xml version='1.0' encoding='gbk'?><html xmlns='http://www.w3.org/1999/xhtml'>",
        "gb18030"
    )]
    public void TheEncodingIsFound(string mark, string letter, string contentType, string head, string charset)
    {
        byte[] body = [.. Hex(mark), .. Encoding.ASCII.GetBytes(head + "<title>"), .. Hex(letter), .. Encoding.ASCII.GetBytes("</title>")];

        var page = PageParser.Parse(
            new()
            {
                Status = 200,
                ContentType = ContentType.Parse(contentType),
                Body = body,
            },
            Page
        );

        Assert.Equal("é", page.Title);
        Assert.Equal(charset, page.Charset);
    }

    [Fact]
    public void Utf16IsKnownByItsMark()
    {
        foreach (var encoding in new[] { Encoding.Unicode, Encoding.BigEndianUnicode })
        {
            byte[] body = [.. encoding.GetPreamble(), .. encoding.GetBytes("<title>é</title><a href=1>")];

            var page = PageParser.Parse(
                new()
                {
                    Status = 200,
                    ContentType = ContentType.Parse("text/html; charset=utf-8"),
                    Body = body,
                },
                Page
            );

            Assert.Equal("é", page.Title);
            Assert.Single(page.Links);
        }
    }

    [Fact]
    public void Utf16WithoutItsMarkIsKnownByItsXmlDeclaration()
    {
        foreach (var encoding in new[] { Encoding.Unicode, Encoding.BigEndianUnicode })
        {
            var body = encoding.GetBytes(
                "<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><title>é</title><a href='1'/></html>"
            );

            var page = PageParser.Parse(
                new()
                {
                    Status = 200,
                    ContentType = ContentType.Parse("application/xml"),
                    Body = body,
                },
                Page
            );

            Assert.Equal(("é", encoding.WebName, 1), (page.Title, page.Charset, page.Links.Length));
        }
    }

    [Fact]
    public void TheMetaCountsInTheFirst1024Bytes()
    {
        var meta = "<meta charset=latin1>";

        Assert.Equal("windows-1252", Parse($"<!--{new string('x', 1024 - 7 - meta.Length)}-->{meta}").Charset);
        Assert.Equal("utf-8", Parse($"<!--{new string('x', 1025 - 7 - meta.Length)}-->{meta}").Charset);
    }

    [Theory]
    [InlineData("C3", true, "utf-8")]
    [InlineData("E2 82", true, "utf-8")]
    [InlineData("F0 9F 98", true, "utf-8")]
    [InlineData("C3", false, "windows-1252")]
    [InlineData("C3 28", true, "windows-1252")]
    [InlineData("FF", true, "windows-1252")]
    [InlineData("", true, "utf-8")]
    public void HalfACharacterAtTheEndOfACutBodyIsNoMistake(string end, bool truncated, string charset)
    {
        byte[] body = [.. "<p>é"u8, .. Hex(end)];

        Assert.Equal(
            charset,
            PageParser
                .Parse(
                    new()
                    {
                        Status = 200,
                        ContentType = ContentType.Parse("text/html"),
                        Body = body,
                        Truncated = truncated,
                    },
                    Page
                )
                .Charset
        );
    }

    private static CanonicalUrl Url(string text)
    {
        Assert.True(CanonicalUrl.TryParse(text, null, out var url));
        return url;
    }

    private static byte[] Hex(string bytes) => Convert.FromHexString(bytes.Replace(" ", "", StringComparison.Ordinal));

    private static PageFetch Answer(string text, string contentType = "text/html") =>
        new()
        {
            Status = 200,
            ContentType = ContentType.Parse(contentType),
            Body = Encoding.UTF8.GetBytes(text),
        };

    private static ParsedPage Parse(string html) => PageParser.Parse(Answer(html), Page, "TestCrawler");

    private static IEnumerable<string> Links(string html) => Parse(html).Links.Select(link => link.Url.Text);

    private static (bool NoIndex, bool NoFollow) Wishes(PageFetch answer)
    {
        var page = PageParser.Parse(answer, Page, "TestCrawler");
        return (page.NoIndex, page.NoFollow);
    }
}
