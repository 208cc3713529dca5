using Grains.Interfaces.Orders;
using Xunit;

namespace Unit.Orders;

public sealed class OrderIdTests
{
    [Fact]
    public void TheSameClientAndKeyIsTheSameOrder()
    {
        Assert.Equal("01-q6f1ervve31mgbnd6zfr2r0h05", IdempotencyKey.Of("key shop", "4711").OrderId(8).Value);
        Assert.Equal(IdempotencyKey.Of("key shop", "4711").StepId.Value, IdempotencyKey.Of("key shop", "4711").OrderId(8).Value[3..]);
    }

    [Fact]
    public void AnotherClientsKeyIsAnotherOrder()
    {
        (string Client, string Key)[] pairs = [("a", "bc"), ("ab", "c"), ("abc", ""), ("", "abc")];
        Assert.Equal(4, pairs.Select(pair => IdempotencyKey.Of(pair.Client, pair.Key).OrderId(8)).Distinct().Count());
    }

    [Fact]
    public void OrdersAreSpreadOverThePartitions()
    {
        var counts = Enumerable.Range(0, 8000).CountBy(i => IdempotencyKey.Of("shop", $"{i}").OrderId(8).Partition).ToDictionary();
        Assert.Equal(Enumerable.Range(0, 8), counts.Keys.Order());
        Assert.All(counts.Values, count => Assert.InRange(count, 900, 1100));
    }

    [Fact]
    public void AnIdIsReadAsItIsWritten()
    {
        var id = IdempotencyKey.Random().OrderId(100);
        Assert.Equal(id, OrderId.Parse(id.ToString()));
        Assert.Equal(int.Parse(id.Value[..2], System.Globalization.CultureInfo.InvariantCulture), id.Partition);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("06-1s9xjyjq5zkgjvn8sb8p22w3h")]
    [InlineData("6-1s9xjyjq5zkgjvn8sb8p22w3hz0")]
    [InlineData("06-1s9xjyjq5zkgjvn8sb8p22w3hU")]
    [InlineData("06_1s9xjyjq5zkgjvn8sb8p22w3hz")]
    public void WhatIsNoIdIsNotRead(string? text) => Assert.False(OrderId.TryParse(text, out _));
}
