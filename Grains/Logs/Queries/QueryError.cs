using System.Text;

namespace Grains.Logs.Queries;

/// <summary>What is wrong with a query, where, and what would be right.</summary>
/// <param name="Column">Of the first character that is wrong, counted from 1 in UTF-16 units.</param>
/// <param name="Sentence">One sentence or two, for people.</param>
public sealed record QueryError(int Column, string Sentence)
{
    private const int Around = 60;

    /// <summary>The query's line, a caret under the column, and the sentence; of a long query, what is around the column.</summary>
    public string Show(string query)
    {
        var at = Math.Clamp(Column - 1, 0, query.Length);
        var from = Math.Max(0, at - Around);
        var to = Math.Min(query.Length, at + Around);
        var line = new StringBuilder();
        foreach (var character in query.AsSpan(from, to - from))
        {
            line.Append(char.IsControl(character) ? ' ' : character);
        }

        return $"{line}\n{new string(' ', at - from)}^ column {Column}: {Sentence}";
    }
}

/// <summary>A text is no query. The message shows the column with a caret line.</summary>
public sealed class QueryException(string query, QueryError error) : FormatException(error.Show(query))
{
    public QueryError Error => error;
}
