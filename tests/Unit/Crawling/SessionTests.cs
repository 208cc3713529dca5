using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Grains.Crawling.Rows;
using Grains.Crawling.Sessions;
using Grains.Crawling.Specs;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;
using Grains.Storage;
using Xunit;

namespace Unit.Crawling;

/// <summary>Cookies, own header fields and credentials of a crawl: what goes where, and what is never shown.</summary>
public sealed class SessionTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 30, 9, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("a=1", "http://h.example/x/y", "http://h.example/x/z", "a=1")]
    [InlineData("a=1", "http://h.example/x/y", "http://h.example/xy", null)]
    [InlineData("a=1; Path=/", "http://h.example/x/y", "http://h.example/other", "a=1")]
    [InlineData("a=1; Path=/x", "http://h.example/", "http://h.example/x/1", "a=1")]
    [InlineData("a=1; Path=relative", "http://h.example/x/y", "http://h.example/", null)]
    [InlineData("a=1; Secure", "https://h.example/", "http://h.example/", null)]
    [InlineData("a=1; Secure; HttpOnly; SameSite=Lax", "https://h.example/", "https://h.example/", "a=1")]
    [InlineData("a=1; Max-Age=0", "http://h.example/", "http://h.example/", null)]
    [InlineData("a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "http://h.example/", "http://h.example/", "a=1")]
    [InlineData("a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "http://h.example/", "http://h.example/", null)]
    [InlineData("a=1; Expires=Tue, 01 Dec 2026 00:00:00 GMT", "http://h.example/", "http://h.example/", "a=1")]
    [InlineData("a=1; Domain=.h.example", "http://www.h.example/", "http://www.h.example/", "a=1")]
    [InlineData("a=1; Domain=other.example", "http://h.example/", "http://h.example/", null)]
    [InlineData("alone", "http://h.example/", "http://h.example/", "alone")]
    [InlineData("a=\"x=y\"", "http://h.example/", "http://h.example/", "a=\"x=y\"")]
    [InlineData("; Path=/", "http://h.example/", "http://h.example/", null)]
    [InlineData("a=1; Path=/x; Path=", "http://h.example/y/", "http://h.example/y/1", "a=1")]
    [InlineData("a=1", "http://www.shop.example/", "http://shop.example/", null)]
    [InlineData("a=1; Domain=shop.example", "http://www.shop.example/", "http://shop.example/", "a=1")]
    [InlineData("a=1; Domain=.SHOP.example", "https://shop.example:8443/", "http://a.b.shop.example/", "a=1")]
    [InlineData("a=1; Domain=www.shop.example", "http://www.shop.example/", "http://shop.example/", null)]
    [InlineData("a=1; Domain=shop.example", "http://www.shop.example/", "http://othershop.example/", null)]
    [InlineData("a=1; Domain=www.shop.example", "http://shop.example/", "http://www.shop.example/", null)]
    [InlineData("a=1; Domain=shop.example; Secure", "https://www.shop.example/", "http://shop.example/", null)]
    [InlineData("a=1; Domain=shop.example; Path=/in", "http://www.shop.example/", "http://shop.example/inner", null)]
    [InlineData("a=1; Domain=b\u00fccher.example", "http://www.xn--bcher-kva.example/", "http://xn--bcher-kva.example/", "a=1")]
    [InlineData("a=1; Domain=example", "http://www.shop.example/", "http://www.shop.example/", null)]
    [InlineData("a=1; Domain=co.uk", "http://shop.co.uk/", "http://shop.co.uk/", null)]
    [InlineData("a=1; Domain=github.io", "http://me.github.io/", "http://me.github.io/", null)]
    [InlineData("a=1; Domain=github.io", "http://github.io/", "http://github.io/", "a=1")]
    [InlineData("a=1; Domain=github.io", "http://github.io/", "http://me.github.io/", null)]
    [InlineData("a=1; Domain=10.0.0.1", "http://10.0.0.1/", "http://10.0.0.1/", "a=1")]
    [InlineData("a=1; Domain=0.0.1", "http://10.0.0.1/", "http://10.0.0.1/", null)]
    [InlineData("a=1; Domain=", "http://www.shop.example/", "http://www.shop.example/", "a=1")]
    [InlineData("a=1; Domain=.", "http://www.shop.example/", "http://www.shop.example/", null)]
    [InlineData("a=\u0001", "http://h.example/", "http://h.example/", null)]
    public void ACookieIsSentWhereItBelongs(string line, string from, string to, string? sent) =>
        Assert.Equal(sent, CookieJar.Header(Known(CookieJar.After([], [line], Url(from), Now, out _), Url(from), Url(to)), Url(to), Now));

    [Theory]
    [InlineData("Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z")]
    [InlineData("Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z")]
    [InlineData("Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37Z")]
    [InlineData("Mon, 06-Nov-2033 8:9:7", "2033-11-06T08:09:07Z")]
    [InlineData("06 november 69 23:59:59 anything", "2069-11-06T23:59:59Z")]
    [InlineData("06 Nov 70 00:00:00", "1970-11-06T00:00:00Z")]
    [InlineData("31 Feb 2030 00:00:00", null)]
    [InlineData("06 Nov 1600 00:00:00", null)]
    [InlineData("06 Nov 2030 24:00:00", null)]
    [InlineData("06 Nov 2030", null)]
    [InlineData("Nov 2030 00:00:00", null)]
    [InlineData("06 Nev 2030 00:00:00", null)]
    [InlineData("0", null)]
    public void ADateIsReadAsTheWebWritesIt(string text, string? date) =>
        Assert.Equal(
            date is null ? null : DateTimeOffset.Parse(date, CultureInfo.InvariantCulture),
            CookieJar.Parse($"a=1; Expires={text}", Url("http://h.example/"), Now)!.ExpiresAt
        );

    [Fact]
    public void OneNameMayBeSetForTheHostAndForTheDomain()
    {
        var url = Url("http://www.shop.example/");
        var jar = CookieJar.After([], ["a=host", "a=domain; Domain=shop.example"], url, Now, out _);
        jar = CookieJar.After(jar, ["a=again; Domain=shop.example"], url, Now, out _);

        Assert.Equal("a=host; a=again", CookieJar.Header(jar, url, Now));
        Assert.Equal("a=again", CookieJar.Header(Known(jar, url, Url("http://shop.example/")), Url("http://shop.example/"), Now));
    }

    [Fact]
    public void AFullJarFitsIntoARowWhateverItsCookiesAreMadeOf()
    {
        var url = Url("http://www.shop.example/" + new string('p', 2000));
        var lines = new[] { '"', '\u00e4', '\ud7fc', 'x' }.SelectMany(c =>
            Enumerable.Range(0, CookieJar.MaxCookies).Select(cookie => $"{c}{cookie}={new string(c, 3000)}; Domain=shop.example")
        );
        var jar = CookieJar.After([], [.. lines], url, Now, out _);

        Assert.InRange(CrawlJson.Write(new CookieJarRow(1, jar)).Length, 1, StoreLimits.MaxPayloadBytes);
    }

    [Fact]
    public void ACookieIsReplacedByItsNameAndPathAndDeletedByADateThatIsOver()
    {
        var url = Url("http://h.example/");
        var jar = CookieJar.After([], ["a=1", "b=1", "a=2; Path=/deep"], url, Now, out _);
        jar = CookieJar.After(jar, ["a=3", "b=; Max-Age=-1"], url, Now, out _);

        Assert.Equal("a=3", CookieJar.Header(jar, url, Now));
        Assert.Equal("a=2; a=3", CookieJar.Header(jar, Url("http://h.example/deep/1"), Now));
    }

    [Fact]
    public void CookiesBeyondTheBoundGoTheOldestFirstAndALongOneIsDropped()
    {
        var url = Url("http://h.example/");
        var jar = CookieJar.After(
            [],
            Enumerable.Range(0, 60).Select(cookie => $"c{cookie}=1").Append("long=" + new string('x', 5000)),
            url,
            Now,
            out var cut
        );

        Assert.Equal(10, cut);
        Assert.Equal(Enumerable.Range(10, CookieJar.MaxCookies).Select(cookie => $"c{cookie}"), jar.Select(cookie => cookie.Name));
    }

    [Theory]
    [InlineData("http://h.example/x", "X-Key: 1")]
    [InlineData("https://h.example/x", "X-Key: 1")]
    [InlineData("http://other.example/", "")]
    [InlineData("https://sub.h.example/", "")]
    [InlineData("http://h.example:8080/", "")]
    [InlineData("https://api.example/", "Authorization: Basic dTpwOng=")]
    [InlineData("http://api.example/", "")]
    [InlineData("https://token.example/", "Authorization: Bearer T")]
    public void FieldsGoToTheOriginsOfTheSeedsAndCredentialsToTheirHost(string url, string fields)
    {
        var session = Session(["X-Key: 1"], ["api.example=u:p:x", "token.example=bearer:T"], out var errors);

        Assert.Empty(errors);
        Assert.Equal(fields, string.Join(", ", session.For(Url(url), cookie: null).Select(field => $"{field.Name}: {field.Value}")));
    }

    [Fact]
    public void ASeedOverHttpsSendsNothingOverHttp()
    {
        var session = CrawlSession.Create(
            new() { Seeds = ["https://h.example/"], Headers = ["X-Key: 1"] },
            [Url("https://h.example/")],
            out _
        );

        Assert.Empty(session.For(Url("http://h.example/"), cookie: null));
    }

    [Fact]
    public void ACookieFieldOfTheCrawlIsSentBesideTheJar() =>
        Assert.Equal([("Cookie", "own=1; jar=2")], Session(["Cookie: own=1"], [], out _).For(Url("http://h.example/"), "jar=2"));

    [Theory]
    [InlineData("no colon", "", "A header field is \"Name: value\"; one is not.")]
    [InlineData("Host: x", "", "The header field Host is the crawler's own and cannot be set.")]
    [InlineData("X-Key: a\nb", "", "The value of the header field X-Key has at most 8192 visible ASCII characters.")]
    [InlineData("", "h.example=secret", "The credential of \"h.example\" is not HOST=USER:PASSWORD or HOST=bearer:TOKEN.")]
    [InlineData("", "h.example/x=a:b", "The credential of \"h.example/x\" is not HOST=USER:PASSWORD or HOST=bearer:TOKEN.")]
    public void WhatIsWrongIsSaidWithoutTheSecret(string header, string credential, string sentence)
    {
        Session(header.Length == 0 ? [] : [header], credential.Length == 0 ? [] : [credential], out var errors);

        Assert.Equal([sentence], errors);
    }

    [Fact]
    public void WhatACrawlShowsHasNamesAndNoSecrets()
    {
        var spec = new CrawlSpec
        {
            Seeds = ["http://h.example/"],
            Headers = ["X-Key: secret1"],
            Credentials = ["h.example=u:secret2"],
        };
        Assert.Empty(CrawlSpecCheck.Check(spec, new(), out _));

        var shown = JsonSerializer.Serialize(SpecForm.Of(spec)) + spec;

        Assert.Contains("X-Key", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", shown, StringComparison.Ordinal);
    }

    private static CrawlSession Session(
        ImmutableArray<string> headers,
        ImmutableArray<string> credentials,
        out ImmutableArray<string> errors
    ) =>
        CrawlSession.Create(
            new()
            {
                Seeds = ["http://h.example/"],
                Headers = headers,
                Credentials = credentials,
            },
            [Url("http://h.example/")],
            out errors
        );

    /// <summary>Cookies without a domain are known to the host that set them alone, the others to all of their domain.</summary>
    private static IEnumerable<StoredCookie> Known(ImmutableArray<StoredCookie> jar, CanonicalUrl from, CanonicalUrl to) =>
        jar.Where(cookie => cookie.Domain is not null || from.Host == to.Host);

    private static CanonicalUrl Url(string text) => CanonicalUrl.TryParse(text, null, out var url) ? url : throw new FormatException(text);
}
