using System.Globalization;
using System.Text.RegularExpressions;
using CsCheck;
using Grains.Crawling.Urls;
using Xunit;

namespace Unit.Crawling;

public sealed partial class CanonicalUrlTests
{
    // What URL parsers stumble over, put together at random.
    private static readonly string[] Pieces =
    [
        "http:",
        "https:",
        "HTTP:",
        "mailto:",
        "//",
        "/",
        "\\",
        "?",
        "#",
        "@",
        ":",
        "[",
        "]",
        ".",
        "..",
        "%2e",
        "%2E",
        "%",
        "%4",
        "1",
        "%41",
        "%34",
        "%7e",
        "%2f",
        "%25",
        "a",
        "Z",
        "example.org",
        "EXAMPLE.com",
        "127.1",
        "0x7f",
        "08",
        "[::1]",
        "[1::1.2.3.4]",
        ":80",
        ":443",
        ":8080",
        ":99999",
        "user:pw@",
        " ",
        "\t",
        "\n",
        "\u0001",
        "\u007f",
        "\"",
        "'",
        "<",
        "^",
        "`",
        "{",
        "|",
        "é",
        "ß",
        "日本",
        "😀",
        "\ud800",
        "א",
        "xn--",
        "xn--bcher-kva",
        "．",
        "\u00ad",
        "-",
        "_",
        "~",
    ];

    private static readonly Gen<string> Odd =
        from start in Gen.OneOf("", "http://", "https://a", "/", "?", "http://a/")
        from pieces in Gen.OneOf(Pieces).Array[0, 9]
        select start + string.Concat(pieces);

