using System.Net;
using Grains.Net;
using Xunit;

namespace Unit.Net;

public sealed class AddressRangesTests
{
    [Theory]
    [InlineData("10.0.0.0/8", "10.255.255.255", true)]
    [InlineData("10.0.0.0/8", "11.0.0.0", false)]
    [InlineData("127.0.0.1", "127.0.0.1", true)]
    [InlineData("127.0.0.1", "127.0.0.2", false)]
    [InlineData("127.0.0.1", "::ffff:127.0.0.1", true)]
    [InlineData("::ffff:10.0.0.0/104", "10.1.2.3", true)]
    [InlineData("fd00::/8", "fdff::1", true)]
    [InlineData("fd00::/8", "fe00::1", false)]
    [InlineData("fe80::/10", "fe80::1%3", true)]
    [InlineData("0.0.0.0/0", "::1", false)]
    [InlineData(" 192.168.0.0/16 , ::1 ,", "::1", true)]
    public void ARangeContainsTheAddressesOfItsPrefix(string ranges, string address, bool contained) =>
        Assert.Equal(contained, Parse(ranges).Contains(IPAddress.Parse(address)));

    [Theory]
    [InlineData("", "")]
    [InlineData("fd00::/8,10.0.0.0/8, 10.0.0.0/8", "10.0.0.0/8, fd00::/8")]
    [InlineData("127.0.0.1", "127.0.0.1/32")]
    [InlineData("::1", "::1/128")]
    public void TextIsOrderedAndParsesToTheSame(string written, string text)
    {
        Assert.Equal(text, Parse(written).ToString());
        Assert.Equal(Parse(written), Parse(text));
        Assert.Equal(Parse(written).GetHashCode(), Parse(text).GetHashCode());
    }

    [Theory]
    [InlineData(
        "localhost",
        "\"localhost\" is not an address range: write one like 10.0.0.0/8 or fd00::/8, or a single address like 127.0.0.1."
    )]
    [InlineData("10", "\"10\" is not an address range: write one like 10.0.0.0/8 or fd00::/8, or a single address like 127.0.0.1.")]
    [InlineData(
        "010.0.0.1",
        "\"010.0.0.1\" is not an address range: write one like 10.0.0.0/8 or fd00::/8, or a single address like 127.0.0.1."
    )]
    [InlineData("10.0.0.0/33", "\"10.0.0.0/33\" is not an address range: behind the slash stands a number from 0 to 32.")]
    [InlineData("10.0.0.0/", "\"10.0.0.0/\" is not an address range: behind the slash stands a number from 0 to 32.")]
    [InlineData("fd00::/129", "\"fd00::/129\" is not an address range: behind the slash stands a number from 0 to 128.")]
    [InlineData("::1, 10.0.0.1/8", "\"10.0.0.1/8\" is not an address range: bits are set beyond the first 8. Write 10.0.0.0/8.")]
    public void AWrongRangeIsNamedWithWhatWouldBeRight(string written, string sentence)
    {
        Assert.False(AddressRanges.TryParse(written, out var ranges, out var error));
        Assert.Null(ranges);
        Assert.Equal(sentence, error);
    }

    [Fact]
    public void MoreThanAHundredRangesAreRefused()
    {
        var hundred = Enumerable.Range(0, 100).Select(i => $"10.0.{i}.0/24").ToList();

        Assert.True(AddressRanges.TryParse(hundred, out _, out _));
        Assert.False(AddressRanges.TryParse(hundred.Append("::1"), out _, out var error));
        Assert.Equal("There are more than 100 address ranges: write fewer and wider ones.", error);
    }

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.0/8", true)]
    [InlineData("127.0.0.0/8", "127.0.0.1", false)]
    [InlineData("127.0.0.0/8, ::1", "127.0.0.0/8", false)]
    [InlineData("127.0.0.0/8, ::1", "::/0, 127.0.0.0/8", true)]
    [InlineData("10.0.0.0/8", "::/0", false)]
    [InlineData("10.0.0.0/8", "", false)]
    [InlineData("", "", true)]
    [InlineData("", "10.0.0.0/8", true)]
    public void RangesAreWithinOthersWhenEachLiesInOneOfThem(string inner, string outer, bool within) =>
        Assert.Equal(within, Parse(inner).IsWithin(Parse(outer)));

    private static AddressRanges Parse(string text)
    {
        Assert.True(AddressRanges.TryParse(text, out var ranges, out var error), error);
        return ranges;
    }
}
