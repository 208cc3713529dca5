using System.Globalization;
using System.Text.RegularExpressions;

namespace Client.Values;

/// <summary>Numbers of bytes as people type and read them: <c>512KB</c>, <c>10MB</c>. 1 KB is 1,024 bytes.</summary>
internal static partial class Sizes
{
    private static readonly string[] Units = ["B", "KB", "MB", "GB", "TB"];

    /// <summary>A number, with a point if need be, and a unit, without space; a bare number is bytes.</summary>
    public static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        var match = Form().Match(text);
        if (!match.Success)
        {
            return false;
        }

        var unit = Math.Max(0, Array.IndexOf(Units, match.Groups["unit"].Value.ToUpperInvariant()));
        var number =
            decimal.Parse(match.Groups["number"].ValueSpan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture)
            * (1L << (10 * unit));
        if (number > long.MaxValue || number != decimal.Truncate(number))
        {
            return false;
        }

        bytes = (long)number;
        return true;
    }

    /// <summary>To be read at a glance: <c>640 B</c>, <c>3.1 MB</c>.</summary>
    public static string Format(long bytes)
    {
        var unit = 0;
        double number = bytes;
        while (number >= 1024 && unit < Units.Length - 1)
        {
            number /= 1024;
            unit++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{number:0.#} {Units[unit]}");
    }

    [GeneratedRegex(@"^(?<number>[0-9]{1,15}(\.[0-9]{1,6})?)(?<unit>[KMGT]?B)?$", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Form();
}
