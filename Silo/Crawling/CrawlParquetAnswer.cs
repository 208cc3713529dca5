using Grains.Crawling.Exports;
using Grains.Interfaces.Crawling;
using Silo.Middleware;

namespace Silo.Crawling;

/// <summary>
/// A crawl's records as one Parquet file, written as they are read: a row group is in memory at once. When it fails half-way the connection
/// is cut, so that half a file does not look like a whole one; nor would it, without its end.
/// </summary>
internal sealed record CrawlParquetAnswer(CrawlId Id, ICrawlGrain Crawl, LongAnswers Places, ExportKind Kind) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        using var place = Places.Take();
        if (place is null)
        {
            await Places.Full.ExecuteAsync(httpContext);
            return;
        }

        var (response, cancel) = (httpContext.Response, httpContext.RequestAborted);
        var spec = (await Crawl.Show(cancel))?.Spec ?? new() { Seeds = [] };
        var page = await Crawl.Export(cursor: null, Kind, cancel);
        response.ContentType = PageParquet.MediaType;
        response.Headers.ContentDisposition = $"attachment; filename=\"{Id}.parquet\"";
        await using var output = response.BodyWriter.AsStream(leaveOpen: true);
        await using var file = await PageParquet.Create(output, spec, cancel);
        await file.Add(page.Records, cancel);
        while (page.Cursor is not null)
        {
            page = await Crawl.Export(page.Cursor, Kind, cancel);
            await file.Add(page.Records, cancel);
        }

        await file.Complete(cancel);
    }
}
