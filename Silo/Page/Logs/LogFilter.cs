using System.Collections.Immutable;
using System.Text.Json;

namespace Silo.Page.Logs;

/// <summary>Queries that are made by clicks: a query, and one test more.</summary>
public static class LogFilter
{
    /// <summary>Names that mean something else than an attribute of that name.</summary>
    private static readonly ImmutableArray<string> Fields =
    [
        "time",
        "observed",
        "severity",
        "service",
        "host",
        "event",
        "trace",
        "span",
        "body",
    ];

    /// <summary>The records of the query that have this value in this field.</summary>
    public static string Field(string query, string field, string value) => And(query, $"{field}:{Quote(value)}");

    /// <summary>The same with an attribute; null for one that no test asks for, as a list.</summary>
    public static string? Attribute(string query, LogAttribute attribute)
    {
        var name =
            Fields.Contains(attribute.Name) || !attribute.Name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_')
                ? Quote(attribute.Name)
                : attribute.Name;
        return attribute.Kind switch
        {
            JsonValueKind.Number => And(query, $"{name}:{attribute.Value}"),
            JsonValueKind.String => And(query, $"{name}:{Quote(attribute.Value)}"),
            JsonValueKind.True or JsonValueKind.False => And(query, $"{name}:{attribute.Value.ToLowerInvariant()}"),
            _ => null,
        };
    }

    private static string And(string query, string test) =>
        string.IsNullOrWhiteSpace(query) ? test
        : query.Contains(" OR ", StringComparison.Ordinal) ? $"({query.Trim()}) {test}"
        : $"{query.Trim()} {test}";

    private static string Quote(string text) =>
        "\""
        + text.Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal)
            .Replace("\r", "\\r", StringComparison.Ordinal)
            .Replace("\t", "\\t", StringComparison.Ordinal)
        + "\"";
}
