using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Grains.Logs.Queries;

/// <summary>
/// Writes a query as a condition for DuckDB's WHERE, with every value as an escaped literal. It means exactly what
/// <see cref="LogPredicate"/> means, and is never NULL
/// where that matters.
/// </summary>
/// <remarks>
/// Columns: <c>time</c>, <c>observed</c> TIMESTAMPTZ with <c>time_nanos</c>, <c>observed_nanos</c> INTEGER (0 to 999, beyond the
/// microsecond), <c>severity</c> INTEGER,
/// <c>service</c>, <c>host</c>, <c>event_name</c>, <c>body</c> VARCHAR (empty or NULL: none), <c>trace_id</c>, <c>span_id</c> VARCHAR
/// (hexadecimal, lower case; NULL: none),
/// <c>attributes</c> VARCHAR (one JSON object that DuckDB reads; NULL: none, never empty).
/// </remarks>
public static class LogSql
{
    private const string Upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    private const string Lower = "abcdefghijklmnopqrstuvwxyz";
    private const ulong NanosPerMicro = 1000;

    public static string Where(QueryNode node)
    {
        var sql = new StringBuilder();
        Write(sql, node, negated: false);
        return sql.ToString();
    }

    /// <summary>A text as a literal.</summary>
    public static string Literal(string text)
    {
        var literal = "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";
        return text.Contains('\0', StringComparison.Ordinal)
            ? "(" + literal.Replace("\0", "' || chr(0) || '", StringComparison.Ordinal) + ")"
            : literal;
    }

    /// <summary>A time's microseconds as a literal.</summary>
    public static string Literal(DateTimeOffset time) =>
        string.Create(CultureInfo.InvariantCulture, $"TIMESTAMPTZ '{time.UtcDateTime:yyyy-MM-dd HH:mm:ss.ffffff}+00'");

