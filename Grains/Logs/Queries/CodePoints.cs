using System.Globalization;
using System.Text;

namespace Grains.Logs.Queries;

/// <summary>A set of Unicode scalar values: ascending ranges that do not touch.</summary>
internal sealed class CodePoints
{
    public const int Last = 0x10FFFF;
    private const int FirstSurrogate = 0xD800;
    private const int LastSurrogate = 0xDFFF;

    public static readonly CodePoints Digit = new(('0', '9'));
    public static readonly CodePoints Word = new(('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z'));

    /// <summary>RE2's: tab, line feed, form feed, carriage return, space.</summary>
    public static readonly CodePoints Space = new(('\t', '\n'), ('\f', '\r'), (' ', ' '));

    public static readonly CodePoints NewLine = new(('\n', '\n'));

    private readonly List<(int From, int To)> _ranges = [];

    public CodePoints(params ReadOnlySpan<(int From, int To)> ranges)
    {
        var sorted = ranges.ToArray();
        Array.Sort(sorted);
        foreach (var range in sorted)
        {
            Append(range.From, range.To);
        }
    }

    public IReadOnlyList<(int From, int To)> Ranges => _ranges;

    public bool IsEmpty => _ranges.Count == 0;

    public CodePoints With(CodePoints other) => new([.. _ranges, .. other._ranges]);

    public CodePoints Except()
    {
        var rest = new List<(int, int)>();
        var next = 0;
        foreach (var (from, to) in _ranges)
        {
            if (from > next)
            {
                rest.Add((next, from - 1));
            }

            next = to + 1;
        }

        if (next <= Last)
        {
            rest.Add((next, Last));
        }

        return new([.. rest]);
    }

    /// <summary>With the other case of every letter A to Z and a to z in it.</summary>
    public CodePoints Folded()
    {
        var all = new List<(int, int)>(_ranges);
        foreach (var (from, to) in _ranges)
        {
            Shift('A', 'Z', 32);
            Shift('a', 'z', -32);

            void Shift(int first, int last, int by)
            {
                if (Math.Max(from, first) is var low && Math.Min(to, last) is var high && low <= high)
                {
                    all.Add((low + by, high + by));
                }
            }
        }

        return new([.. all]);
    }

    /// <summary>As RE2 reads it.</summary>
    public void WriteRe2(StringBuilder text)
    {
        if (Single is { } one)
        {
            WriteRe2(text, one);
            return;
        }

        text.Append('[');
        foreach (var (from, to) in _ranges)
        {
            WriteRe2(text, from);
            if (to > from)
            {
                text.Append('-');
                WriteRe2(text, to);
            }
        }

        text.Append(']');
    }

    /// <summary>As .NET reads it, which sees UTF-16: a scalar value above U+FFFF is two characters.</summary>
    public void WriteDotNet(StringBuilder text)
    {
        if (Single is { } one and <= 0xFFFF)
        {
            WriteDotNet(text, one);
            return;
        }

        var choices = new List<string>();
        var basic = new StringBuilder();
        foreach (var (from, to) in _ranges)
        {
            if (from <= 0xFFFF)
            {
                WriteRange(basic, from, Math.Min(to, 0xFFFF));
            }

            if (to > 0xFFFF)
            {
                AddPairs(choices, Math.Max(from, 0x10000), to);
            }
        }

        if (basic.Length > 0)
        {
            choices.Insert(0, $"[{basic}]");
        }

        text.Append("(?:").AppendJoin('|', choices).Append(')');
    }

    private int? Single => _ranges is [var (from, to)] && from == to ? from : null;

    /// <summary>Surrogates are no scalar values and are left out.</summary>
    private void Append(int from, int to)
    {
        if (from < FirstSurrogate && to > LastSurrogate)
        {
            Append(from, FirstSurrogate - 1);
            Append(LastSurrogate + 1, to);
            return;
        }

        from = from is >= FirstSurrogate and <= LastSurrogate ? LastSurrogate + 1 : from;
        to = to is >= FirstSurrogate and <= LastSurrogate ? FirstSurrogate - 1 : to;
        if (from > to)
        {
            return;
        }

        if (_ranges is [.., var last] && from <= last.To + 1)
        {
            _ranges[^1] = (last.From, Math.Max(last.To, to));
        }
        else
        {
            _ranges.Add((from, to));
        }
    }

    private static void AddPairs(List<string> choices, int from, int to)
    {
        while (from <= to)
        {
            var (high, low) = Pair(from);
            var end = from | 0x3FF;
            var text = new StringBuilder();
            if (low == 0xDC00 && (to - from) >= 0x3FF)
            {
                // Whole blocks of 1,024 that share their low surrogates.
                end = ((to + 1) & ~0x3FF) - 1;
                WriteClass(text, high, Pair(end).High);
                WriteClass(text, 0xDC00, 0xDFFF);
            }
            else
            {
                end = Math.Min(end, to);
                WriteClass(text, high, high);
                WriteClass(text, low, Pair(end).Low);
            }

            choices.Add(text.ToString());
            from = end + 1;
        }

        static (int High, int Low) Pair(int scalar) => (0xD800 + ((scalar - 0x10000) >> 10), 0xDC00 + ((scalar - 0x10000) & 0x3FF));
    }

    private static void WriteClass(StringBuilder text, int from, int to)
    {
        text.Append('[');
        WriteRange(text, from, to);
        text.Append(']');
    }

    private static void WriteRange(StringBuilder text, int from, int to)
    {
        WriteDotNet(text, from);
        if (to > from)
        {
            text.Append('-');
            WriteDotNet(text, to);
        }
    }

    private static void WriteDotNet(StringBuilder text, int character)
    {
        if (IsPlain(character))
        {
            text.Append((char)character);
        }
        else
        {
            text.Append(CultureInfo.InvariantCulture, $"\\u{character:X4}");
        }
    }

    private static void WriteRe2(StringBuilder text, int scalar)
    {
        if (IsPlain(scalar))
        {
            text.Append((char)scalar);
        }
        else
        {
            text.Append(CultureInfo.InvariantCulture, $"\\x{{{scalar:X}}}");
        }
    }

    private static bool IsPlain(int scalar) => scalar <= 'z' && (char.IsAsciiLetterOrDigit((char)scalar) || scalar == '_');
}
