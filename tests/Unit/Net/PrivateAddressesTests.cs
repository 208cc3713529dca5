using System.Net;
using Grains.Net;
using Xunit;

namespace Unit.Net;

public sealed class PrivateAddressesTests
{
    /// <summary>The first and the last address of each kind, and what carries one inside.</summary>
    [Theory]
    [InlineData("0.0.0.0", "this network")]
    [InlineData("0.255.255.255", "this network")]
    [InlineData("10.0.0.0", "private")]
    [InlineData("10.255.255.255", "private")]
    [InlineData("100.64.0.0", "shared by a carrier")]
    [InlineData("100.127.255.255", "shared by a carrier")]
    [InlineData("127.0.0.1", "loopback")]
    [InlineData("127.255.255.255", "loopback")]
    [InlineData("169.254.169.254", "link-local")]
    [InlineData("172.16.0.0", "private")]
    [InlineData("172.31.255.255", "private")]
    [InlineData("192.0.0.8", "for protocols")]
    [InlineData("192.0.2.1", "for documentation")]
    [InlineData("192.88.99.1", "a 6to4 relay")]
    [InlineData("192.168.255.255", "private")]
    [InlineData("198.18.0.0", "for benchmarks")]
    [InlineData("198.19.255.255", "for benchmarks")]
    [InlineData("198.51.100.7", "for documentation")]
    [InlineData("203.0.113.7", "for documentation")]
    [InlineData("224.0.0.1", "multicast")]
    [InlineData("239.255.255.255", "multicast")]
    [InlineData("240.0.0.1", "reserved")]
    [InlineData("255.255.255.255", "broadcast")]
    [InlineData("::", "unspecified")]
    [InlineData("::1", "loopback")]
    [InlineData("::8.8.8.8", "IPv4-compatible")]
    [InlineData("::ffff:127.0.0.1", "loopback")]
    [InlineData("::ffff:169.254.169.254", "link-local")]
    [InlineData("64:ff9b::10.0.0.1", "private")]
    [InlineData("64:ff9b:1::1", "a local translation")]
    [InlineData("64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "a local translation")]
    [InlineData("100::1", "discarded")]
    [InlineData("2001:2::1", "for benchmarks")]
    [InlineData("2001:10::1", "an identifier")]
    [InlineData("2001:20::1", "an identifier")]
    [InlineData("2001:db8::1", "for documentation")]
    [InlineData("3fff::1", "for documentation")]
    [InlineData("2002:7f00:1::1", "loopback")]
    [InlineData("2002:a9fe:a9fe::", "link-local")]
    [InlineData("2001:0:a00:1::f7f7:f7f7", "private")]
    [InlineData("2001:0:808:808::80ff:fffe", "loopback")]
    [InlineData("fc00::1", "private")]
    [InlineData("fd00:ec2::254", "private")]
    [InlineData("fe80::1", "link-local")]
    [InlineData("fe80::1%2", "link-local")]
    [InlineData("febf:ffff::1", "link-local")]
    [InlineData("fec0::1", "site-local")]
    [InlineData("ff02::1", "multicast")]
    [InlineData("1000::1", "not global")]
    [InlineData("5f00::1", "not global")]
    public void APrivateAddressIsRefused(string address, string kind)
    {
        var ip = IPAddress.Parse(address);

        Assert.True(PrivateAddresses.Refuses(ip, AddressRanges.None));
        Assert.Equal(kind, PrivateAddresses.Kind(ip));
    }

    /// <summary>
    /// Where clouds tell a machine its secrets: AWS, Google, Azure, DigitalOcean and OpenStack (169.254.169.254), AWS for containers,
    /// Azure's platform, Oracle, Alibaba, Tencent, Scaleway; AWS, Google and Scaleway over IPv6. Each as it is, mapped, through NAT64 (both
    /// prefixes), 6to4 and Teredo.
    /// </summary>
    [Theory]
    [InlineData("169.254.169.254")]
    [InlineData("169.254.170.2")]
    [InlineData("168.63.129.16")]
    [InlineData("192.0.0.192")]
    [InlineData("100.100.100.200")]
    [InlineData("169.254.0.23")]
    [InlineData("169.254.42.42")]
    public void AMetadataServiceIsRefusedInEveryForm(string address)
    {
        var octets = IPAddress.Parse(address).GetAddressBytes();
        var (high, low) = ($"{octets[0]:x2}{octets[1]:x2}", $"{octets[2]:x2}{octets[3]:x2}");
        var (turnedHigh, turnedLow) = ($"{octets[0] ^ 0xFF:x2}{octets[1] ^ 0xFF:x2}", $"{octets[2] ^ 0xFF:x2}{octets[3] ^ 0xFF:x2}");
        string[] forms =
        [
            address,
            $"::ffff:{address}",
            $"::{address}",
            $"::ffff:0:{high}:{low}",
            $"64:ff9b::{address}",
            $"64:ff9b:1::{address}",
            $"2002:{high}:{low}::1",
            $"2001:0:{high}:{low}::f7f7:f7f7",
            $"2001:0:808:808::{turnedHigh}:{turnedLow}",
        ];

        Assert.All(forms, form => Assert.True(PrivateAddresses.Refuses(IPAddress.Parse(form), AddressRanges.None), form));
    }

    [Theory]
    [InlineData("fd00:ec2::254")]
    [InlineData("fd00:ec2::23")]
    [InlineData("fd20:ce::254")]
    [InlineData("fd00:42::42")]
    [InlineData("fe80::a9fe:a9fe")]
    public void AMetadataServiceOverIpv6IsRefused(string address) =>
        Assert.True(PrivateAddresses.Refuses(IPAddress.Parse(address), AddressRanges.None));

    [Theory]
    [InlineData("168.63.129.15")]
    [InlineData("168.63.129.17")]
    [InlineData("1.1.1.1")]
    [InlineData("9.255.255.255")]
    [InlineData("11.0.0.0")]
    [InlineData("100.63.255.255")]
    [InlineData("100.128.0.0")]
    [InlineData("126.255.255.255")]
    [InlineData("128.0.0.0")]
    [InlineData("169.253.255.255")]
    [InlineData("169.255.0.0")]
    [InlineData("172.15.255.255")]
    [InlineData("172.32.0.0")]
    [InlineData("192.0.1.0")]
    [InlineData("192.0.3.0")]
    [InlineData("192.167.255.255")]
    [InlineData("192.169.0.0")]
    [InlineData("198.17.255.255")]
    [InlineData("198.20.0.0")]
    [InlineData("223.255.255.255")]
    [InlineData("2606:4700::1111")]
    [InlineData("2001:db7:ffff::1")]
    [InlineData("2001:db9::1")]
    [InlineData("2002:808:808::1")]
    [InlineData("2001:0:808:808::f7f7:f7f7")]
    [InlineData("64:ff9b::8.8.8.8")]
    [InlineData("::ffff:8.8.8.8")]
    public void APublicAddressIsNot(string address)
    {
        var ip = IPAddress.Parse(address);

        Assert.False(PrivateAddresses.Refuses(ip, AddressRanges.None));
        Assert.Null(PrivateAddresses.Kind(ip));
    }

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.0/8", false)]
    [InlineData("127.0.0.1", "10.0.0.0/8", true)]
    [InlineData("::ffff:127.0.0.1", "127.0.0.0/8", false)]
    [InlineData("::1", "127.0.0.0/8", true)]
    [InlineData("64:ff9b::10.0.0.1", "10.0.0.0/8", false)]
    [InlineData("64:ff9b::10.0.0.1", "64:ff9b::/96", false)]
    [InlineData("2001:0:a00:1::80ff:fffe", "10.0.0.0/8", true)]
    public void WhatIsAllowedIsNotRefused(string address, string allowed, bool refused)
    {
        Assert.True(AddressRanges.TryParse(allowed, out var ranges, out _));

        Assert.Equal(refused, PrivateAddresses.Refuses(IPAddress.Parse(address), ranges));
    }
}
