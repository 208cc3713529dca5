using Grains.Interfaces.Orders;
using Grains.Orders.Lifecycle;
using Xunit;

namespace Unit.Orders;

public sealed class OrderLifecycleTests
{
    public static TheoryData<string, string, string> Table => [.. Given.Rows("lifecycle.tsv").Select(row => (row[0], row[1], row[2]))];

    [Theory]
    [MemberData(nameof(Table))]
    public void AStepLeadsWhereTheTableSays(string status, string step, string becomes)
    {
        var order = Given.Placed() with { Version = 3, Status = Enum.Parse<OrderStatus>(status, ignoreCase: true) };

        var decision = OrderLifecycle.Decide(order, Enum.Parse<OrderStep>(step, ignoreCase: true), Given.Start.AddHours(1));

        if (becomes == "-")
        {
            Assert.Equal(new(null, OrderRefusal.WrongState), decision);
            return;
        }

        var expected = order with
        {
            Version = 4,
            Status = Enum.Parse<OrderStatus>(becomes, ignoreCase: true),
            UpdatedAt = Given.Start.AddHours(1),
        };
        Assert.Equal(new(expected, OrderRefusal.None), decision);
    }

    [Fact]
    public void TheTableHasEveryPair() =>
        Assert.Equal(
            Enum.GetValues<OrderStatus>().Length * Enum.GetValues<OrderStep>().Length,
            Table.Select(row => (row.Data.Item1, row.Data.Item2)).Distinct().Count()
        );

    [Theory]
    [InlineData(-1, OrderRefusal.None)]
    [InlineData(0, OrderRefusal.TooLate)]
    [InlineData(1, OrderRefusal.TooLate)]
    public void AnOrderIsPaidBeforeItsTime(int ticks, OrderRefusal refusal)
    {
        var order = Given.Placed(payBefore: Given.Start.AddMinutes(1));
        Assert.Equal(refusal, OrderLifecycle.Decide(order, OrderStep.Pay, Given.Start.AddMinutes(1).AddTicks(ticks)).Refusal);
    }

    [Fact]
    public void AnOrderThatWasPaidIsNeverOverdue() =>
        Assert.False(
            OrderLifecycle.IsOverdue(Given.Placed(payBefore: Given.Start) with { Status = OrderStatus.Paid }, Given.Start.AddDays(1))
        );

    [Fact]
    public void AnOrderThatGivesUpSaysWhy() =>
        Assert.Equal(
            (OrderStatus.Cancelled, 2, Order.NotPaidInTime),
            OrderLifecycle.GiveUp(Given.Placed(), Given.Start) is var order ? (order.Status, order.Version, order.Reason) : default
        );

    [Fact]
    public void AClockThatWasSetBackDoesNotTurnTheHistoryRound() =>
        Assert.Equal(Given.Start, OrderLifecycle.Decide(Given.Placed(), OrderStep.Pay, Given.Start.AddHours(-1)).Changed!.UpdatedAt);

    [Fact]
    public void ARefusalIsASentenceWithTheStatusAndWhatWouldBeRight() =>
        Assert.Equal(
            $"The order {Given.Id()} is placed; only a paid one can be shipped.",
            OrderLifecycle.Explain(Given.Id(), Given.Placed(), OrderStep.Ship, OrderRefusal.WrongState)
        );
}
