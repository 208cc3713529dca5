using Grains.Crawling.Urls;
using Grains.Net;
using Xunit;

namespace Unit.Crawling;

/// <summary>The operator's lists, as they stand in settings: proxies, and hosts of his own.</summary>
public sealed class OwnListsTests
{
    [Theory]
    [InlineData("office=http://10.0.0.5:3128", "http://10.0.0.5:3128/", null)]
    [InlineData("office=http://proxy.example", "http://proxy.example/", null)]
    [InlineData("office=socks5://proxy.example", "socks5://proxy.example:1080/", null)]
    [InlineData(" far = http://far.example , office = http://user:p%40ss@proxy.example:8080/ ", "http://proxy.example:8080/", "user p@ss")]
    [InlineData("office=http://token@[fd00::1]:3128", "http://[fd00::1]:3128/", "token ")]
    public void AProxyHasANameAnAddressAndPerhapsCredentials(string text, string address, string? credentials)
    {
        Assert.True(ProxyList.TryParse(text, out var proxies));
        var proxy = proxies.Find("office")!;

        Assert.Equal(address, proxy.Address.ToString());
        Assert.Equal(credentials, proxy.Credentials is { } known ? $"{known.UserName} {known.Password}" : null);
        Assert.Equal("office", proxy.ToString());
    }

    [Theory]
    [InlineData("http://10.0.0.5:3128")]
    [InlineData("=http://10.0.0.5:3128")]
    [InlineData("of fice=http://10.0.0.5:3128")]
    [InlineData("office=10.0.0.5:3128")]
    [InlineData("office=ftp://10.0.0.5")]
    [InlineData("office=https://10.0.0.5")]
    [InlineData("office=http://10.0.0.5/path")]
    [InlineData("near=http://")]
    [InlineData("office=http://a.example,office=http://b.example")]
    public void WhatIsNoListOfProxiesIsRefusedWithoutRepeatingIt(string text)
    {
        var setting = new ProxiesSettingAttribute();

        Assert.False(setting.IsValid(text));
        Assert.DoesNotContain(text, setting.FormatErrorMessage("Crawling:Proxies"), StringComparison.Ordinal);
    }

    [Fact]
    public void ThereAreAtMostTwentyProxiesAndPerhapsNone()
    {
        Assert.True(ProxyList.TryParse("", out var none));
        Assert.Empty(none.Names);
        Assert.True(ProxyList.TryParse(Some(20), out _));
        Assert.False(ProxyList.TryParse(Some(21), out _));

        static string Some(int count) => string.Join(',', Enumerable.Range(0, count).Select(proxy => $"p{proxy}=http://a.example"));
    }

    [Theory]
    [InlineData("own.example", "own.example", true)]
    [InlineData("OWN.example", "own.example:8443", true)]
    [InlineData("own.example", "www.own.example", false)]
    [InlineData("own.example:8443", "own.example:8443", true)]
    [InlineData("own.example:8443", "own.example", false)]
    [InlineData("*.own.example", "a.b.own.example:81", true)]
    [InlineData("*.own.example", "own.example", false)]
    [InlineData("*.own.example", "notown.example", false)]
    [InlineData("10.1.2.3", "10.1.2.3:8080", true)]
    [InlineData("[::1]", "[::1]:8080", true)]
    [InlineData("[::1]", "[::1]", true)]
    [InlineData("a.example, b.example", "b.example", true)]
    [InlineData("", "b.example", false)]
    public void AHostIsOwnByItsNameWithAnyPortOrWithOne(string setting, string host, bool isOwn)
    {
        Assert.True(OwnHosts.TryParse(setting, out var own));
        Assert.Equal(isOwn, own.Contains(new(host)));
    }

    [Theory]
    [InlineData("http://own.example/")]
    [InlineData("own.example/path")]
    [InlineData("user@own.example")]
    [InlineData("own example")]
    [InlineData("*.own.example:8443")]
    [InlineData("*")]
    [InlineData("*.*.example")]
    [InlineData("own.*")]
    public void WhatIsNoHostIsRefused(string text) => Assert.False(new OwnHostsSettingAttribute().IsValid(text));

    [Fact]
    public void ThereAreAtMostAHundredOwnHosts()
    {
        Assert.True(OwnHosts.TryParse(string.Join(',', Enumerable.Range(0, 100).Select(host => $"h{host}.example")), out _));
        Assert.False(OwnHosts.TryParse(string.Join(',', Enumerable.Range(0, 101).Select(host => $"h{host}.example")), out _));
    }
}
