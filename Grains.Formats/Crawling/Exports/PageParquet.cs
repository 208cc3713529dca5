using System.Collections.Immutable;
using Grains.Interfaces.Crawling;
using Parquet;
using Parquet.Schema;

namespace Grains.Crawling.Exports;

/// <summary>
/// A crawl's records as one Parquet file: the columns of the CSV form with their types, a row group every <see cref="GroupRows"/> records
/// or
/// <see cref="GroupCharacters"/> characters of what was read out of pages. The file is whole once it is disposed of after
/// <see cref="Complete"/>.
/// </summary>
public sealed class PageParquet : IAsyncDisposable
{
    public const string MediaType = "application/vnd.apache.parquet";

    /// <summary>As many are in memory at once.</summary>
    private const int GroupRows = 10_000;

    private const int GroupCharacters = 8 * 1024 * 1024;

    private readonly ImmutableArray<Column> _columns;
    private readonly ParquetWriter _writer;
    private readonly List<PageRecord> _rows = [];
    private int _characters;

    private PageParquet(ImmutableArray<Column> columns, ParquetWriter writer) => (_columns, _writer) = (columns, writer);

    /// <param name="output">Written from its beginning to its end, and left open.</param>
    public static async Task<PageParquet> Create(Stream output, CrawlSpec spec, CancellationToken cancel)
    {
        var columns = Columns(spec);
        var schema = new ParquetSchema(columns.Select(column => column.Field));
        return new(columns, await ParquetWriter.CreateAsync(schema, output, cancellationToken: cancel));
    }

    public async Task Add(IEnumerable<PageRecord> records, CancellationToken cancel)
    {
        foreach (var record in records)
        {
            _rows.Add(record);
            _characters += Characters(record);
            if (_rows.Count == GroupRows || _characters >= GroupCharacters)
            {
                await WriteGroup(cancel);
            }
        }
    }

    /// <summary>Writes what is left; the end of the file follows with <see cref="DisposeAsync"/>.</summary>
    public async Task Complete(CancellationToken cancel)
    {
        if (_rows.Count > 0)
        {
            await WriteGroup(cancel);
        }
    }

    public ValueTask DisposeAsync() => _writer.DisposeAsync();

    private async Task WriteGroup(CancellationToken cancel)
    {
        using var group = _writer.CreateRowGroup();
        foreach (var column in _columns)
        {
            cancel.ThrowIfCancellationRequested();
            await column.Write(group, _rows);
        }

        group.CompleteValidate();
        _rows.Clear();
        _characters = 0;
    }

    private static int Characters(PageRecord record) =>
        (record.Extract?.Text?.Length ?? 0) + (record.Extract?.Fields.Sum(field => field.Values.Sum(value => value.Length)) ?? 0);

    private static ImmutableArray<Column> Columns(CrawlSpec spec) =>
        [
            Text("url", page => page.Url),
            Number<int>("status", page => page.Status),
            Number<int>("depth", page => page.Depth),
            Text("parent", page => page.Parent),
            Text("contentType", page => page.ContentType),
            Text("title", page => page.Title),
            Number<long>("bytes", page => page.Bytes),
            Text("digest", page => page.Digest),
            Number<int>("links", page => page.Links),
            Time("fetchedAt", page => page.Status is null ? null : page.FetchedAt.UtcDateTime),
            Number<long>("elapsedMs", page => page.ElapsedMs),
            Text("error", page => page.Error),
            Number<int>("attempts", page => page.Attempts),
            Text("location", page => page.Location),
            Number<bool>("truncated", page => page.Truncated),
            Text("leftOut", PageForm.LeftOutText),
            Number<bool>("kept", page => page.Kept is not null),
            Text("change", page => page.Change),
            Text("protocol", page => page.Protocol),
            .. PageForm.ExtractTexts(spec).Select(column => Text(column.Name, column.Of)),
        ];

    private static Column Text(string name, Func<PageRecord, string?> of)
    {
        var field = new DataField<string>(name);
        return new(field, (group, rows) => group.WriteAsync(field, (IReadOnlyCollection<string>)rows.Select(row => of(row)!).ToArray()));
    }

    private static Column Number<T>(string name, Func<PageRecord, T?> of)
        where T : struct
    {
        var field = new DataField<T?>(name);
        return new(field, (group, rows) => group.WriteAsync<T>(field, rows.Select(of).ToArray().AsMemory()));
    }

    /// <summary>
    /// In milliseconds, as in the other forms. In microseconds Parquet.Net 6.1 writes statistics a thousandfold too small, and DuckDB skips
    /// the row groups that a query is for.
    /// </summary>
    private static Column Time(string name, Func<PageRecord, DateTime?> of)
    {
        var field = new DateTimeDataField(name, DateTimeFormat.DateAndTime, isAdjustedToUTC: true, isNullable: true);
        return new(field, (group, rows) => group.WriteAsync<DateTime>(field, rows.Select(of).ToArray().AsMemory()));
    }

    private sealed record Column(DataField Field, Func<ParquetRowGroupWriter, IReadOnlyList<PageRecord>, Task> Write);
}
