using System.Buffers;
using Grains.Interfaces.Logs;

namespace Grains.Logs.Text;

/// <summary>What a line of plain text says of itself. The line stays the body as it is.</summary>
/// <param name="Time">Nanoseconds since 1970; 0: it says none.</param>
/// <param name="Severity">OpenTelemetry's number; 0: it says none.</param>
/// <param name="Word">Where the severity stands in the line; empty when it is said by a letter of glog's or not at all.</param>
public readonly record struct LineFacts(ulong Time, byte Severity, Range Word);

/// <summary>
/// Finds the time and the severity of a line of plain text, in the usual forms: ISO, Apache's and nginx's logs, BSD syslog, logfmt, the
/// consoles of .NET, Java, Python and Go, glog and klog, Android.
/// <c>tests/Data/logs/text.tsv</c> lists them by example. What is not understood stays text.
/// </summary>
/// <remarks>
/// A time counts at the beginning, as the second word, in brackets, behind a bar, or as the value of one of logfmt's names. A word of
/// severity counts near the time or the beginning, in capitals, in
/// brackets, before a colon, directly behind the time, or as the value of one of logfmt's names; never within quotes. A walk over the first
/// bytes; nothing is allocated.
/// </remarks>
public sealed class LineReader(TimeZoneInfo zone)
{
    /// <summary>Bytes in which a time and a severity are looked for.</summary>
    private const int Head = 320;

    /// <summary>Words behind the time, or from the beginning, in which a severity is looked for.</summary>
    private const int MaxWords = 12;

    /// <summary>Without a time only what stands at the beginning counts.</summary>
    private const int MaxWordsWithoutTime = 3;

    /// <summary>Words before one that a colon makes a severity: further on it is a sentence.</summary>
    private const int MaxWordsBeforeColon = 5;

    private static readonly SearchValues<byte> OfEscape = SearchValues.Create("0123456789;"u8);

    private static readonly SearchValues<byte> OfNumbers = SearchValues.Create(" 0123456789"u8);

    /// <summary>Reads the times.</summary>
    public TimeReader Times { get; } = new(zone);

    /// <param name="now">Nanoseconds since 1970.</param>
    public LineFacts Read(ReadOnlySpan<byte> line, ulong now)
    {
        var head = line[..Math.Min(line.Length, Head)];
        var start = Prefix(head);
        var logfmt = head.Contains((byte)'=') ? Logfmt(head, now) : default;
        if (logfmt is { Time: > 0, Severity: > 0 })
        {
            return logfmt;
        }

        var timeEnd = TimeIn(head, start, now, out var time);
        time = logfmt.Time > 0 ? logfmt.Time : time;
        if (logfmt.Severity > 0)
        {
            return logfmt with { Time = time };
        }

        if (timeEnd > 0 && LetterOf(head, start, timeEnd) is > 0 and var letter)
        {
            return new(time, letter, default);
        }

        var found = SeverityIn(head, Math.Max(start, timeEnd), timeEnd > 0 ? MaxWords : MaxWordsWithoutTime, timeEnd > 0, out var word);
        if (found == 0 && timeEnd > 0)
        {
            // Before the time: "ERROR 2026-11-30 10:00:00 text".
            found = SeverityIn(head[..timeEnd], start, 1, isBehindTime: true, out word);
        }

        return new(time, found, word);
    }

    /// <summary>What may stand before everything: a mark of UTF-8, spaces, brackets, escapes of a terminal.</summary>
    private static int Prefix(ReadOnlySpan<byte> line)
    {
        var at = line.StartsWith((ReadOnlySpan<byte>)[0xef, 0xbb, 0xbf]) ? 3 : 0;
        while (at < line.Length)
        {
            if (line[at] is (byte)' ' or (byte)'\t' or (byte)'[' or (byte)'(' or (byte)'<' or (byte)'"')
            {
                at++;
            }
            else if (Escape(line[at..]) is > 0 and var length)
            {
                at += length;
            }
            else
            {
                break;
            }
        }

        return at;
    }

