using System.Diagnostics;

namespace Silo.Middleware;

/// <summary>
/// The request's activity, begun from the caller's <c>traceparent</c>, goes by the name of the route; its trace is named in the answer, so
/// that
/// whoever reports a failure can say which one.
/// </summary>
public sealed class Tracing(RequestDelegate next)
{
    public const string Header = "Trace-Id";

    public static string IdOf(HttpContext context) => Activity.Current?.TraceId.ToHexString() ?? context.TraceIdentifier;

    public async Task InvokeAsync(HttpContext context)
    {
        // The server begins one only when somebody listens; a failure is to have a name even when nobody does.
        using var own = Activity.Current is null ? Begin(context.Request) : null;
        context.Response.Headers[Header] = IdOf(context);
        if (Activity.Current is { } activity && context.GetEndpoint() is RouteEndpoint route)
        {
            activity.DisplayName = $"{context.Request.Method} {route.RoutePattern.RawText}";
        }

        await next(context);
    }

    private static Activity Begin(HttpRequest request)
    {
        var activity = new Activity("request");
        if (request.Headers.TraceParent is [{ } parent] && ActivityContext.TryParse(parent, request.Headers.TraceState, out _))
        {
            activity.SetParentId(parent);
            activity.TraceStateString = request.Headers.TraceState;
        }

        return activity.Start();
    }
}
