using System.Runtime.CompilerServices;

namespace Grains.Storage;

/// <summary>The one loop over the pages of <see cref="ITableStore.Scan"/>.</summary>
public static class TableScan
{
    /// <summary>
    /// All rows of the range in the order of their keys, one page in memory at a time. A row that is added behind the scan's place is not
    /// seen; one that is
    /// removed before it is not seen either.
    /// </summary>
    /// <param name="page">Rows of a page, 1 to <see cref="StoreLimits.MaxScan"/>: few where rows are large.</param>
    public static IAsyncEnumerable<TableRow> ScanAll(
        this ITableStore store,
        string table,
        string partition,
        KeyRange range,
        int page = StoreLimits.MaxScan,
        CancellationToken cancel = default
    ) => Rows((next, token) => store.Scan(table, partition, next, page, token), range, page, cancel);

    /// <inheritdoc cref="ScanAll"/>
    /// <param name="scan">Reads one page of at most <paramref name="page"/> rows.</param>
    public static async IAsyncEnumerable<TableRow> Rows(
        Func<KeyRange, CancellationToken, ValueTask<IReadOnlyList<TableRow>>> scan,
        KeyRange range,
        int page,
        [EnumeratorCancellation] CancellationToken cancel = default
    )
    {
        while (true)
        {
            var rows = await scan(range, cancel);
            foreach (var row in rows)
            {
                yield return row;
            }

            if (rows.Count < page)
            {
                yield break;
            }

            range = range.After(rows[^1].Key);
        }
    }
}
