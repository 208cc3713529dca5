using System.Text;

namespace Grains.Logs.Text;

/// <summary>
/// Reads times as programs write them into logs, to the nanosecond: ISO 8601 and what is near to it, RFC 1123, 850 and asctime, BSD syslog,
/// Apache, log4j, Java, Go, .NET, glog, compact digits and
/// numbers since 1970. <c>tests/Data/logs/times.tsv</c> lists the forms by example.
/// </summary>
/// <remarks>
/// <para>Only a plausible time is one (<see cref="IsPlausible"/>): what a duration, a counter or a broken clock gives is none. A year that
/// is missing is the last one in which the time is not to come. A date whose
/// day and month cannot be told apart is none.</para>
/// <para>A walk over the bytes; nothing is allocated.</para>
/// </remarks>
/// <param name="zone">Of times without an offset.</param>
public sealed class TimeReader(TimeZoneInfo zone)
{
    /// <summary>1990: before it nobody logged what is sent here, and small numbers mean something else.</summary>
    private const ulong Earliest = 631_152_000 * NanosOfSecond;

    /// <summary>A clock may run before ours by so much.</summary>
    private const ulong Ahead = 366ul * 86_400 * NanosOfSecond;

    private const ulong NanosOfSecond = 1_000_000_000;
    private const long NanosOfDay = 86_400L * 1_000_000_000;

    private static readonly string[] Months =
    [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];

    private static readonly string[] Days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

    /// <summary>Years until a day comes again, at most.</summary>
    private const int LeapYears = 8;

    /// <summary>From 1990 to a year from now.</summary>
    /// <param name="now">Nanoseconds since 1970.</param>
    public static bool IsPlausible(ulong nanoseconds, ulong now) => nanoseconds >= Earliest && nanoseconds <= now + Ahead;

    /// <summary>The whole text is a plausible time.</summary>
    /// <param name="now">Nanoseconds since 1970.</param>
    public bool TryParse(ReadOnlySpan<byte> text, ulong now, out ulong nanoseconds)
    {
        text = text.Trim(" \t\r\n"u8);
        if (text is [(byte)'[', .., (byte)']'])
        {
            text = text[1..^1];
        }

        // Go prints its monotonic clock behind a time.
        return TryRead(text, now, out nanoseconds, out var length) && (length == text.Length || text[length..].StartsWith(" m="u8));
    }

    /// <summary>A plausible time stands at the beginning of the text, and no letter or digit behind it.</summary>
    /// <param name="length">Of what was read.</param>
    public bool TryRead(ReadOnlySpan<byte> text, ulong now, out ulong nanoseconds, out int length)
    {
        nanoseconds = 0;
        length = 0;
        if (text.Length < 8 || !TryForm(text, now, out var time, out length))
        {
            return false;
        }

        if (length < text.Length && (IsDigit(text[length]) || IsLetter(text[length])))
        {
            return false;
        }

        return Nanoseconds(time, now, out nanoseconds) && IsPlausible(nanoseconds, now);
    }

