using Microsoft.AspNetCore.Connections;

namespace Silo.Middleware;

/// <summary>
/// Says what happened, and turns what was thrown, or left without a body, into a <see cref="Problem"/>. What is inside stays inside:
/// whoever asked
/// gets the trace's id, and the log has the rest under it. The query and the body are not logged.
/// </summary>
public sealed partial class Logging(RequestDelegate next, Availability availability, TimeProvider clock, ILogger<Logging> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var since = clock.GetTimestamp();
        int? status = null;
        try
        {
            await next(context);
            if (context.Response is { HasStarted: false, StatusCode: StatusCodes.Status405MethodNotAllowed })
            {
                Head.Allow(context.Response);
            }

            if (!context.Response.HasStarted && context.Response is { StatusCode: >= 400, ContentType: null, ContentLength: null })
            {
                await OfStatus(context).ExecuteAsync(context);
            }
        }
        catch (Exception) when (Head.IsAnswered(context))
        {
            // Its status and headers are all that was asked for.
        }
        catch (Exception failure) when (HasHungUp(context, failure))
        {
            // Nobody is to be told, and an answer that has begun keeps the status that it began with.
            status = StatusCodes.Status499ClientClosedRequest;
            if (!context.Response.HasStarted)
            {
                context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            }

            // Or Kestrel would try to read the rest of the body, and report as an error that it cannot.
            context.Abort();
        }
        catch (Exception failure)
        {
            await Answer(context, failure);
        }

        Log(context, status ?? context.Response.StatusCode, clock.GetElapsedTime(since));
    }

    /// <summary>
    /// Whoever asked is gone: that is no failure of the silo. Reading may say so before the request is known to be aborted.
    /// </summary>
    private static bool HasHungUp(HttpContext context, Exception failure) =>
        context.RequestAborted.IsCancellationRequested
        || failure
            is ConnectionResetException
                or ConnectionAbortedException
                or IOException { InnerException: ConnectionResetException or ConnectionAbortedException };

    private async Task Answer(HttpContext context, Exception failure)
    {
        var problem = failure switch
        {
            BadHttpRequestException bad => new Problem(bad.StatusCode, bad.Message),
            _ when availability.Explain(failure) is { } sentence => new Problem(
                StatusCodes.Status503ServiceUnavailable,
                sentence,
                RetryAfter: Availability.RetryAfter
            ),
            _ => new Problem(
                StatusCodes.Status500InternalServerError,
                "It is not your request that is wrong. The log has more under this traceId."
            ),
        };
        if (problem.Status >= 500 && logger.IsEnabled(LogLevel.Error))
        {
            LogFailed(context.Request.Method, PathOf(context), Tracing.IdOf(context), failure);
        }

        if (context.Response.HasStarted)
        {
            // Half an answer must not look like a whole one: the connection is cut.
            context.Abort();
            return;
        }

        var trace = context.Response.Headers[Tracing.Header];
        context.Response.Clear();
        context.Response.Headers[Tracing.Header] = trace;
        try
        {
            await problem.ExecuteAsync(context);
        }
        catch (Exception gone) when (HasHungUp(context, gone))
        {
            // It went away while it was told: what failed is in the log.
        }
    }

    private static string PathOf(HttpContext context) =>
        context.GetEndpoint() is RouteEndpoint route && route.Metadata.GetMetadata<HasSecretPath>() is not null
            ? route.RoutePattern.RawText!
            : context.Request.Path;

    private static Problem OfStatus(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        return new(
            response.StatusCode,
            response.StatusCode switch
            {
                StatusCodes.Status404NotFound => $"{request.Method} {request.Path} is not known. / says what is.",
                StatusCodes.Status405MethodNotAllowed =>
                    $"{request.Path} does not take {request.Method}; it takes {string.Join(", ", response.Headers.Allow.ToArray())}.",
                StatusCodes.Status415UnsupportedMediaType =>
                    $"{request.Path} takes application/json; this is {request.ContentType ?? "of no kind that is named"}.",
                _ => $"{request.Method} {request.Path} was not answered.",
            }
        );
    }

    private void Log(HttpContext context, int status, TimeSpan took)
    {
        string method = context.Request.Method,
            path = PathOf(context),
            caller = Caller.Of(context).Name,
            trace = Tracing.IdOf(context);
        var ms = took.TotalMilliseconds;
        var changes =
            !HttpMethods.IsGet(method)
            && status < 400
            && context.GetEndpoint() is RouteEndpoint route
            && route.Metadata.GetMetadata<TakesInBulk>() is null
            && route.Metadata.GetMetadata<TakesSession>() is null; // What is done inside a circuit has a line of its own.
        LogAnswered(changes ? LogLevel.Information : LogLevel.Debug, method, path, caller, status, ms, trace);
    }

    [LoggerMessage(Message = "{Method} {Path} by {Caller}: {Status} after {Ms:0} ms, trace {TraceId}")]
    private partial void LogAnswered(LogLevel level, string method, string path, string caller, int status, double ms, string traceId);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed, trace {TraceId}")]
    private partial void LogFailed(string method, string path, string traceId, Exception exception);
}
