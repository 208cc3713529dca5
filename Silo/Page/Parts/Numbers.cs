using System.Globalization;

namespace Silo.Page.Parts;

/// <summary>Numbers, sizes and times as people read them.</summary>
internal static class Numbers
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB"];

    public static string Of(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary><c>12.3 /s</c>; a dash before it is known.</summary>
    public static string Rate(double? perSecond) =>
        perSecond is { } rate
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"{rate.ToString(rate is > 0 and < 100 ? "0.0" : "N0", CultureInfo.InvariantCulture)} /s"
            )
            : "-";

    /// <summary>1 KiB is 1,024 bytes.</summary>
    public static string Bytes(long bytes)
    {
        var (size, unit) = ((double)bytes, 0);
        while (size >= 1024 && unit < Units.Length - 1)
        {
            (size, unit) = (size / 1024, unit + 1);
        }

        return string.Create(CultureInfo.InvariantCulture, $"{size:0.#} {Units[unit]}");
    }

    public static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