    private static bool TryForm(ReadOnlySpan<byte> text, ulong now, out Parts time, out int length)
    {
        time = new() { Month = 1, Day = 1 };
        length = 0;
        var cursor = new Cursor(text);
        if (!IsDigit(text[0]))
        {
            return IsLetter(text[0]) && WithName(ref cursor, ref time) && cursor.End(out length);
        }

        var digits = cursor.Digits(out var number);
        var next = cursor.Peek;
        switch (digits)
        {
            case 4 when next is '-' or '/' or '.':
                return YearFirst(ref cursor, ref time, (int)number) && cursor.End(out length);
            case 1 or 2 when next is '/' or '-' or '.' or ' ':
                return DayOrMonthFirst(ref cursor, ref time, digits, (int)number) && cursor.End(out length);
            case 6 when next is ' ': // Hadoop: 081109 203615; MySQL: 081109 20:36:15.
                time.Year = Century((int)(number / 10_000));
                (time.Month, time.Day) = ((int)(number / 100 % 100), (int)(number % 100));
                cursor.At++;
                return (CompactClock(ref cursor, ref time) || Clock(ref cursor, ref time)) && cursor.End(out length);
            case 8 when next is 'T' or 't' or ' ' or '-' or '_':
                (time.Year, time.Month, time.Day) = ((int)(number / 10_000), (int)(number / 100 % 100), (int)(number % 100));
                cursor.At++;
                return (CompactClock(ref cursor, ref time) || Clock(ref cursor, ref time))
                    && Zone(ref cursor, ref time)
                    && cursor.End(out length);
            case 14:
                (time.Year, time.Month, time.Day) = (
                    (int)(number / 10_000_000_000),
                    (int)(number / 100_000_000 % 100),
                    (int)(number / 1_000_000 % 100)
                );
                if (time.Year is > 1989 and < 2100)
                {
                    (time.Hour, time.Minute, time.Second) = ((int)(number / 10_000 % 100), (int)(number / 100 % 100), (int)(number % 100));
                    return Fraction(ref cursor, ref time) && Zone(ref cursor, ref time) && cursor.End(out length);
                }

                return false;
            case >= 9 and <= 19:
                return Epoch(ref cursor, ref time, number, now) && cursor.End(out length);
            default:
                return false;
        }
    }

    /// <summary>2026-11-30T10:00:00.123Z, 2026/11/30 10:00:00, 2026-11-30:10:00, 2005-06-03-15.42.50.</summary>
    private static bool YearFirst(ref Cursor cursor, ref Parts time, int year)
    {
        var separator = cursor.Peek;
        cursor.At++;
        time.Year = year;
        if (cursor.Digits(out var month) is not (1 or 2) || !cursor.Take(separator) || cursor.Digits(out var day) is not (1 or 2))
        {
            return false;
        }

        (time.Month, time.Day) = ((int)month, (int)day);
        if (cursor.Peek is not ('T' or 't' or ' ' or '_' or '-' or ':' or ','))
        {
            return false;
        }

        cursor.At++;
        cursor.SkipSpaces();
        return Clock(ref cursor, ref time) && Zone(ref cursor, ref time);
    }

    /// <summary>
    /// 30/Nov/2026:10:00:00 +0000, 30-Nov-2026 10:00:00, 30 Nov 2026 10:00:00, 30.11.2026 10:00:00, 11/30/2026 10:00:00 AM, 26/11/30
    /// 10:00:00 (log4j), 11-30 10:00:00.123 (Android).
    /// </summary>
    private static bool DayOrMonthFirst(ref Cursor cursor, ref Parts time, int digits, int first)
    {
        var separator = cursor.Peek;
        cursor.At++;
        if (IsLetter(cursor.Peek))
        {
            time.Day = first;
            if (
                !Month(ref cursor, ref time)
                || !(cursor.Take(separator) || cursor.Take(',') || cursor.Take(' '))
                || !Year(ref cursor, ref time)
            )
            {
                return false;
            }

            return Between(ref cursor) && Clock(ref cursor, ref time) && Zone(ref cursor, ref time);
        }

        if (separator == ' ' || cursor.Digits(out var second) is not (1 or 2))
        {
            return false;
        }

        if (separator == '-' && digits == 2 && cursor.Peek == ' ')
        {
            (time.Year, time.Month, time.Day) = (0, first, (int)second);
            cursor.At++;
            return Clock(ref cursor, ref time) && time.HasFraction;
        }

        if (!cursor.Take(separator))
        {
            return false;
        }

        var width = cursor.Digits(out var third);
        if (width is not (2 or 4) || !Between(ref cursor) || !Clock(ref cursor, ref time) || !Zone(ref cursor, ref time))
        {
            return false;
        }

        if (width == 2)
        {
            (time.Year, time.Month, time.Day) = (Century(first), (int)second, (int)third);
            return separator == '/';
        }

        time.Year = (int)third;
        var isMonthFirst = separator != '.' && (second > 12 || (first <= 12 && time.IsTwelveHours));
        if (!isMonthFirst && separator != '.' && first <= 12 && first != second)
        {
            return false; // 11/12/2026 may be either.
        }

        (time.Month, time.Day) = isMonthFirst ? (first, (int)second) : ((int)second, first);
        return true;
    }