    public static TheoryData<int, string, string, string> Rows()
    {
        var rows = new TheoryData<int, string, string, string>();
        var lines = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Data", "urls.tsv"));
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i] is not ("" or ['#', ..]))
            {
                var columns = lines[i].Split('\t');
                rows.Add(i + 1, columns[0], columns[1], columns[2]);
            }
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void ALinkBecomesWhatTheTableSays(int line, string page, string link, string expected)
    {
        _ = CanonicalUrl.TryParse(Spell(link), page == "-" ? null : Url(page), out var url);

        Assert.Equal((line, expected), (line, url?.Text ?? "-"));
    }

    [Fact]
    public void CanonicalisingTwiceChangesNothing() =>
        Odd.Select(Odd)
            .Sample(
                (text, page) =>
                {
                    _ = CanonicalUrl.TryParse(page, null, out var baseUrl);
                    return !CanonicalUrl.TryParse(text, baseUrl, out var url)
                        || (Url(url.Text).Equals(url) && Url(url.Text).HostKey == url.HostKey && url.Origin + url.PathAndQuery == url.Text);
                },
                iter: 20_000
            );

    [Fact]
    public void AUrlKnowsItsParts()
    {
        var url = Url("HTTPS://Example.org:8443/a/b%7E?x=1&y#z");

        Assert.Equal("https://example.org:8443/a/b~?x=1&y", url.Text);
        Assert.Equal("https", url.Scheme);
        Assert.Equal("example.org", url.Host);
        Assert.Equal(8443, url.Port);
        Assert.Equal("example.org:8443", url.HostKey.Value);
        Assert.Equal("https://example.org:8443", url.Origin);
        Assert.Equal("/a/b~?x=1&y", url.PathAndQuery);
        Assert.Equal("/a/b~", url.Path);
    }

    [Theory]
    [InlineData("http://example.org/", 80, "example.org")]
    [InlineData("https://example.org/", 443, "example.org")]
    [InlineData("http://example.org:443/", 443, "example.org:443")]
    [InlineData("https://example.org:80/", 80, "example.org:80")]
    [InlineData("http://[::1]/", 80, "[::1]")]
    [InlineData("http://[::1]:8080/", 8080, "[::1]:8080")]
    public void HttpAndHttpsOnTheirOwnPortsShareAHostKey(string text, int port, string key)
    {
        Assert.Equal(port, Url(text).Port);
        Assert.Equal(key, Url(text).HostKey.Value);
    }

    [Fact]
    public void UrlsAreEqualByTheirText()
    {
        var one = Url("http://example.org/%61");
        Assert.True(CanonicalUrl.TryParse("a", Url("http://example.org/"), out var other));

        Assert.Equal(one, other);
        Assert.Equal(one.GetHashCode(), other.GetHashCode());
        Assert.NotEqual(one, Url("http://example.org/A"));
    }

    [Theory]
    [InlineData("", "it is empty; an http or https URL is wanted")]
    [InlineData("example.org", "it has no scheme; did you mean https://example.org/?")]
    [InlineData("//example.org/a", "it has no scheme; did you mean https://example.org/a?")]
    [InlineData("?", "it has no scheme; it must begin with http:// or https://")]
    [InlineData("mailto:a@example.org", "mailto: is not http or https")]
    [InlineData("localhost:8080/x", "localhost: is not http or https; did you mean http://localhost:8080/x?")]
    [InlineData("http://", "it names no host; http://host/path is wanted")]
    [InlineData("http://a b/", "its host is not a name that can be looked up")]
    [InlineData("http://1.2.3.400/", "its host ends in a number and so must be an IPv4 address, which it is not")]
    [InlineData("http://[1]/", "its host in brackets is not an IPv6 address")]
    [InlineData("http://a:http/", "its port is not a number from 0 to 65535")]
    public void ARefusalSaysWhatWouldBeRight(string text, string expected)
    {
        Assert.False(CanonicalUrl.TryParse(text, null, out _, out var why));
        Assert.Equal(expected, why);
    }

    [Fact]
    public void AUrlOf2048CharactersIsTakenAndALongerOneRefused()
    {
        var longest = "http://example.org/" + new string('a', CanonicalUrl.MaxLength - "http://example.org/".Length);

        Assert.Equal(longest, Url(longest).Text);
        Assert.False(CanonicalUrl.TryParse(longest + "a", null, out _, out var why));
        Assert.Equal("it is longer than 2048 characters in canonical form", why);
    }

    [Theory]
    [InlineData("http://example.org/", "é", 2_000)]
    [InlineData("http://", "a", 3_000)]
    [InlineData("http://", "a@", 3_000)]
    [InlineData("http://example.org/", "../a/", 100_000)]
    [InlineData("http://example.org/?", "a", 100_000)]
    public void WhateverIsTooLongIsRefusedOrFits(string start, string piece, int times)
    {
        var text = start + string.Concat(Enumerable.Repeat(piece, times));

        Assert.True(!CanonicalUrl.TryParse(text, null, out var url) || url.Text.Length <= CanonicalUrl.MaxLength);
    }

    [Fact]
    public void AFragmentDoesNotCountTowardsTheLength() =>
        Assert.Equal("http://example.org/", Url("http://example.org/#" + new string('a', 100_000)).Text);

    [Fact]
    public void ALinkOnItsOwnHostCostsTheTextAndOneObject()
    {
        var page = Url("http://example.org/a/b.html");
        _ = CanonicalUrl.TryParse("c.html", page, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        _ = CanonicalUrl.TryParse("c.html", page, out _);
        var spent = GC.GetAllocatedBytesForCurrentThread() - before;

        // 27 characters of text make 80 bytes with the string's head; the object has two references and a number.
        Assert.Equal(80 + 40, spent);
    }

    internal static CanonicalUrl Url(string text)
    {
        Assert.True(CanonicalUrl.TryParse(text, null, out var url, out var why), $"{text}: {why}");
        return url;
    }

    private static string Spell(string text) =>
        Spelled()
            .Replace(text, match => match.Value switch
                {
                    "{SP}" => " ",
                    "{TAB}" => "\t",
                    "{LF}" => "\n",
                    "{CR}" => "\r",
                    _ => ((char)int.Parse(match.ValueSpan[3..^1], NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString(),
                });

    [GeneratedRegex(@"\{(SP|TAB|LF|CR|U\+[0-9A-F]{4})\}")]
    private static partial Regex Spelled();
}
