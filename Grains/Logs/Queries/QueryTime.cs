using System.Globalization;
using System.Text.RegularExpressions;

namespace Grains.Logs.Queries;

/// <summary>
/// A point in time as it is written in a query, and so the span that it names: a day, an hour, a minute, a second, or a part of a second
/// down to a nanosecond.
/// </summary>
internal static partial class QueryTime
{
    private const ulong NanosPerSecond = 1_000_000_000;

    /// <param name="from">The first nanosecond since 1970 of the span.</param>
    /// <param name="to">Its last.</param>
    public static bool TryRead(string text, out ulong from, out ulong to)
    {
        (from, to) = (0, 0);
        var match = Form().Match(text);
        if (
            !match.Success
            || !DateTime.TryParseExact(
                match.Groups["date"].Value,
                "yyyy-MM-dd",
                CultureInfo.InvariantCulture,
                DateTimeStyles.None,
                out var date
            )
            || Part("hour", 23) is not { } hour
            || Part("minute", 59) is not { } minute
            || Part("second", 59) is not { } second
            || Part("zoneHour", 14) is not { } zoneHour
            || Part("zoneMinute", 59) is not { } zoneMinute
        )
        {
            return false;
        }

        var offset = new TimeSpan(zoneHour, zoneMinute, 0) * (match.Groups["sign"].Value == "-" ? -1 : 1);
        var ticks = date.Ticks + new TimeSpan(hour, minute, second).Ticks - offset.Ticks - DateTime.UnixEpoch.Ticks;
        var fraction = match.Groups["fraction"].Value;
        var span = match switch
        {
            _ when fraction.Length > 0 => (ulong)Math.Pow(10, 9 - fraction.Length),
            _ when match.Groups["second"].Success => NanosPerSecond,
            _ when match.Groups["minute"].Success => 60 * NanosPerSecond,
            _ when match.Groups["hour"].Success => 3600 * NanosPerSecond,
            _ => 24 * 3600 * NanosPerSecond,
        };
        if (ticks < 0 || ticks / TimeSpan.TicksPerSecond >= (long)(ulong.MaxValue / NanosPerSecond) - (24 * 3600))
        {
            return false; // Before 1970, or beyond what 64 bits of nanoseconds hold (2554).
        }

        from = ((ulong)ticks * 100) + (fraction.Length == 0 ? 0 : ulong.Parse(fraction.PadRight(9, '0'), CultureInfo.InvariantCulture));
        to = from + span - 1;
        return true;

        int? Part(string name, int max) =>
            !match.Groups[name].Success ? 0
            : int.Parse(match.Groups[name].ValueSpan, CultureInfo.InvariantCulture) is var value && value <= max ? value
            : null;
    }

    [GeneratedRegex(
        @"^(?<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
            + @"([T ](?<hour>[0-9]{2})(:(?<minute>[0-9]{2})(:(?<second>[0-9]{2})(\.(?<fraction>[0-9]{1,9}))?)?)?"
            + @"(Z|(?<sign>[+-])(?<zoneHour>[0-9]{2}):?(?<zoneMinute>[0-9]{2}))?)?\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture
    )]
    private static partial Regex Form();
}