    /// <summary>
    /// Nov 30 10:00:00, Nov 30, 2026 10:00:00 AM, Mon, 30 Nov 2026 10:00:00 GMT, Mon Nov 30 10:00:00.123 2026, Monday, 30-Nov-26 10:00:00
    /// GMT, I1130 10:00:00.123456 (glog).
    /// </summary>
    private static bool WithName(ref Cursor cursor, ref Parts time)
    {
        if (IsDigit(cursor.PeekAt(1)))
        {
            return Glog(ref cursor, ref time);
        }

        var word = cursor.Word();
        var hasDayOfWeek = IsDayOfWeek(word);
        if (hasDayOfWeek)
        {
            cursor.Take(',');
            if (!cursor.SkipSpaces())
            {
                return false;
            }

            if (IsDigit(cursor.Peek))
            {
                var digits = cursor.Digits(out var day);
                return digits is 1 or 2
                    && cursor.Peek is ' ' or '-'
                    && IsLetter(cursor.PeekAt(1))
                    && DayOrMonthFirst(ref cursor, ref time, digits, (int)day);
            }

            word = cursor.Word();
        }

        if ((time.Month = MonthOf(word)) == 0)
        {
            return false;
        }

        cursor.Take('.');
        if (!cursor.SkipSpaces() || cursor.Digits(out var dayOfMonth) is not (1 or 2))
        {
            return false;
        }

        time.Day = (int)dayOfMonth;
        cursor.Take(',');
        if (!cursor.SkipSpaces())
        {
            return false;
        }

        // A year may stand before the time of day, or where the day of the week is said, behind it or behind its zone.
        var at = cursor.At;
        if (cursor.Digits(out var year) == 4 && cursor.Peek is ' ' or ',')
        {
            time.Year = (int)year;
            cursor.Take(',');
            cursor.SkipSpaces();
        }
        else
        {
            cursor.At = at;
        }

        if (!Clock(ref cursor, ref time) || !Zone(ref cursor, ref time))
        {
            return false;
        }

        at = cursor.At;
        if (hasDayOfWeek && time.Year == 0 && cursor.SkipSpaces() && cursor.Digits(out year) == 4)
        {
            time.Year = (int)year;
        }
        else
        {
            cursor.At = at;
        }

        return true;
    }

    /// <summary>A letter of severity, month and day with or without a year, and a time of day with its fraction.</summary>
    private static bool Glog(ref Cursor cursor, ref Parts time)
    {
        if (cursor.Peek is not ('I' or 'W' or 'E' or 'F' or 'D'))
        {
            return false;
        }

        cursor.At++;
        var digits = cursor.Digits(out var date);
        time.Year = digits == 8 ? (int)(date / 10_000) : 0;
        (time.Month, time.Day) = ((int)(date / 100 % 100), (int)(date % 100));
        return digits is 4 or 8 && cursor.Take(' ') && Clock(ref cursor, ref time) && time.HasFraction;
    }

