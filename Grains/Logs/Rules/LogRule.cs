using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Grains.Logs.Queries;
using Grains.Logs.Segments;

namespace Grains.Logs.Rules;

/// <summary>
/// One rule, <c>query =&gt; action</c>. The query is of the one language (<see cref="LogQuery"/>) and not empty: <c>*</c> is every record.
/// Actions:
/// <code>
/// action = "keep" | "drop"
///        | "sample", ( number, "%" | whole, "/s" )
///        | "redact", kind, { ( "," | "|" | " " ), kind }, [ "in", field, { ",", field } ]
///        | "set", name, "=", value
///        | "route", class ;
/// kind   = "email" | "card" | "bearer" | "ip" | pattern ;      (* a pattern of the query language *)
/// field  = "body" | name ;                                     (* of an attribute; none: the body and every attribute *)
/// value  = word | quoted ;                                     (* a bare number, true or false is one in JSON too *)
/// </code>
/// </summary>
public sealed class LogRule
{
    /// <summary>Bytes of a rule in UTF-8, at most.</summary>
    public const int MaxBytes = 4096;

    private static readonly JsonSerializerOptions AsItIs = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private LogRule(string text, LogQuery query, RuleAction action)
    {
        Text = text;
        Query = query;
        Action = action;
    }

    /// <summary>As it was written, without the space around it.</summary>
    public string Text { get; }

    public LogQuery Query { get; }

    public RuleAction Action { get; }

    public static bool TryParse(string text, [NotNullWhen(true)] out LogRule? rule, [NotNullWhen(false)] out QueryError? error)
    {
        rule = null;
        if (Encoding.UTF8.GetByteCount(text) > MaxBytes)
        {
            error = new(1, $"A rule has at most {MaxBytes} bytes.");
            return false;
        }

        if (!LogQuery.TryParseRule(text, out var at, out var query, out error))
        {
            return false;
        }

        var reader = new ActionReader(text, at);
        try
        {
            rule = new(text.Trim(), query, reader.Read());
            return true;
        }
        catch (WrongActionException wrong)
        {
            error = new(wrong.At + 1, wrong.Message);
            return false;
        }
    }

    /// <exception cref="QueryException">It is none.</exception>
    public static LogRule Parse(string text) => TryParse(text, out var rule, out var error) ? rule : throw new QueryException(text, error);

    public override string ToString() => Text;

    private sealed class WrongActionException(int at, string sentence) : Exception(sentence)
    {
        public int At => at;
    }

    private sealed class ActionReader(string text, int at)
    {
        private const string Actions =
            "keep, drop, \"sample 10%\", \"sample 100/s\", \"redact email\", \"set name=value\" or " + "\"route class\"";

        private int _at = at;

        public RuleAction Read()
        {
            SkipSpace();
            var start = _at;
            var word = ReadWord();
            SkipSpace();
            RuleAction action = word switch
            {
                "keep" => new RuleAction.Keep(),
                "drop" => new RuleAction.Drop(),
                "sample" => ReadSample(),
                "redact" => ReadRedact(),
                "set" => ReadSet(),
                "route" => ReadRoute(),
                _ => throw new WrongActionException(start, $"An action is {Actions}."),
            };
            SkipSpace();
            return _at == text.Length ? action : throw new WrongActionException(_at, $"After \"{word}\" nothing more is expected here.");
        }

