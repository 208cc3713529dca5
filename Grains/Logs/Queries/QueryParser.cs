using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Grains.Interfaces.Logs;

namespace Grains.Logs.Queries;

/// <summary>Reads a query from left to right (the grammar is at <see cref="LogQuery"/>).</summary>
internal sealed class QueryParser
{
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    private const string Arrow = "=>";

    private readonly string _text;
    private int _at;
    private int _terms;

    private QueryParser(string text)
    {
        _text = text;
    }

    public static QueryNode? TryRead(string text, out QueryError? error) => TryRead(text, isRule: false, out _, out error);

    /// <summary>Reads the query of a rule: up to <c>=&gt;</c>, with a space before it.</summary>
    /// <param name="actionAt">Behind the arrow.</param>
    public static QueryNode? TryReadRule(string text, out int actionAt, out QueryError? error) =>
        TryRead(text, isRule: true, out actionAt, out error);

    private static QueryNode? TryRead(string text, bool isRule, out int end, out QueryError? error)
    {
        error = null;
        end = text.Length;
        try
        {
            if (text.Length > LogQuery.MaxLength)
            {
                throw new Wrong(LogQuery.MaxLength, $"A query has at most {LogQuery.MaxLength} characters; this one has {text.Length}.");
            }

            var parser = new QueryParser(text);
            var root = parser.Read(isRule);
            end = parser._at;
            return root;
        }
        catch (Wrong wrong)
        {
            error = new(wrong.At + 1, wrong.Message);
            return null;
        }
    }

    private QueryNode Read(bool isRule)
    {
        SkipSpace();
        if (IsAtEnd && !isRule)
        {
            return QueryNode.Every.One;
        }

        var root = ReadEither(0);
        if (isRule)
        {
            if (!IsArrow)
            {
                throw new Wrong(_at, "Here \"=>\" and an action are expected: <query> => drop.");
            }

            _at += Arrow.Length;
            return root;
        }

        if (IsArrow)
        {
            throw new Wrong(_at, "\"=>\" belongs to a rule. Put the text into quotes if the sign itself is looked for.");
        }

        return IsAtEnd
            ? root
            : throw new Wrong(_at, "There is no \"(\" for this \")\". Put the text into quotes if the sign itself is looked for.");
    }

    private bool IsArrow => string.CompareOrdinal(_text, _at, Arrow, 0, Arrow.Length) == 0;

    private bool IsAtEnd => _at >= _text.Length;

    private QueryNode ReadEither(int depth)
    {
        var parts = ImmutableArray.CreateBuilder<QueryNode>();
        parts.Add(ReadBoth(depth));
        while (TakeWord("OR"))
        {
            parts.Add(ReadBoth(depth));
        }

        return parts.Count == 1 ? parts[0] : new QueryNode.Any(parts.ToImmutable());
    }

    private QueryNode ReadBoth(int depth)
    {
        var parts = ImmutableArray.CreateBuilder<QueryNode>();
        while (true)
        {
            parts.Add(ReadNot(depth));
            if (!TakeWord("AND") && (IsAtEnd || _text[_at] == ')' || IsArrow || IsWord("OR")))
            {
                return parts.Count == 1 ? parts[0] : new QueryNode.All(parts.ToImmutable());
            }
        }
    }

    private QueryNode ReadNot(int depth)
    {
        var start = _at;
        if (depth > LogQuery.MaxDepth)
        {
            throw new Wrong(start, $"Parentheses and NOTs lie in each other at most {LogQuery.MaxDepth} deep.");
        }

        if (TakeWord("NOT"))
        {
            return new QueryNode.Not(ReadNot(depth + 1));
        }

        if (!IsAtEnd && _text[_at] == '-')
        {
            _at++;
            if (IsAtEnd || char.IsWhiteSpace(_text[_at]))
            {
                throw new Wrong(
                    start,
                    "After \"-\" comes, without a space, what must not match. Put the text into quotes if the sign itself is looked for."
                );
            }

            return new QueryNode.Not(ReadNot(depth + 1));
        }

        return ReadPrimary(depth);
    }

