using System.Globalization;
using System.Text.Json;
using CsCheck;
using Grains.Logs.Queries;
using Xunit;

namespace Unit.Logs.Queries;

/// <summary>What the predicate says of a record, DuckDB says too, whatever the record and the query are.</summary>
public sealed class PredicateAgainstDuckDbTests
{
    private static readonly string[] Texts =
    [
        "",
        "a",
        "A",
        "b",
        "ab",
        "aB",
        "abc",
        "b a",
        "timeout",
        "Timeout after 30 s",
        "KİK",
        "kik",
        "KIK",
        "ik",
        "é",
        "É",
        "日本語",
        "😀",
        "a😀b",
        "x'y",
        "x\"y",
        "x\\y",
        "100%",
        "a_b",
        "a%b",
        "line\nbreak",
        "tab\there",
        "\0",
        "a\0b",
        "\u001f",
        "/api/x",
        "a*b",
        "*",
        "(x)",
        "5",
        "5.0",
        "05",
        "-5",
        "1e3",
        "1000",
        "12x",
        "true",
        "null",
        "9007199254740993",
        "9007199254740992",
        "-",
        "𝒳",
        "ſ",
    ];

    private static readonly string[] Names =
    [
        "user.id",
        "user",
        "id",
        "a.b.c",
        "a",
        "b",
        "status",
        "naïve",
        "a\"q",
        "back\\slash",
        "x y",
        "host",
        "'",
        "a..b",
        ".",
    ];

    private static readonly string[] Numbers =
    [
        "0",
        "-0",
        "5",
        "5.0",
        "-5",
        "1e3",
        "1E+3",
        "1000",
        "0.1",
        "1e400",
        "9007199254740993",
        "9007199254740992",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "123456789012345678901234567890",
        "2.5e-8",
    ];

    private static readonly string[] Patterns =
    [
        "a",
        "^a",
        "a$",
        "^$",
        "^.$",
        ".",
        "\\d+",
        "[^a-z]",
        "[é日]",
        "(?i)KIK",
        "a|b",
        "(a|b)+",
        "^(?:a|ab)(?:c|)$",
        "\\s",
        "\\S+\\s\\S+",
        "a.*b",
        "(?s)e.b",
        "x{2}|5{1,2}",
        "[\\x{1F600}-\\x{1F64F}]",
        "^[^😀]*$",
        "\\x00",
        "%",
        "_",
        "'",
        "\\W",
        "^\\w+$",
        "[^\\x{0}-\\x{FFFF}]",
        "[a\\-z]",
        "o{0,1}u",
        "i",
        "\\*",
        "^[\\d.]+$",
    ];

    private static readonly ulong[] Times =
    [
        1,
        999,
        1000,
        TestRecord.Noon,
        TestRecord.Noon + 1,
        TestRecord.Noon + 999,
        TestRecord.Noon + 1000,
        TestRecord.Noon - 1,
        TestRecord.Noon + 123_456_789,
        TestRecord.Noon + 86_400_000_000_000,
        ulong.MaxValue,
    ];

    private static readonly string[] Moments =
    [
        "1970-01-01",
        "2026-11-23",
        "2026-11-23T12",
        "2026-11-23T12:00Z",
        "2026-11-23T13:00:00+01:00",
        "2026-11-23T12:00:00.000000001",
        "2026-11-23T12:00:00.000000999",
        "2026-11-23T12:00:00.000001",
        "2026-11-23T11:59:59.999999999",
        "2026-11-23T12:00:00.123456789",
        "2026-11-23T12:00:00.1",
        "2026-11-24",
    ];

    private static readonly string[] Ids =
    [
        "",
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "00000000000000000000000000000001",
        "ffffffffffffffffffffffffffffffff",
    ];

    private static readonly Gen<string> Text = Either(OneOf(Texts), Gen.String[Gen.Char[" aAbBiIkK5é\"\\/*%_"], 0, 6]);

