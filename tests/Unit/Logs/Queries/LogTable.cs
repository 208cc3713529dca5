using System.Globalization;
using System.Text;
using DuckDB.NET.Data;
using Grains.Logs.Queries;

namespace Unit.Logs.Queries;

/// <summary>
/// Records in a DuckDB in memory, in the columns that a query's condition is written for; a record's number is its place.
/// </summary>
internal sealed class LogTable : IDisposable
{
    private readonly DuckDBConnection _duck = new("DataSource=:memory:");

    public LogTable(IEnumerable<TestRecord> records)
    {
        _duck.Open();
        Execute("SET threads = 1");
        Execute(
            """
            CREATE TABLE logs (number INTEGER, time TIMESTAMPTZ, time_nanos INTEGER, observed TIMESTAMPTZ, observed_nanos INTEGER, severity INTEGER, severity_text VARCHAR,
            service VARCHAR, host VARCHAR, trace_id VARCHAR, span_id VARCHAR, event_name VARCHAR, body VARCHAR, attributes VARCHAR)
            """
        );
        var rows = new StringBuilder("INSERT INTO logs VALUES ");
        var number = 0;
        foreach (var record in records)
        {
            rows.Append(
                CultureInfo.InvariantCulture,
                $"{(number == 0 ? "" : ", ")}({number}, {Time(record.Time)}, {record.Time % 1000}, {Time(record.Observed)}, "
                    + $"{record.Observed % 1000}, {record.Severity}, ''"
            );
            rows.Append(
                CultureInfo.InvariantCulture,
                $", {LogSql.Literal(record.Service)}, {LogSql.Literal(record.Host)}, {OrNull(record.Trace)}, "
                    + $"{OrNull(record.Span)}, {LogSql.Literal(record.Event)}"
            );
            rows.Append(CultureInfo.InvariantCulture, $", {LogSql.Literal(record.Body)}, {OrNull(record.Attributes)})");
            number++;
        }

        Execute(rows.ToString());
    }

    public IReadOnlyList<int> Matching(LogQuery query)
    {
        using var command = _duck.CreateCommand();
        command.CommandText = $"SELECT number FROM logs WHERE {query.Where} ORDER BY number";
        using var reader = command.ExecuteReader();
        var numbers = new List<int>();
        while (reader.Read())
        {
            numbers.Add(reader.GetInt32(0));
        }

        return numbers;
    }

    public void Dispose() => _duck.Dispose();

    private static string Time(ulong nanos) => LogSql.Literal(DateTimeOffset.UnixEpoch.AddTicks((long)(nanos / 1000) * 10));

    private static string OrNull(string text) => text.Length == 0 ? "NULL" : LogSql.Literal(text);

    private void Execute(string sql)
    {
        using var command = _duck.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
