using Grains.Orders.Deliveries;
using Xunit;

namespace Unit.Orders.Deliveries;

public sealed class RetryAfterTests
{
    /// <summary>2026-03-01 12:00:00 is a Sunday.</summary>
    [Theory]
    [InlineData("120", 120)]
    [InlineData(" 120 ", 120)]
    [InlineData("86400", 24 * 3600)]
    [InlineData("Sun, 01 Mar 2026 12:01:30 GMT", 90)]
    [InlineData("Sunday, 01-Mar-26 12:01:30 GMT", 90)]
    [InlineData("Sun Mar  1 12:01:30 2026", 90)]
    [InlineData("Mon, 02 Mar 2026 12:00:00 GMT", 24 * 3600)]
    public void SecondsAndDatesAreWaits(string header, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), RetryAfter.Parse(header, Given.Start));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("soon")]
    [InlineData("0")]
    [InlineData("86401")]
    [InlineData("1772370000")]
    [InlineData("99999999999999999999999")]
    [InlineData("Sun, 01 Mar 2026 11:00:00 GMT")]
    [InlineData("Mon, 02 Mar 2026 12:00:01 GMT")]
    [InlineData("Fri, 01 Jan 2100 00:00:00 GMT")]
    [InlineData("30 seconds")]
    [InlineData("+30")]
    [InlineData("-5")]
    [InlineData("1.5")]
    [InlineData("2026-03-01T12:01:30Z")]
    [InlineData("Mon, 01 Mar 2026 12:01:30 GMT")]
    public void NonsenseIsNotHeard(string? header) => Assert.Null(RetryAfter.Parse(header, Given.Start));
}
