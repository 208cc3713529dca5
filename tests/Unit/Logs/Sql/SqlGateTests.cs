using DuckDB.NET.Data;
using Grains.Logs.Sql;
using Xunit;

namespace Unit.Logs.Sql;

/// <summary>
/// What the gate lets through of DuckDB's own functions. Statements are in <c>sql-refused.tsv</c> and <c>sql-allowed.tsv</c>.
/// </summary>
public sealed class SqlGateTests
{
    [Fact]
    public void EveryFunctionThatThisDuckDbHasWasLookedAt()
    {
        var reviewed = LogRows.Read("sql-functions.tsv").ToDictionary(row => row[0], row => row[1], StringComparer.Ordinal);

        var found = Functions().ToDictionary(name => name, name => SqlGate.Allows(name) ? "allowed" : "refused", StringComparer.Ordinal);

        Assert.Equal(reviewed.Select(Line).Order(StringComparer.Ordinal), found.Select(Line).Order(StringComparer.Ordinal));
    }

    /// <summary>Not those in FROM, of which the gate allows those that it names.</summary>
    private static List<string> Functions()
    {
        using var duck = new DuckDBConnection("DataSource=:memory:");
        duck.Open();
        using var command = duck.CreateCommand();
        command.CommandText =
            "SELECT DISTINCT lower(function_name) FROM duckdb_functions() WHERE function_type IN ('scalar', 'aggregate', "
            + "'macro') AND function_name NOT LIKE 'icu_collate_%'";
        using var reader = command.ExecuteReader();
        var names = new List<string>();
        while (reader.Read())
        {
            names.Add(reader.GetString(0));
        }

        return names;
    }

    private static string Line(KeyValuePair<string, string> function) => $"{function.Key} {function.Value}";
}
