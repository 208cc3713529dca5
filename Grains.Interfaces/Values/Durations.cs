using System.Globalization;
using System.Text.RegularExpressions;

namespace Grains.Interfaces.Values;

/// <summary>Spans of time as people type and read them: <c>500ms</c>, <c>1s</c>, <c>1.5m</c>, <c>2h</c>, <c>30d</c>, <c>0</c>.</summary>
public static partial class Durations
{
    /// <summary>A number, with a point if need be, and a unit, without space; a bare number only when it is 0.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        var match = Form().Match(text);
        if (
            !match.Success
            || !decimal.TryParse(
                match.Groups["number"].ValueSpan,
                NumberStyles.AllowDecimalPoint,
                CultureInfo.InvariantCulture,
                out var number
            )
        )
        {
            return false;
        }

        decimal? ticks = match.Groups["unit"].Value switch
        {
            "ms" => TimeSpan.TicksPerMillisecond,
            "s" => TimeSpan.TicksPerSecond,
            "m" => TimeSpan.TicksPerMinute,
            "h" => TimeSpan.TicksPerHour,
            "d" => TimeSpan.TicksPerDay,
            _ => number == 0 ? 0 : null,
        };
        if (ticks is null || number > TimeSpan.MaxValue.Ticks / Math.Max(1, ticks.Value))
        {
            return false;
        }

        duration = TimeSpan.FromTicks((long)(number * ticks.Value));
        return true;
    }

    /// <summary>What <see cref="TryParse"/> reads back: <c>1s</c>, <c>250ms</c>.</summary>
    public static string Format(TimeSpan duration) =>
        duration switch
        {
            { Ticks: 0 } => "0",
            _ when duration.Ticks % TimeSpan.TicksPerHour == 0 => Number(duration.TotalHours, "h"),
            _ when duration.Ticks % TimeSpan.TicksPerMinute == 0 => Number(duration.TotalMinutes, "m"),
            _ when duration < TimeSpan.FromSeconds(1) => Number(duration.TotalMilliseconds, "ms"),
            _ => Number(duration.TotalSeconds, "s"),
        };

    /// <summary>How long something took, to be read at a glance: <c>4.2 s</c>, <c>3 min 05 s</c>, <c>2 h 11 min</c>.</summary>
    public static string Elapsed(TimeSpan elapsed) =>
        elapsed switch
        {
            { TotalSeconds: < 60 } => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(elapsed.TotalSeconds * 10) / 10:0.0} s"),
            { TotalHours: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{elapsed.Minutes} min {elapsed.Seconds:00} s"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{(long)elapsed.TotalHours} h {elapsed.Minutes:00} min"),
        };

    private static string Number(double number, string unit) => string.Create(CultureInfo.InvariantCulture, $"{number:0.###}{unit}");

    [GeneratedRegex(@"^(?<number>[0-9]{1,12}(\.[0-9]{1,6})?)(?<unit>ms|s|m|h|d)?$", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
