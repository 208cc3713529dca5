using Grains.Crawling.Pages;
using Xunit;

namespace Unit.Crawling;

public sealed class ContentTypeTests
{
    [Theory]
    [InlineData(null, "", null)]
    [InlineData("", "", null)]
    [InlineData("text/html", "text/html", null)]
    [InlineData(" Text/HTML ; charset=UTF-8", "text/html", "UTF-8")]
    [InlineData("text/html;charset=\"utf-8\"", "text/html", "utf-8")]
    [InlineData("text/html; charset='utf-8'", "text/html", "utf-8")]
    [InlineData("text/html; level=1; CHARSET = latin1 ; charset=utf-8", "text/html", "latin1")]
    [InlineData("text/html; charset=", "text/html", null)]
    [InlineData("text/html;;;", "text/html", null)]
    [InlineData("html", "", null)]
    [InlineData("/html", "", null)]
    [InlineData("text/", "", null)]
    [InlineData("text/html, text/plain", "text/plain", null)]
    [InlineData("; charset=utf-8", "", null)]
    [InlineData("text/html;charset=gbk, text/html", "text/html", "gbk")]
    [InlineData("text/html;charset=gbk, text/html;x=y", "text/html", "gbk")]
    [InlineData("text/html;charset=gbk, text/html;charset=utf-8", "text/html", "utf-8")]
    [InlineData("text/html;charset=gbk, text/plain, text/html", "text/html", null)]
    [InlineData("text/html, */*", "text/html", null)]
    [InlineData("text/html, nonsense", "text/html", null)]
    [InlineData("nonsense, text/html", "text/html", null)]
    [InlineData("text/html, ", "text/html", null)]
    [InlineData("*/*", "", null)]
    [InlineData("text/html;x=\", text/plain\"", "text/html", null)]
    [InlineData("text/html;x=\"a\\\", b\";charset=gbk", "text/html", "gbk")]
    [InlineData("text/ht ml", "", null)]
    [InlineData("te(xt/html", "", null)]
    public void MediaTypeAndCharsetAreRead(string? header, string mediaType, string? charset) =>
        Assert.Equal(new ContentType(mediaType, charset), ContentType.Parse(header));

    [Theory]
    [InlineData("text/html", true)]
    [InlineData("application/xhtml+xml", true)]
    [InlineData("application/xml", false)]
    [InlineData("text/plain", false)]
    [InlineData("", false)]
    public void OnlyHtmlIsHtml(string mediaType, bool html) => Assert.Equal(html, ContentType.Parse(mediaType).IsHtml);

    [Fact]
    public void WhatSaysNothingIsTheDefault() => Assert.Equal(default, ContentType.Parse(""));
}