    private QueryNode ReadPrimary(int depth)
    {
        if (IsAtEnd || _text[_at] == ')' || IsArrow || IsWord("AND") || IsWord("OR"))
        {
            throw new Wrong(
                _at,
                IsAtEnd
                    ? "The query ends where something to look for was expected: a word, a \"quoted text\", field:value, or \"(\"."
                    : "Here something to look for was expected: a word, a \"quoted text\", field:value, or \"(\"."
            );
        }

        if (_text[_at] == '(')
        {
            var open = _at++;
            SkipSpace();
            var inside = ReadEither(depth + 1);
            if (IsAtEnd || _text[_at] != ')')
            {
                throw new Wrong(open, "There is no \")\" for this \"(\". Put the text into quotes if the sign itself is looked for.");
            }

            _at++;
            SkipSpace();
            return inside;
        }

        if (++_terms > LogQuery.MaxTerms)
        {
            throw new Wrong(_at, $"A query has at most {LogQuery.MaxTerms} tests.");
        }

        var node = ReadTest();
        SkipSpace();
        return node;
    }

    private QueryNode ReadTest()
    {
        var start = _at;
        if (_text[_at] == '/')
        {
            return new QueryNode.Text(QueryField.Body, "", new TextTest.Matches(ReadPattern()));
        }

        var isQuoted = _text[_at] == '"';
        ImmutableArray<string> word = isQuoted ? [ReadQuoted()] : ReadWord(IsEndOfBareWord);
        if (ReadOperator() is { } found)
        {
            if (word is not [{ Length: > 0 } name] || name.Contains('*', StringComparison.Ordinal))
            {
                throw new Wrong(
                    start,
                    word is [""]
                        ? $"Before \"{found.Sign}\" comes the name of a field. Put the text into quotes if the sign itself is looked for."
                        : "The name of a field has no \"*\" in it."
                );
            }

            return ReadTestOf(isQuoted ? null : name, name, start, found.Sign, found.At);
        }

        if (!isQuoted && word is ["", ""])
        {
            return QueryNode.Every.One;
        }

        return InBody(word, start);
    }

