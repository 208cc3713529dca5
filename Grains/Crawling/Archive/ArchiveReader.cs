using System.Globalization;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling.Archive;

/// <summary>
/// Reads a crawl's kept pages as one WARC file, part by part: a warcinfo record, then the records of each page that a row names, host by
/// host
/// in order of the rows' keys. Each page comes once, whatever goes on meanwhile. A cursor is
/// <c>{row of the host}/{key of a URL}/{offset}</c>: offset 0 goes on after that URL, another in the middle of its records.
/// </summary>
internal sealed class ArchiveReader(ITableStore rows, IBlobStore blobs, CrawlId crawl, TimeProvider clock)
{
    /// <summary>Rows that are read at once.</summary>
    private const int RowsAtOnce = 100;

    /// <summary>Rows that are looked at for one part, so that a part without a kept page ends too.</summary>
    private const int MaxRows = 2_000;

    public async Task<ArchivePart> Read(string? cursor, CancellationToken cancel)
    {
        var part = new MemoryStream();
        if (cursor is null)
        {
            var at = clock.GetUtcNow();
            part.Write(PageRecords.Info(crawl.Value, $"{crawl}.warc.gz", at).Span);
        }

        var (host, url, offset) = Parse(cursor);
        var pages = 0;
        var missing = 0;
        var looked = 0;
        while (await Host(host, cancel) is { } found)
        {
            if (found != host)
            {
                (host, url, offset) = (found, "", 0);
            }

            var page = await Rows(host, url, offset, cancel);
            foreach (var row in page)
            {
                looked++;
                if (CrawlJson.Read<UrlRow>(row.Payload) is { State: UrlState.Fetched, Page.Kept: { } kept })
                {
                    var room = ArchivePart.MaxBytes - (int)part.Length;
                    var want = (int)Math.Min(room, kept.Length - offset);
                    if (want > 0 && await blobs.Get(kept.Blob, kept.Offset + offset, want, cancel) is { } bytes && bytes.Length == want)
                    {
                        part.Write(bytes.Span);
                        offset += want;
                        if (offset < kept.Length)
                        {
                            return Part(Cursor(host, row.Key, offset));
                        }

                        pages++;
                    }
                    else if (want == 0)
                    {
                        return Part(Cursor(host, url, 0));
                    }
                    else if (offset > 0)
                    {
                        throw new InvalidDataException($"{kept.Blob} went away while a page was read from it.");
                    }
                    else
                    {
                        missing++;
                    }
                }

                (url, offset) = (row.Key, 0);
            }

            if (page.Count < RowsAtOnce)
            {
                (host, url, offset) = (host + " ", "", 0);
            }

            if (looked >= MaxRows)
            {
                return Part(Cursor(host, url, 0));
            }
        }

        return Part(null);

        ArchivePart Part(string? next) => new(part.ToArray(), pages, missing, next);
    }

    /// <summary>The first listed host's row from <paramref name="from"/> on; null when there is none.</summary>
    private async Task<string?> Host(string from, CancellationToken cancel)
    {
        var range = KeyRange.Prefix(CrawlTable.HostPrefix);
        var found = await rows.Scan(
            CrawlTable.Name,
            CrawlTable.Crawl(crawl),
            from.Length == 0 ? range : range with { From = from },
            take: 1,
            cancel
        );
        return found.Count == 0 ? null : found[0].Key;
    }

    private async Task<IReadOnlyList<TableRow>> Rows(string host, string url, long offset, CancellationToken cancel)
    {
        var range = KeyRange.Prefix(CrawlTable.UrlPrefix);
        return await rows.Scan(
            CrawlTable.Name,
            CrawlTable.Urls(crawl, host[CrawlTable.HostPrefix.Length..]),
            url.Length == 0 ? range
                : offset > 0 ? range with { From = url }
                : range.After(url),
            RowsAtOnce,
            cancel
        );
    }

    private static string Cursor(string host, string url, long offset) =>
        string.Create(CultureInfo.InvariantCulture, $"{host}/{url}/{offset}");

    private static (string Host, string Url, long Offset) Parse(string? cursor) =>
        cursor?.Split('/') is [var host, var url, var offset] ? (host, url, long.Parse(offset, CultureInfo.InvariantCulture)) : ("", "", 0);
}