    private static readonly Gen<string> Leaf = Either(
        Text.Select(text => JsonSerializer.Serialize(text)),
        Text.Select(text => "\"" + string.Concat(text.Select(unit => $"\\u{(int)unit:x4}")) + "\""),
        OneOf(Numbers),
        OneOf("true", "false", "null", "[]", "{}", "[1,\"a\",{\"b\":\"}\"}]")
    );

    private static readonly Gen<string> Attributes = Object(Either(Leaf, Leaf, Object(Either(Leaf, Object(Leaf)))));

    private static readonly Gen<TestRecord> Record =
        from when in Gen.Select(OneOf(Times), OneOf(Times))
        from severity in Gen.Byte[0, 24]
        from texts in Gen.Select(Text, Text, Text, Text)
        from attributes in Either(Gen.Const(""), Attributes, Attributes)
        from ids in Gen.Select(OneOf(Ids), OneOf(Ids))
        select new TestRecord(
            when.Item1,
            when.Item2,
            severity,
            texts.Item1,
            texts.Item2,
            texts.Item3,
            texts.Item4,
            attributes,
            ids.Item1,
            ids.Item2.Length == 0 ? "" : ids.Item2[..15] + "7"
        );

    private static readonly Gen<string> Quoted = Text.Select(Quote);

    private static readonly Gen<string> Word = Text.Select(text =>
        text.Length == 0 || text.Any(unit => char.IsWhiteSpace(unit) || unit is '"' or '(' or ')')
            ? Quote(text)
            : string.Concat(text.Select((unit, at) => unit is '*' or '\\' || (unit == '/' && at == 0) ? $"\\{unit}" : $"{unit}"))
    );

    private static readonly Gen<string> Wild = Gen.Select(Word, Word, Word, Gen.Int[0, 4])
        .Select(
            (first, second, third, shape) =>
                shape switch
                {
                    0 => Star(first) + "*",
                    1 => "*" + Star(first),
                    2 => Star(first) + "*" + Star(second),
                    3 => "*" + Star(first) + "*",
                    _ => Star(first) + "*" + Star(second) + "*" + Star(third),
                }
        );

    private static readonly Gen<string> Regex = Gen.Select(OneOf(Patterns), Gen.Bool)
        .Select((pattern, folded) => $"/{pattern.Replace("/", "\\/", StringComparison.Ordinal)}/{(folded ? "i" : "")}");

    private static readonly Gen<string> Sign = OneOf("<", "<=", ">", ">=", "=");

    private static readonly Gen<string> Attribute = OneOf(Names)
        .Select(name => name is "host" or "." || name.Any(unit => unit is '"' or '\\' or ' ') ? Quote(name) : name);

    private static readonly Gen<string> Test = Either(
        Quoted.Where(text => text != "\"\""),
        Wild,
        Regex,
        Gen.Select(OneOf("service", "host", "event", "body"), Either(Quoted.Where(text => text != "\"\""), Wild, Regex, Gen.Const("*")))
            .Select((field, value) => $"{field}:{value}"),
        Gen.Select(OneOf("service", "host", "event"), Either(Sign, Gen.Const(":")), Quoted)
            .Select((field, sign, value) => field + sign + value),
        Gen.Select(OneOf("time", "observed"), Either(Sign, Gen.Const(":")), OneOf(Moments))
            .Select((field, sign, value) => field + sign + value),
        Gen.Select(
                Either(Sign, Gen.Const(":")),
                Either(
                    OneOf("trace", "debug", "info", "warn", "error", "fatal", "info3"),
                    Gen.Int[0, 24].Select(number => number.ToString(CultureInfo.InvariantCulture))
                )
            )
            .Select((sign, value) => $"severity{sign}{value}"),
        OneOf(
            "severity:*",
            "time:*",
            "trace:*",
            "span:*",
            $"trace:{Ids[1]}",
            "trace:4BF9*",
            "trace:*1",
            "trace:*f*",
            "span:*7",
            "span:/^f/",
            "*"
        ),
        Gen.Select(Attribute, Either(Quoted, Wild, Regex, Gen.Const("*"))).Select((name, value) => $"{name}:{value}"),
        Gen.Select(Attribute, Either(Sign, Gen.Const(":")), Either(Quoted, Word, OneOf(Numbers)))
            .Select((name, sign, value) => name + sign + value),
        Gen.Select(Attribute, Either(Sign, Gen.Const(":")), Either(OneOf(Numbers), OneOf("5", "1000", "true")))
            .Select((name, sign, value) => name + sign + value)
    );

