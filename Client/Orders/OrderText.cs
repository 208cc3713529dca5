using System.Globalization;
using Grains.Interfaces.Orders;
using Grains.Interfaces.Values;

namespace Client.Orders;

/// <summary>How orders are told to people.</summary>
internal static class OrderText
{
    /// <summary>Who asks, where idempotency keys are told apart: consoles have keys in common, and none with callers over HTTP.</summary>
    public const string Client = "console";

    public static string Status(OrderStatus status) => status.ToString().ToLowerInvariant();

    public static string Style(OrderStatus status) =>
        status switch
        {
            OrderStatus.Placed => "blue",
            OrderStatus.Cancelled or OrderStatus.Refunded => "grey",
            _ => "green",
        };

    public static string At(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static string Total(Order order) => Amounts.Format(order.Total, order.Currency);

    public static IdempotencyKey Key(string? key) =>
        key switch
        {
            null => IdempotencyKey.Random(),
            _ when IdempotencyKey.IsKey(key) => IdempotencyKey.Of(Client, key),
            _ => throw new ConsoleException(
                $"--key is 1 to {IdempotencyKey.MaxLength} printable ASCII characters, without spaces at its ends.",
                ExitCode.WrongUsage
            ),
        };

    /// <exception cref="ConsoleException">It was refused.</exception>
    public static Order Taken(OrderReply reply) =>
        reply.Refusal switch
        {
            OrderRefusal.None => reply.Order!,
            OrderRefusal.Invalid => throw new ConsoleException(string.Join(' ', reply.Faults.Select(Told))),
            _ => throw new ConsoleException(reply.Detail!),
        };

    /// <summary>With several lines it is told which one it is: <c>/lines/1/quantity</c> is of the second.</summary>
    private static string Told(OrderFault fault) =>
        fault.At.Split('/') is ["", "lines", var line, ..]
        && int.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            ? string.Create(CultureInfo.InvariantCulture, $"Line {index + 1}: {fault.Detail}")
            : fault.Detail;
}
