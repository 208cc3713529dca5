using System.Globalization;

namespace Client.Values;

/// <summary>Numbers of things, to be read at a glance.</summary>
internal static class Counts
{
    /// <summary><c>1,234</c>.</summary>
    public static string Format(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary><c>1 host</c>, <c>1,234 hosts</c>.</summary>
    public static string Of(long count, string one, string many) => $"{Format(count)} {(count == 1 ? one : many)}";

    /// <summary><c>28.4/s</c>, <c>1,284/s</c>.</summary>
    public static string Rate(double perSecond) => perSecond.ToString(perSecond < 100 ? "0.0" : "N0", CultureInfo.InvariantCulture) + "/s";
}
