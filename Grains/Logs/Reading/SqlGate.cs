using System.Collections.Immutable;
using System.Text.Json;

namespace Grains.Logs.Reading;

/// <summary>
/// Lets through one SELECT over views, and nothing else: it walks the tree that DuckDB's own parser made of the statement (<c>json_serialize_sql</c>), and what it does not
/// know is refused. Tables are the views and the statement's own WITH names; functions are those listed here.
/// </summary>
/// <remarks>
/// The list of functions is there for time as well as for secrets: DuckDB looks at an interrupt between pieces of work, and a function that makes a gigabyte of one value
/// (<c>repeat</c>, <c>lpad</c>, <c>range</c> as a list, <c>format</c> with a width) is one piece: measured, 11 s and more after it was told to stop.
/// <c>list_transform</c> puts any value in the place of each element, and is missing for that; <c>unnest</c> in FROM does it row by row. What the others can make together is bounded by <see cref="SqlGrowth"/>.
/// </remarks>
public sealed class SqlGate(params IEnumerable<string> views)
{
    private const int MaxDepth = 20_000;

    private static readonly JsonDocumentOptions Json = new() { MaxDepth = MaxDepth };

    private static readonly ImmutableHashSet<string> QueryNodes = ["SELECT_NODE", "SET_OPERATION_NODE", "CTE_NODE"];

    private static readonly ImmutableHashSet<string> TableForms = ["BASE_TABLE", "SUBQUERY", "JOIN", "TABLE_FUNCTION", "EXPRESSION_LIST", "EMPTY", "PIVOT", "SHOW_REF", "EMPTY_FROM"];

    /// <summary>In FROM: they give row after row, and can be stopped.</summary>
    private static readonly ImmutableHashSet<string> TableFunctions = ["range", "generate_series", "unnest", "json_each", "json_tree"];

    private static readonly ImmutableHashSet<string> Functions =
    [
        .. Words("+ - * / // % ** ^ & | ~ << >> || ~~ !~~ ~~* !~~* ~~~ -> ->> @ ! <@ @> && [] <-> <=> ^@ __postfix"),
        .. Words("abs add avg any_value approx_count_distinct approx_quantile approx_top_k arg_max arg_max_null arg_min arg_min_null argmax argmin max_by min_by acos asin atan atan2 cos sin tan cot"),
        .. Words("array_agg bit_and bit_or bit_xor bool_and bool_or cbrt ceil ceiling corr count count_if countif count_star covar_pop covar_samp degrees entropy even exp favg first fsum sumkahan kahan_sum floor gamma"),
        .. Words("greatest group_concat histogram isfinite isinf isnan kurtosis last least list listagg ln log log10 log2 mad max mean median min mod mode multiply pi pow power product quantile quantile_cont quantile_disc"),
        .. Words("radians regr_count regr_slope regr_intercept regr_r2 round sem sign signbit skewness sqrt stddev stddev_pop stddev_samp string_agg subtract divide fdiv fmod sum sum_no_overflow trunc var_pop var_samp variance"),
        .. Words("row_number rank dense_rank rank_dense percent_rank cume_dist ntile lag lead first_value last_value nth_value grouping grouping_id"),
        .. Words("ascii base64 from_base64 to_base64 bar bit_length char_length character_length chr concat concat_ws contains ends_with suffix prefix starts_with hash hex from_hex to_hex unhex ilike_escape not_ilike_escape instr strpos"),
        .. Words("position lcase lower left length len like_escape not_like_escape ltrim md5 sha1 sha256 nfc_normalize ord parse_filename regexp_escape regexp_extract regexp_extract_all regexp_full_match regexp_matches"),
        .. Words("regexp_split_to_array string_split_regex str_split_regex replace reverse right rtrim split split_part str_split string_split string_to_array strip_accents strlen substr substring substring_grapheme"),
        .. Words("trim ucase upper unicode ucs translate url_encode url_decode octet_length bin to_binary formatreadablesize format_bytes"),
        .. Words("age century current_date current_time current_timestamp date_add date_diff datediff date_part datepart date_sub datesub date_trunc datetrunc day dayname dayofmonth dayofweek dayofyear decade epoch epoch_ms"),
        .. Words("epoch_ns epoch_us era extract get_current_time get_current_timestamp hour isodow isoyear last_day make_date make_time make_timestamp make_timestamptz microsecond millennium millisecond minute month monthname"),
        .. Words("nanosecond now quarter second strftime strptime try_strptime time_bucket timezone timezone_hour timezone_minute to_centuries to_days to_decades to_hours to_microseconds to_millennia to_milliseconds to_minutes"),
        .. Words("to_months to_quarters to_seconds to_timestamp to_weeks to_years today transaction_timestamp week weekday weekofyear year yearweek julian"),
        .. Words("coalesce ifnull nullif if error typeof alias constant_or_null is_distinct_from isnull is_null is_not_null not"),
        .. Words("array_length array_contains array_has list_has array_position cardinality element_at flatten list_aggregate list_aggr array_aggregate list_any_value list_avg list_concat list_contains list_count list_distinct"),
        .. Words("list_element list_extract list_filter list_first list_last list_has_all list_has_any list_indexof list_max list_min list_position list_reverse list_slice list_sort list_sum list_unique list_value"),
        .. Words("list_pack array_extract array_slice array_to_string list_zip map map_contains map_entries map_extract map_extract_value map_from_entries map_keys map_values row struct_extract struct_extract_at struct_pack struct_insert unnest unpivot_list"),
        .. Words("json json_array json_array_length json_contains json_exists json_extract json_extract_path json_extract_path_text json_extract_string json_group_array json_group_object json_keys json_object json_quote"),
        .. Words("json_structure json_type json_valid json_value json_merge_patch to_json row_to_json array_to_json try_cast cast"),
        .. Words("random setseed uuid gen_random_uuid version"),
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
                : $"This is no SQL that DuckDB understands: {message}{(Text(root, "position") is { Length: > 0 } at ? $" (at character {at})" : "")}.";
        }

