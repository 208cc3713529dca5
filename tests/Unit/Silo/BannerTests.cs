using Doubles;
using Silo.Endpoints;
using Silo.Grpc;
using Silo.Http;
using Silo.Launch;
using Xunit;

namespace Unit.Silo;

public sealed class BannerTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1.0 KiB")]
    [InlineData(1_288_490_189, "1.2 GiB")]
    [InlineData(long.MaxValue, "8388608.0 TiB")]
    public void SizesAreForPeople(long bytes, string text) => Assert.Equal(text, Banner.Size(bytes));

    [Fact]
    public void WhatToTypeNextNamesThePortAndTheClusterOnlyWhenTheyAreNotTheUsual()
    {
        var usual = Text(instance: 0, "dev");
        var second = Text(instance: 1, "lab");

        Assert.Contains("-- cluster status" + Environment.NewLine, usual, StringComparison.Ordinal);
        Assert.Contains(
            "-- cluster status --gateway 127.0.0.1:30100 --cluster lab" + Environment.NewLine,
            second,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void WithoutKeysItSaysWhoMayDoWhat()
    {
        Assert.Contains(
            "  keys     none: HTTP is open to everybody on this machine" + Environment.NewLine,
            Text(0, "dev"),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "  keys     none any more: HTTP is closed until one is made" + Environment.NewLine,
            Text(0, "dev", isOpen: false),
            StringComparison.Ordinal
        );
        Assert.Contains("  keys     2" + Environment.NewLine, Text(0, "dev", keys: 2), StringComparison.Ordinal);
    }

    [Fact]
    public void TheFirstLineSaysReady() =>
        Assert.StartsWith(
            "Ready: Orleans silo 0.1.0, instance 0 of cluster \"dev\", after 1.5 s" + Environment.NewLine,
            Text(0, "dev"),
            StringComparison.Ordinal
        );

    private static string Text(int instance, string cluster, int keys = 0, bool isOpen = true) =>
        Banner
            .Of(
                TestEndpoints.Of(
                    new ClusterOptions(),
                    new HttpOptions(),
                    new GrpcOptions(),
                    new ListenOptions(),
                    new InstanceOptions { Number = instance }
                ),
                cluster,
                "/data",
                bytes: 5,
                keys,
                isOpen,
                TimeSpan.FromSeconds(1.5)
            )
            .Text;
}
