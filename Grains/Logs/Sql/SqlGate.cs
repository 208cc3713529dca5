using System.Collections.Immutable;
using System.Text.Json;

namespace Grains.Logs.Sql;

/// <summary>
/// Lets through one SELECT over views, and keeps it from files, settings and the network: it walks the tree that DuckDB's own parser made
/// of the statement (<c>json_serialize_sql</c>).
/// Tables are the views and the statement's own WITH names; functions in FROM are those listed here; of the others those are refused that
/// tell of settings and catalogs or run other SQL.
/// </summary>
/// <remarks>
/// What a statement costs is none of its business: a process of its own bounds that (<see cref="SqlChild"/>). DuckDB reads files by
/// functions in FROM alone; a test holds the list of all its
/// other functions, so that those which a new version adds are looked at.
/// </remarks>
public sealed class SqlGate(params IEnumerable<string> views)
{
    private const int MaxDepth = 20_000;

    private static readonly JsonDocumentOptions Json = new() { MaxDepth = MaxDepth };

    private static readonly ImmutableHashSet<string> QueryNodes = ["SELECT_NODE", "SET_OPERATION_NODE", "CTE_NODE", "RECURSIVE_CTE_NODE"];

    private static readonly ImmutableHashSet<string> TableForms =
    [
        "BASE_TABLE",
        "SUBQUERY",
        "JOIN",
        "TABLE_FUNCTION",
        "EXPRESSION_LIST",
        "EMPTY",
        "PIVOT",
        "SHOW_REF",
        "EMPTY_FROM",
    ];

    /// <summary>In FROM: they make rows of their arguments.</summary>
    private static readonly ImmutableHashSet<string> TableFunctions =
    [
        "range",
        "generate_series",
        "unnest",
        "repeat",
        "repeat_row",
        "json_each",
        "json_tree",
    ];

    /// <summary>They tell of settings, catalogs and the connection, write logs, or turn text into statements.</summary>
    private static readonly ImmutableHashSet<string> RefusedFunctions =
    [
        .. Words(
            "add_parquet_key col_description current_catalog current_connection_id current_database current_query "
                + "current_query_id current_role current_schema current_schemas current_setting"
        ),
        .. Words(
            "current_transaction_id current_user currval format_pg_type format_type get_block_size getenv getvariable "
                + "in_search_path json_deserialize_sql json_execute_serialized_sql"
        ),
        .. Words(
            "json_serialize_plan json_serialize_sql map_to_pg_oid nextval obj_description parse_duckdb_log_message query "
                + "query_table session_user shobj_description txid_current user write_log"
        ),
    ];

    private static readonly ImmutableArray<string> RefusedBeginnings =
    [
        "__internal",
        "duckdb_",
        "enable_",
        "disable_",
        "has_",
        "inet_",
        "parquet_",
        "pg_",
        "pragma_",
        "read_",
    ];

    /// <summary>What is wrong with a statement; null when it may run.</summary>
    /// <param name="serialized">What <c>json_serialize_sql</c> says about it.</param>
    public string? Fault(string serialized)
    {
        using var document = JsonDocument.Parse(serialized, Json);
        var root = document.RootElement;
        if (root.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.True)
        {
            var message = Text(root, "error_message");
            return message.StartsWith("Only SELECT", StringComparison.Ordinal)
                ? "Only SELECT can be asked here (WITH, FROM, VALUES, DESCRIBE and SUMMARIZE belong to it)."
                : $"This is no SQL that DuckDB understands: "
                    + $"{message}{(Text(root, "position") is { Length: > 0 } at ? $" (at character {at})" : "")}.";
        }

        var statements = root.GetProperty("statements");
        if (statements.GetArrayLength() != 1)
        {
            return $"One statement is asked at a time; these are {statements.GetArrayLength()}.";
        }

        try
        {
            Walk(statements[0], [.. views.Select(Folded)]);
            return null;
        }
        catch (SqlRefusedException refused)
        {
            return refused.Message;
        }
    }

    /// <summary>Whether a function that is not in FROM may be used.</summary>
    /// <param name="name">In small letters.</param>
    internal static bool Allows(string name) =>
        !RefusedFunctions.Contains(name) && !RefusedBeginnings.Any(start => name.StartsWith(start, StringComparison.Ordinal));

