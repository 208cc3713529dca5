using System.Globalization;
using System.Text;
using AngleSharp.Html;

namespace Grains.Crawling.Pages;

/// <summary>
/// Resolves <c>&amp;amp;</c>, <c>&amp;#38;</c>, <c>&amp;copy</c> by the HTML standard (§13.2.5.72 to 80): the longest name of the table
/// wins, some names need no semicolon.
/// Line ends become one line feed and NUL becomes U+FFFD, as the standard's preprocessing does.
/// </summary>
internal static class CharacterReferences
{
    // Of the names that need no semicolon none is longer: "Aacute".
    private const int LongestBareName = 6;

    // "CounterClockwiseContourIntegral"
    private const int LongestName = 31;

    /// <summary>
    /// Of an attribute's value: a name without a semicolon before <c>=</c>, a letter or a digit stays what it is, so that
    /// <c>?a=1&amp;copy=2</c> is a query.
    /// </summary>
    public static string InAttribute(ReadOnlySpan<char> written) => Resolve(written, inAttribute: true);

    public static string InText(ReadOnlySpan<char> written) => Resolve(written, inAttribute: false);

    private static string Resolve(ReadOnlySpan<char> written, bool inAttribute)
    {
        if (written.IndexOfAny('&', '\r', '\0') < 0)
        {
            return written.ToString();
        }

        var text = new StringBuilder(written.Length);
        while (true)
        {
            var plain = written.IndexOfAny('&', '\r', '\0');
            if (plain < 0)
            {
                return text.Append(written).ToString();
            }

            text.Append(written[..plain]);
            written = written[plain..];
            written = written[0] switch
            {
                '&' => written[Reference(written, inAttribute, text)..],
                '\r' => written[LineEnd(written, text)..],
                _ => written[Nul(text)..],
            };
        }
    }

    private static int LineEnd(ReadOnlySpan<char> written, StringBuilder text)
    {
        text.Append('\n');
        return written.StartsWith("\r\n") ? 2 : 1;
    }

    private static int Nul(StringBuilder text)
    {
        text.Append('\uFFFD');
        return 1;
    }

    /// <summary>Appends what a reference stands for, or the ampersand, and tells how much of the text that was.</summary>
    private static int Reference(ReadOnlySpan<char> written, bool inAttribute, StringBuilder text)
    {
        if (written.StartsWith("&amp;"))
        {
            text.Append('&');
            return 5;
        }

        if (written.StartsWith("&#"))
        {
            return Number(written, text);
        }

        var length = 1;
        while (length < written.Length && length <= LongestName && char.IsAsciiLetterOrDigit(written[length]))
        {
            length++;
        }

        if (
            length > 1
            && length < written.Length
            && written[length] == ';'
            && HtmlEntityProvider.Resolver.GetSymbol(written[1..(length + 1)].ToString()) is { } symbol
        )
        {
            text.Append(symbol);
            return length + 1;
        }

        for (var bare = Math.Min(length, LongestBareName + 1); bare > 2; bare--)
        {
            if (HtmlEntityProvider.Resolver.GetSymbol(written[1..bare].ToString()) is { } bareSymbol)
            {
                if (inAttribute && bare < written.Length && (written[bare] == '=' || char.IsAsciiLetterOrDigit(written[bare])))
                {
                    break;
                }

                text.Append(bareSymbol);
                return bare;
            }
        }

        text.Append('&');
        return 1;
    }

    private static int Number(ReadOnlySpan<char> written, StringBuilder text)
    {
        var hexadecimal = written.Length > 2 && written[2] is 'x' or 'X';
        var start = hexadecimal ? 3 : 2;
        var at = start;
        var code = 0;
        while (at < written.Length && (hexadecimal ? char.IsAsciiHexDigit(written[at]) : char.IsAsciiDigit(written[at])))
        {
            var digit = int.Parse(written.Slice(at, 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            code = Math.Min(code * (hexadecimal ? 16 : 10) + digit, 0x110000);
            at++;
        }

        if (at == start)
        {
            text.Append('&');
            return 1;
        }

        text.Append(Character(code).ToString());
        return at < written.Length && written[at] == ';' ? at + 1 : at;
    }

    // §13.2.5.80: what is no character becomes U+FFFD, and 0x80 to 0x9F mean windows-1252.
    private static Rune Character(int code)
    {
        if (code is >= 0x80 and <= 0x9F)
        {
            return (Rune)Windows1252[code - 0x80];
        }

        return code != 0 && Rune.IsValid(code) ? new Rune(code) : Rune.ReplacementChar;
    }

    private const string Windows1252 =
        "\u20AC\u0081\u201A\u0192\u201E\u2026\u2020\u2021\u02C6\u2030\u0160\u2039\u0152\u008D\u017D\u008F"
        + "\u0090\u2018\u2019\u201C\u201D\u2022\u2013\u2014\u02DC\u2122\u0161\u203A\u0153\u009D\u017E\u0178";
}