    /// <summary>hh:mm, hh:mm:ss or hh.mm.ss with a fraction behind a point, a comma or a colon, and AM or PM.</summary>
    private static bool Clock(ref Cursor cursor, ref Parts time)
    {
        var digits = cursor.Digits(out var hour);
        var separator = cursor.Peek;
        if (digits is not (1 or 2) || separator is not (':' or '.'))
        {
            return false;
        }

        cursor.At++;
        if (cursor.Digits(out var minute) != 2)
        {
            return false;
        }

        (time.Hour, time.Minute) = ((int)hour, (int)minute);
        if (cursor.Peek == separator)
        {
            cursor.At++;
            if (cursor.Digits(out var second) != 2)
            {
                return false;
            }

            time.Second = (int)second;
            if (!Fraction(ref cursor, ref time))
            {
                return false;
            }
        }
        else if (separator == '.')
        {
            return false;
        }

        var at = cursor.At;
        cursor.SkipSpaces();
        if (cursor.Peek is 'A' or 'a' or 'P' or 'p' && cursor.PeekAt(1) is 'M' or 'm' && !IsLetter(cursor.PeekAt(2)))
        {
            if (time.Hour is 0 or > 12)
            {
                return false;
            }

            time.Hour = (time.Hour % 12) + (cursor.Peek is 'P' or 'p' ? 12 : 0);
            time.IsTwelveHours = true;
            cursor.At += 2;
        }
        else
        {
            cursor.At = at;
        }

        return true;
    }

    /// <summary>hhmmss.</summary>
    private static bool CompactClock(ref Cursor cursor, ref Parts time)
    {
        var at = cursor.At;
        if (cursor.Digits(out var clock) != 6)
        {
            cursor.At = at;
            return false;
        }

        (time.Hour, time.Minute, time.Second) = ((int)(clock / 10_000), (int)(clock / 100 % 100), (int)(clock % 100));
        return Fraction(ref cursor, ref time);
    }

    /// <summary>Digits behind a point, a comma or a colon; none is none. Digits below the nanosecond are cut off.</summary>
    private static bool Fraction(ref Cursor cursor, ref Parts time)
    {
        if (cursor.Peek is not ('.' or ',' or ':') || !IsDigit(cursor.PeekAt(1)))
        {
            return true;
        }

        cursor.At++;
        var nanos = 0;
        for (var digit = 0; digit < 9; digit++)
        {
            nanos = (nanos * 10) + (IsDigit(cursor.Peek) ? cursor.Peek - '0' : 0);
            cursor.At += IsDigit(cursor.Peek) ? 1 : 0;
        }

        while (IsDigit(cursor.Peek))
        {
            cursor.At++;
        }

        time.Nanos = nanos;
        time.HasFraction = true;
        return true;
    }

    /// <summary>
    /// Z, UTC, GMT, +hh, +hhmm, +hh:mm, GMT+hh:mm, with a space before it or not, and names behind it in Java's and Go's way; none is none.
    /// False when what looks like one is none.
    /// </summary>
    private static bool Zone(ref Cursor cursor, ref Parts time)
    {
        var at = cursor.At;
        var hasSpace = cursor.SkipSpaces();
        if (IsLetter(cursor.Peek))
        {
            var word = cursor.Word();
            if (OffsetOf(word) is not { } hours || (hasSpace && word.Length == 1))
            {
                cursor.At = at; // Text.
                return true;
            }

            time.Offset = hours * 60;
            if (cursor.Peek is not ('+' or '-'))
            {
                return true;
            }

            hasSpace = false;
        }

        if (cursor.Peek is not ('+' or '-') || !IsDigit(cursor.PeekAt(1)) || !IsDigit(cursor.PeekAt(2)))
        {
            if (time.Offset is null)
            {
                cursor.At = at;
            }

            return true;
        }

        var sign = cursor.Peek == '-' ? -1 : 1;
        cursor.At++;
        var digits = cursor.Digits(out var number);
        var minutes = 0L;
        if (digits == 2 && cursor.Peek == ':' && IsDigit(cursor.PeekAt(1)) && IsDigit(cursor.PeekAt(2)))
        {
            cursor.At++;
            cursor.Digits(out minutes);
        }
        else if (digits == 4)
        {
            (number, minutes) = (number / 100, number % 100);
        }
        else if (digits != 2 || hasSpace)
        {
            cursor.At = at; // A number that belongs to the text.
            return hasSpace || digits == 0;
        }

        if (number > 18 || minutes > 59)
        {
            return false;
        }

        time.Offset = sign * (int)((number * 60) + minutes);
        Java(ref cursor);
        at = cursor.At;
        if (!(cursor.SkipSpaces() && OffsetOf(cursor.Word()) is not null)) // Go: +0000 UTC.
        {
            cursor.At = at;
        }

        return true;
    }

