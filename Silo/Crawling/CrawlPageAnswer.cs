using Grains.Interfaces.Crawling;

namespace Silo.Crawling;

/// <summary>
/// A kept page's body, as an attachment of no type that a browser would run: it is a stranger's page. Its own type and status are in
/// <c>X-Page-Content-Type</c> and <c>X-Page-Status</c>.
/// </summary>
internal sealed record CrawlPageAnswer(ICrawlGrain Crawl, string Url, PageView View, PagePart First) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var (response, cancel) = (httpContext.Response, httpContext.RequestAborted);
        response.ContentType = First.IsText ? "text/plain; charset=utf-8" : "application/octet-stream";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.ContentDisposition = "attachment";
        response.Headers["X-Page-Status"] = $"{First.Page!.Status}";
        response.Headers["X-Page-Content-Type"] = First.Page.ContentType;
        response.ContentLength = First.BodyBytes;
        var part = First;
        long sent = 0;
        while (true)
        {
            await response.Body.WriteAsync(part.Body, cancel);
            sent += part.Body.Length;
            if (sent >= First.BodyBytes)
            {
                return;
            }

            part = await Crawl.Page(Url, View, sent, cancel);
            if (part.Body.Length == 0)
            {
                throw new InvalidDataException($"{Url} went away while it was read: {part.Why}");
            }
        }
    }
}
