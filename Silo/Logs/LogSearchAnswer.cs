using System.Text.Json;
using Grains.Interfaces.Logs;
using Silo.Http;

namespace Silo.Logs;

/// <summary>
/// Records as they are found: one object a line, or an object with the list and how it ended. Lines end with one more,
/// <c>{"stopped":…,"detail":…}</c>, when the search was ended before
/// everything was looked at, by time or memory and not by the limit that was asked for; and when some segments cannot be read, with their
/// number and names. When it fails half-way the connection is cut.
/// </summary>
internal sealed record LogSearchAnswer(ILogQueryGrain Logs, SearchLogs Ask, bool IsJson) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var (response, cancel) = (httpContext.Response, httpContext.RequestAborted);
        await using var pages = Logs.Search(Ask, cancel).WithBatchSize(1).GetAsyncEnumerator(cancel);
        // Before anything is written: what is refused here is still a problem and not a broken answer.
        var more = await pages.MoveNextAsync();
        if (more && pages.Current.End is { } refused && LogQueryRoutes.Refusal(refused, "query") is { } refusal)
        {
            await refusal.ExecuteAsync(httpContext);
            return;
        }

        response.ContentType = IsJson ? "application/json; charset=utf-8" : MediaTypes.JsonLines;
        response.Headers.CacheControl = "no-store";
        await using var json = new Utf8JsonWriter(response.BodyWriter, LogForm.Json);
        if (IsJson)
        {
            json.WriteStartObject();
            json.WriteStartArray("records");
        }

        for (; more; more = await pages.MoveNextAsync())
        {
            var page = pages.Current;
            for (var record = 0; record < page.Records.Count; record++)
            {
                LogForm.Write(json, page.Records[record]);
                EndLine(response, json);
            }

            if (page.End is { } end)
            {
                Write(response, json, end);
            }

            await json.FlushAsync(cancel);
            await response.BodyWriter.FlushAsync(cancel);
        }
    }

    private void Write(HttpResponse response, Utf8JsonWriter json, QueryEnd end)
    {
        if (IsJson)
        {
            json.WriteEndArray();
            json.WritePropertyName("end");
            JsonSerializer.Serialize(json, QueryEndForm.Of(end), LogsJson.AsItIs.QueryEndForm);
            json.WriteEndObject();
        }
        else if (end.Outcome is not (QueryOutcome.Whole or QueryOutcome.Limit) || end.Unreadable > 0)
        {
            var form = QueryEndForm.Of(end);
            json.WriteStartObject();
            json.WriteString("stopped", form.Outcome);
            json.WriteString("detail", form.Detail);
            if (form.Unreadable > 0)
            {
                json.WriteNumber("unreadable", form.Unreadable);
                json.WritePropertyName("unreadableSegments");
                JsonSerializer.Serialize(json, form.UnreadableSegments, LogsJson.AsItIs.ImmutableArrayString);
            }

            json.WriteEndObject();
            EndLine(response, json);
        }
    }

    private void EndLine(HttpResponse response, Utf8JsonWriter json)
    {
        if (!IsJson)
        {
            json.Flush();
            json.Reset();
            var line = response.BodyWriter.GetSpan(1);
            line[0] = (byte)'\n';
            response.BodyWriter.Advance(1);
        }
    }
}

/// <summary>The rows of a statement, which are JSON already.</summary>
internal sealed record LogSqlAnswer(SqlReply Reply) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.ContentType = "application/json; charset=utf-8";
        response.Headers.CacheControl = "no-store";
        await using var json = new Utf8JsonWriter(response.BodyWriter, LogForm.Json);
        json.WriteStartObject();
        json.WriteStartArray("columns");
        foreach (var (name, type) in Reply.Columns.Zip(Reply.Types))
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteString("type", type);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("rows");
        foreach (var row in Reply.Rows)
        {
            json.WriteRawValue(row, skipInputValidation: true);
        }

        json.WriteEndArray();
        json.WritePropertyName("end");
        JsonSerializer.Serialize(json, QueryEndForm.Of(Reply.End), LogsJson.AsItIs.QueryEndForm);
        json.WriteEndObject();
        await json.FlushAsync(httpContext.RequestAborted);
    }
}
