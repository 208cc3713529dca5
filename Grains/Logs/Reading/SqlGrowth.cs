using System.Collections.Immutable;
using System.Text;
using System.Text.Json;

namespace Grains.Logs.Reading;

/// <summary>
/// How many times as large as what it read a value of a statement can become: at most <see cref="Most"/>, or the statement is refused. DuckDB counts no memory of texts and lists that a
/// function makes, and looks at no interrupt while it makes them: measured, six levels of WITH that each join a text sixteen times took 4 GiB under a limit of 256 MiB, and eight nested
/// <c>replace</c> could not be stopped after a minute.
/// </summary>
/// <remarks>
/// An upper bound from the tree alone. What joins values adds theirs up; what writes a value longer multiplies; a WITH, a subquery in FROM and a name given in the same SELECT
/// may be built upon, so theirs are multiplied. A constant text weighs its length in KiB. Only a recursion could go round more often than it is written, and the gate refuses those.
/// </remarks>
internal static class SqlGrowth
{
    public const double Most = 64;

    /// <summary>A list's element takes this much more than the one sign that it may hold.</summary>
    private const double PerElement = 16;

    /// <summary>What gathers many rows in one value is bounded by the limit of memory, which is not much less than all.</summary>
    private const double OfManyRows = 8;

    private static readonly ImmutableHashSet<string> Joining =
        ["||", "concat", "list_value", "list_pack", "list_concat", "list_zip", "struct_pack", "struct_insert", "row", "map", "json_merge_patch"];

    private static readonly ImmutableHashSet<string> Separating = ["string_agg", "group_concat", "listagg", "array_to_string", "concat_ws", "strftime"];

    private static readonly ImmutableDictionary<string, double> Longer = new Dictionary<string, double>
    {
        ["hex"] = 2, ["base64"] = 2, ["to_base64"] = 2, ["bin"] = 8, ["to_binary"] = 8, ["url_encode"] = 3, ["regexp_escape"] = 2, ["translate"] = 4,
        ["to_json"] = 2, ["json_quote"] = 2, ["row_to_json"] = 2, ["array_to_json"] = 2, ["json_array"] = 2, ["json_object"] = 2,
        ["string_split"] = PerElement, ["str_split"] = PerElement, ["split"] = PerElement, ["string_to_array"] = PerElement, ["regexp_extract_all"] = PerElement,
        ["regexp_split_to_array"] = PerElement, ["string_split_regex"] = PerElement, ["str_split_regex"] = PerElement,
        ["string_agg"] = OfManyRows, ["group_concat"] = OfManyRows, ["listagg"] = OfManyRows, ["list"] = OfManyRows, ["array_agg"] = OfManyRows, ["histogram"] = OfManyRows,
        ["list_aggregate"] = OfManyRows, ["list_aggr"] = OfManyRows, ["array_aggregate"] = OfManyRows, ["json_group_array"] = 2 * OfManyRows, ["json_group_object"] = 2 * OfManyRows,
    }.ToImmutableDictionary();

    /// <exception cref="SqlRefusedException">It cannot be known.</exception>
    public static double Of(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Array => Widest(element.EnumerateArray()),
        JsonValueKind.Object => OfObject(element),
        _ => 1,
    };

    private static double OfObject(JsonElement element)
    {
        var type = Text(element, "type");
        if (element.TryGetProperty("function_name", out var name))
        {
            return OfFunction(element, name.GetString()!.ToLowerInvariant());
        }

        var withs = element.TryGetProperty("cte_map", out var map) ? Product(map.GetProperty("map").EnumerateArray()) : 1;
        return withs * type switch
        {
            "SELECT_NODE" => OfSelect(element),
            "ARRAY_CONSTRUCTOR" => Sum(Children(element)),
            "JOIN" => Product(Members(element)),
            _ => Widest(Members(element)),
        };
    }

