using System.Text;
using Grains.Interfaces.Crawling;
using Silo.Http;
using Silo.Middleware;

namespace Silo.Crawling;

/// <summary>
/// A crawl's records, written as they are read: a page of the export (500 rows) is in memory at once, and the next is asked for when the
/// caller has taken
/// this one. When it fails half-way the connection is cut, so that half an export does not look like a whole one.
/// </summary>
internal sealed record CrawlExportAnswer(CrawlId Id, ICrawlGrain Crawl, LongAnswers Places, bool IsCsv, ExportKind Kind, PageView? With)
    : IResult
{
    public const string Csv = "text/csv";

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
        var form = IsCsv ? PageForm.Csv(spec) : PageForm.JsonLines(spec);
        // Before anything is written: what fails here is still a problem and not a broken answer.
        var page = await Crawl.Export(cursor: null, Kind, cancel);
        response.ContentType = IsCsv ? $"{Csv}; charset=utf-8; header=present" : MediaTypes.JsonLines;
        response.Headers.ContentDisposition = $"attachment; filename=\"{Id}.{(IsCsv ? "csv" : "jsonl")}\"";
        if (form.Header is { } header)
        {
            Write(response, header, form.LineEnd);
        }

        while (true)
        {
            foreach (var record in page.Records)
            {
                var content = With is { } view && record.Kept is not null ? await Crawl.WholePage(record.Url, view, cancel) : null;
                Write(response, form.Line(record, content), form.LineEnd);
            }

            await response.BodyWriter.FlushAsync(cancel);
            if (page.Cursor is null)
            {
                return;
            }

            page = await Crawl.Export(page.Cursor, Kind, cancel);
        }
    }

    private static void Write(HttpResponse response, string line, string end)
    {
        Encoding.UTF8.GetBytes(line, response.BodyWriter);
        Encoding.UTF8.GetBytes(end, response.BodyWriter);
    }
}
