using Grains;
using Silo.Middleware;
using Silo.Page.Sessions;

namespace Silo.Page;

/// <summary>
/// What comes from open pages: the circuits' WebSockets, and what prepares them. Other sites are refused, long polling too, and a socket is
/// cut within seconds after its session is over.
/// </summary>
internal static class PageSockets
{
    /// <summary>Between two looks at the session of an open socket.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    public static async Task Answer(HttpContext context, RequestDelegate answer)
    {
        if (Authentication.IsOfAnotherSite(context.Request))
        {
            await new Problem(StatusCodes.Status403Forbidden, "This is for the page of this silo, and not for other sites.").ExecuteAsync(
                context
            );
            return;
        }

        var viewers = context.RequestServices.GetRequiredService<ViewerCount>();
        if (viewers.IsFull && context.Request.Path.Value!.EndsWith("/negotiate", StringComparison.Ordinal))
        {
            await new Problem(StatusCodes.Status503ServiceUnavailable, viewers.Full, RetryAfter: ViewerCount.Retention).ExecuteAsync(
                context
            );
            return;
        }

        var isSocket = context.Request.Headers.Upgrade.ToString().Equals("websocket", StringComparison.OrdinalIgnoreCase);
        if (!isSocket && !HttpMethods.IsPost(context.Request.Method) && context.Request.Query.ContainsKey("id"))
        {
            await new Problem(StatusCodes.Status400BadRequest, "Circuits go over WebSockets.").ExecuteAsync(context);
            return;
        }

        using var over = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        var watch = isSocket ? Watch(context, over.Token) : Task.CompletedTask;
        try
        {
            await answer(context);
        }
        finally
        {
            await over.CancelAsync();
            await watch;
        }
    }

    private static async Task Watch(HttpContext context, CancellationToken cancel)
    {
        var sessions = context.RequestServices.GetRequiredService<BrowserSessions>();
        var guards = context.RequestServices.GetRequiredKeyedService<TimeProvider>(Clocks.Guards);
        var session = PageSession.Of(context.User);
        try
        {
            while (session is not null && await sessions.Find(session, cancel) is not null)
            {
                await Task.Delay(Look, guards, cancel);
            }

            context.Abort();
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // The browser left.
        }
        catch (Keys.KeysUnavailableException)
        {
            context.Abort(); // As at the door: while nobody knows the keys, nobody is let in.
        }
    }
}
