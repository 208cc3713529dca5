namespace Silo.Middleware;

/// <summary>Counts each request and measures it to its last byte.</summary>
public sealed class Metrics(RequestDelegate next, RequestMetrics metrics, TimeProvider clock)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var since = clock.GetTimestamp();
        metrics.OnBegan();
        try
        {
            await next(context);
        }
        finally
        {
            var route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText;
            metrics.OnEnded(route, context.Response.StatusCode, Caller.Of(context).Role, clock.GetElapsedTime(since));
        }
    }
}