    private void Walk(JsonElement element, ImmutableHashSet<string> tables)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                {
                    Walk(item, tables);
                }

                break;
            case JsonValueKind.Object:
                WalkObject(element, tables);
                break;
        }
    }

    private void WalkObject(JsonElement element, ImmutableHashSet<string> tables)
    {
        var type = Text(element, "type");
        if (element.TryGetProperty("cte_map", out var withs))
        {
            // Each WITH name is known to those after it and to what follows, and not to itself: what it hides stays hidden.
            foreach (var entry in withs.GetProperty("map").EnumerateArray())
            {
                Walk(entry.GetProperty("value"), tables);
                tables = tables.Add(Folded(Text(entry, "key")));
            }
        }

        if (type == "RECURSIVE_CTE_NODE")
        {
            // Its first part does not know its own name yet: there the name is a table that exists, or none.
            Walk(element.GetProperty("left"), tables);
            Walk(element.GetProperty("right"), tables.Add(Folded(Text(element, "cte_name"))));
        }

        if (element.TryGetProperty("modifiers", out _) && !QueryNodes.Contains(type))
        {
            throw new SqlRefusedException($"\"{type}\" cannot be asked here; a SELECT can.");
        }

        if (element.TryGetProperty("function_name", out var function))
        {
            Function(element, function.GetString() ?? "", type);
        }
        else if (element.TryGetProperty("sample", out _) && !element.TryGetProperty("select_list", out _))
        {
            Table(element, type, tables);
        }

        foreach (var member in element.EnumerateObject())
        {
            if (member.NameEquals("cte_map") || (type == "RECURSIVE_CTE_NODE" && (member.NameEquals("left") || member.NameEquals("right"))))
            {
                continue;
            }

            if (type == "TABLE_FUNCTION" && member.NameEquals("function"))
            {
                TableFunction(member.Value);
                Members(member.Value, tables);
                continue;
            }

            Walk(member.Value, tables);
        }
    }

    private void Members(JsonElement element, ImmutableHashSet<string> tables)
    {
        foreach (var member in element.EnumerateObject())
        {
            Walk(member.Value, tables);
        }
    }

    private void Table(JsonElement element, string type, ImmutableHashSet<string> tables)
    {
        if (!TableForms.Contains(type))
        {
            throw new SqlRefusedException($"\"{type}\" cannot stand in FROM here.");
        }

        if (type == "BASE_TABLE")
        {
            var name = Text(element, "table_name");
            if (Text(element, "schema_name").Length > 0 || Text(element, "catalog_name").Length > 0 || !tables.Contains(Folded(name)))
            {
                throw new SqlRefusedException($"There is no table \"{name}\" here; there is {string.Join(", ", views)}.");
            }
        }

        if (type == "SHOW_REF" && (!element.TryGetProperty("query", out var query) || query.ValueKind != JsonValueKind.Object))
        {
            throw new SqlRefusedException($"SHOW cannot be asked here; DESCRIBE {views.First()} shows the columns.");
        }
    }

    private static void Function(JsonElement element, string name, string type)
    {
        // A window's function has the window's type before its name.
        if (!Allows(name.ToLowerInvariant()) || IsQualified(element))
        {
            throw new SqlRefusedException($"The function \"{name}\" cannot be used here{(type == "TABLE_FUNCTION" ? " in FROM" : "")}.");
        }
    }

    private static void TableFunction(JsonElement function)
    {
        var name = Text(function, "function_name");
        if (!TableFunctions.Contains(name.ToLowerInvariant()) || IsQualified(function))
        {
            throw new SqlRefusedException(
                $"The function \"{name}\" cannot be used in FROM here; these can: "
                    + $"{string.Join(", ", TableFunctions.Order(StringComparer.Ordinal))}."
            );
        }
    }

    private static bool IsQualified(JsonElement function) =>
        Text(function, "catalog").Length > 0 || Text(function, "schema") is not ("" or "main");

    private static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static string Folded(string name) => name.ToLowerInvariant();

    private static string[] Words(string words) => words.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>A statement asks for what is not answered here; the message says why.</summary>
internal sealed class SqlRefusedException(string message) : Exception(message);
