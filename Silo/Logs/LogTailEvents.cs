using System.Buffers;
using System.Text;
using System.Text.Json;
using Grains.Interfaces.Logs;
using Silo.Http;
using Silo.Middleware;

namespace Silo.Logs;

/// <summary>
/// Records as they are stored, as server-sent events (WHATWG HTML §9.2): <c>record</c> with one record, <c>missed</c> with their number
/// where this viewer was too slow, or where segments cannot be read, which are named. It goes on until
/// the caller leaves or the silo stops; who comes back sees what is stored from then on.
/// </summary>
internal sealed record LogTailEvents(ILogTailGrain Tail, string Query, LongAnswers Places, CancellationToken Stopping) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        using var place = Places.Take();
        if (place is null)
        {
            await Places.Full.ExecuteAsync(httpContext);
            return;
        }

        var response = httpContext.Response;
        // A silo that stops ends its streams at once; browsers come back to another.
        using var either = CancellationTokenSource.CreateLinkedTokenSource(httpContext.RequestAborted, Stopping);
        try
        {
            await using var pages = Tail.Watch(Query, either.Token).WithBatchSize(1).GetAsyncEnumerator(either.Token);
            var more = await pages.MoveNextAsync();
            if (more && pages.Current.Wrong is { } wrong)
            {
                await Problem.Invalid(new Fault(wrong, Parameter: "query")).ExecuteAsync(httpContext);
                return;
            }

            response.ContentType = MediaTypes.Events;
            response.Headers.CacheControl = "no-store";
            response.Headers["X-Accel-Buffering"] = "no";
            Write(response, "retry: 2000\n\n");
            await using var json = new Utf8JsonWriter(response.BodyWriter, LogForm.Json);
            for (; more; more = await pages.MoveNextAsync())
            {
                Write(response, json, pages.Current);
                await response.BodyWriter.FlushAsync(either.Token);
            }
        }
        catch (OperationCanceledException) when (Stopping.IsCancellationRequested || httpContext.RequestAborted.IsCancellationRequested)
        {
            // What was sent is whole.
        }
    }

    private static void Write(HttpResponse response, Utf8JsonWriter json, TailPage page)
    {
        for (var record = 0; record < page.Records.Count; record++)
        {
            Write(response, "event: record\ndata: ");
            LogForm.Write(json, page.Records[record]);
            json.Flush();
            json.Reset();
            Write(response, "\n\n");
        }

        // Where a page was full, what found no room came after it.
        if (page.Missed > 0)
        {
            Write(response, "event: missed\ndata: ");
            json.WriteStartObject();
            json.WriteNumber("records", page.Missed);
            if (page.UnreadableSegments is { IsDefaultOrEmpty: false } unreadable)
            {
                json.WritePropertyName("unreadableSegments");
                JsonSerializer.Serialize(json, unreadable, LogsJson.AsItIs.ImmutableArrayString);
            }

            json.WriteEndObject();
            json.Flush();
            json.Reset();
            Write(response, "\n\n");
        }
        else if (page.Records.Count == 0)
        {
            Write(response, ": nothing new\n\n");
        }
    }

    private static void Write(HttpResponse response, string text) => response.BodyWriter.Write(Encoding.UTF8.GetBytes(text));
}
