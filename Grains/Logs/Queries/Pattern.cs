using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Grains.Logs.Queries;

/// <summary>
/// A regular expression that means the same here and in DuckDB, and takes time linear in the text in both: the part of RE2's syntax that
/// .NET's engine without backtracking has too.
/// </summary>
/// <remarks>
/// <c>. [abc] [^a-z] \d \D \w \W \s \S</c> (these six by ASCII), <c>^ $</c> and <c>\A \z</c> (start and end of the text), <c>\b \B</c>,
/// <c>( ) (?: ) |</c>,
/// <c>* + ? {n} {n,} {n,m}</c> and the same with <c>?</c> for the shortest, <c>(?i)</c> (letters A to Z match either case), <c>(?s)</c>
/// (<c>.</c> matches a line's end too),
/// <c>\n \r \t \f \v \xHH \x{H…}</c>, and <c>\</c> before a sign. References back and looking around are in neither engine.
/// </remarks>
public sealed class Pattern : IEquatable<Pattern>
{
    /// <summary>Repetitions that lie in each other, multiplied, and single characters that they make.</summary>
    public const int MaxSize = 2_000;

    private const int MaxDepth = 32;

    private readonly Lazy<Regex> _regex;

    private Pattern(string text, bool folded, string re2, string dotNet)
    {
        Text = text;
        IsFolded = folded;
        Re2 = re2;
        DotNet = dotNet;
        _regex = new(() => new(dotNet, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant));
    }

    /// <summary>As it was written.</summary>
    public string Text { get; }

    /// <summary>Letters A to Z match either case, as <c>/…/i</c> asks.</summary>
    public bool IsFolded { get; }

    /// <summary>The same in RE2's syntax.</summary>
    public string Re2 { get; }

    /// <summary>The same in .NET's.</summary>
    public string DotNet { get; }

    /// <summary>For what needs places, not only an answer. Works without backtracking: linear in the text.</summary>
    public Regex Regex => _regex.Value;

    /// <param name="column">Of the character that is wrong, from 0.</param>
    public static Pattern? TryParse(string text, bool folded, out int column, out string wrong)
    {
        var reader = new Reader(text, folded);
        try
        {
            reader.Read();
            column = 0;
            wrong = "";
            return new(text, folded, reader.Re2.ToString(), reader.DotNet.ToString());
        }
        catch (BadPatternException bad)
        {
            column = bad.At;
            wrong = bad.Message;
            return null;
        }
    }

    /// <summary>Somewhere in the text, which is valid UTF-8.</summary>
    public bool IsIn(ReadOnlySpan<byte> utf8)
    {
        var characters = ArrayPool<char>.Shared.Rent(utf8.Length);
        var count = Encoding.UTF8.GetChars(utf8, characters);
        var found = _regex.Value.IsMatch(characters.AsSpan(0, count));
        ArrayPool<char>.Shared.Return(characters);
        return found;
    }

    public bool Equals(Pattern? other) => other is not null && other.Text == Text && other.IsFolded == IsFolded;

    public override bool Equals(object? obj) => Equals(obj as Pattern);

    public override int GetHashCode() => HashCode.Combine(Text, IsFolded);

    private sealed class BadPatternException(int at, string sentence) : Exception(sentence)
    {
        public int At => at;
    }

    /// <summary>Reads once from left to right and writes both dialects as it goes.</summary>
    private sealed class Reader(string text, bool folded)
    {
        private int _at;
        private bool _folded = folded;
        private bool _dotIsAll;

        public StringBuilder Re2 { get; } = new();

        public StringBuilder DotNet { get; } = new();

        private bool IsAtEnd => _at == text.Length;

        public void Read()
        {
            if (text.Length == 0)
            {
                throw new BadPatternException(0, "An empty pattern is in every text. Write what is looked for between the slashes.");
            }

            ReadChoices(0);
            if (!IsAtEnd)
            {
                throw new BadPatternException(_at, "There is no \"(\" for this \")\". Write \"\\)\" for the sign itself.");
            }
        }

