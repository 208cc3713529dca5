using System.CommandLine;
using System.Text;
using System.Text.Json;
using Client.Values;
using Grains.Interfaces.Logs;
using Grains.Interfaces.Values;

namespace Client.Logs;

/// <summary><c>logs sql</c></summary>
internal sealed class SqlCommand
{
    private readonly Argument<string> _sql = new("select")
    {
        Description = "One SELECT over the view \"logs\", in quotes; \"describe logs\" shows its columns.",
    };
    private readonly Option<string?> _since = LogQueryOptions.Since("the view holds everything");
    private readonly Option<string?> _until = LogQueryOptions.Until();
    private readonly Limit _limit = new("rows", AskSql.DefaultRows, AskSql.MaxRows);
    private readonly Option<bool> _csv = new("--csv") { Description = "CSV by RFC 4180 with a header." };

    public static Command Create(Verbs verbs)
    {
        var sql = new SqlCommand();
        return verbs.Read(
            new(
                "sql",
                "Asks in SQL (DuckDB's), within limits of time and memory. Ends with 1 when it stopped before everything was "
                    + "looked at, or when segments cannot be read; stderr says which."
            )
            {
                sql._sql,
                sql._since,
                sql._until,
                sql._limit.Option,
                sql._csv,
            },
            sql.Run
        );
    }

    private async Task<int> Run(Session session, ParseResult parsed, CancellationToken cancel)
    {
        if (session.Json && parsed.GetValue(_csv))
        {
            throw new ConsoleException("--json and --csv are two forms: give one of them.", ExitCode.WrongUsage);
        }

        var now = session.Terminal.Clock.GetUtcNow();
        var ask = new AskSql(
            parsed.GetRequiredValue(_sql),
            LogText.Time(parsed.GetValue(_since), "--since", now),
            LogText.Time(parsed.GetValue(_until), "--until", now),
            _limit.Of(parsed)
        );
        var reply = await (await session.Cluster(cancel)).LogQuery().Sql(ask, cancel);
        LogText.ThrowIfRefused(reply.End);
        if (session.Json)
        {
            WriteJson(session.Terminal, reply);
            session.Terminal.Json(new { end = QueryEndForm.Of(reply.End) });
        }
        else if (parsed.GetValue(_csv))
        {
            WriteCsv(session.Terminal, reply);
        }
        else
        {
            WriteTable(session.Terminal, reply);
        }

        if (reply.End.Outcome == QueryOutcome.Limit && !session.Json)
        {
            session.Terminal.Warn($"{reply.End.Sentence} --limit shows more.");
        }

        return LogText.Finish(session, reply.End, Counts.Of(reply.Rows.Length, "row", "rows"));
    }

    private static void WriteJson(Terminal terminal, SqlReply reply)
    {
        foreach (var row in reply.Rows)
        {
            using var document = JsonDocument.Parse(row);
            using var bytes = new MemoryStream();
            using (var json = new Utf8JsonWriter(bytes, LogForm.Json))
            {
                json.WriteStartObject();
                foreach (var (name, value) in reply.Columns.Zip(document.RootElement.EnumerateArray()))
                {
                    json.WritePropertyName(name);
                    value.WriteTo(json);
                }

                json.WriteEndObject();
            }

            terminal.Text(Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length) + "\n");
        }

        terminal.Flush();
    }

    private static void WriteCsv(Terminal terminal, SqlReply reply)
    {
        terminal.Text(string.Join(',', reply.Columns.Select(CsvField.Of)) + "\r\n");
        foreach (var row in reply.Rows)
        {
            terminal.Text(
                string.Join(',', Texts(row).Zip(reply.Types, (text, type) => IsNumber(type) ? text : CsvField.Of(text))) + "\r\n"
            );
        }

        terminal.Flush();
    }

    private static void WriteTable(Terminal terminal, SqlReply reply)
    {
        if (reply.Columns.IsEmpty)
        {
            return;
        }

        var listing = new Listing();
        foreach (var (name, type) in reply.Columns.Zip(reply.Types))
        {
            var isNumber = IsNumber(type);
            listing.Column(name, right: isNumber, wrap: !isNumber);
        }

        foreach (var row in reply.Rows)
        {
            listing.Row([.. Texts(row).Select(text => (Cell)text)]);
        }

        listing.WriteTo(terminal);
    }

    private static bool IsNumber(string type) =>
        type
            is "TinyInt"
                or "SmallInt"
                or "Integer"
                or "BigInt"
                or "HugeInt"
                or "UnsignedTinyInt"
                or "UnsignedSmallInt"
                or "UnsignedInteger"
                or "UnsignedBigInt"
                or "Double"
                or "Float"
                or "Decimal";

    private static List<string> Texts(string row)
    {
        using var document = JsonDocument.Parse(row);
        return
        [
            .. document
                .RootElement.EnumerateArray()
                .Select(value =>
                    value.ValueKind switch
                    {
                        JsonValueKind.Null => "",
                        JsonValueKind.String => value.GetString()!,
                        _ => value.GetRawText(),
                    }
                ),
        ];
    }
}
