using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Grains.Interfaces.Orders;
using Silo.Middleware;

namespace Silo.Orders;

/// <summary>An order as it is asked for over HTTP: the members of <see cref="PlaceOrder"/>.</summary>
public sealed partial record PlaceOrderForm
{
    /// <summary>Of the body that asks for it: an order of 16 KiB has room, however its texts are escaped.</summary>
    public const int MaxBytes = 128 * 1024;

    public required string Customer { get; init; }

    public required string Currency { get; init; }

    public required ImmutableArray<OrderLineForm> Lines { get; init; }

    public string? Notes { get; init; }

    public string? Email { get; init; }

    public string? Language { get; init; }

    /// <summary>RFC 3339, with its offset: <c>2030-01-31T12:00:00Z</c>.</summary>
    public string? PayBefore { get; init; }

    /// <summary>What is wrong by its form; the order itself says what is wrong otherwise.</summary>
    public IReadOnlyList<Fault> TryRead(DateTimeOffset deadline, out PlaceOrder order)
    {
        // JSON lets a null stand where a line should.
        List<Fault> faults =
        [
            .. Lines
                .Index()
                .Where(line => line.Item is null)
                .Select(line => new Fault("A line is an object with sku, quantity and price.", $"#/lines/{line.Index}")),
        ];
        var payBefore = Time(PayBefore, faults);
        order = new()
        {
            Customer = Customer,
            Currency = Currency,
            Lines = faults is [] ? [.. Lines.Select(line => new OrderLine(line.Sku, line.Quantity, line.Price))] : [],
            Notes = Notes,
            Email = Email,
            Language = Language,
            PayBefore = payBefore,
            Deadline = deadline,
        };
        return faults;
    }

    /// <summary>Without an offset it would be a time of wherever the silo stands.</summary>
    private static DateTimeOffset? Time(string? text, List<Fault> faults)
    {
        if (text is null)
        {
            return null;
        }

        if (Rfc3339().IsMatch(text) && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out var time))
        {
            return time;
        }

        faults.Add(
            new(
                $"\"payBefore\" is a time with its offset, such as 2030-01-31T12:00:00Z; this is "
                    + $"\"{(text.Length > 40 ? text[..40] + "…" : text)}\".",
                "#/payBefore"
            )
        );
        return null;
    }

    /// <summary>RFC 3339 §5.6; what numbers are too large finds the parser.</summary>
    [GeneratedRegex(
        @"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})\z",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex Rfc3339();
}
