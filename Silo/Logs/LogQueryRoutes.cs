using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Grains.Interfaces.Keys;
using Grains.Interfaces.Logs;
using Silo.Http;
using Silo.Middleware;

namespace Silo.Logs;

/// <summary>Questions about stored log records over HTTP.</summary>
public static class LogQueryRoutes
{
    private const string Json = "application/json";

    public static void MapLogQueries(this WebApplication app)
    {
        var logs = app.MapGroup("/api/logs").WithTags("logs");
        logs.MapGet("", Search)
            .WithName("searchLogs")
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery("query", "since", "until", "limit", "order"))
            .WithSummary(
                $"Records that match, the newest first: since and until are {LogTimes.Forms}; order is newest or oldest; at "
                    + $"most {SearchLogs.MaxLimit} records, {SearchLogs.DefaultLimit} by default. One object a line, or a list "
                    + $"for Accept: {Json}."
            )
            .DescribesNumber("limit", 1, SearchLogs.MaxLimit)
            .DescribesChoice("order", "newest", "newest", "oldest")
            .Produces<LogSearchForm>()
            .Streams(MediaTypes.JsonLines);
        logs.MapGet("tail", Tail)
            .WithName("tailLogs")
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery("query"))
            .WithSummary("Server-sent events: a record an event as it is stored, and missed where this viewer was too slow.")
            .Streams(MediaTypes.Events);
        logs.MapGet("stats", Stats)
            .WithName("countLogs")
            .DescribesNumber("parts", 1, AskStats.MaxBuckets)
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery("query", "since", "until", "parts"))
            .WithSummary("How many records there were, by time, service and severity.")
            .Produces<StatsForm>();
        logs.MapPost("sql", Sql)
            .WithName("runLogSql")
            .For(ApiRole.Reader)
            .Takes(LogsJson.Default.AskLogSql, AskLogSql.MaxBytes)
            .WithSummary(
                "One SELECT over the view \"logs\", within limits of time and memory. When the time or the memory was over, or "
                    + "the statement crashed the database, \"end\" says so and there are no rows."
            )
            .Produces<LogSqlForm>();
        logs.MapGet("ledger", Ledger)
            .WithName("showLogLedger")
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery("since", "until"))
            .WithSummary("What was received and what became of it, by service and hour of arrival.")
            .Produces<LogLedger>();
    }

    private static IResult Search(
        HttpContext context,
        IGrainFactory grains,
        TimeProvider clock,
        string query = "",
        string? since = null,
        string? until = null,
        string? limit = null,
        string order = "newest"
    )
    {
        var faults = new List<Fault>();
        var now = clock.GetUtcNow();
        var ask = new SearchLogs(
            query,
            Time(since, "since", now, faults),
            Time(until, "until", now, faults),
            Number(limit, "limit", SearchLogs.DefaultLimit, SearchLogs.MaxLimit, faults),
            order == "oldest"
        );
        if (order is not ("newest" or "oldest"))
        {
            faults.Add(new($"\"order\" is newest or oldest; this is \"{order}\".", Parameter: "order"));
        }

        return faults is []
            ? new LogSearchAnswer(grains.GetGrain<ILogQueryGrain>(Guid.NewGuid()), ask, WantsJson(context.Request))
            : Problem.Invalid(faults);
    }

    private static LogTailEvents Tail(IGrainFactory grains, LongAnswers places, IHostApplicationLifetime application, string query = "") =>
        new(grains.GetGrain<ILogTailGrain>(Guid.NewGuid()), query, places, application.ApplicationStopping);

    private static async Task<IResult> Stats(
        HttpContext context,
        IGrainFactory grains,
        TimeProvider clock,
        string query = "",
        string since = "1h",
        string? until = null,
        string? parts = null
    )
    {
        var faults = new List<Fault>();
        var now = clock.GetUtcNow();
        var ask = new AskStats(
            query,
            Time(since, "since", now, faults) ?? now,
            Time(until, "until", now, faults) ?? now,
            Number(parts, "parts", 60, AskStats.MaxBuckets, faults)
        );
        if (faults is not [])
        {
            return Problem.Invalid(faults);
        }

        var reply = await grains.GetGrain<ILogQueryGrain>(Guid.NewGuid()).Stats(ask, context.RequestAborted);
        return Refusal(reply.End, "query") is { } refusal ? refusal : Results.Json(StatsForm.Of(reply), LogsJson.AsItIs.StatsForm);
    }

    private static async Task<IResult> Sql(HttpContext context, IGrainFactory grains, TimeProvider clock)
    {
        var body = ITakesBody.BodyOf<AskLogSql>(context);
        var faults = new List<Fault>();
        var now = clock.GetUtcNow();
        var ask = new AskSql(
            body.Sql,
            Time(body.Since, "since", now, faults),
            Time(body.Until, "until", now, faults),
            body.Limit ?? AskSql.DefaultRows
        );
        if (faults is not [])
        {
            return Problem.Invalid(faults);
        }

        var reply = await grains.GetGrain<ILogQueryGrain>(Guid.NewGuid()).Sql(ask, context.RequestAborted);
        return Refusal(reply.End, null) is { } refusal ? refusal : new LogSqlAnswer(reply);
    }

    private static async Task<IResult> Ledger(
        HttpContext context,
        IGrainFactory grains,
        TimeProvider clock,
        string since = "24h",
        string? until = null
    )
    {
        var faults = new List<Fault>();
        var now = clock.GetUtcNow();
        var (from, to) = (Time(since, "since", now, faults) ?? now, Time(until, "until", now, faults) ?? now);
        if (faults is not [])
        {
            return Problem.Invalid(faults);
        }

        var settings = await grains.GetGrain<ILogQueryGrain>(Guid.NewGuid()).Settings(context.RequestAborted);
        var shards = Enumerable.Range(0, settings.Shards).Select(shard => grains.GetGrain<ILogBatchGrain>(shard)).ToArray();
        var counts = await Task.WhenAll(shards.Select(shard => shard.Counts(from, to, context.RequestAborted)));
        var states = await Task.WhenAll(shards.Select(shard => shard.Show(context.RequestAborted)));
        return Results.Json(LogLedger.Of(counts.SelectMany(count => count), states), LogsJson.AsItIs.LogLedger);
    }

    /// <summary>What is answered when a question was not taken; null when it was.</summary>
    internal static Problem? Refusal(QueryEnd end, string? parameter) =>
        end.Outcome switch
        {
            QueryOutcome.Wrong => Problem.Invalid(new Fault(end.Sentence ?? "The question is wrong.", Parameter: parameter)),
            QueryOutcome.Busy => new(
                StatusCodes.Status503ServiceUnavailable,
                end.Sentence ?? "Ask again.",
                RetryAfter: TimeSpan.FromSeconds(1)
            ),
            _ => null,
        };

    private static DateTimeOffset? Time(string? text, string name, DateTimeOffset now, List<Fault> faults)
    {
        if (text is null)
        {
            return null;
        }

        if (LogTimes.TryParse(text, now, out var moment))
        {
            return moment;
        }

        faults.Add(new($"\"{name}\" is {LogTimes.Forms}; this is \"{text}\".", Parameter: name));
        return null;
    }

    private static int Number(string? text, string name, int otherwise, int most, List<Fault> faults)
    {
        if (text is null)
        {
            return otherwise;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= most)
        {
            return number;
        }

        faults.Add(new($"\"{name}\" is a whole number from 1 to {most}; this is \"{text}\".", Parameter: name));
        return otherwise;
    }

    /// <summary>
    /// JSON lines unless a list is asked for by name: RFC 9110 §12.5.1 without the weights, which nobody who asks for either sends.
    /// </summary>
    private static bool WantsJson(HttpRequest request) =>
        request.Headers.Accept.Any(accept =>
            accept?.Split(',').Any(kind => kind.Trim().StartsWith(Json, StringComparison.OrdinalIgnoreCase)) == true
        );
}

