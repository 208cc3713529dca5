using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using Grains.Interfaces.Orders;

namespace Grains.Orders.Lifecycle;

/// <summary>
/// What an order has to be. The same order gives the same answer at any later time, too: what is wrong once stays wrong, and so a refusal
/// needs no record
/// under its Idempotency-Key.
/// </summary>
public static partial class OrderCheck
{
    public const int MaxLines = 100;

    public const int MaxQuantity = 1_000_000;

    /// <summary>2⁵³ − 1: a JSON number that every program reads exactly.</summary>
    public const long MaxTotal = (1L << 53) - 1;

    public const int MaxCustomer = 200;

    public const int MaxSku = 64;

    /// <summary>RFC 5646 §4.4.1.</summary>
    public const int MaxLanguage = 35;

    /// <summary>What an order has beside the texts that were given: its members' names, numbers and times, in bytes of JSON.</summary>
    private const int MembersBytes = 640;

    /// <summary>The same for a line.</summary>
    private const int LineBytes = 72;

    /// <summary>Escaped: <c>\u1234</c>.</summary>
    private const int MostBytesOfCharacter = 6;

    /// <summary>Everything that is wrong; empty for an order that can be placed.</summary>
    public static ImmutableArray<OrderFault> Check(PlaceOrder order, DateTimeOffset now)
    {
        var faults = new Faults();
        Text(order.Customer, 1, MaxCustomer, "customer", "/customer", ref faults);
        if (order.Currency is null || order.Currency.Length != 3 || !order.Currency.All(char.IsAsciiLetterUpper))
        {
            faults.Add(
                $"\"currency\" is three capital letters of ISO 4217, such as EUR; this is \"{Short(order.Currency)}\".",
                "/currency"
            );
        }

        Lines(order.Lines, ref faults);
        if (order.Notes is { } notes && !IsUnicode(notes))
        {
            faults.Add($"\"notes\" is Unicode; this has half a character.", "/notes");
        }

        if (order.Email is { } email && !EmailAddress.TryParse(email, out _, out _))
        {
            faults.Add(
                $"\"email\" is an address such as ann@example.org, {EmailAddress.MaxBytes} bytes at most; this is \"{Short(email)}\".",
                "/email"
            );
        }

        if (order.Language is { } language && (language.Length > MaxLanguage || !Tag().IsMatch(language)))
        {
            var given = Short(language);
            faults.Add(
                $"\"language\" is a language tag such as en or pt-BR (BCP 47), {MaxLanguage} characters at most; this is \"{given}\".",
                "/language"
            );
        }

        if (order.PayBefore is { } due && due <= now)
        {
            faults.Add($"\"payBefore\" lies in the future; this is {due:u}, and it is {now:u}.", "/payBefore");
        }

        if (Bytes(order) is > Order.MaxBytes and var bytes)
        {
            faults.Add($"An order has {Order.MaxBytes:#,0} bytes at most, its notes and lines included; this has about {bytes:#,0}.", "");
        }

        return faults.All;
    }

    /// <summary>Of all lines; for an order that was checked.</summary>
    public static long Total(ImmutableArray<OrderLine> lines)
    {
        var total = 0L;
        foreach (var line in lines)
        {
            total += line.Quantity * line.Price;
        }

        return total;
    }

    /// <summary>As JSON in UTF-8, rounded up: so much is stored of it at most.</summary>
    public static int Bytes(PlaceOrder order)
    {
        // Most orders are far from the limit, whatever their texts become.
        var bytes = Bytes(order, static text => text.Length * MostBytesOfCharacter);
        return bytes <= Order.MaxBytes
            ? bytes
            : Bytes(order, static text =>
                JsonEncodedText.Encode(IsUnicode(text) ? text : "", JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes.Length
            );
    }

    private static void Lines(ImmutableArray<OrderLine> lines, ref Faults faults)
    {
        if (lines.IsDefault || lines.Length is 0 or > MaxLines)
        {
            faults.Add($"\"lines\" has 1 to {MaxLines} lines; this has {(lines.IsDefault ? 0 : lines.Length)}.", "/lines");
            return;
        }

        Int128 total = 0;
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i];
            Text(line.Sku, 1, MaxSku, "sku", $"/lines/{i}/sku", ref faults);
            if (line.Quantity is < 1 or > MaxQuantity)
            {
                faults.Add($"\"quantity\" is 1 to {MaxQuantity:#,0}; this is {line.Quantity}.", $"/lines/{i}/quantity");
            }

            if (line.Price < 0)
            {
                faults.Add($"\"price\" is in the currency's minor unit and not below 0; this is {line.Price}.", $"/lines/{i}/price");
            }

            total += (Int128)Math.Max(0, line.Quantity) * Math.Max(0, line.Price);
        }

        if (total > MaxTotal)
        {
            faults.Add($"All lines together come to {MaxTotal:#,0} minor units at most; these come to {total:#,0}.", "/lines");
        }
    }

    private static void Text(string? text, int min, int max, string name, string at, ref Faults faults)
    {
        if (
            text is null
            || text.Length < min
            || text.Length > max
            || text.Any(char.IsControl)
            || text.Length != text.Trim().Length
            || !IsUnicode(text)
        )
        {
            var given = text is null ? "is missing" : $"is \"{Short(text)}\"";
            faults.Add(
                $"\"{name}\" has {min} to {max} characters, without control characters and without spaces at its ends; this {given}.",
                at
            );
        }
    }

    /// <summary>No half of a surrogate pair stands alone: JSON cannot hold it.</summary>
    private static bool IsUnicode(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]) && (!char.IsHighSurrogate(text[i]) || ++i == text.Length || !char.IsLowSurrogate(text[i])))
            {
                return false;
            }
        }

        return true;
    }

    private static string Short(string? text) =>
        text is null ? ""
        : text.Length > 40 ? text[..40] + "…"
        : text;

    private static int Bytes(PlaceOrder order, Func<string, int> measure)
    {
        var bytes =
            MembersBytes
            + measure(order.Customer ?? "")
            + measure(order.Notes ?? "")
            + measure(order.Email ?? "")
            + measure(order.Language ?? "");
        foreach (var line in order.Lines.IsDefault ? [] : order.Lines)
        {
            bytes += LineBytes + measure(line.Sku ?? "");
        }

        return bytes;
    }

    /// <summary>RFC 5646 §2.1, by its form: a language and subtags of up to eight letters and digits.</summary>
    [GeneratedRegex(@"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Tag();

    /// <summary>Most orders have none, and cost nothing here.</summary>
    private struct Faults
    {
        private ImmutableArray<OrderFault>.Builder? _all;

        public readonly ImmutableArray<OrderFault> All => _all?.ToImmutable() ?? [];

        public void Add(FormattableString detail, string at) =>
            (_all ??= ImmutableArray.CreateBuilder<OrderFault>()).Add(new(FormattableString.Invariant(detail), at));
    }
}