    /// <summary>The name of a zone behind its offset: [Europe/Berlin].</summary>
    private static void Java(ref Cursor cursor)
    {
        if (cursor.Peek == '[' && IsLetter(cursor.PeekAt(1)) && cursor.Rest.IndexOf((byte)']') is > 0 and < 40 and var end)
        {
            cursor.At += end + 1;
        }
    }

    /// <summary>A number since 1970: of seconds, milliseconds, microseconds or nanoseconds, whichever is plausible.</summary>
    private static bool Epoch(ref Cursor cursor, ref Parts time, long number, ulong now)
    {
        var fraction = new Parts();
        var scale = 1_000_000_000L;
        for (; scale >= 1; scale /= 1000)
        {
            if (number <= long.MaxValue / scale && IsPlausible((ulong)(number * scale), now))
            {
                break;
            }
        }

        if (scale == 0 || (cursor.Peek == '.' && !Fraction(ref cursor, ref fraction)))
        {
            return false;
        }

        time.SinceEpoch = (ulong)(number * scale) + ((ulong)fraction.Nanos * (ulong)scale / NanosOfSecond);
        return true;
    }

    /// <summary>What stands between a date and a time of day.</summary>
    private static bool Between(ref Cursor cursor)
    {
        var isThere = cursor.Take(':') || cursor.Take(',') || cursor.Take(' ');
        cursor.SkipSpaces();
        return isThere;
    }

    private static bool Month(ref Cursor cursor, ref Parts time) => (time.Month = MonthOf(cursor.Word())) > 0;

    private static bool Year(ref Cursor cursor, ref Parts time)
    {
        cursor.SkipSpaces();
        var digits = cursor.Digits(out var year);
        time.Year = digits == 2 ? Century((int)year) : (int)year;
        return digits is 2 or 4;
    }

    /// <summary>A year of two digits: 70 and above are of the last century (POSIX has 69).</summary>
    private static int Century(int year) => year >= 70 ? 1900 + year : 2000 + year;

    private bool Nanoseconds(Parts time, ulong now, out ulong nanoseconds)
    {
        nanoseconds = time.SinceEpoch;
        if (nanoseconds > 0)
        {
            return true;
        }

        if (time.Month is < 1 or > 12 || time.Day < 1 || time.Hour > 23 || time.Minute > 59 || time.Second > 60)
        {
            return false;
        }

        if (time.Year != 0)
        {
            return time.Year is >= 1970 and <= 2553
                && time.Day <= DateTime.DaysInMonth(time.Year, time.Month)
                && Nanoseconds(time, time.Year, out nanoseconds);
        }

        var thisYear = DateTime.UnixEpoch.AddTicks((long)(now / 100)).Year;
        for (var year = thisYear + 1; year >= thisYear - LeapYears; year--)
        {
            if (
                time.Day <= DateTime.DaysInMonth(year, time.Month)
                && Nanoseconds(time, year, out nanoseconds)
                && nanoseconds <= now + NanosOfDay
            )
            {
                return true;
            }
        }

        return false;
    }

    private bool Nanoseconds(Parts time, int year, out ulong nanoseconds)
    {
        // A leap second is the second before it.
        var shown = new DateTime(year, time.Month, time.Day, time.Hour, time.Minute, Math.Min(time.Second, 59), DateTimeKind.Unspecified);
        var offset =
            time.Offset is { } minutes ? TimeSpan.FromMinutes(minutes)
            : zone.IsInvalidTime(shown) ? zone.BaseUtcOffset
            : zone.GetUtcOffset(shown);
        var ticks = shown.Ticks - DateTime.UnixEpoch.Ticks - offset.Ticks;
        nanoseconds = ticks < 0 ? 0 : ((ulong)ticks * 100) + (ulong)time.Nanos;
        return ticks >= 0;
    }

