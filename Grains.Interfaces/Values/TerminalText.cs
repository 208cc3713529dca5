using System.Globalization;
using System.Text;

namespace Grains.Interfaces.Values;

/// <summary>
/// Text of any origin, made fit for a terminal. Control characters (C0, DEL, C1), with which a page's title could move the cursor or set
/// the window's name, format
/// characters such as U+202E, which turns the direction of what follows, the separators U+2028 and U+2029, and halves of surrogate pairs
/// are dangerous there.
/// </summary>
public static class TerminalText
{
    private const char Replacement = '\uFFFD';

    /// <summary>One line: each dangerous character becomes <c>U+FFFD</c>, line feeds and tabs too.</summary>
    public static string Clean(string text) => Replace(text, isKept: "", static (clean, _) => clean.Append(Replacement));

    /// <summary>The same, with line feeds kept.</summary>
    public static string CleanLines(string text) => Replace(text, isKept: "\n", static (clean, _) => clean.Append(Replacement));

    /// <summary>
    /// Data for programs that a person looks at: each dangerous character is spelled as JSON spells it (<c>\u001b</c>); line ends and tabs
    /// stand, a carriage return alone does not.
    /// </summary>
    public static string Spell(string text) =>
        string.Join(
            "\r\n",
            text.Split("\r\n")
                .Select(part => Replace(part, isKept: "\n\t", static (clean, rune) =>
                    {
                        Span<char> units = stackalloc char[2];
                        foreach (var unit in units[..rune.EncodeToUtf16(units)])
                        {
                            clean.Append(CultureInfo.InvariantCulture, $"\\u{(int)unit:x4}");
                        }
                    }))
        );

    private static string Replace(string text, string isKept, Action<StringBuilder, Rune> replace)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            return text;
        }

        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsDangerous(rune) && !(rune.IsBmp && isKept.Contains((char)rune.Value)))
            {
                replace(clean, rune);
            }
            else
            {
                clean.Append(rune);
            }
        }

        return clean.ToString();
    }

    private static bool IsDangerous(Rune rune) =>
        Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator;
}
