using System.Globalization;

namespace Grains.Crawling.Sessions;

/// <summary>Dates of cookies: RFC 6265 §5.1.1, which takes what the web writes and no calendar would.</summary>
internal static class CookieDate
{
    private const string Months = "janfebmaraprmayjunjulaugsepoctnovdec";

    public static bool TryParse(string text, out DateTimeOffset date)
    {
        date = default;
        (int Hour, int Minute, int Second)? time = null;
        int? day = null,
            month = null,
            year = null;
        foreach (var token in Tokens(text))
        {
            if (time is null && Time(token) is { } some)
            {
                time = some;
            }
            else if (day is null && Number(token, most: 2) is { } dayOfMonth)
            {
                day = dayOfMonth;
            }
            else if (month is null && Month(token) is { } named)
            {
                month = named;
            }
            else if (year is null && token.Length >= 2 && Number(token, most: 4) is { } years && Digits(token) >= 2)
            {
                year = years switch
                {
                    >= 70 and <= 99 => years + 1900,
                    <= 69 => years + 2000,
                    _ => years,
                };
            }
        }

        if (time is not { Hour: <= 23, Minute: <= 59, Second: <= 59 } at || day is not { } d || month is not { } m || year is not { } y)
        {
            return false;
        }

        if (y is < 1601 || d < 1 || d > DateTime.DaysInMonth(y, m))
        {
            return false;
        }

        date = new(y, m, d, at.Hour, at.Minute, at.Second, TimeSpan.Zero);
        return true;
    }

    private static string[] Tokens(string text) =>
        new string([.. text.Select(c => IsDelimiter(c) ? ' ' : c)]).Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static bool IsDelimiter(char c) =>
        c is '\t' or (>= ' ' and <= '/') or (>= ';' and <= '@') or (>= '[' and <= '`') or (>= '{' and <= '~');

    /// <summary>Hours, minutes and seconds of one or two digits each; what follows that is no digit is passed over.</summary>
    private static (int Hour, int Minute, int Second)? Time(string token) =>
        token.Split(':', 4) is [var hour, var minute, var second, ..]
        && Digits(hour) == hour.Length
        && Digits(minute) == minute.Length
        && Number(hour, most: 2) is { } h
        && Number(minute, most: 2) is { } m
        && Number(second, most: 2) is { } s
            ? (h, m, s)
            : null;

    private static int? Month(string token) =>
        token.Length >= 3 && Months.IndexOf(token[..3].ToLowerInvariant(), StringComparison.Ordinal) is >= 0 and var at && at % 3 == 0
            ? (at / 3) + 1
            : null;

    /// <summary>The number at the beginning, of 1 to <paramref name="most"/> digits.</summary>
    private static int? Number(string token, int most) =>
        Digits(token) is var digits && digits >= 1 && digits <= most
            ? int.Parse(token.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture)
            : null;

    private static int Digits(string token) => token.TakeWhile(char.IsAsciiDigit).Count();
}
