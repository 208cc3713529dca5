using System.Globalization;
using Grains.Interfaces.Values;

namespace Grains.Interfaces.Logs;

/// <summary>
/// Points in time as people ask for them: how long ago (<c>15m</c>, <c>2h</c>, <c>7d</c>), or by RFC 3339; a time without a zone is UTC.
/// </summary>
public static class LogTimes
{
    /// <summary>How it is written, for sentences.</summary>
    public const string Forms = "how long ago (30s, 15m, 2h, 7d) or a time such as 2026-11-23T10:00:00Z";

    public static bool TryParse(string text, DateTimeOffset now, out DateTimeOffset moment)
    {
        moment = now;
        if (
            text.EndsWith('d')
            && decimal.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var days)
            && days <= 100_000
        )
        {
            moment = now - TimeSpan.FromTicks((long)(days * TimeSpan.TicksPerDay));
            return true;
        }

        if (Durations.TryParse(text, out var ago) && ago < now - DateTimeOffset.MinValue)
        {
            moment = now - ago;
            return true;
        }

        return DateTimeOffset.TryParse(
            text,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out moment
        );
    }
}
