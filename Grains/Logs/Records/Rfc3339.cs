namespace Grains.Logs.Records;

/// <summary>
/// Reads times as RFC 3339 §5.6 writes them, to the nanosecond. A little more is taken than it writes: a space for the T, a comma for the
/// point, no offset (UTC is meant),
/// digits below the nanosecond (they are cut off). A leap second is the second before it.
/// </summary>
public static class Rfc3339
{
    private const ulong NanosOfSecond = 1_000_000_000;

    /// <summary>Nanoseconds since 1970, which ends in 2554; what lies before or beyond is no time.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out ulong nanoseconds)
    {
        nanoseconds = 0;
        if (
            text.Length < 19
            || text[4] != '-'
            || text[7] != '-'
            || text[10] is not ((byte)'T' or (byte)'t' or (byte)' ')
            || text[13] != ':'
            || text[16] != ':'
            || !Digits(text[..4], out var year)
            || !Digits(text.Slice(5, 2), out var month)
            || !Digits(text.Slice(8, 2), out var day)
            || !Digits(text.Slice(11, 2), out var hour)
            || !Digits(text.Slice(14, 2), out var minute)
            || !Digits(text.Slice(17, 2), out var second)
            || year < 1
            || month is < 1 or > 12
            || day < 1
            || day > DateTime.DaysInMonth(year, month)
            || hour > 23
            || minute > 59
            || second > 60
        )
        {
            return false;
        }

        text = text[19..];
        var nanos = 0;
        if (text is [(byte)'.' or (byte)',', ..])
        {
            var digits = text[1..].IndexOfAnyExceptInRange((byte)'0', (byte)'9') is >= 0 and var end ? end : text.Length - 1;
            if (digits == 0)
            {
                return false;
            }

            for (var digit = 0; digit < 9; digit++)
            {
                nanos = (nanos * 10) + (digit < digits ? text[1 + digit] - '0' : 0);
            }

            text = text[(1 + digits)..];
        }

        if (!Offset(text, out var offsetMinutes))
        {
            return false;
        }

        var moment = new DateTime(year, month, day, hour, minute, Math.Min(second, 59), DateTimeKind.Utc);
        var seconds = ((moment - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerSecond) - (offsetMinutes * 60L);
        if (seconds < 0 || (ulong)seconds >= ulong.MaxValue / NanosOfSecond)
        {
            return false;
        }

        nanoseconds = ((ulong)seconds * NanosOfSecond) + (ulong)nanos;
        return true;
    }

    private static bool Offset(ReadOnlySpan<byte> text, out int minutes)
    {
        minutes = 0;
        if (text.IsEmpty || text is [(byte)'Z' or (byte)'z'])
        {
            return true;
        }

        var colon = text.Length == 6 && text[3] == ':' ? 1 : 0;
        if (
            text.Length != 5 + colon
            || text[0] is not ((byte)'+' or (byte)'-')
            || !Digits(text.Slice(1, 2), out var hours)
            || !Digits(text.Slice(3 + colon, 2), out var rest)
            || hours > 23
            || rest > 59
        )
        {
            return false;
        }

        minutes = ((hours * 60) + rest) * (text[0] == '-' ? -1 : 1);
        return true;
    }

    private static bool Digits(ReadOnlySpan<byte> text, out int number)
    {
        number = 0;
        foreach (var digit in text)
        {
            if (digit is < (byte)'0' or > (byte)'9')
            {
                return false;
            }

            number = (number * 10) + (digit - '0');
        }

        return true;
    }
}