    private static int MonthOf(ReadOnlySpan<byte> word) => IndexOf(word, Months) + 1;

    private static bool IsDayOfWeek(ReadOnlySpan<byte> word) => IndexOf(word, Days) >= 0;

    /// <summary>The name that the word is, or begins with three letters at least.</summary>
    private static int IndexOf(ReadOnlySpan<byte> word, string[] names)
    {
        if (word.Length >= 3)
        {
            for (var name = 0; name < names.Length; name++)
            {
                if (word.Length <= names[name].Length && Ascii.EqualsIgnoreCase(word, names[name].AsSpan(0, word.Length)))
                {
                    return name;
                }
            }
        }

        return -1;
    }

    /// <summary>Hours, of the zones that RFC 822 names and the two of central Europe.</summary>
    private static int? OffsetOf(ReadOnlySpan<byte> word) =>
        word.Length switch
        {
            1 when word[0] is (byte)'Z' or (byte)'z' => 0,
            2 when word.SequenceEqual("UT"u8) => 0,
            3 when Ascii.EqualsIgnoreCase(word, "UTC") || word.SequenceEqual("GMT"u8) => 0,
            3 when word.SequenceEqual("CET"u8) => 1,
            3 when word.SequenceEqual("EDT"u8) => -4,
            3 when word.SequenceEqual("EST"u8) || word.SequenceEqual("CDT"u8) => -5,
            3 when word.SequenceEqual("CST"u8) || word.SequenceEqual("MDT"u8) => -6,
            3 when word.SequenceEqual("MST"u8) || word.SequenceEqual("PDT"u8) => -7,
            3 when word.SequenceEqual("PST"u8) => -8,
            4 when word.SequenceEqual("CEST"u8) => 2,
            _ => null,
        };

    private static bool IsDigit(int character) => character is >= '0' and <= '9';

    private static bool IsLetter(int character) => character is (>= 'A' and <= 'Z') or (>= 'a' and <= 'z');

    /// <summary>A time as it is written.</summary>
    private struct Parts
    {
        /// <summary>0: missing.</summary>
        public int Year;
        public int Month;
        public int Day;
        public int Hour;
        public int Minute;
        public int Second;
        public int Nanos;
        public bool HasFraction;
        public bool IsTwelveHours;

        /// <summary>Minutes east of Greenwich; null: not said.</summary>
        public int? Offset;

        /// <summary>Nanoseconds, when it is a number since 1970; else 0.</summary>
        public ulong SinceEpoch;
    }

    private ref struct Cursor(ReadOnlySpan<byte> text)
    {
        private readonly ReadOnlySpan<byte> _text = text;

        public int At { get; set; }

        public readonly ReadOnlySpan<byte> Rest => _text[At..];

        /// <summary>NUL at the end.</summary>
        public readonly char Peek => PeekAt(0);

        public readonly char PeekAt(int ahead) => At + ahead < _text.Length ? (char)_text[At + ahead] : '\0';

        public readonly bool End(out int length)
        {
            length = At;
            return true;
        }

        public bool Take(char character)
        {
            if (Peek != character || At == _text.Length)
            {
                return false;
            }

            At++;
            return true;
        }

        /// <summary>Whether there were some.</summary>
        public bool SkipSpaces()
        {
            var start = At;
            while (Peek is ' ' or '\t')
            {
                At++;
            }

            return At > start;
        }

        /// <summary>How many there are, and their number; beyond 19 digits it is the largest there is.</summary>
        public int Digits(out long number)
        {
            var (start, value) = (At, 0ul);
            for (; IsDigit(Peek); At++)
            {
                value = At - start < 19 ? (value * 10) + (ulong)(Peek - '0') : ulong.MaxValue;
            }

            number = (long)Math.Min(value, long.MaxValue);
            return At - start;
        }

        public ReadOnlySpan<byte> Word()
        {
            var start = At;
            while (IsLetter(Peek))
            {
                At++;
            }

            return _text[start..At];
        }
    }
}
