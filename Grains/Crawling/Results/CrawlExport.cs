using System.Collections.Immutable;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling.Results;

/// <summary>
/// Reads a crawl's URLs out of its rows, host by host, in order of their keys: each at most once, whatever goes on meanwhile.
/// A cursor is <c>{row of the host}/{key of the last URL}</c>.
/// </summary>
internal sealed class CrawlExport(ITableStore store, CrawlId crawl)
{
    /// <summary>Rows looked at for one answer.</summary>
    private const int PageSize = 500;

    /// <summary>Bytes of what was read out of pages, after which an answer ends early.</summary>
    private const int MaxExtractBytes = 1024 * 1024;

    public async Task<ExportPage> Read(string? cursor, ExportKind kind, CancellationToken cancel)
    {
        var (hostKey, lastUrl) = cursor?.Split('/') is [var host, var last] ? (host, last) : ("", "");
        var hosts = KeyRange.Prefix(CrawlTable.HostPrefix);
        var found = await store.Scan(
            CrawlTable.Name,
            CrawlTable.Crawl(crawl),
            hostKey.Length == 0 ? hosts : hosts with { From = hostKey },
            take: 1,
            cancel
        );
        if (found is not [var listed])
        {
            return new([], null);
        }

        var urls = KeyRange.Prefix(CrawlTable.UrlPrefix);
        var partition = CrawlTable.Urls(crawl, listed.Key[CrawlTable.HostPrefix.Length..]);
        var rows = await store.Scan(
            CrawlTable.Name,
            partition,
            listed.Key == hostKey && lastUrl.Length > 0 ? urls.After(lastUrl) : urls,
            PageSize,
            cancel
        );
        var head =
            kind == ExportKind.All && await store.Get(CrawlTable.Name, partition, PartitionWriter.HeadKey, cancel) is { } row
                ? CrawlJson.Read<HostHead>(row.Payload)
                : null;
        var records = ImmutableArray.CreateBuilder<PageRecord>(rows.Count);
        var reasons = ImmutableArray.CreateBuilder<string?>(rows.Count);
        var extracts = new ExtractRows(store, partition);
        var taken = 0;
        while (taken < rows.Count && extracts.Bytes < MaxExtractBytes)
        {
            var read = rows[taken++];
            var url = CrawlJson.Read<UrlRow>(read.Payload);
            if (Record(url, kind, head?.Ended) is { } record)
            {
                records.Add(url.Extracted is true ? record with { Extract = await extracts.Find(read.Key, cancel) } : record);
                reasons.Add(Reason(url, head?.Ended));
            }
        }

        var next =
            taken < rows.Count || rows.Count == PageSize
                ? $"{listed.Key}/{rows[taken - 1].Key}"
                : await NextHost(listed.Key, hosts, cancel);
        return new(records.ToImmutable(), next) { Reasons = reasons.ToImmutable() };
    }

    private async Task<string?> NextHost(string hostKey, KeyRange hosts, CancellationToken cancel)
    {
        var next = await store.Scan(CrawlTable.Name, CrawlTable.Crawl(crawl), hosts.After(hostKey), take: 1, cancel);
        return next.Count == 0 ? null : $"{next[0].Key}/";
    }

    private static PageRecord? Record(UrlRow row, ExportKind kind, string? ended) =>
        row.State switch
        {
            UrlState.Fetched => row.Page is { Walked: true } && kind != ExportKind.All ? null : row.Page,
            UrlState.Failed => row.Page ?? Without(row, $"Given up: {row.Reason}."),
            UrlState.Skipped when kind == ExportKind.All => row.Page ?? Without(row, $"Not fetched: {row.Reason}."),
            UrlState.Queued when kind == ExportKind.All && ended is not null => row.Page ?? Without(row, $"Not fetched: {ended}."),
            _ => null,
        };

    private static string? Reason(UrlRow row, string? ended) =>
        row.State switch
        {
            UrlState.Failed or UrlState.Skipped => row.Reason,
            UrlState.Queued => ended,
            _ => null,
        };

    private static PageRecord Without(UrlRow row, string error) =>
        new(
            row.Url,
            Status: null,
            row.Depth,
            row.Parent,
            ContentType: null,
            Title: null,
            Bytes: 0,
            Digest: null,
            Links: 0,
            FetchedAt: default,
            ElapsedMs: 0,
            row.Attempts,
            Location: null,
            Truncated: false,
            error
        );

    /// <summary>What was read out of pages of one partition, to be asked for in the order of their rows.</summary>
    private sealed class ExtractRows(ITableStore store, string partition)
    {
        /// <summary>Each may have hundreds of kilobytes.</summary>
        private const int RowsAtOnce = 16;

        private IReadOnlyList<TableRow> _rows = [];

        /// <summary>Of what was found.</summary>
        public long Bytes { get; private set; }

        public async Task<PageExtract?> Find(string urlKey, CancellationToken cancel)
        {
            var key = CrawlTable.ExtractOf(urlKey);
            if (_rows.Count == 0 || string.CompareOrdinal(_rows[^1].Key, key) < 0)
            {
                var range = KeyRange.Prefix(CrawlTable.ExtractPrefix) with { From = key };
                _rows = await store.Scan(CrawlTable.Name, partition, range, RowsAtOnce, cancel);
            }

            if (_rows.FirstOrDefault(row => row.Key == key) is not { } found)
            {
                return null;
            }

            Bytes += found.Payload.Length;
            return CrawlJson.Read<PageExtract>(found.Payload);
        }
    }
}
