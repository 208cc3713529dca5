using System.Globalization;
using System.Text;
using Grains.Crawling.Pages;
using Grains.Crawling.Urls;
using Xunit;

namespace Unit.Crawling;

/// <summary>Pages in the encodings of the web, and what their links ask for.</summary>
public sealed class EncodingTests
{
    public static TheoryData<string, string> Labels()
    {
        var rows = new TheoryData<string, string>();
        foreach (
            var line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Data", "encoding-labels.tsv"))
                .Where(line => line.Length > 0 && line[0] != '#')
        )
        {
            var columns = line.Split('\t');
            rows.Add(columns[0], columns[1]);
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(Labels))]
    public void EachLabelOfTheStandardIsRead(string label, string codePage)
    {
        Assert.Equal(codePage, EncodingLabels.Find(label)?.CodePage.ToString(CultureInfo.InvariantCulture) ?? "");
        Assert.Equal(EncodingLabels.Find(label), EncodingLabels.Find($" {label.ToUpperInvariant()}\t"));
    }

    [Theory]
    [InlineData("iso-8859-10", "ĄĒĢ ĸ", new byte[] { 0xA1, 0xA2, 0xA3, 0x20, 0xFF })]
    [InlineData("l6", "\u0080\u009f\u00a0", new byte[] { 0x80, 0x9F, 0xA0 })]
    [InlineData("iso-8859-14", "Ḃḃ Ẁ ŷÿ", new byte[] { 0xA1, 0xA2, 0x20, 0xA8, 0x20, 0xFE, 0xFF })]
    [InlineData("iso-8859-16", "€„Š țÿ", new byte[] { 0xA4, 0xA5, 0xA6, 0x20, 0xFE, 0xFF })]
    public void WhatDotNetHasNoCodePageForIsReadByATable(string label, string text, byte[] bytes)
    {
        var encoding = EncodingLabels.Find(label)!;

        Assert.Equal(text, encoding.GetString(bytes));
        Assert.Equal(bytes, encoding.GetBytes(text));
        Assert.Equal(bytes, encoding.GetBytes("中" + text + "\ud83d\ude00"));
    }

    [Theory]
    [InlineData("utf-7")]
    [InlineData("utf-32")]
    [InlineData("cp037")]
    [InlineData("")]
    public void WhatTheStandardDoesNotNameMeansNothing(string label) => Assert.Null(EncodingLabels.Find(label));

    [Theory]
    [InlineData("utf-8", "/é?q=é", "/%C3%A9?q=%C3%A9")]
    [InlineData("utf-16", "/é?q=é", "/%C3%A9?q=%C3%A9")]
    [InlineData("windows-1252", "/é?q=é#é", "/%C3%A9?q=%E9")]
    [InlineData("latin1", "http://a.example/?€=1", "/?%80=1")]
    [InlineData("windows-1251", "?q=Пётр", "/?q=%CF%B8%F2%F0")]
    [InlineData("koi8-r", "?q=я", "/?q=%D1")]
    [InlineData("shift_jis", "?q=ソA", "/?q=%83\\A")]
    [InlineData("gbk", "//a.example?q=中文", "/?q=%D6%D0%CE%C4")]
    [InlineData("big5", "?q=中", "/?q=%A4%A4")]
    [InlineData("euc-kr", "?q=한", "/?q=%C7%D1")]
    [InlineData("euc-jp", "?q=日", "/?q=%C6%FC")]
    [InlineData("iso-8859-10", "?q=Ŋ", "/?q=%AF")]
    [InlineData("iso-8859-14", "?q=Ŵя", "/?q=%D0%26%231103%3B")]
    [InlineData("iso-8859-16", "?q=ț€", "/?q=%FE%A4")]
    [InlineData("windows-1252", "?q=я&x=%C3%A9", "/?q=%26%231103%3B&x=%C3%A9")]
    [InlineData("windows-1252", "?q=\ud83d\ude00\ta", "/?q=%26%23128512%3Ba")]
    public void TheQueryOfALinkIsEscapedInTheEncodingOfItsPage(string label, string link, string expected)
    {
        Assert.True(CanonicalUrl.TryParse("http://a.example/", null, out var page));
        var queries = EncodingLabels.ForQueries(EncodingLabels.Find(label)!);

        Assert.Equal(UrlFault.None, UrlParser.Parse(link, page, out var url, queries));
        Assert.Equal("http://a.example" + expected, url!.Text);
        Assert.True(CanonicalUrl.TryParse(url.Text, null, out var again));
        Assert.Equal(url, again);
    }

    [Theory]
    [InlineData("windows-1251", "<meta charset=windows-1251><a href='/путь?q=слово'>", "/%D0%BF%D1%83%D1%82%D1%8C?q=%F1%EB%EE%E2%EE")]
    [InlineData("windows-1251", "<meta charset=cp1251><base href='/dir/'><a href='?q=я'>", "/dir/?q=%FF")]
    [InlineData("shift_jis", "<meta charset=x-sjis><meta http-equiv=refresh content='0;url=/?q=ソ'>", "/?q=%83\\")]
    [InlineData("utf-8", "<meta charset=utf-8><a href='?q=я'>", "/?q=%D1%8F")]
    public void APageOfAnOldSiteAsksForWhatBrowsersAskFor(string label, string html, string expected)
    {
        Assert.True(CanonicalUrl.TryParse("http://a.example/", null, out var url));
        var page = PageParser.Parse(
            new()
            {
                Status = 200,
                ContentType = ContentType.Parse("text/html"),
                Body = EncodingLabels.Find(label)!.GetBytes(html),
            },
            url
        );

        Assert.Equal("http://a.example" + expected, Assert.Single(page.Links).Url.Text);
    }

    [Fact]
    public void ALinkOfAHeaderFieldHasNoPageAndIsEscapedInUtf8()
    {
        Assert.True(CanonicalUrl.TryParse("http://a.example/", null, out var url));
        var page = PageParser.Parse(
            new()
            {
                Status = 200,
                ContentType = ContentType.Parse("text/html; charset=windows-1251"),
                Links = ["</?q=я>; rel=next"],
                Body = Encoding.ASCII.GetBytes("<p>"),
            },
            url
        );

        Assert.Equal("http://a.example/?q=%D1%8F", Assert.Single(page.Links).Url.Text);
    }
}
