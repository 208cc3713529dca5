using Grains.Interfaces.Keys;
using Silo.Middleware;

namespace Silo.Logs;

/// <summary>Where log records come in.</summary>
public static class LogIntakeRoutes
{
    /// <summary>After the pipeline itself was added, which they hand in to.</summary>
    public static void AddLogDoors(this WebApplicationBuilder builder) => builder.Services.AddLogDoors();

    internal static void AddLogDoors(this IServiceCollection services)
    {
        services.AddSingleton<LogDoor>();
        services.AddSingleton<OtlpHttp>();
        services.AddSingleton<NdjsonHttp>();
    }

    public static void MapLogIntake(this WebApplication app)
    {
        var otlp = app.Services.GetRequiredService<OtlpHttp>();
        app.MapPost("/v1/logs", otlp.Take).For(ApiRole.Writer).WithMetadata(new TakesInBulk(), new AtOtlpDoor(), otlp);
        var lines = app.Services.GetRequiredService<NdjsonHttp>();
        app.MapPost("/api/logs", (Func<HttpContext, Task<IResult>>)lines.Take).For(ApiRole.Writer).WithMetadata(new TakesInBulk(), new TakesQuery("service")).WithTags("logs")
            .WithSummary("Takes log records, one JSON object a line; answers when they are stored.").Accepts<string>("application/x-ndjson")
            .Produces<LogsTaken>();
    }

    /// <summary>The answer to lines, as it is described.</summary>
    internal sealed record LogsTaken(int Accepted, LogsTaken.Line[] Refused)
    {
        internal sealed record Line(int Number, string Reason);
    }
}
