using System.Net;
using System.Net.Sockets;
using Client.Demo;
using Xunit;

namespace EndToEnd;

public sealed class FreePortsTests
{
    // Nobody else takes from here: the tests' own ports end before, the demo's begin after.
    private const int First = 26_990;
    private const int Count = 10;

    private readonly FreePorts _ports = new(First, Count);

    [Fact]
    public void EachIsGivenOnceBeforeAnyIsGivenAgain()
    {
        int[] all = [.. _ports.Take(4), .. _ports.Take(6)];
        Assert.Equal(Enumerable.Range(First, Count), all.Order());
        Assert.Equal(all, _ports.Take(Count));
    }

    [Fact]
    public void WhereSomebodyListensIsPassedOver()
    {
        using var taken = new TcpListener(IPAddress.Loopback, First + 3);
        taken.Start();
        Assert.DoesNotContain(First + 3, _ports.Take(Count - 1));
    }

    [Fact]
    public void TooFewAreAnErrorThatNamesTheRange()
    {
        var error = Assert.Throws<InvalidOperationException>(() => _ports.Take(Count + 1));
        Assert.Equal("There are no 11 free ports from 26990 to 26999; end something that listens there.", error.Message);
    }
}
