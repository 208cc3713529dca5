using System.Net;
using System.Net.Sockets;
using Client.Demo;
using Silo.Endpoints;
using Xunit;

namespace EndToEnd;

/// <summary>Two of these objects know nothing of each other, as those of two processes do.</summary>
public sealed class FreePortsTests
{
    private const int First = 20_000;
    private const int Last = 31_999;

    private static FreePorts Another() => new(First, (Last + 1 - First) / FreePorts.BlockSize);

    [Fact]
    public void APortIsGivenOnceOnAMachine()
    {
        var (one, other) = (Another(), Another());
        int[] all = [.. Enumerable.Range(0, 50).SelectMany(_ => (int[])[.. one.Take(3), .. other.Take(4)])];

        Assert.Equal(50 * 7, all.Distinct().Count());
        Assert.All(all, port => Assert.InRange(port, First, Last));
    }

    [Fact]
    public void WhereSomebodyListensIsPassedOver()
    {
        var ports = Another();
        var before = ports.Take(1)[0];
        using var taken = new TcpListener(IPAddress.Loopback, before + 1);
        taken.Start();

        Assert.DoesNotContain(before + 1, ports.Take(3));
    }

    [Fact]
    public void ForSeveralInstancesEachPortIsFreeInEveryBlock()
    {
        Assert.Equal(InstanceOptions.PortStep, FreePorts.BlockSize);
        var (one, other) = (Another(), Another());
        var ports = one.Take(5, instances: 3);

        int[] all = [.. ports.SelectMany(port => (int[])[port, port + FreePorts.BlockSize, port + (2 * FreePorts.BlockSize)])];
        Assert.Empty(all.Intersect([.. one.Take(200), .. other.Take(200)]));
        Assert.Equal(15, all.Distinct().Count());
    }

    [Fact]
    public void WhenAllAreKeptTheErrorNamesTheRange()
    {
        var keeper = Another();
        var kept = keeper.Take(1)[0];
        var block = kept / FreePorts.BlockSize * FreePorts.BlockSize;

        var error = Assert.Throws<InvalidOperationException>(() => new FreePorts(block, blocks: 1).Take(1));
        Assert.Equal($"All ports from {block} to {block + 99} are in use or kept by running programs; end one of them.", error.Message);
        GC.KeepAlive(keeper);
    }
}