    private static double OfSelect(JsonElement select)
    {
        var names = select.GetProperty("select_list").EnumerateArray().Select(column => Text(column, "alias")).Where(alias => alias.Length > 0).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var rest = select.EnumerateObject().Where(member => member.Name is not ("cte_map" or "from_table" or "select_list")).Select(member => member.Value);
        JsonElement[] parts = [.. select.GetProperty("select_list").EnumerateArray(), .. rest];
        var from = select.TryGetProperty("from_table", out var table) ? Of(table) : 1;
        return from * (names.Count > 0 && parts.Any(part => Names(part, names)) ? Product(parts) : Widest(parts));
    }

    private static double OfFunction(JsonElement function, string name)
    {
        var children = Children(function);
        if (name == "replace")
        {
            return children.Length == 3 && Constant(children[1]) is { } old && Constant(children[2]) is { } fresh
                ? Of(children[0]) * Math.Max(1, old.Length == 0 ? 1 : (double)Bytes(fresh) / Bytes(old))
                : throw new SqlRefusedException("«replace» takes two texts here that stand in the statement: replace(body, 'old', 'new').");
        }

        var separator = !Separating.Contains(name) || children.Length < 2 ? null : name == "concat_ws" ? children[0] : (JsonElement?)children[1];
        if (separator is { } between && Constant(between) is null && !(name == "strftime" && Constant(children[0]) is not null))
        {
            throw new SqlRefusedException($"The text between values, or the form of a time, stands in the statement itself here: {name}(…, ', ').");
        }

        var values = name switch
        {
            "array_to_string" => Of(children[0]) * (1 + (separator is { } sign ? Bytes(Constant(sign)!) : 0)),
            "concat_ws" => Sum(children.Skip(1)) + (children.Length * Bytes(Constant(children[0])!) / 1024.0),
            "json_array" or "json_object" => Sum(children),
            _ when Joining.Contains(name) => Sum(children),
            _ => Widest(Members(function)),
        };
        return values * Longer.GetValueOrDefault(name, 1);
    }

    /// <summary>Whether an expression speaks of one of these columns by its bare name.</summary>
    private static bool Names(JsonElement element, HashSet<string> names) => element.ValueKind switch
    {
        JsonValueKind.Array => element.EnumerateArray().Any(item => Names(item, names)),
        JsonValueKind.Object => (element.TryGetProperty("column_names", out var column) && column.GetArrayLength() == 1 && names.Contains(column[0].GetString()!))
            || element.EnumerateObject().Any(member => Names(member.Value, names)),
        _ => false,
    };

    private static double Sum(IEnumerable<JsonElement> values) => Math.Max(1, values.Sum(value => Constant(value) is { } text ? Bytes(text) / 1024.0 : Of(value)));

    private static double Product(IEnumerable<JsonElement> values) => values.Aggregate(1.0, (product, value) => product * Of(value));

    private static double Widest(IEnumerable<JsonElement> values) => values.Select(Of).DefaultIfEmpty(1).Max();

    private static IEnumerable<JsonElement> Members(JsonElement element) => element.EnumerateObject().Where(member => !member.NameEquals("cte_map")).Select(member => member.Value);

    private static JsonElement[] Children(JsonElement element) => element.TryGetProperty("children", out var children) && children.ValueKind == JsonValueKind.Array ? [.. children.EnumerateArray()] : [];

    /// <summary>The text of a constant, of a number as it is written; null for anything else.</summary>
    private static string? Constant(JsonElement element) =>
        element.ValueKind == JsonValueKind.Object && Text(element, "type") == "VALUE_CONSTANT" && element.TryGetProperty("value", out var value)
            ? value.TryGetProperty("value", out var text) ? text.ValueKind == JsonValueKind.String ? text.GetString()! : text.GetRawText() : ""
            : null;

    private static int Bytes(string text) => Encoding.UTF8.GetByteCount(text);

    private static string Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}

/// <summary>A statement asks for what is not answered here; the message says why.</summary>
internal sealed class SqlRefusedException(string message) : Exception(message);
