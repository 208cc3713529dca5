using Grains.Interfaces.Orders;
using Xunit;

namespace Unit.Orders.Consumers;

public sealed class ResendCursorTests
{
    [Fact]
    public void APlaceToGoOnIsReadBackByPartition()
    {
        var (first, second) = (Given.Start, Given.Start.AddTicks(1));
        var text = ResendCursor.Write(Given.Start.AddDays(1), [KeyValuePair.Create(3, first), KeyValuePair.Create(0, second)]);
        Assert.True(ResendCursor.TryParse(text, out var until, out var read));
        Assert.Equal(Given.Start.AddDays(1), until);
        Assert.Equal([(0, second), (3, first)], read.Select(part => (part.Key, part.Value)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("1-8de")]
    [InlineData("x.1-8de")]
    [InlineData("8de.1-8de.1")]
    [InlineData("8de.1")]
    [InlineData("8de.1-")]
    [InlineData("8de.x-8de")]
    [InlineData("8de.99999-8de")]
    [InlineData("8de.1-8de,1-8df")]
    [InlineData("8de.1-ffffffffffffffff")]
    [InlineData("8de.1-8de,")]
    public void WhatIsNoPlaceToGoOnIsRefused(string text) => Assert.False(ResendCursor.TryParse(text, out _, out _));
}
