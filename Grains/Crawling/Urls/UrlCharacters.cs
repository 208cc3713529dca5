using System.Buffers;

namespace Grains.Crawling.Urls;

/// <summary>
/// The sets of WHATWG URL §1.3 and §3.5, turned round: what is written as it stands. The percent sign is in none of them.
/// </summary>
internal static class UrlCharacters
{
    private const string Digits = "0123456789";
    private const string Lower = "abcdefghijklmnopqrstuvwxyz";
    private const string Upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    private const string Unreserved = Lower + Upper + Digits + "-._~";

    public static readonly SearchValues<char> Scheme = SearchValues.Create(Lower + Upper + Digits + "+-.");

    public static readonly SearchValues<char> PlainInPath = SearchValues.Create(Unreserved + "/!$&'()*+,:;=@[]|");

    /// <summary>The apostrophe is escaped in queries of http and https only.</summary>
    public static readonly SearchValues<char> PlainInQuery = SearchValues.Create(Unreserved + "/!$&()*+,:;=@[]|?\\^`{}");

    public static readonly SearchValues<char> PlainInHost = SearchValues.Create(Lower + Digits + "-.");

    public static readonly SearchValues<char> ForbiddenInDomain = SearchValues.Create(
        string.Concat(Enumerable.Range(0, 0x21).Select(c => (char)c)) + "#/:<>?@[\\]^|%\u007f"
    );

    /// <summary>RFC 3986 §2.3: an escape of these says nothing that the character would not.</summary>
    public static bool IsUnreserved(int c) => c < 0x80 && (char.IsAsciiLetterOrDigit((char)c) || c is '-' or '.' or '_' or '~');

    /// <summary>The octet of an escape that begins at <paramref name="at"/>, which is a percent sign; -1 when it is none.</summary>
    public static int Octet(ReadOnlySpan<char> text, int at) =>
        at + 2 < text.Length && char.IsAsciiHexDigit(text[at + 1]) && char.IsAsciiHexDigit(text[at + 2])
            ? (HexValue(text[at + 1]) << 4) | HexValue(text[at + 2])
            : -1;

    public static int HexValue(char digit) => char.IsAsciiDigit(digit) ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