    /// <param name="field">As it was written; null when it was quoted, and so is an attribute's.</param>
    private QueryNode ReadTestOf(string? field, string name, int start, string sign, int signAt)
    {
        if (IsAtEnd || char.IsWhiteSpace(_text[_at]) || _text[_at] is '(' or ')')
        {
            throw new Wrong(
                _at,
                $"After \"{name}{sign}\" comes a "
                    + $"value{(sign == ":" ? $", without a space: {name}:value, {name}:\"a text\", {name}:* or {name}:/pattern/" : "")}."
            );
        }

        var at = _at;
        var isEqual = sign is ":" or "=";
        if (_text[_at] == '/')
        {
            return isEqual && field is not ("time" or "observed" or "severity")
                ? new QueryNode.Text(
                    FieldOf(field),
                    FieldOf(field) == QueryField.Attribute ? name : "",
                    new TextTest.Matches(ReadPattern())
                )
                : throw new Wrong(at, $"\"{name}\" takes no pattern here; put the value into quotes if it begins with a slash.");
        }

        var isQuoted = _text[_at] == '"';
        ImmutableArray<string> word = isQuoted ? [ReadQuoted()] : ReadWord(IsEndOfValue);
        if (isQuoted && !IsAtEnd && !char.IsWhiteSpace(_text[_at]) && _text[_at] is not ('(' or ')'))
        {
            throw new Wrong(_at, "After the closing quote comes a space or a parenthesis. Write \"\\\"\" for a quote inside.");
        }

        if (!isEqual && word.Length > 1)
        {
            throw new Wrong(at, $"\"*\" has no place in a comparison. Write {name}:value* for what begins so.");
        }

        var comparison = sign switch
        {
            "<" => Comparison.Less,
            "<=" => Comparison.LessOrEqual,
            ">" => Comparison.Greater,
            _ => Comparison.GreaterOrEqual,
        };
        switch (field)
        {
            case "time" or "observed":
                return TimeTest(field == "observed", word, isEqual ? null : comparison, at);
            case "severity":
                return SeverityTest(word, isEqual ? null : comparison, at);
            case "body" when isEqual:
                return word is ["", ""] ? new QueryNode.Text(QueryField.Body, "", new TextTest.Exists()) : InBody(word, at);
            case "body":
                throw new Wrong(signAt, "A body has no order: it is searched, with a word, a \"quoted text\" or a /pattern/.");
            case "trace" or "span":
                return IdTest(field, word, isEqual, at, signAt);
            default:
                var of = FieldOf(field);
                return new QueryNode.Text(
                    of,
                    of == QueryField.Attribute ? name : "",
                    isEqual ? EqualTest(word, isNumeric: of == QueryField.Attribute && !isQuoted)
                        : of == QueryField.Attribute && !isQuoted && NumberText.TryRead(word[0], out var number)
                            ? new TextTest.CompareNumber(comparison, number)
                        : new TextTest.Compare(comparison, word[0])
                );
        }
    }

    private static TextTest EqualTest(ImmutableArray<string> pieces, bool isNumeric) =>
        pieces switch
        {
            ["", ""] => new TextTest.Exists(),
            [var value] => isNumeric && NumberText.TryRead(value, out var number)
                ? new TextTest.EqualNumber(number, value)
                : new TextTest.Equal(value),
            _ => new TextTest.Like(pieces, Folded: false),
        };

    private static QueryField FieldOf(string? field) =>
        field switch
        {
            "service" => QueryField.Service,
            "host" => QueryField.Host,
            "body" => QueryField.Body,
            "event" => QueryField.Event,
            "trace" => QueryField.Trace,
            "span" => QueryField.Span,
            _ => QueryField.Attribute,
        };

    private static QueryNode.Text InBody(ImmutableArray<string> pieces, int at) =>
        pieces.All(piece => piece.Length == 0)
            ? throw new Wrong(
                at,
                "An empty text is in every body. Leave it out, or write \"*\" for every record and body:* for those with a body."
            )
            : new(
                QueryField.Body,
                "",
                new TextTest.Like(["", .. pieces.Select(Folded).Where(piece => piece.Length > 0), ""], Folded: true)
            );

    private static string Folded(string text) => string.Create(text.Length, text, (lower, from) =>
        {
            for (var at = 0; at < lower.Length; at++)
            {
                lower[at] = char.IsAsciiLetterUpper(from[at]) ? (char)(from[at] + 32) : from[at];
            }
        });

    private static QueryNode TimeTest(bool isObserved, ImmutableArray<string> pieces, Comparison? comparison, int at)
    {
        if (pieces is ["", ""])
        {
            return QueryNode.Every.One;
        }

        if (pieces is not [var text] || !QueryTime.TryRead(text, out var from, out var to))
        {
            throw new Wrong(
                at,
                "A time is written as 2026-11-23, 2026-11-23T10, 2026-11-23T10:15, 2026-11-23T10:15:30.123456789, with Z or an "
                    + "offset such as +01:00 behind it (none: UTC), from 1970 to 2554."
            );
        }

        return comparison switch
        {
            Comparison.Less => new QueryNode.Times(isObserved, from == 0 ? 1UL : 0, from == 0 ? 0 : from - 1),
            Comparison.LessOrEqual => new QueryNode.Times(isObserved, 0, to),
            Comparison.Greater => new QueryNode.Times(isObserved, to + 1, ulong.MaxValue),
            Comparison.GreaterOrEqual => new QueryNode.Times(isObserved, from, ulong.MaxValue),
            _ => new QueryNode.Times(isObserved, from, to),
        };
    }

    private static QueryNode.Severities SeverityTest(ImmutableArray<string> pieces, Comparison? comparison, int at)
    {
        const int Highest = 24;
        if (pieces is ["", ""])
        {
            return new(1, Highest);
        }

        if (pieces is not [var text] || SeverityOf(text) is not var (from, to))
        {
            throw new Wrong(
                at,
                "A severity is trace, debug, info, warn, error or fatal, one of these with 2, 3 or 4 behind it, or a number "
                    + "from 0 (not said) to 24."
            );
        }

        // What does not say how severe it is, is on no side of anything.
        return comparison switch
        {
            Comparison.Less => new(1, from - 1),
            Comparison.LessOrEqual => new(1, to),
            Comparison.Greater => new(to + 1, Highest),
            Comparison.GreaterOrEqual => new(Math.Max(1, from), Highest),
            _ => new(from, to),
        };
    }

    private static (int From, int To)? SeverityOf(string text)
    {
        if (text.Length <= 2 && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return number <= 24 ? (number, number) : null;
        }

        if (LogSeverity.Of(text) is > 0 and var first)
        {
            return (first, first + 3);
        }

        return text is [.. var name, >= '2' and <= '4' and var step] && LogSeverity.Of(name) is > 0 and var low
            ? (low + step - '1', low + step - '1')
            : null;
    }

    private static QueryNode.Text IdTest(string field, ImmutableArray<string> pieces, bool isEqual, int at, int signAt)
    {
        var (of, digits) = field == "trace" ? (QueryField.Trace, 32) : (QueryField.Span, 16);
        if (!isEqual)
        {
            throw new Wrong(signAt, $"A {field} id has no order. Write {field}:ID, or {field}:4bf9* for those that begin so.");
        }

        if (pieces is ["", ""])
        {
            return new(of, "", new TextTest.Exists());
        }

        var lower = pieces.Select(Folded).ToImmutableArray();
        if (
            lower.Any(piece => piece.AsSpan().ContainsAnyExcept(HexDigits))
            || (lower.Length == 1 ? lower[0].Length != digits : lower.Sum(piece => piece.Length) > digits)
        )
        {
            throw new Wrong(
                at,
                $"A {field} id is {digits} hexadecimal digits, or fewer with \"*\" for the "
                    + $"rest{(lower.Length == 1 ? $"; this has {lower[0].Length} characters" : "")}."
            );
        }

        if (lower.Length == 1 && lower[0].All(digit => digit == '0'))
        {
            throw new Wrong(at, $"An id of zeros is none. Write -{field}:* for records without one.");
        }

        return new(of, "", lower.Length == 1 ? new TextTest.Equal(lower[0]) : new TextTest.Like(lower, Folded: false));
    }

    /// <summary><c>:</c> must follow at once; a comparison may have spaces around it.</summary>
    private (string Sign, int At)? ReadOperator()
    {
        if (!IsAtEnd && _text[_at] == ':')
        {
            return (":", _at++);
        }

        var at = _at;
        while (at < _text.Length && char.IsWhiteSpace(_text[at]))
        {
            at++;
        }

        if (at == _text.Length || _text[at] is not ('<' or '>' or '=') || string.CompareOrdinal(_text, at, Arrow, 0, Arrow.Length) == 0)
        {
            return null;
        }

        var start = at;
        var sign = _text[at] != '=' && at + 1 < _text.Length && _text[at + 1] == '=' ? _text.Substring(at, 2) : _text[at].ToString();
        _at = at + sign.Length;
        SkipSpace();
        return (sign, start);
    }

    private string ReadQuoted()
    {
        var start = _at++;
        var inside = new StringBuilder();
        for (; !IsAtEnd && _text[_at] != '"'; _at++)
        {
            if (_text[_at] != '\\')
            {
                inside.Append(_text[_at]);
                continue;
            }

            inside.Append(
                ++_at < _text.Length
                    ? _text[_at] switch
                    {
                        '"' => '"',
                        '\\' => '\\',
                        'n' => '\n',
                        'r' => '\r',
                        't' => '\t',
                        _ => throw new Wrong(
                            _at - 1,
                            $"In quotes \"\\\" comes before \", \\, n, r or t. Write \"\\\\\" for the " + $"sign itself."
                        ),
                    }
                    : '\\'
            );
        }

        if (IsAtEnd)
        {
            throw new Wrong(start, "This quote is not closed. Write \"\\\"\" for a quote inside.");
        }

        _at++;
        CheckText(inside.ToString(), start);
        return inside.ToString();
    }

    /// <summary>A word, cut at its stars: one piece when there is none.</summary>
    private ImmutableArray<string> ReadWord(Func<char, bool> isEnd)
    {
        var start = _at;
        var pieces = ImmutableArray.CreateBuilder<string>();
        var piece = new StringBuilder();
        for (; !IsAtEnd && !isEnd(_text[_at]); _at++)
        {
            if (_text[_at] == '*')
            {
                // Two stars side by side mean what one means.
                if (pieces.Count == 0 || piece.Length > 0)
                {
                    pieces.Add(piece.ToString());
                    piece.Clear();
                }

                continue;
            }

            if (_text[_at] == '\\' && _at + 1 < _text.Length && !char.IsLetterOrDigit(_text[_at + 1]))
            {
                _at++;
            }

            piece.Append(_text[_at]);
        }

        pieces.Add(piece.ToString());
        CheckText(_text[start.._at], start);
        return pieces.ToImmutable();
    }

    private static void CheckText(string text, int start)
    {
        for (var at = 0; at < text.Length; at++)
        {
            if (char.IsSurrogate(text[at]) && !(at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) && at++ >= 0))
            {
                throw new Wrong(start, "Here is half of a character (a lone surrogate).");
            }
        }
    }

    private Pattern ReadPattern()
    {
        var start = _at++;
        var inside = new StringBuilder();
        var places = new List<int>();
        for (; !IsAtEnd && _text[_at] != '/'; _at++)
        {
            if (_text[_at] == '\\' && _at + 1 < _text.Length)
            {
                if (_text[_at + 1] == '/')
                {
                    _at++;
                }
                else
                {
                    places.Add(_at);
                    inside.Append(_text[_at++]);
                }
            }

            places.Add(_at);
            inside.Append(_text[_at]);
        }

        if (IsAtEnd)
        {
            throw new Wrong(start, "This pattern is not closed: a \"/\" is missing. Put the text into quotes if it is no pattern.");
        }

        _at++;
        var folded = !IsAtEnd && _text[_at] == 'i';
        _at += folded ? 1 : 0;
        if (!IsAtEnd && !char.IsWhiteSpace(_text[_at]) && _text[_at] is not ('(' or ')'))
        {
            throw new Wrong(
                _at,
                "After a pattern comes a space, a parenthesis, or \"i\" for either case. Write \"\\/\" for a slash inside; put "
                    + "a path into quotes."
            );
        }

        places.Add(_at - 1);
        return Pattern.TryParse(inside.ToString(), folded, out var column, out var wrong)
            ?? throw new Wrong(places[Math.Min(column, places.Count - 1)], wrong);
    }

    private static bool IsEndOfBareWord(char character) => IsEndOfValue(character) || character is ':' or '<' or '>' or '=';

    private static bool IsEndOfValue(char character) => char.IsWhiteSpace(character) || character is '(' or ')' or '"';

    private bool TakeWord(string word)
    {
        if (!IsWord(word))
        {
            return false;
        }

        _at += word.Length;
        SkipSpace();
        return true;
    }

    private bool IsWord(string word) =>
        string.CompareOrdinal(_text, _at, word, 0, word.Length) == 0
        && (
            _at + word.Length == _text.Length
            || char.IsWhiteSpace(_text[_at + word.Length])
            || _text[_at + word.Length] is '(' or ')' or '"'
        );

    private void SkipSpace()
    {
        while (!IsAtEnd && char.IsWhiteSpace(_text[_at]))
        {
            _at++;
        }
    }

    private sealed class Wrong(int at, string sentence) : Exception(sentence)
    {
        public int At => at;
    }
}
