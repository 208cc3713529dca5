using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Grains.Interfaces.Orders;

/// <summary>An order as programs read it, over HTTP and from the console.</summary>
public sealed record OrderForm(
    string Id,
    long Version,
    OrderStatus Status,
    string Customer,
    string Currency,
    ImmutableArray<OrderLineForm> Lines,
    long Total,
    string? Notes,
    string? Email,
    string? Language,
    DateTimeOffset? PayBefore,
    DateTimeOffset PlacedAt,
    DateTimeOffset UpdatedAt,
    string? Reason
)
{
    private static readonly ImmutableArray<string> ChangeTypes =
    [
        .. Enum.GetNames<OrderStatus>().Select(name => "order." + name.ToLowerInvariant()),
    ];

    public static OrderForm Of(Order order) =>
        new(
            order.Id.Value,
            order.Version,
            order.Status,
            order.Customer,
            order.Currency,
            [.. order.Lines.Select(line => new OrderLineForm(line.Sku, line.Quantity, line.Price))],
            order.Total,
            order.Notes,
            order.Email,
            order.Language,
            order.PayBefore,
            order.PlacedAt,
            order.UpdatedAt,
            order.Reason
        );

    /// <summary><c>order.placed</c>, <c>order.paid</c>…</summary>
    public static string ChangeType(OrderStatus status) => ChangeTypes[(int)status];
}

/// <inheritdoc cref="OrderLine"/>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record OrderLineForm(string Sku, int Quantity, long Price);

/// <summary>A page of a list.</summary>
/// <param name="After">For the next page; null when there are no more.</param>
public sealed record OrderListForm(ImmutableArray<OrderForm> Orders, string? After);
