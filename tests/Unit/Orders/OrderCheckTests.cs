using Grains.Interfaces.Orders;
using Grains.Orders.Lifecycle;
using Grains.Orders.Rows;
using Xunit;

namespace Unit.Orders;

public sealed class OrderCheckTests
{
    public static TheoryData<string, bool> Emails =>
        [.. Given.Rows("emails.tsv").Select(row => (row[0], row[1].StartsWith("good", StringComparison.Ordinal)))];

    public static TheoryData<string, bool> Languages =>
        [.. Given.Rows("languages.tsv").Select(row => (row[0], row[1].StartsWith("good", StringComparison.Ordinal)))];

    [Fact]
    public void AnOrderOfLinesWithACustomerIsGood() => Assert.Empty(OrderCheck.Check(Given.Asked(), Given.Start));

    [Fact]
    public void EverythingThatIsWrongIsToldAtOnce()
    {
        var order = new PlaceOrder
        {
            Customer = " ann",
            Currency = "euro",
            Lines = [new("", 0, -1), new("tea", 1_000_001, 0)],
            Email = "ann",
            Language = "en_US",
            PayBefore = Given.Start,
        };

        Assert.Equal(
            [
                "/customer",
                "/currency",
                "/lines/0/sku",
                "/lines/0/quantity",
                "/lines/0/price",
                "/lines/1/quantity",
                "/email",
                "/language",
                "/payBefore",
            ],
            OrderCheck.Check(order, Given.Start).Select(fault => fault.At)
        );
    }

    [Fact]
    public void AFaultSaysWhatIsThereAndWhatWouldBeRight() =>
        Assert.Equal(
            [new OrderFault("\"currency\" is three capital letters of ISO 4217, such as EUR; this is \"eur\".", "/currency")],
            OrderCheck.Check(Given.Asked() with { Currency = "eur" }, Given.Start)
        );

    [Theory]
    [MemberData(nameof(Emails))]
    public void AnAddressIsOneThatMailCanGoTo(string email, bool isGood) =>
        Assert.Equal(isGood, OrderCheck.Check(Given.Asked() with { Email = email }, Given.Start).IsEmpty);

    [Theory]
    [MemberData(nameof(Languages))]
    public void ALanguageIsATag(string tag, bool isGood) =>
        Assert.Equal(isGood, OrderCheck.Check(Given.Asked() with { Language = tag }, Given.Start).IsEmpty);

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(OrderCheck.MaxLines, true)]
    [InlineData(OrderCheck.MaxLines + 1, false)]
    public void AnOrderHasOneToAHundredLines(int lines, bool isGood) =>
        Assert.Equal(
            isGood,
            OrderCheck.Check(Given.Asked() with { Lines = [.. Enumerable.Repeat(new OrderLine("tea", 1, 1), lines)] }, Given.Start).IsEmpty
        );

    [Fact]
    public void LinesThatAreMissingAreNoLines() =>
        Assert.Equal(["/lines"], OrderCheck.Check(Given.Asked() with { Lines = default }, Given.Start).Select(fault => fault.At));

    [Fact]
    public void HalfACharacterIsAFaultAndNoFailure() =>
        Assert.Equal(
            ["/customer", "/notes"],
            OrderCheck
                .Check(Given.Asked("ann\ud83d") with { Notes = new string('n', 4000) + "\ude00x" }, Given.Start)
                .Select(fault => fault.At)
        );

    [Fact]
    public void ATotalIsANumberThatEveryProgramReadsExactly()
    {
        var most = Given.Asked() with { Lines = [new("yacht", 1, OrderCheck.MaxTotal)] };
        Assert.Empty(OrderCheck.Check(most, Given.Start));
        Assert.Equal(OrderCheck.MaxTotal, OrderCheck.Total(most.Lines));

        var more = most with { Lines = most.Lines.Add(new("flag", 1, 1)) };
        Assert.Equal(
            [
                new OrderFault(
                    "All lines together come to 9,007,199,254,740,991 minor units at most; these come to 9,007,199,254,740,992.",
                    "/lines"
                ),
            ],
            OrderCheck.Check(more, Given.Start)
        );
    }

    [Fact]
    public void ATotalThatNoNumberHoldsIsAFaultAndNoFailure() =>
        Assert.Equal(
            ["/lines"],
            OrderCheck
                .Check(
                    Given.Asked() with
                    {
                        Lines = [.. Enumerable.Repeat(new OrderLine("x", 1_000_000, long.MaxValue), 100)],
                    },
                    Given.Start
                )
                .Select(fault => fault.At)
        );

    [Theory]
    [InlineData("n")]
    [InlineData("\"")]
    [InlineData("\n")]
    [InlineData("é")]
    [InlineData("\u0001")]
    [InlineData("\u2028")]
    [InlineData("😀")]
    public void WhatPassesHasRoomInARow(string text)
    {
        var longest = Given.Asked(new string('c', 200), Given.Start.AddDays(1)) with
        {
            Email = "a@b",
            Language = "en",
            Lines = [.. Enumerable.Repeat(new OrderLine(new('s', 64), 1_000_000, 9_000_000), 60)],
        };
        while (OrderCheck.Check(longest with { Notes = longest.Notes + text }, Given.Start).IsEmpty)
        {
            longest = longest with { Notes = longest.Notes + text };
        }

        var row = OrderJson.Write(
            OrderLifecycle.GiveUp(OrderLifecycle.Place(Given.Id(), longest, Given.Start.AddTicks(1)), Given.Start.AddTicks(2)) with
            {
                Version = long.MaxValue,
            }
        );
        Assert.InRange(row.Length, Order.MaxBytes / 2, Order.MaxBytes);
        Assert.Equal([""], OrderCheck.Check(longest with { Notes = longest.Notes + text }, Given.Start).Select(fault => fault.At));
    }

    [Fact]
    public void TheSameIsAskedForWhenEverythingThatWasGivenIsTheSame()
    {
        var asked = Given.Asked(payBefore: Given.Start.AddDays(1));
        PlaceOrder[] others =
        [
            asked with
            {
                Customer = "bob",
            },
            asked with
            {
                Currency = "USD",
            },
            asked with
            {
                Lines = [new("tea", 2, 451)],
            },
            asked with
            {
                Lines = [new("tea", 1, 450)],
            },
            asked with
            {
                Lines = [new("te", 2, 450)],
            },
            asked with
            {
                Lines = [.. asked.Lines, .. asked.Lines],
            },
            asked with
            {
                Notes = "",
            },
            asked with
            {
                Email = "a@b",
            },
            asked with
            {
                Language = "a@b",
            },
            asked with
            {
                PayBefore = null,
            },
            asked with
            {
                PayBefore = Given.Start.AddDays(2),
            },
        ];

        Assert.Equal(
            Hash(asked, Given.Start),
            Hash(
                asked with
                {
                    PayBefore = asked.PayBefore!.Value.ToOffset(TimeSpan.FromHours(5)),
                    Deadline = Given.Start,
                },
                Given.Start.AddHours(1)
            )
        );
        Assert.Equal(others.Length + 1, others.Append(asked).Select(other => Hash(other, Given.Start)).Distinct().Count());
    }

    private static string Hash(PlaceOrder asked, DateTimeOffset now) => OrderHash.Of(OrderLifecycle.Place(Given.Id(), asked, now));
}