        private RuleAction ReadSample()
        {
            var start = _at;
            var amount = ReadWord();
            if (
                amount.EndsWith('%')
                && double.TryParse(amount.AsSpan(..^1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent)
                && percent is > 0 and < 100
            )
            {
                return new RuleAction.SampleShare(percent / 100);
            }

            if (
                amount.EndsWith("/s", StringComparison.Ordinal)
                && int.TryParse(amount.AsSpan(..^2), NumberStyles.None, CultureInfo.InvariantCulture, out var perSecond)
                && perSecond > 0
            )
            {
                return new RuleAction.SampleRate(perSecond);
            }

            throw new WrongActionException(
                start,
                "After \"sample\" comes a part, above 0% and below 100%, or how many a second of each service: sample 10%, sample 100/s."
            );
        }

        private RuleAction.Redact ReadRedact()
        {
            var secrets = ImmutableArray.CreateBuilder<Secret>();
            while (true)
            {
                var start = _at;
                if (_at < text.Length && text[_at] == '/')
                {
                    secrets.Add(new("redacted", ReadPattern()));
                }
                else
                {
                    var word = ReadWord(",|");
                    if (word == "in" && secrets.Count > 0)
                    {
                        return new(secrets.ToImmutable(), ReadFields());
                    }

                    secrets.Add(
                        word switch
                        {
                            "email" => Secret.Email,
                            "card" => Secret.Card,
                            "bearer" => Secret.Bearer,
                            "ip" => Secret.Ip,
                            _ => throw new WrongActionException(
                                start,
                                "What is redacted is email, card, bearer, ip or a /pattern/, several of them with commas "
                                    + "between; \"in body\" or \"in name\" behind it says where."
                            ),
                        }
                    );
                }

                SkipSpace();
                if (_at < text.Length && text[_at] is ',' or '|')
                {
                    _at++;
                    SkipSpace();
                }
                else if (_at == text.Length)
                {
                    return new(secrets.ToImmutable(), []);
                }
            }
        }

        private ImmutableArray<string> ReadFields()
        {
            var fields = ImmutableArray.CreateBuilder<string>();
            do
            {
                _at += fields.Count > 0 ? 1 : 0;
                SkipSpace();
                var start = _at;
                var isQuoted = _at < text.Length && text[_at] == '"';
                var field = isQuoted ? ReadQuoted() : ReadWord(",");
                fields.Add(
                    !isQuoted && field == "body" ? ""
                    : field.Length > 0 ? field
                    : throw new WrongActionException(
                        start,
                        "After \"in\" comes body or the name of an attribute, several of them with commas between."
                    )
                );
                SkipSpace();
            } while (_at < text.Length && text[_at] == ',');
            return fields.ToImmutable();
        }

        private RuleAction.Set ReadSet()
        {
            var start = _at;
            var name = _at < text.Length && text[_at] == '"' ? ReadQuoted() : ReadWord("=");
            SkipSpace();
            if (name.Length == 0 || _at == text.Length || text[_at] != '=')
            {
                throw new WrongActionException(
                    name.Length == 0 ? start : _at,
                    "After \"set\" comes the name of an attribute, \"=\" and its value: set env=prod."
                );
            }

            _at++;
            SkipSpace();
            if (_at == text.Length)
            {
                throw new WrongActionException(_at, "After \"=\" comes the attribute's value; \"\" is the empty text.");
            }

            if (text[_at] == '"')
            {
                return new(name, Json(ReadQuoted()));
            }

            var value = ReadWord();
            return new(name, value is "true" or "false" || IsJsonNumber(value) ? value : Json(value));
        }

        private RuleAction.Route ReadRoute()
        {
            var start = _at;
            var name = ReadWord();
            return RetentionClasses.IsName(name)
                ? new(name)
                : throw new WrongActionException(
                    start,
                    "After \"route\" comes a retention class (Logs:Retention): 1 to 32 small letters, digits and hyphens."
                );
        }

        private string ReadWord(string ends = "")
        {
            var start = _at;
            while (_at < text.Length && !char.IsWhiteSpace(text[_at]) && !ends.Contains(text[_at], StringComparison.Ordinal))
            {
                _at++;
            }

            return text[start.._at];
        }

        private string ReadQuoted()
        {
            var start = _at++;
            var inside = new StringBuilder();
            for (; _at < text.Length && text[_at] != '"'; _at++)
            {
                _at += text[_at] == '\\' && _at + 1 < text.Length ? 1 : 0;
                inside.Append(text[_at]);
            }

            if (_at == text.Length)
            {
                throw new WrongActionException(start, "This quote is not closed. Write \"\\\"\" for a quote inside.");
            }

            _at++;
            return inside.ToString();
        }

        private Pattern ReadPattern()
        {
            var start = _at++;
            while (_at < text.Length && text[_at] != '/')
            {
                _at += text[_at] == '\\' && _at + 1 < text.Length ? 2 : 1;
            }

            if (_at >= text.Length)
            {
                throw new WrongActionException(start, "This pattern is not closed: a \"/\" is missing.");
            }

            var inside = text[(start + 1).._at++];
            var folded = _at < text.Length && text[_at] == 'i';
            _at += folded ? 1 : 0;
            return Pattern.TryParse(inside.Replace("\\/", "/", StringComparison.Ordinal), folded, out var column, out var wrong)
                ?? throw new WrongActionException(start + 1 + column, wrong);
        }

        private void SkipSpace()
        {
            while (_at < text.Length && char.IsWhiteSpace(text[_at]))
            {
                _at++;
            }
        }

        private static string Json(string value) => JsonSerializer.Serialize(value, AsItIs);

        private static bool IsJsonNumber(string value)
        {
            if (value.Length > 40 || !(value[0] == '-' || char.IsAsciiDigit(value[0])))
            {
                return false;
            }

            var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(value));
            try
            {
                return reader.Read() && reader.TokenType == JsonTokenType.Number && !reader.Read();
            }
            catch (JsonException)
            {
                return false; // 1.2.3 is a text.
            }
        }
    }
}
