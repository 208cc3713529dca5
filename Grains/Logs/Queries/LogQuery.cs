using System.Diagnostics.CodeAnalysis;

namespace Grains.Logs.Queries;

/// <summary>
/// A query over log records, in the one language of queries, tail and rules. Immutable and thread-safe.
/// </summary>
/// <remarks>
/// The grammar (ISO 14977, and <c>README.md</c> beside this file explains it):
/// <code>
/// query      = [ either ] ;
/// either     = both, { "OR", both } ;
/// both       = not, { [ "AND" ], not } ;                  (* side by side means AND *)
/// not        = { "NOT" | "-" }, primary ;
/// primary    = "(", either, ")" | "*" | test | text | pattern ;
/// test       = field, ":", ( "*" | text | pattern ) | field, comparison, text ;
/// comparison = "&lt;" | "&lt;=" | "&gt;" | "&gt;=" | "=" ;            (* spaces around it are allowed; "=" is ":" *)
/// field      = name | quoted ;                             (* quoted: always an attribute *)
/// text       = word | quoted ;
/// word       = character, { character } ;                  (* no space, quote or parenthesis; a bare word has no : &lt; &gt; = either *)
/// quoted     = '"', { any - '"' | "\", ( '"' | "\" | "n" | "r" | "t" ) }, '"' ;
/// pattern    = "/", regular expression, "/", [ "i" ] ;     (* "\/" is a slash *)
/// </code>
/// In a word <c>*</c> stands for any run of characters, and <c>\</c> takes the sign after it literally. AND, OR and NOT are upper case.
/// </remarks>
public sealed class LogQuery
{
    /// <summary>Characters of a query, at most.</summary>
    public const int MaxLength = 4096;

    /// <summary>Parentheses and NOTs that lie in each other, at most.</summary>
    public const int MaxDepth = 64;

    /// <summary>Tests in a query, at most.</summary>
    public const int MaxTerms = 256;

    /// <summary>Every record.</summary>
    public static readonly LogQuery Every = new("", QueryNode.Every.One);

    private LogQuery(string text, QueryNode root)
    {
        Text = text;
        Root = root;
        Predicate = LogPredicate.Of(root);
        Hints = LogHints.Of(root);
    }

    /// <summary>As it was written.</summary>
    public string Text { get; }

    public QueryNode Root { get; }

    public LogPredicate Predicate { get; }

    public LogHints Hints { get; }

    /// <summary>The condition for DuckDB's WHERE, over the columns of <see cref="LogSql"/>.</summary>
    public string Where => LogSql.Where(Root);

    /// <exception cref="QueryException">It is none: where, why, and what would be right.</exception>
    public static LogQuery Parse(string text) =>
        TryParse(text, out var query, out var error) ? query : throw new QueryException(text, error);

    /// <summary>Nothing, or only space, is a query for every record.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out LogQuery? query, [NotNullWhen(false)] out QueryError? error)
    {
        var root = QueryParser.TryRead(text, out error);
        query = root is null ? null : new(text, root);
        return query is not null;
    }

    /// <summary>
    /// The query of a rule, <c>query =&gt; action</c>; an action must follow, and the query must not be empty (<c>*</c> is every record).
    /// </summary>
    /// <param name="actionAt">Where the action begins, behind the arrow.</param>
    public static bool TryParseRule(
        string text,
        out int actionAt,
        [NotNullWhen(true)] out LogQuery? query,
        [NotNullWhen(false)] out QueryError? error
    )
    {
        var root = QueryParser.TryReadRule(text, out actionAt, out error);
        query = root is null ? null : new(text[..(actionAt - 2)].Trim(), root);
        return query is not null;
    }

    public override string ToString() => Text;
}
