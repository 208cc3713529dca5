using System.Globalization;
using Client.Values;
using Grains.Interfaces.Orders;

namespace Client.Orders;

/// <summary>How orders are told to people.</summary>
internal static class OrderText
{
    /// <summary>Who asks, where idempotency keys are told apart: consoles have keys in common, and none with callers over HTTP.</summary>
    public const string Client = "console";

    public static string Status(OrderStatus status) => status.ToString().ToLowerInvariant();

    public static string Style(OrderStatus status) => status switch
    {
        OrderStatus.Placed => "blue",
        OrderStatus.Cancelled or OrderStatus.Refunded => "grey",
        _ => "green",
    };

    public static string At(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static string Total(Order order) => Amounts.Format(order.Total, order.Currency);

    public static IdempotencyKey Key(string? key) => key switch
    {
        null => IdempotencyKey.Random(),
        _ when IdempotencyKey.IsKey(key) => IdempotencyKey.Of(Client, key),
        _ => throw new ConsoleException($"--key is 1 to {IdempotencyKey.MaxLength} printable ASCII characters, without spaces at its ends.", ExitCode.WrongUsage),
    };

    /// <exception cref="ConsoleException">It was refused.</exception>
    public static Order Taken(OrderReply reply) => reply.Refusal switch
    {
        OrderRefusal.None => reply.Order!,
        OrderRefusal.Invalid => throw new ConsoleException(string.Join(' ', reply.Faults.Select(fault => fault.Detail))),
        _ => throw new ConsoleException(reply.Detail!),
    };
}
