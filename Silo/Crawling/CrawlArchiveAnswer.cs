using Grains.Interfaces.Crawling;
using Silo.Middleware;

namespace Silo.Crawling;

/// <summary>
/// A crawl's kept pages as one WARC file, gzip per record, written as it is read: 1 MiB is in memory at once. When it fails half-way the
/// connection is cut, so that half a file does not look like a whole one.
/// </summary>
internal sealed record CrawlArchiveAnswer(CrawlId Id, ICrawlGrain Crawl, LongAnswers Places) : IResult
{
    public const string Warc = "application/warc";

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        using var place = Places.Take();
        if (place is null)
        {
            await Places.Full.ExecuteAsync(httpContext);
            return;
        }

        var (response, cancel) = (httpContext.Response, httpContext.RequestAborted);
        var part = await Crawl.Archive(cursor: null, cancel);
        response.ContentType = Warc;
        response.Headers.ContentDisposition = $"attachment; filename=\"{Id}.warc.gz\"";
        while (true)
        {
            await response.Body.WriteAsync(part.Bytes, cancel);
            if (part.Cursor is null)
            {
                return;
            }

            part = await Crawl.Archive(part.Cursor, cancel);
        }
    }
}