        private int ReadChoices(int depth)
        {
            if (depth > MaxDepth)
            {
                throw new BadPatternException(_at, $"Groups lie in each other more than {MaxDepth} deep.");
            }

            var (foldedOutside, allOutside) = (_folded, _dotIsAll);
            var size = ReadSequence(depth);
            while (!IsAtEnd && text[_at] == '|')
            {
                _at++;
                Write('|');
                size = Checked(size + ReadSequence(depth));
            }

            (_folded, _dotIsAll) = (foldedOutside, allOutside);
            return size;
        }

        private int ReadSequence(int depth)
        {
            var size = 0;
            while (!IsAtEnd && text[_at] is not ('|' or ')'))
            {
                var (re2, dotNet) = (Re2.Length, DotNet.Length);
                var one = ReadAtom(depth, out var repeatable);
                size = Checked(size + ReadRepeat(one, repeatable, re2, dotNet));
            }

            return size;
        }

        private int ReadAtom(int depth, out bool repeatable)
        {
            repeatable = true;
            var start = _at;
            switch (text[_at++])
            {
                case '(':
                    return ReadGroup(depth, start, out repeatable);
                case '[':
                    return Write(ReadClass(start));
                case '.':
                    return Write(_dotIsAll ? new CodePoints((0, CodePoints.Last)) : CodePoints.NewLine.Except());
                case '^':
                    repeatable = false;
                    Write("\\A");
                    return 1;
                case '$':
                    repeatable = false;
                    Write("\\z");
                    return 1;
                case '*' or '+' or '?':
                    throw new BadPatternException(
                        start,
                        $"There is nothing before this \"{text[start]}\" to repeat. Write \"\\{text[start]}\" for the sign itself."
                    );
                case '\\':
                    return ReadEscape(start, out repeatable);
                default:
                    _at = start;
                    return WriteLetter(ReadScalar());
            }
        }

        private int ReadGroup(int depth, int start, out bool repeatable)
        {
            repeatable = true;
            var (foldedBefore, allBefore) = (_folded, _dotIsAll);
            if (!IsAtEnd && text[_at] == '?')
            {
                _at++;
                while (!IsAtEnd && text[_at] is 'i' or 's')
                {
                    _folded |= text[_at] == 'i';
                    _dotIsAll |= text[_at++] == 's';
                }

                if (!IsAtEnd && text[_at] == ')' && _at > start + 2)
                {
                    _at++;
                    repeatable = false;
                    return 0; // (?i): until the group around it ends.
                }

                if (IsAtEnd || text[_at] != ':')
                {
                    throw new BadPatternException(
                        start,
                        "After \"(?\" comes \":\", \"i\" or \"s\": there are no named groups, references back or looking "
                            + "around, because the engines that take linear time have none."
                    );
                }

                _at++;
            }

            Write("(?:");
            var size = ReadChoices(depth + 1);
            if (IsAtEnd)
            {
                throw new BadPatternException(start, "There is no \")\" for this \"(\". Write \"\\(\" for the sign itself.");
            }

            _at++;
            Write(')');
            (_folded, _dotIsAll) = (foldedBefore, allBefore);
            return size;
        }

        private int ReadRepeat(int size, bool repeatable, int re2, int dotNet)
        {
            if (IsAtEnd || ReadCount() is not { } count)
            {
                return size;
            }

            var (from, to, start) = count;
            if (!repeatable)
            {
                throw new BadPatternException(start, "What stands before this takes no character: it cannot be repeated.");
            }

            var lazy = !IsAtEnd && text[_at] == '?';
            _at += lazy ? 1 : 0;
            var after = _at;
            if (!IsAtEnd && ReadCount() is not null)
            {
                throw new BadPatternException(after, "What is repeated already cannot be repeated again. Put it into parentheses first.");
            }

            Wrap(Re2, re2);
            Wrap(DotNet, dotNet);
            Write(
                (from, to) switch
                {
                    (0, null) => "*",
                    (1, null) => "+",
                    (0, 1) => "?",
                    (_, null) => string.Create(CultureInfo.InvariantCulture, $"{{{from},}}"),
                    _ when from == to => string.Create(CultureInfo.InvariantCulture, $"{{{from}}}"),
                    _ => string.Create(CultureInfo.InvariantCulture, $"{{{from},{to}}}"),
                }
            );
            if (lazy)
            {
                Write('?');
            }

            return Checked(Math.Max(1, size) * Math.Max(1, to ?? Math.Max(1, from)));

            static void Wrap(StringBuilder into, int from)
            {
                into.Insert(from, "(?:");
                into.Append(')');
            }
        }

