using Grains.Net;
using Grains.Orders.Deliveries.Webhooks;
using Xunit;

namespace Unit.Orders.Deliveries.Webhooks;

public sealed class WebhookUrlTests
{
    [Theory]
    [InlineData("https://example.org/hooks", "https://example.org/hooks")]
    [InlineData("HTTPS://Example.org:8443/a?b=c@d", "https://example.org:8443/a?b=c@d")]
    [InlineData("https://8.8.8.8/", "https://8.8.8.8/")]
    [InlineData("https://[2606:4700::1111]/", "https://[2606:4700::1111]/")]
    public void AnHttpsUrlOfAPublicHostIsGood(string text, string url)
    {
        Assert.True(WebhookUrl.TryParse(text, allowHttp: false, AddressRanges.None, out var parsed, out var error), error);
        Assert.Equal(url, parsed.AbsoluteUri);
    }

    [Fact]
    public void HttpIsGoodOnlyWhereTheSettingAllowsIt()
    {
        Assert.True(WebhookUrl.TryParse("http://example.org/", allowHttp: true, AddressRanges.None, out _, out _));
        Assert.Equal(
            "An endpoint's URL begins with https://; http:// is taken only with the setting Webhooks:AllowHttp.",
            Error("http://example.org/")
        );
    }

    [Theory]
    [InlineData(null, "An endpoint has a URL such as https://example.org/hooks; this is empty.")]
    [InlineData(
        "example.org/hooks",
        "An endpoint's URL is absolute, such as https://example.org/hooks, without blanks and \"\\\"; this is not."
    )]
    [InlineData(
        "https:///hooks",
        "An endpoint's URL is absolute, such as https://example.org/hooks, without blanks and \"\\\"; this is not."
    )]
    [InlineData(
        "https://example.org/a b",
        "An endpoint's URL is absolute, such as https://example.org/hooks, without blanks and \"\\\"; this is not."
    )]
    [InlineData(
        "https://example.org\\@10.0.0.1/",
        "An endpoint's URL is absolute, such as https://example.org/hooks, without blanks and \"\\\"; this is not."
    )]
    [InlineData(
        "https://example.org/\r\nx: y",
        "An endpoint's URL is absolute, such as https://example.org/hooks, without blanks and \"\\\"; this is not."
    )]
    [InlineData("ftp://example.org/", "An endpoint's URL begins with https://; this begins with ftp:.")]
    [InlineData("gopher://example.org/", "An endpoint's URL begins with https://; this begins with gopher:.")]
    [InlineData(
        "https://ann:secret@example.org/",
        "An endpoint's URL has no user and no password in it: what proves who calls is the signature."
    )]
    [InlineData("https://@example.org/", "An endpoint's URL has no user and no password in it: what proves who calls is the signature.")]
    [InlineData("https://example.org/#part", "An endpoint's URL has no fragment (\"#…\"): it is never sent.")]
    public void AnythingElseIsAnsweredWithWhatWouldBeRight(string? text, string sentence) => Assert.Equal(sentence, Error(text));

    [Fact]
    public void ItHasTwoThousandCharactersAtMost()
    {
        Assert.True(
            WebhookUrl.TryParse("https://example.org/" + new string('a', 2028), allowHttp: false, AddressRanges.None, out _, out _)
        );
        Assert.Equal(
            "An endpoint's URL has 2048 characters at most; this has 2049.",
            Error("https://example.org/" + new string('a', 2029))
        );
    }

    [Theory]
    [InlineData("https://10.0.0.1/", "10.0.0.1", "private")]
    [InlineData("https://2130706433/", "127.0.0.1", "loopback")]
    [InlineData("https://0x7f000001/", "127.0.0.1", "loopback")]
    [InlineData("https://0177.0.0.1/", "127.0.0.1", "loopback")]
    [InlineData("https://127.1/", "127.0.0.1", "loopback")]
    [InlineData("https://[::1]/", "::1", "loopback")]
    [InlineData("https://[::ffff:169.254.169.254]/", "::ffff:169.254.169.254", "link-local")]
    [InlineData("https://[64:ff9b::a00:1]/", "64:ff9b::a00:1", "private")]
    [InlineData("https://[2002:7f00:1::]/", "2002:7f00:1::", "loopback")]
    [InlineData("https://１２７.0.0.1/", "127.0.0.1", "loopback")]
    public void APrivateAddressIsNamedHoweverItIsSpelled(string text, string address, string kind) =>
        Assert.Equal(
            $"An endpoint's URL leads to a public address; {address} is {kind}. The setting Webhooks:AllowPrivate names private "
                + $"ranges that are allowed.",
            Error(text)
        );

    [Fact]
    public void AnAllowedPrivateAddressIsGood()
    {
        Assert.True(AddressRanges.TryParse("127.0.0.0/8", out var loopback, out _));
        Assert.True(WebhookUrl.TryParse("http://127.0.0.1:8000/", allowHttp: true, loopback, out _, out _));
    }

    private static string? Error(string? text)
    {
        Assert.False(WebhookUrl.TryParse(text, allowHttp: false, AddressRanges.None, out var url, out var error));
        Assert.Null(url);
        return error;
    }
}