    /// <summary>Bytes of an escape of a terminal that sets colours; 0 when there is none.</summary>
    private static int Escape(ReadOnlySpan<byte> text)
    {
        if (text is not [0x1b, (byte)'[', ..])
        {
            return 0;
        }

        var end = text[2..].IndexOfAnyExcept(OfEscape);
        return end < 0 ? 0 : end + 3;
    }

    /// <summary>Where the time ends; 0 when there is none.</summary>
    private int TimeIn(ReadOnlySpan<byte> line, int start, ulong now, out ulong time)
    {
        if (Times.TryRead(line[start..], now, out time, out var length))
        {
            return start + length;
        }

        // The second word; the third where the second is a bar or a dash.
        var next = NextWord(line, start);
        if (next < line.Length && line[next] is (byte)'|' or (byte)'-' && next + 1 < line.Length && line[next + 1] == ' ')
        {
            next = NextWord(line, next);
        }

        // A number as the second word is one of many things; behind a dash it is a time.
        if (next < line.Length && !(IsNumber(line[next..]) && line[start] != '-') && Times.TryRead(line[next..], now, out time, out length))
        {
            return next + length;
        }

        for (var at = start; line[at..].IndexOf((byte)'[') is >= 0 and var bracket; )
        {
            at += bracket + 1;
            if (at < line.Length && Times.TryRead(line[at..], now, out time, out length))
            {
                return at + length;
            }
        }

        time = 0;
        return 0;
    }

    private static bool IsNumber(ReadOnlySpan<byte> text) => text.Length > 8 && !text[..9].ContainsAnyExceptInRange((byte)'0', (byte)'9');

    private static int NextWord(ReadOnlySpan<byte> line, int at)
    {
        var space = line[at..].IndexOf((byte)' ');
        if (space < 0)
        {
            return line.Length;
        }

        at += space;
        while (at < line.Length && line[at] is (byte)' ' or (byte)'[' or (byte)'(')
        {
            at++;
        }

        return at;
    }

    /// <summary>glog's letter before the date, Android's behind the numbers of process and thread.</summary>
    private static byte LetterOf(ReadOnlySpan<byte> line, int start, int timeEnd)
    {
        if (
            line[start] is (byte)'I' or (byte)'W' or (byte)'E' or (byte)'F' or (byte)'D'
            && start + 5 < line.Length
            && !line.Slice(start + 1, 4).ContainsAnyExceptInRange((byte)'0', (byte)'9')
        )
        {
            return OfLetter(line[start]);
        }

        if (timeEnd - start < 6 || line[start + 2] != '-' || line[start + 5] != ' ')
        {
            return 0;
        }

        var rest = line[timeEnd..];
        var letter = rest.IndexOfAnyExcept(OfNumbers);
        return letter > 0 && letter + 1 < rest.Length && rest[letter - 1] == ' ' && rest[letter + 1] == ' '
            ? OfLetter(rest[letter])
            : (byte)0;
    }

    private static byte OfLetter(byte letter) =>
        letter switch
        {
            (byte)'V' or (byte)'T' => 1,
            (byte)'D' => 5,
            (byte)'I' => 9,
            (byte)'W' => 13,
            (byte)'E' => 17,
            (byte)'F' => 21,
            _ => 0,
        };

    /// <summary>A word of severity among the next ones.</summary>
    private static byte SeverityIn(ReadOnlySpan<byte> line, int at, int words, bool isBehindTime, out Range word)
    {
        var isFirst = true;
        word = default;
        for (var seen = 0; seen < words && at < line.Length; )
        {
            if (Escape(line[at..]) is > 0 and var escape)
            {
                at += escape;
                continue;
            }

            if (line[at] == '"')
            {
                return 0; // What is quoted is somebody else's text.
            }

            if (!IsWord(line[at]))
            {
                at++;
                continue;
            }

            var end = at + 1;
            while (end < line.Length && IsWord(line[end]))
            {
                end++;
            }

            if (LogSeverity.Of(line[at..end]) is > 0 and var severity && Counts(line, at, end, isFirst && isBehindTime, seen))
            {
                word = at..end;
                return severity;
            }

            // A name with dots, a path or an address is one word.
            isFirst &= line[at] is >= (byte)'0' and <= (byte)'9';
            seen +=
                line[at] is not (>= (byte)'0' and <= (byte)'9')
                && (end == line.Length || line[end] is (byte)' ' or (byte)'\t' or (byte)']' or (byte)':')
                    ? 1
                    : 0;
            at = end;
        }

        return 0;
    }

