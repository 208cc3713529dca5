using System.Buffers;
using System.Globalization;
using System.Text;

namespace Grains.Crawling.Urls;

/// <summary>WHATWG URL §3.5, IPv6: read in any spelling, written in that of RFC 5952 without its dotted tail.</summary>
internal static class Ipv6
{
    private const int Pieces = 8;

    private static readonly SearchValues<char> Hex = SearchValues.Create("0123456789abcdefABCDEF");

    /// <summary>With brackets; null when it is no address. Zone identifiers are none.</summary>
    public static string? Canonical(ReadOnlySpan<char> text)
    {
        Span<ushort> pieces = stackalloc ushort[Pieces];
        return TryParse(text, pieces) ? Write(pieces) : null;
    }

    private static bool TryParse(ReadOnlySpan<char> text, Span<ushort> pieces)
    {
        var count = 0;
        var gap = -1;
        if (text.StartsWith("::"))
        {
            gap = 0;
            text = text[2..];
        }

        while (!text.IsEmpty)
        {
            if (count == Pieces)
            {
                return false;
            }

            var digits = text.IndexOfAnyExcept(Hex);
            digits = digits < 0 ? text.Length : digits;
            if (digits < text.Length && text[digits] == '.')
            {
                return TryParseDotted(text, pieces, ref count) && Spread(pieces, count, gap);
            }

            if (digits is 0 or > 4)
            {
                return false;
            }

            pieces[count++] = ushort.Parse(text[..digits], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            text = text[digits..];
            if (text.IsEmpty)
            {
                break;
            }

            if (text[0] != ':' || text.Length == 1)
            {
                return false;
            }

            text = text[1..];
            if (text[0] == ':')
            {
                if (gap >= 0)
                {
                    return false;
                }

                gap = count;
                text = text[1..];
            }
        }

        return Spread(pieces, count, gap);
    }

    /// <summary>The last 32 bits as an IPv4 address: exactly four decimal numbers without leading zeros.</summary>
    private static bool TryParseDotted(ReadOnlySpan<char> text, Span<ushort> pieces, ref int count)
    {
        if (count > Pieces - 2)
        {
            return false;
        }

        var address = 0U;
        for (var part = 0; part < 4; part++)
        {
            var dot = text.IndexOf('.');
            var number = dot < 0 ? text : text[..dot];
            if (
                (dot < 0) != (part == 3)
                || number.Length is 0 or > 3
                || number.IndexOfAnyExceptInRange('0', '9') >= 0
                || (number.Length > 1 && number[0] == '0')
                || !byte.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var octet)
            )
            {
                return false;
            }

            address = (address << 8) | octet;
            text = text[(dot + 1)..];
        }

        pieces[count++] = (ushort)(address >> 16);
        pieces[count++] = (ushort)address;
        return true;
    }

    /// <summary>
    /// Moves what stands after <c>::</c> to the end. A gap stands for at least one piece; without one there must be eight.
    /// </summary>
    private static bool Spread(Span<ushort> pieces, int count, int gap)
    {
        if (gap < 0 || count == Pieces)
        {
            return gap < 0 && count == Pieces;
        }

        var after = count - gap;
        pieces.Slice(gap, after).CopyTo(pieces[(Pieces - after)..]);
        pieces[gap..(Pieces - after)].Clear();
        return true;
    }

    private static string Write(ReadOnlySpan<ushort> pieces)
    {
        var (gap, gapLength) = LongestZeros(pieces);
        var text = new StringBuilder("[", 41);
        for (var i = 0; i < Pieces; i++)
        {
            if (i == gap)
            {
                text.Append(i == 0 ? "::" : ":");
                i += gapLength - 1;
                continue;
            }

            text.Append(CultureInfo.InvariantCulture, $"{pieces[i]:x}");
            if (i < Pieces - 1)
            {
                text.Append(':');
            }
        }

        return text.Append(']').ToString();
    }

    /// <summary>The first of the longest runs of two or more.</summary>
    private static (int Start, int Length) LongestZeros(ReadOnlySpan<ushort> pieces)
    {
        var (start, length) = (-1, 1);
        for (var i = 0; i < Pieces; i++)
        {
            var run = pieces[i..].IndexOfAnyExcept((ushort)0);
            run = run < 0 ? Pieces - i : run;
            if (run > length)
            {
                (start, length) = (i, run);
            }

            i += run;
        }

        return (start, length);
    }
}
