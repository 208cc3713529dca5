using System.Buffers;

namespace Grains.Interfaces.Values;

/// <summary>
/// A field of CSV (RFC 4180): in quotes where it must be, quotes doubled inside. A text that a spreadsheet would take for a formula
/// (<c>= + - @</c>, a tab or a line end at its start, the wide forms of the signs too) begins with an apostrophe, so that it is shown and
/// not run.
/// </summary>
public static class CsvField
{
    /// <summary>A semicolon or tab parts fields in some spreadsheets: what follows it could be a formula again.</summary>
    private static readonly SearchValues<char> NeedsQuotes = SearchValues.Create(",;\t\"\r\n");

    private static readonly SearchValues<char> BeginsAFormula = SearchValues.Create("=+-@\t\r\n＝＋－＠");

    /// <param name="text">Of any origin; null is an empty field. Numbers of our own do not come here: a minus may begin them.</param>
    public static string Of(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return "";
        }

        var shown = BeginsAFormula.Contains(text[0]) ? $"'{text}" : text;
        return shown.AsSpan().ContainsAny(NeedsQuotes) ? $"\"{shown.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : shown;
    }
}
