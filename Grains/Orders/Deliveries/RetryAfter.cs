using System.Globalization;

namespace Grains.Orders.Deliveries;

/// <summary>The header Retry-After (RFC 9110 §10.2.3): seconds, or a date in one of HTTP's three forms.</summary>
public static class RetryAfter
{
    /// <summary>What is longer is this long: no date or number makes a wait without end.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(7);

    private static readonly string[] Dates = ["ddd, dd MMM yyyy HH:mm:ss 'GMT'", "dddd, dd-MMM-yy HH:mm:ss 'GMT'", "ddd MMM d HH:mm:ss yyyy"];

    /// <summary>How long to wait from now on, from zero (also for a date that has passed) to <see cref="Longest"/>; null for what is neither seconds nor a date.</summary>
    public static TimeSpan? Parse(string? header, DateTimeOffset now)
    {
        var text = header?.Trim();
        if (string.IsNullOrEmpty(text) || text.Length > 64)
        {
            return null;
        }

        if (text.All(char.IsAsciiDigit))
        {
            return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds < Longest.TotalSeconds ? TimeSpan.FromSeconds(seconds) : Longest;
        }

        if (!DateTimeOffset.TryParseExact(text, Dates, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowInnerWhite, out var date))
        {
            return null;
        }

        var wait = date - now;
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait > Longest ? Longest : wait;
    }
}