        /// <summary>Null when there is no repetition here; a <c>{</c> that begins none is a sign like others.</summary>
        private (int From, int? To, int Start)? ReadCount()
        {
            var start = _at;
            switch (text[_at])
            {
                case '*':
                    _at++;
                    return (0, null, start);
                case '+':
                    _at++;
                    return (1, null, start);
                case '?':
                    _at++;
                    return (0, 1, start);
                case '{':
                    break;
                default:
                    return null;
            }

            var close = text.IndexOf('}', _at);
            var inside = close < 0 ? [] : text.AsSpan(_at + 1, close - _at - 1);
            var comma = inside.IndexOf(',');
            var low = comma < 0 ? inside : inside[..comma];
            var high = comma < 0 ? inside : inside[(comma + 1)..];
            if (!IsCount(low) || !(IsCount(high) || (comma >= 0 && high.IsEmpty)))
            {
                return null;
            }

            var from = int.Parse(low, CultureInfo.InvariantCulture);
            int? to = high.IsEmpty ? null : int.Parse(high, CultureInfo.InvariantCulture);
            if (Math.Max(from, to ?? 0) > 1000 || to < from)
            {
                throw new BadPatternException(start, "A repetition is at most {1000}, and its second number is not below its first.");
            }

            _at = close + 1;
            return (from, to, start);

            static bool IsCount(ReadOnlySpan<char> digits) => digits.Length is > 0 and < 6 && !digits.ContainsAnyExceptInRange('0', '9');
        }

        private CodePoints ReadClass(int start)
        {
            var negated = !IsAtEnd && text[_at] == '^';
            _at += negated ? 1 : 0;
            var set = new CodePoints();
            for (var first = true; ; first = false)
            {
                if (IsAtEnd)
                {
                    throw new BadPatternException(start, "There is no \"]\" for this \"[\". Write \"\\[\" for the sign itself.");
                }

                if (text[_at] == ']' && !first)
                {
                    _at++;
                    break;
                }

                if (text.AsSpan(_at).StartsWith("[:"))
                {
                    throw new BadPatternException(_at, "Classes such as [:alpha:] are not known here. Write a-zA-Z, or \\d, \\w, \\s.");
                }

                var from = _at;
                if (
                    ReadClassPart(out var part) is not { } low
                    || IsAtEnd
                    || text[_at] != '-'
                    || _at + 1 == text.Length
                    || text[_at + 1] == ']'
                )
                {
                    set = set.With(part);
                    continue;
                }

                _at++;
                if (ReadClassPart(out _) is not { } high || high < low)
                {
                    throw new BadPatternException(from, "A range goes from a lower character to a higher one, as in a-z.");
                }

                set = set.With(new((low, high)));
            }

            set = _folded ? set.Folded() : set;
            set = negated ? set.Except() : set;
            return set.IsEmpty ? throw new BadPatternException(start, "No character is in this class.") : set;
        }

        /// <summary>A single character, or null and a class such as <c>\d</c>.</summary>
        private int? ReadClassPart(out CodePoints part)
        {
            int? one = null;
            if (text[_at] != '\\')
            {
                one = ReadScalar();
            }
            else
            {
                var start = _at++;
                if (ReadNamedClass() is { } named)
                {
                    part = named;
                    return null;
                }

                one = ReadEscapedScalar(start);
            }

            part = new((one.Value, one.Value));
            return one;
        }