    private static void Write(StringBuilder sql, QueryNode node, bool negated)
    {
        switch (node)
        {
            case QueryNode.Every:
                sql.Append("true");
                break;
            case QueryNode.All all:
                WriteList(sql, all.Of, " AND ", negated);
                break;
            case QueryNode.Any any:
                WriteList(sql, any.Of, " OR ", negated);
                break;
            case QueryNode.Not not:
                sql.Append("(NOT ");
                Write(sql, not.Of, negated: true);
                sql.Append(')');
                break;
            case QueryNode.Times times:
                sql.Append(
                    times switch
                    {
                        { From: var from, To: var to } when from > to => "false",
                        _ => InTimes(times.IsObserved ? "observed" : "time", times.From, times.To),
                    }
                );
                break;
            case QueryNode.Severities severities:
                sql.Append(CultureInfo.InvariantCulture, $"(severity BETWEEN {severities.From} AND {severities.To})");
                break;
            case QueryNode.Text text:
                // Below a NOT, what is unknown has to be false. Above, WHERE takes it so, and a bare comparison is one that DuckDB can skip
                // row groups by.
                sql.Append(negated ? $"coalesce({OfText(text)}, false)" : OfText(text));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(node), node, "Not a node of a query.");
        }
    }

    private static void WriteList(StringBuilder sql, ImmutableArray<QueryNode> parts, string between, bool negated)
    {
        sql.Append('(');
        for (var part = 0; part < parts.Length; part++)
        {
            sql.Append(part == 0 ? "" : between);
            Write(sql, parts[part], negated);
        }

        sql.Append(')');
    }

    private static string InTimes(string column, ulong from, ulong to)
    {
        var parts = new List<string>(2);
        if (from > 0)
        {
            var at = Micros(from);
            parts.Add(
                from % NanosPerMicro == 0
                    ? $"{column} >= {at}"
                    : $"({column} >= {at} AND ({column} > {at} OR {column}_nanos >= {from % NanosPerMicro}))"
            );
        }

        if (to < ulong.MaxValue)
        {
            var at = Micros(to);
            parts.Add(
                to % NanosPerMicro == NanosPerMicro - 1
                    ? $"{column} <= {at}"
                    : $"({column} <= {at} AND ({column} < {at} OR {column}_nanos <= {to % NanosPerMicro}))"
            );
        }

        return parts.Count == 0 ? "true" : $"({string.Join(" AND ", parts)})";
    }

    private static string Micros(ulong nanos) =>
        Literal(DateTimeOffset.UnixEpoch.AddTicks((long)(nanos / NanosPerMicro) * TimeSpan.TicksPerMicrosecond));

    private static string OfText(QueryNode.Text text) =>
        text.Field switch
        {
            QueryField.Attribute => OfAttribute(text.Name, text.Test),
            QueryField.Service => OfColumn("service", text.Test),
            QueryField.Host => OfColumn("host", text.Test),
            QueryField.Body => OfColumn("body", text.Test),
            QueryField.Event => OfColumn("event_name", text.Test),
            QueryField.Trace => OfColumn("trace_id", text.Test),
            QueryField.Span => OfColumn("span_id", text.Test),
            _ => throw new ArgumentOutOfRangeException(nameof(text), text.Field, "Not a field."),
        };

    private static string OfColumn(string column, TextTest test) =>
        test switch
        {
            TextTest.Exists => $"({column} <> '')",
            TextTest.Equal { Value: "" } => $"({column} IS NULL OR {column} = '')",
            TextTest.Equal equal => $"({column} = {Literal(equal.Value)})",
            _ => $"({column} <> '' AND {OfString(column, test)})",
        };

    private static string OfAttribute(string name, TextTest test)
    {
        var flat = Path(name);
        var nested = AttributePath.Nested(name) is { } parts ? Path(parts) : null;
        var value = Extract("json_extract_string");
        var kind = nested is null
            ? $"json_type(attributes, {flat})"
            : $"coalesce(nullif(json_type(attributes, {flat}), 'NULL'), json_type(attributes, {nested}))";
        var isText = $"{kind} IN ('VARCHAR', 'UBIGINT', 'BIGINT', 'BOOLEAN')";
        var asked = test switch
        {
            TextTest.Exists => $"{value} IS NOT NULL",
            TextTest.EqualNumber { Value: >= NumberText.ExactUpTo or <= -NumberText.ExactUpTo } number
                when NumberText.IsWhole(Encoding.UTF8.GetBytes(number.Written)) => $"{value} = {Literal(number.Written)} AND {isText}",
            TextTest.EqualNumber number => $"{Number(value)} = {Literal(number.Value)}",
            TextTest.CompareNumber compare => $"{Number(value)} {Sign(compare.Comparison)} {Literal(compare.Value)}",
            TextTest.Equal equal => $"{value} = {Literal(equal.Value)} AND {isText}",
            _ => $"{isText} AND {OfString(value, test)}",
        };

        // Most records have no such attribute, and looking for its name costs less than reading JSON; a backslash may hide the name.
        var named = Literal(nested is null ? name : name.Split('.')[0]);
        return $"((contains(attributes, {named}) OR contains(attributes, '\\')) AND {asked})";

        string Extract(string function) =>
            nested is null
                ? $"{function}(attributes, {flat})"
                : $"coalesce({function}(attributes, {flat}), {function}(attributes, {nested}))";
    }

    private static string OfString(string value, TextTest test) =>
        test switch
        {
            TextTest.Compare compare => $"{value} {Sign(compare.Comparison)} {Literal(compare.Value)}",
            TextTest.Like { Folded: true } like => OfFoldedLike(value, like.Pieces),
            TextTest.Like like => OfLike(value, like.Pieces),
            TextTest.Matches matches => $"regexp_matches({value}, {Literal(matches.Pattern.Re2)})",
            TextTest.Equal equal => $"{value} = {Literal(equal.Value)}",
            _ => throw new ArgumentOutOfRangeException(nameof(test), test, "Not a test of a text."),
        };

    /// <summary>
    /// <c>lower</c> is quick and folds all of Unicode; <c>translate</c> folds A to Z alone and is slow. Whatever the second finds the first
    /// finds too when the pieces are ASCII,
    /// and only <c>i</c> and <c>k</c> are the lower case of a letter beyond ASCII (İ, K): so the first decides, or at least goes before.
    /// </summary>
    private static string OfFoldedLike(string value, ImmutableArray<string> pieces)
    {
        var quick = OfLike($"lower({value})", pieces);
        var exact = OfLike($"translate({value}, '{Upper}', '{Lower}')", pieces);
        return pieces.All(piece => Ascii.IsValid(piece))
            ? pieces.All(piece => piece.AsSpan().IndexOfAny('i', 'k') < 0)
                ? quick
                : $"({quick} AND {exact})"
            : exact;
    }

    /// <summary>
    /// DuckDB 1.5.6 matches a constant pattern of texts and <c>%</c> in linear time. One with <c>_</c> or an ESCAPE it tries from every
    /// place for every <c>%</c>, which on a long text has no end and
    /// cannot be interrupted: with several <c>%</c> RE2 takes its place.
    /// </summary>
    private static string OfLike(string value, ImmutableArray<string> pieces)
    {
        if (pieces is ["", var middle, ""])
        {
            return $"contains({value}, {Literal(middle)})";
        }

        var isPlain = pieces.All(piece => piece.AsSpan().IndexOfAny('\\', '%', '_') < 0) && !HasNoSuccessor(pieces[0]);
        if (!isPlain && pieces.Length > 2)
        {
            return $"regexp_full_match({value}, {Literal("(?s)" + string.Join(".*", pieces.Select(Re2Quoted)))})";
        }

        var escaped = pieces
            .Select(piece =>
                piece
                    .Replace("\\", "\\\\", StringComparison.Ordinal)
                    .Replace("%", "\\%", StringComparison.Ordinal)
                    .Replace("_", "\\_", StringComparison.Ordinal)
            )
            .ToArray();
        return $"{value} LIKE {Literal(string.Join('%', escaped))}" + (isPlain ? "" : " ESCAPE '\\'");
    }

    /// <summary>
    /// DuckDB 1.5.6 bounds <c>LIKE 'start%'</c> above by the start with its last byte plus one, and fails when that is no UTF-8. It leaves
    /// alone what has an ESCAPE.
    /// </summary>
    private static bool HasNoSuccessor(string start) => start.Length > 0 && Encoding.UTF8.GetBytes(start)[^1] is 0x7F or 0xBF;

    /// <summary>A text as a pattern of RE2 that matches it alone.</summary>
    private static string Re2Quoted(string text) =>
        string.Concat(
            text.Select(sign =>
                sign == '\0' ? "\\x00"
                : char.IsAsciiLetterOrDigit(sign) || !char.IsAscii(sign) ? sign.ToString()
                : char.IsControl(sign) ? $"\\x{(int)sign:x2}"
                : $"\\{sign}"
            )
        );

    private static string Number(string value) =>
        $"CASE WHEN regexp_full_match({value}, '{NumberText.Re2}') THEN TRY_CAST({value} AS DOUBLE) END";

    private static string Literal(double number) => $"{number.ToString("R", CultureInfo.InvariantCulture)}::DOUBLE";

    private static string Path(params string[] parts) =>
        Literal("$" + string.Concat(parts.Select(part => $".\"{part.Replace("\"", "\\\"", StringComparison.Ordinal)}\"")));

    private static string Sign(Comparison comparison) =>
        comparison switch
        {
            Comparison.Less => "<",
            Comparison.LessOrEqual => "<=",
            Comparison.Greater => ">",
            _ => ">=",
        };
}