/// <summary>Records as they were found, in one value.</summary>
/// <param name="Records">Each as its sender's members are.</param>
public sealed record LogSearchForm(ImmutableArray<JsonElement> Records, QueryEndForm End);

/// <summary>A statement as it is asked for over HTTP.</summary>
public sealed record AskLogSql
{
    public const int MaxBytes = 128 * 1024;

    public required string Sql { get; init; }

    public string? Since { get; init; }

    public string? Until { get; init; }

    public int? Limit { get; init; }
}

/// <summary>An answer to a statement: a row is a list with a value per column.</summary>
public sealed record LogSqlForm(ImmutableArray<LogSqlColumn> Columns, ImmutableArray<ImmutableArray<object?>> Rows, QueryEndForm End);

/// <param name="Type">DuckDB's.</param>
public sealed record LogSqlColumn(string Name, string Type);

/// <param name="Unreadable">Segments whose records are counted as stored and cannot be read, of any hour.</param>
/// <param name="UnreadableSegments">The names of some of them.</param>
public sealed record LogLedger(ImmutableArray<LogCountForm> Counts, int Unreadable, ImmutableArray<string> UnreadableSegments)
{
    internal static LogLedger Of(IEnumerable<LogCount> counts, IReadOnlyCollection<LogShardState> shards) =>
        new(LogCountForm.Of(counts), shards.Sum(shard => shard.Unreadable), [.. shards.SelectMany(shard => shard.UnreadableNames())]);
}