        private int ReadEscape(int start, out bool repeatable)
        {
            repeatable = true;
            if (ReadNamedClass() is { } named)
            {
                return Write(named);
            }

            if (!IsAtEnd && text[_at] is 'b' or 'B' or 'A' or 'z')
            {
                repeatable = false;
                Write($"\\{text[_at++]}");
                return 1;
            }

            return WriteLetter(ReadEscapedScalar(start));
        }

        private CodePoints? ReadNamedClass()
        {
            CodePoints? named = IsAtEnd
                ? null
                : text[_at] switch
                {
                    'd' => CodePoints.Digit,
                    'D' => CodePoints.Digit.Except(),
                    'w' => CodePoints.Word,
                    'W' => CodePoints.Word.Except(),
                    's' => CodePoints.Space,
                    'S' => CodePoints.Space.Except(),
                    _ => null,
                };
            _at += named is null ? 0 : 1;
            return named;
        }

        private int ReadEscapedScalar(int start)
        {
            if (IsAtEnd)
            {
                throw new BadPatternException(start, "A \"\\\" at the end has nothing to act on. Write \"\\\\\" for the sign itself.");
            }

            var escaped = text[_at];
            switch (escaped)
            {
                case 'n':
                    _at++;
                    return '\n';
                case 'r':
                    _at++;
                    return '\r';
                case 't':
                    _at++;
                    return '\t';
                case 'f':
                    _at++;
                    return '\f';
                case 'v':
                    _at++;
                    return '\v';
                case 'x':
                    _at++;
                    return ReadHex(start);
                default:
                    return char.IsAsciiLetterOrDigit(escaped)
                        ? throw new BadPatternException(
                            start,
                            $"\"\\{escaped}\" is not known here. There are \\d \\D \\w \\W \\s \\S \\b \\B \\A \\z \\n \\r \\t "
                                + $"\\f \\v \\xHH, and \"\\\" before a sign."
                        )
                        : ReadScalar();
            }
        }

        private int ReadHex(int start)
        {
            ReadOnlySpan<char> digits;
            if (!IsAtEnd && text[_at] == '{')
            {
                var close = text.IndexOf('}', _at);
                digits = close < 0 ? [] : text.AsSpan(_at + 1, close - _at - 1);
                _at = close + 1;
            }
            else
            {
                digits = text.AsSpan(_at, Math.Min(2, text.Length - _at));
                _at += digits.Length;
                digits = digits.Length == 2 ? digits : [];
            }

            return
                digits.Length is > 0 and <= 6
                && int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var scalar)
                && Rune.IsValid(scalar)
                ? scalar
                : throw new BadPatternException(
                    start,
                    "After \"\\x\" come two hexadecimal digits, or up to six in braces: \\x41, \\x{1F600}."
                );
        }

        private int ReadScalar()
        {
            if (Rune.DecodeFromUtf16(text.AsSpan(_at), out var rune, out var length) != OperationStatus.Done)
            {
                throw new BadPatternException(_at, "Here is half of a character (a lone surrogate).");
            }

            _at += length;
            return rune.Value;
        }

        private int WriteLetter(int scalar)
        {
            var one = new CodePoints((scalar, scalar));
            return Write(_folded ? one.Folded() : one);
        }

        private int Write(CodePoints set)
        {
            set.WriteRe2(Re2);
            set.WriteDotNet(DotNet);
            return 1;
        }

        private void Write(string both)
        {
            Re2.Append(both);
            DotNet.Append(both);
        }

        private void Write(char both)
        {
            Re2.Append(both);
            DotNet.Append(both);
        }

        private int Checked(int size) =>
            size <= MaxSize
                ? size
                : throw new BadPatternException(
                    Math.Min(_at, text.Length - 1),
                    $"The pattern is too large: its repetitions multiply to more than {MaxSize} characters."
                );
    }
}
