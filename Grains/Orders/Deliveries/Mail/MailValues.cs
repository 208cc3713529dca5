using System.Globalization;
using System.Net;
using Grains.Interfaces.Orders;

namespace Grains.Orders.Deliveries.Mail;

/// <summary>What placeholders stand for, in one language.</summary>
/// <param name="order">As it was after the change.</param>
/// <param name="culture">Of dates and amounts.</param>
/// <param name="shop">Who writes.</param>
public sealed class MailValues(Order order, CultureInfo culture, string shop)
{
    /// <summary>Null where the order has nothing for it.</summary>
    public string? Find(string placeholder, bool html) =>
        placeholder switch
        {
            "lines" => string.Join('\n', order.Lines.Select(line => Line(line, html))),
            _ => Text(placeholder) is { } text
                ? html
                    ? WebUtility.HtmlEncode(text)
                    : text
                : null,
        };

    /// <summary>ISO 4217: most currencies have two digits behind the point; these do not.</summary>
    internal static int Digits(string currency) =>
        currency switch
        {
            "BIF"
            or "CLP"
            or "DJF"
            or "GNF"
            or "ISK"
            or "JPY"
            or "KMF"
            or "KRW"
            or "PYG"
            or "RWF"
            or "UGX"
            or "UYI"
            or "VND"
            or "VUV"
            or "XAF"
            or "XOF"
            or "XPF" => 0,
            "BHD" or "IQD" or "JOD" or "KWD" or "LYD" or "OMR" or "TND" => 3,
            "CLF" or "UYW" => 4,
            _ => 2,
        };

    private string? Text(string placeholder) =>
        placeholder switch
        {
            "customer" => order.Customer,
            "date" => Time(order.UpdatedAt),
            "notes" => order.Notes,
            "order" => order.Id.Value,
            "payBefore" => order.PayBefore is { } due ? Time(due) : null,
            "shop" => shop,
            "total" => Amount(order.Total),

            // Nothing itself: the line it stands in is there only for an order that was not paid in time.
            "unpaid" => order.Reason == Order.NotPaidInTime ? "" : null,
            _ => throw new ArgumentOutOfRangeException(nameof(placeholder), placeholder, "Not a placeholder."),
        };

    private string Line(OrderLine line, bool html)
    {
        var pieces = line.Quantity.ToString("N0", culture);
        var amount = Amount(line.Quantity * line.Price);
        return html
            ? $"<tr><td>{WebUtility.HtmlEncode(line.Sku)}</td><td align=\"right\">{WebUtility.HtmlEncode(pieces)} ×</td><td "
                + $"align=\"right\">{WebUtility.HtmlEncode(amount)}</td></tr>"
            : $"  {pieces} × {line.Sku}: {amount}";
    }

    private string Amount(long minor)
    {
        var digits = Digits(order.Currency);
        var amount = new decimal(minor);
        for (var i = 0; i < digits; i++)
        {
            amount /= 10;
        }

        return amount.ToString("N" + digits.ToString(CultureInfo.InvariantCulture), culture) + " " + order.Currency;
    }

    private string Time(DateTimeOffset at) => at.UtcDateTime.ToString("d MMMM yyyy HH:mm 'UTC'", culture);
}