        var statements = root.GetProperty("statements");
        if (statements.GetArrayLength() != 1)
        {
            return $"One statement is asked at a time; these are {statements.GetArrayLength()}.";
        }

        try
        {
            Walk(statements[0], [.. views.Select(Folded)]);
            return SqlGrowth.Of(statements[0]) > SqlGrowth.Most
                ? $"A value of this statement could become more than {SqlGrowth.Most} times as large as what is stored, which no limit of memory would stop. Join fewer values, or in fewer steps."
                : null;
        }
        catch (SqlRefusedException refused)
        {
            return refused.Message;
        }
    }

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
            throw new SqlRefusedException("A WITH cannot recur here; range(…) in FROM counts.");
        }

        if (element.TryGetProperty("modifiers", out _) && !QueryNodes.Contains(type))
        {
            throw new SqlRefusedException($"«{type}» cannot be asked here; a SELECT can.");
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
            if (member.NameEquals("cte_map"))
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
            throw new SqlRefusedException($"«{type}» cannot stand in FROM here.");
        }

        if (type == "BASE_TABLE")
        {
            var name = Text(element, "table_name");
            if (Text(element, "schema_name").Length > 0 || Text(element, "catalog_name").Length > 0 || !tables.Contains(Folded(name)))
            {
                throw new SqlRefusedException($"There is no table «{name}» here; there is {string.Join(", ", views)}.");
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
        if (!Functions.Contains(name.ToLowerInvariant()) || IsQualified(element))
        {
            throw new SqlRefusedException($"The function «{name}» is not among those that can be used here{(type == "TABLE_FUNCTION" ? " in FROM" : "")}.");
        }
    }

    private static void TableFunction(JsonElement function)
    {
        var name = Text(function, "function_name");
        if (!TableFunctions.Contains(name.ToLowerInvariant()) || IsQualified(function))
        {
            throw new SqlRefusedException($"The function «{name}» cannot be used in FROM here; these can: {string.Join(", ", TableFunctions.Order(StringComparer.Ordinal))}.");
        }
    }

    private static bool IsQualified(JsonElement function) =>
        Text(function, "catalog").Length > 0 || Text(function, "schema") is not ("" or "main");

    private static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static string Folded(string name) => name.ToLowerInvariant();

    private static string[] Words(string words) => words.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