    private static readonly Gen<string> Query = Tree(3);

    [Fact]
    public void PredicateAndDuckDbAgree()
    {
        Gen.Select(Record.Array[30], Query.Array[12])
            .Sample(
                (records, queries) =>
                {
                    using var table = new LogTable(records);
                    var block = TestRecord.Block(records);
                    foreach (var text in queries)
                    {
                        if (!LogQuery.TryParse(text, out var query, out var error))
                        {
                            Assert.Fail(error.Show(text));
                        }

                        var matching = Enumerable
                            .Range(0, records.Length)
                            .Where(number => query.Predicate.Matches(block[number]))
                            .ToArray();
                        var wrong = matching
                            .Except(table.Matching(query))
                            .Concat(table.Matching(query).Except(matching))
                            .Select(number => records[number].ToString());
                        Assert.True(!wrong.Any(), $"{text}\n{query.Where}\n{string.Join('\n', wrong.Take(2))}");

                        Assert.All(matching, number => Assert.True(LiesWithin(query.Hints, records[number]), text));
                    }
                },
                iter: 100,
                threads: 1
            );
    }

    /// <summary>
    /// DuckDB's LIKE with an ESCAPE tries each star from every place: with seven of them it came to no end, and heard no interrupt.
    /// </summary>
    [Theory]
    [InlineData("a_")]
    [InlineData("a%")]
    [InlineData("a\\")]
    public void StarsBesideASignOfLikeStandStillOnNoText(string sign)
    {
        var written = sign.Replace("\\", "\\\\", StringComparison.Ordinal);
        var query = LogQuery.Parse($"body:*{string.Concat(Enumerable.Repeat(written + "*", 7))}b");
        var text = string.Concat(Enumerable.Repeat(sign, 50_000));
        TestRecord[] records = [new(Body: text), new(Body: text + "b"), new(Body: text + "\nc b")];
        using var table = new LogTable(records);

        Assert.Equal([1, 2], table.Matching(query));
        Assert.Equal(
            [1, 2],
            Enumerable.Range(0, records.Length).Where(number => query.Predicate.Matches(TestRecord.Block(records[number])[0]))
        );
    }

    private static bool LiesWithin(LogHints hints, TestRecord record) =>
        record.Time >= hints.From
        && record.Time <= hints.To
        && hints.Services?.Contains(record.Service) != false
        && hints.Traces?.Contains(record.Trace) != false;

    private static Gen<string> Tree(int depth) =>
        depth == 0
            ? Test
            : Either(
                Test,
                Test,
                Tree(depth - 1).Select(of => $"NOT ({of})"),
                Test.Select(of => $"-{of}"),
                Gen.Select(Tree(depth - 1), OneOf(" ", " AND ", " OR "), Tree(depth - 1))
                    .Select((left, between, right) => $"({left}{between}{right})")
            );

    private static Gen<string> Object(Gen<string> value) =>
        Gen.Select(OneOf(Names), value)
            .Array[0, 5]
            .Select(members =>
                "{" + string.Join(',', members.Select(member => $"{JsonSerializer.Serialize(member.Item1)}:{member.Item2}")) + "}"
            );

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(at => values[at]);

    private static Gen<string> Either(params Gen<string>[] ways) => Gen.Int[0, ways.Length - 1].SelectMany(at => ways[at]);

    private static string Quote(string text) =>
        "\""
        + text.Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal)
        + "\"";

    /// <summary>A quoted text has no stars: what of it can stand in a word.</summary>
    private static string Star(string word) =>
        word.StartsWith('"') ? "a" : word.Replace("-", "", StringComparison.Ordinal).Replace(":", "", StringComparison.Ordinal);
}
