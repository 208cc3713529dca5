using Grains.Orders.Deliveries;
using Xunit;

namespace Unit.Orders.Deliveries;

public sealed class RetryWaitsTests
{
    [Theory]
    [InlineData("5s 5m 30m 2h", "00:00:05 00:05:00 00:30:00 02:00:00")]
    [InlineData("  200ms\t7d ", "00:00:00.2000000 7.00:00:00")]
    [InlineData("1ms", "00:00:00.0010000")]
    [InlineData(
        "1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s",
        "00:00:01 00:00:01 00:00:01 00:00:01 00:00:01 00:00:01 00:00:01 00:00:01 00:00:01 00:00:01 00:00:01 00:00:01 00:00:01 "
            + "00:00:01 00:00:01 00:00:01 00:00:01 00:00:01 00:00:01 00:00:01"
    )]
    public void WaitsAreNumbersWithUnitsAndBlanksBetween(string text, string waits)
    {
        Assert.True(RetryWaits.TryParse(text, out var parsed, out var error), error);
        Assert.Equal(waits, string.Join(' ', parsed));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s")]
    public void ThereAreOneToTwenty(string? text)
    {
        Assert.False(RetryWaits.TryParse(text, out var waits, out var error));
        Assert.Empty(waits);
        Assert.StartsWith("The waits between tries are one to 20, such as \"5s 5m 2h\"; this has ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("5")]
    [InlineData("s")]
    [InlineData("0s")]
    [InlineData("-5s")]
    [InlineData("1.5s")]
    [InlineData("5S")]
    [InlineData("8d")]
    [InlineData("604801s")]
    [InlineData("99999999999999999999s")]
    [InlineData("9223372036854775807d")]
    [InlineData("5s,5m")]
    [InlineData("5 s")]
    public void WhatIsNoWaitIsNamed(string text)
    {
        Assert.False(RetryWaits.TryParse(text, out _, out var error));
        Assert.Contains("is no wait: a whole number with ms, s, m, h or d, from 1ms to 7d, such as 5m.", error, StringComparison.Ordinal);
    }
}
