using System.Text.Json;
using Grains.Interfaces.Crawling;
using Silo.Http;
using Silo.Middleware;

namespace Silo.Crawling;

/// <summary>
/// A crawl's progress as server-sent events (WHATWG HTML §9.2): <c>progress</c> at once and then whenever something changed, looked at
/// twice a second;
/// <c>end</c> with the last numbers when the crawl ends, <c>gone</c> when it is deleted, and then the stream closes.
/// </summary>
/// <remarks>
/// An event is the whole state, so nothing is missed that a later one does not say. Its id stands for the numbers in it: who comes back
/// with
/// <c>Last-Event-ID</c> hears nothing twice, and who comes back after the end gets 204, which tells a browser not to come again.
/// </remarks>
internal sealed record CrawlEvents(ICrawlGrain Crawl, LongAnswers Places, TimeProvider Clock, CancellationToken Stopping) : IResult
{
    /// <summary>Between two looks at the crawl.</summary>
    public static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    /// <summary>After so long without an event a comment is sent, so that nobody on the way takes the connection for dead.</summary>
    public static readonly TimeSpan Quiet = TimeSpan.FromSeconds(15);

    /// <summary>When the connection breaks, a browser comes back after this.</summary>
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(2);

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        using var place = Places.Take();
        if (place is null)
        {
            await Places.Full.ExecuteAsync(httpContext);
            return;
        }

        var (response, seen) = (httpContext.Response, httpContext.Request.Headers["Last-Event-ID"].ToString());
        var crawl = await Crawl.Show(httpContext.RequestAborted);
        if (crawl is { Ended: true } && IdOf(crawl) == seen)
        {
            response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }

        response.ContentType = MediaTypes.Events;
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        // A silo that stops ends its streams at once; browsers come back to another.
        using var either = CancellationTokenSource.CreateLinkedTokenSource(httpContext.RequestAborted, Stopping);
        try
        {
            await response.WriteAsync($"retry: {Retry.TotalMilliseconds:0}\n\n", either.Token);
            await Follow(response, crawl, seen, either.Token);
        }
        catch (OperationCanceledException) when (Stopping.IsCancellationRequested)
        {
            // What was sent is whole.
        }
    }

    private async Task Follow(HttpResponse response, CrawlSummary? crawl, string seen, CancellationToken cancel)
    {
        var saidAt = Clock.GetTimestamp();
        while (true)
        {
            if (crawl is null or { State: CrawlState.Deleting })
            {
                await response.WriteAsync("event: gone\ndata: {}\n\n", cancel);
                return;
            }

            var id = IdOf(crawl);
            if (id != seen)
            {
                (seen, saidAt) = (id, Clock.GetTimestamp());
                await response.WriteAsync(
                    $"id: {id}\nevent: {(crawl.Ended ? "end" : "progress")}\ndata: "
                        + $"{JsonSerializer.Serialize(CrawlForm.Of(crawl), CrawlJson.AsItIs.CrawlForm)}\n\n",
                    cancel
                );
            }
            else if (Clock.GetElapsedTime(saidAt) >= Quiet)
            {
                saidAt = Clock.GetTimestamp();
                await response.WriteAsync(": nothing new\n\n", cancel);
            }

            await response.Body.FlushAsync(cancel);
            if (crawl.Ended)
            {
                return;
            }

            await Task.Delay(Look, Clock, cancel);
            crawl = await Crawl.Show(cancel);
        }
    }

    /// <summary>Everything of a crawl that changes, except the time.</summary>
    private static string IdOf(CrawlSummary crawl) =>
        $"{crawl.State}-{crawl.Added}-{crawl.Pages}-{crawl.Failed}-{crawl.Skipped}-{crawl.Hosts}".ToLowerInvariant();
}