    /// <summary>
    /// The word says how severe the line is: it stands alone, and is in capitals, in brackets, before a colon or directly behind the time.
    /// </summary>
    private static bool Counts(ReadOnlySpan<byte> line, int at, int end, bool isDirectlyBehindTime, int seen)
    {
        var (before, after) = (at == 0 ? (byte)' ' : line[at - 1], end == line.Length ? (byte)' ' : line[end]);
        if (
            before is (byte)'.' or (byte)'-' or (byte)'/' or (byte)'@' or (byte)'=' or (byte)'\''
            || after is (byte)'.' or (byte)'/' or (byte)'@' or (byte)'=' or (byte)'\''
            || (after == '-' && end + 1 < line.Length && line[end + 1] != ' ')
        )
        {
            return false;
        }

        var isEnclosed =
            (before is (byte)'[' or (byte)'(' or (byte)'<' or (byte)'|' || (before == ':' && at > 1 && IsWord(line[at - 2])))
            && after is (byte)']' or (byte)')' or (byte)'>' or (byte)'|' or (byte)':';
        return isDirectlyBehindTime
            || isEnclosed
            || after == 0x1b
            || (after == ':' && seen < MaxWordsBeforeColon)
            || !line[at..end].ContainsAnyInRange((byte)'a', (byte)'z');
    }

    private static bool IsWord(byte character) =>
        character is (>= (byte)'a' and <= (byte)'z') or (>= (byte)'A' and <= (byte)'Z') or (>= (byte)'0' and <= (byte)'9') or (byte)'_';

    /// <summary>
    /// Pairs <c>name=value</c> and <c>name="value"</c> among the words: the values of the names that say time and severity.
    /// </summary>
    private LineFacts Logfmt(ReadOnlySpan<byte> line, ulong now)
    {
        var (time, severity, word) = (0ul, (byte)0, default(Range));
        for (var at = 0; at < line.Length; )
        {
            var length = line[at..].IndexOfAny("= \"{"u8);
            if (length < 0 || line[at + length] is (byte)'"' or (byte)'{')
            {
                break; // What is quoted, or JSON, is another's.
            }

            var name = line.Slice(at, length);
            at += length + 1;
            if (line[at - 1] == ' ')
            {
                continue; // A word without a value.
            }

            var quote = at < line.Length && line[at] == '"' ? 1 : 0;
            var start = at + quote;
            length = line[start..].IndexOf(quote > 0 ? (byte)'"' : (byte)' ');
            var end = length < 0 ? line.Length : start + length;
            if (time == 0 && IsTimeName(name) && Times.TryParse(line[start..end], now, out var read))
            {
                time = read;
            }
            else if (severity == 0 && IsSeverityName(name) && LogSeverity.Of(line[start..end]) is > 0 and var said)
            {
                (severity, word) = (said, start..end);
            }

            at = Math.Min(line.Length, end + quote + 1);
        }

        return new(time, severity, word);
    }

    private static bool IsTimeName(ReadOnlySpan<byte> name) =>
        name.Length switch
        {
            1 => name[0] == 't',
            2 => name.SequenceEqual("ts"u8),
            4 => name.SequenceEqual("time"u8),
            8 => name.SequenceEqual("datetime"u8),
            9 => name.SequenceEqual("timestamp"u8),
            _ => false,
        };

    private static bool IsSeverityName(ReadOnlySpan<byte> name) =>
        name.Length switch
        {
            3 => name.SequenceEqual("lvl"u8),
            5 => name.SequenceEqual("level"u8),
            8 => name.SequenceEqual("severity"u8) || name.SequenceEqual("loglevel"u8),
            _ => false,
        };
}
