using System.Globalization;

namespace Grains.Crawling.Urls;

/// <summary>
/// WHATWG URL §3.5, IPv4: one to four numbers, each decimal, octal (<c>0…</c>) or hexadecimal (<c>0x…</c>); the last fills the octets that
/// are left.
/// </summary>
internal static class Ipv4
{
    /// <summary>A name whose last label is a number is an address or nothing: <c>a.1</c> is refused.</summary>
    public static bool EndsInNumber(ReadOnlySpan<char> name)
    {
        if (name[^1] == '.')
        {
            name = name[..^1];
        }

        var last = name[(name.LastIndexOf('.') + 1)..];
        return !last.IsEmpty && (last.IndexOfAnyExceptInRange('0', '9') < 0 || Number(last) is not null);
    }

    /// <summary>Four decimal octets; null when it is no address.</summary>
    public static string? Canonical(ReadOnlySpan<char> name)
    {
        if (name[^1] == '.')
        {
            name = name[..^1];
        }

        var address = 0UL;
        var parts = 0;
        while (true)
        {
            var dot = name.IndexOf('.');
            var number = Number(dot < 0 ? name : name[..dot]);
            var octetsLeft = 4 - parts++;
            if (number is null || octetsLeft == 0 || number >= (dot < 0 ? 1UL << (8 * octetsLeft) : 256))
            {
                return null;
            }

            if (dot < 0)
            {
                address |= number.Value;
                return string.Create(
                    CultureInfo.InvariantCulture,
                    $"{address >> 24}.{(address >> 16) & 255}.{(address >> 8) & 255}.{address & 255}"
                );
            }

            address |= number.Value << (8 * (octetsLeft - 1));
            name = name[(dot + 1)..];
        }
    }

    /// <summary>Null when it is none; beyond 32 bits some number that is too large.</summary>
    private static ulong? Number(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty)
        {
            return null;
        }

        var radix = 10U;
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            radix = 16;
            text = text[2..];
        }
        else if (text.Length > 1 && text[0] == '0')
        {
            radix = 8;
            text = text[1..];
        }

        var number = 0UL;
        foreach (var c in text)
        {
            var digit = char.IsAsciiHexDigit(c) ? (uint)UrlCharacters.HexValue(c) : radix;
            if (digit >= radix)
            {
                return null;
            }

            number = Math.Min((number * radix) + digit, 1UL << 40);
        }

        return number;
    }
}
