using System.Buffers;

namespace Grains.Interfaces.Orders;

/// <summary>The first 130 bits of a hash as 26 digits and lower-case letters, without i, l, o and u, which are taken for others.</summary>
internal static class Base32
{
    public const int Length = 26;

    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

    private static readonly SearchValues<char> Digits = SearchValues.Create(Alphabet);

    public static string Format(ReadOnlySpan<byte> hash)
    {
        Span<char> text = stackalloc char[Length];
        var (bits, held, at) = (0, 0, 0);
        foreach (ref var digit in text)
        {
            if (held < 5)
            {
                bits = ((bits & 0xFF) << 8) | hash[at++];
                held += 8;
            }

            held -= 5;
            digit = Alphabet[(bits >> held) & 31];
        }

        return new(text);
    }

    public static bool IsOf(ReadOnlySpan<char> text) => text.Length == Length && !text.ContainsAnyExcept(Digits);
}
