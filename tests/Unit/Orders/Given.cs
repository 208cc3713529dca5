using Grains.Interfaces.Orders;
using Grains.Orders.Lifecycle;

namespace Unit.Orders;

/// <summary>Orders for tests, and rows of tests/Data/orders.</summary>
internal static class Given
{
    public const int Partitions = 8;

    public static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Two pots of tea for Ann.</summary>
    public static PlaceOrder Asked(string customer = "ann", DateTimeOffset? payBefore = null) =>
        new()
        {
            Customer = customer,
            Currency = "EUR",
            Lines = [new("tea", 2, 450)],
            PayBefore = payBefore,
        };

    public static OrderId Id(string key = "k") => IdempotencyKey.Of("test", key).OrderId(Partitions);

    public static Order Placed(string key = "k", DateTimeOffset? payBefore = null) =>
        OrderLifecycle.Place(Id(key), Asked(payBefore: payBefore), Start);

    public static IEnumerable<string[]> Rows(string file) =>
        File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Data", "orders", file))
            .Where(line => !line.StartsWith('#'))
            .Select(line => line.Split('\t'));
}
