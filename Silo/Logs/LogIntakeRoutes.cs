using Grains.Interfaces.Keys;
using Silo.Http;
using Silo.Middleware;
using Silo.Settings;

namespace Silo.Logs;

/// <summary>Where log records come in.</summary>
public static class LogIntakeRoutes
{
    /// <summary>After the pipeline itself was added, which they hand in to.</summary>
    public static void AddLogEndpoints(this WebApplicationBuilder builder)
    {
        builder.Services.AddSettings<LogEndpointsOptions>(builder.Configuration);
        builder.Services.AddRestJson(LogsJson.Default);
        builder.Services.AddLogEndpoints();
        builder.Services.AddHostedService<SyslogListener>();
    }

    internal static void AddLogEndpoints(this IServiceCollection services)
    {
        services.AddSingleton<LogIngestEndpoint>();
        services.AddSingleton<OtlpHttp>();
        services.AddSingleton<OtlpGrpc>();
        services.AddSingleton<NdjsonHttp>();
        services.AddSingleton<SyslogMetrics>();
    }

    public static void MapLogIntake(this WebApplication app)
    {
        var otlp = app.Services.GetRequiredService<OtlpHttp>();
        app.MapPost("/v1/logs", otlp.Take).For(ApiRole.Writer).WithMetadata(new TakesInBulk(), new OnOtlpEndpoint(), otlp);
        var grpc = app.Services.GetRequiredService<OtlpGrpc>();
        app.MapPost(OtlpGrpc.Path, grpc.Take).For(ApiRole.Writer).WithMetadata(new TakesInBulk(), OtlpGrpc.Method, grpc);
        var lines = app.Services.GetRequiredService<NdjsonHttp>();
        app.MapPost("/api/logs", (Func<HttpContext, Task<IResult>>)lines.Take)
            .For(ApiRole.Writer)
            .WithMetadata(new TakesInBulk(), new TakesQuery("service"))
            .WithName("sendLogs")
            .Refuses(StatusCodes.Status408RequestTimeout, StatusCodes.Status429TooManyRequests)
            .Accepts<Stream>(NdjsonHttp.Types[0], NdjsonHttp.Types[1..])
            .DescribesText("service", "The service of records that name none.")
            .DescribesHeader(Idempotency.Header, "Names the request: sent again under the same key, its records are stored once.")
            .WithTags("logs")
            .WithSummary("Takes log records, one JSON object a line; answers when they are stored.")
            .WithDescription(
                "The body is application/x-ndjson; service names the records that name none. A bad line is reported by its "
                    + "number, the good ones are taken."
            )
            .Produces<LogsTaken>();
    }

    /// <summary>The answer to lines, as it is described.</summary>
    internal sealed record LogsTaken(int Accepted, LogsTaken.BadLine[] Refused, int? RefusedInAll = null)
    {
        internal sealed record BadLine(int Line, string Reason);
    }
}
