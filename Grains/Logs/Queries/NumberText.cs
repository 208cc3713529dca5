using System.Buffers.Text;
using System.Globalization;

namespace Grains.Logs.Queries;

/// <summary>
/// What reads as a number: digits, perhaps behind a minus, perhaps with a fraction and an exponent, and nothing around them. It is taken as
/// a double.
/// </summary>
internal static class NumberText
{
    /// <summary>The same, for RE2.</summary>
    public const string Re2 = @"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?";

    /// <summary>2⁵³: from here on not every whole number is a double.</summary>
    public const double ExactUpTo = 9_007_199_254_740_992;

    public static bool TryRead(ReadOnlySpan<byte> utf8, out double number)
    {
        number = 0;
        return HasForm(utf8) && double.TryParse(utf8, NumberStyles.Float, CultureInfo.InvariantCulture, out number);
    }

    public static bool TryRead(ReadOnlySpan<char> text, out double number)
    {
        Span<byte> utf8 = stackalloc byte[64];
        number = 0;
        return text.Length <= utf8.Length
            && System.Text.Ascii.FromUtf16(text, utf8, out var length) == System.Buffers.OperationStatus.Done
            && TryRead(utf8[..length], out number)
            && double.IsFinite(number);
    }

    /// <summary>A JSON number that is whole and fits 64 bits, with sign or without.</summary>
    public static bool IsWhole(ReadOnlySpan<byte> number) =>
        (Utf8Parser.TryParse(number, out long _, out var used) && used == number.Length)
        || (Utf8Parser.TryParse(number, out ulong _, out used) && used == number.Length);

    private static bool HasForm(ReadOnlySpan<byte> text)
    {
        var at = text.StartsWith("-"u8) ? 1 : 0;
        if (!Digits(text, ref at))
        {
            return false;
        }

        if (at < text.Length && text[at] == '.')
        {
            at++;
            if (!Digits(text, ref at))
            {
                return false;
            }
        }

        if (at < text.Length && text[at] is (byte)'e' or (byte)'E')
        {
            at++;
            at += at < text.Length && text[at] is (byte)'+' or (byte)'-' ? 1 : 0;
            if (!Digits(text, ref at))
            {
                return false;
            }
        }

        return at == text.Length;
    }

    private static bool Digits(ReadOnlySpan<byte> text, ref int at)
    {
        var start = at;
        while (at < text.Length && text[at] is >= (byte)'0' and <= (byte)'9')
        {
            at++;
        }

        return at > start;
    }
}
