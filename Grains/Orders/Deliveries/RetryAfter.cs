using System.Globalization;

namespace Grains.Orders.Deliveries;

/// <summary>The header Retry-After (RFC 9110 §10.2.3): seconds, or a date in one of HTTP's three forms.</summary>
/// <remarks>
/// Nonsense is not heard, and waits for as long as without the header: what is neither seconds nor a date, a date that has passed, and more
/// than <see cref="Longest"/>.
/// </remarks>
public static class RetryAfter
{
    /// <summary>Nobody means more: a server that counts in milliseconds, or whose clock is wrong.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(24);

    private static readonly string[] Dates =
    [
        "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
        "dddd, dd-MMM-yy HH:mm:ss 'GMT'",
        "ddd MMM d HH:mm:ss yyyy",
    ];

    /// <summary>How long to wait from now on, more than zero; null where nothing, or nothing sensible, is asked for.</summary>
    public static TimeSpan? Parse(string? header, DateTimeOffset now)
    {
        var text = header?.Trim();
        if (string.IsNullOrEmpty(text) || text.Length > 64)
        {
            return null;
        }

        if (text.All(char.IsAsciiDigit))
        {
            return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds <= Longest.TotalSeconds
                ? Sensible(TimeSpan.FromSeconds(seconds))
                : null;
        }

        if (
            !DateTimeOffset.TryParseExact(
                text,
                Dates,
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowInnerWhite,
                out var date
            )
        )
        {
            return null;
        }

        return Sensible(date - now);
    }

    private static TimeSpan? Sensible(TimeSpan wait) => wait > TimeSpan.Zero && wait <= Longest ? wait : null;
}
