using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Silo.Middleware;

namespace Silo.Orders;

/// <summary>An order as it is asked for over HTTP: the members of <see cref="PlaceOrder"/>.</summary>
public sealed record PlaceOrderForm
{
    /// <summary>Of the body that asks for it: an order of 16 KiB has room, however its texts are escaped.</summary>
    public const int MaxBytes = 128 * 1024;

    public required string Customer { get; init; }

    public required string Currency { get; init; }

    public required ImmutableArray<OrderLineForm> Lines { get; init; }

    public string? Notes { get; init; }

    public string? Email { get; init; }

    public string? Language { get; init; }

    public DateTimeOffset? PayBefore { get; init; }

    /// <summary>What is wrong by its form; the order itself says what is wrong otherwise.</summary>
    public IReadOnlyList<Fault> TryRead(DateTimeOffset deadline, out PlaceOrder order)
    {
        // JSON lets a null stand where a line should.
        Fault[] faults = [.. Lines.Index().Where(line => line.Item is null).Select(line => new Fault("A line is an object with sku, quantity and price.", $"#/lines/{line.Index}"))];
        order = new()
        {
            Customer = Customer,
            Currency = Currency,
            Lines = faults is [] ? [.. Lines.Select(line => new OrderLine(line.Sku, line.Quantity, line.Price))] : [],
            Notes = Notes,
            Email = Email,
            Language = Language,
            PayBefore = PayBefore,
            Deadline = deadline,
        };
        return faults;
    }
}
