using System.Text.Json;
using Grains.Logs.Rows;
using Grains.Logs.Segments;
using Grains.Orders.Rows;
using Grains.Storage;
using Microsoft.Extensions.Options;
using Silo.Keys;
using Silo.StartUp;

namespace Silo.Storage;

/// <summary>
/// No table was lost: each that ever had a commit still has its rows, or all that belong to it went with it. As a check at start-up it
/// refuses a folder
/// in which one is empty or missing beside others that refer to it; while the silo runs it keeps the list of tables that have commits.
/// </summary>
/// <remarks>
/// The list is a row of table <c>cluster</c>, partition <c>format</c>, key <c>tables</c>. A table that is new is listed within
/// <see cref="Period"/>; what is
/// lost before that is noticed only by the tables that cannot be without it: <c>cluster</c> is written before all others, <c>orders</c>
/// before its
/// subscribers, <c>logs</c> before its objects.
/// </remarks>
internal sealed partial class LostTables(
    SqliteTableStore files,
    ITableStore tables,
    IBlobStore blobs,
    IOptions<StorageOptions> storage,
    TimeProvider clock,
    ILogger<LostTables> logger
) : BackgroundService, IStartUpCheck
{
    /// <summary>Between two looks for tables that are new; a look costs nothing when there is none.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    internal const string Key = "tables";

    private readonly HashSet<string> _listed = new(StringComparer.Ordinal);

    /// <exception cref="StartUpException">A table was lost.</exception>
    public async Task Run(CancellationToken cancel)
    {
        var written = files.Written().ToHashSet(StringComparer.Ordinal);
        var hasSegments = await HasSegments(cancel);
        var anew = storage.Value.BeginAnewTables.ToHashSet(StringComparer.Ordinal);
        var known = written.Contains(DataFormat.Table) ? await Known(cancel) : [];
        if (Lost(known, written, hasSegments).FirstOrDefault(table => !anew.Contains(table)) is { } lost)
        {
            var reason = files.Has(lost) ? "is empty" : "is missing";
            throw new StartUpException(
                $"The table \"{lost}\" ({files.PathOf(lost)}) {reason}, and the data beside it refers to it: {TableGroups.Advice(lost)}. "
                    + $"To begin anew with this table alone, and lose what it had, start once with "
                    + $"--{StorageOptions.Section}:{nameof(StorageOptions.BeginAnew)} {lost}."
            );
        }

        foreach (var gone in known.Where(table => !written.Contains(table)))
        {
            LogBeginsAnew(gone);
        }
    }

    /// <summary>Those that must have rows and have none.</summary>
    internal static IEnumerable<string> Lost(IReadOnlyCollection<string> known, IReadOnlySet<string> written, bool hasSegments)
    {
        if (!written.Contains(DataFormat.Table) && (written.Count > 0 || hasSegments))
        {
            return [DataFormat.Table];
        }

        var lost = known
            .Where(table => !written.Contains(table) && (table == KeyTable.Name || TableGroups.Of(table).Any(written.Contains)))
            .ToList();
        if (!written.Contains(OrderTable.Name) && written.Contains(SubscriberTable.Name))
        {
            lost.Insert(0, OrderTable.Name);
        }

        if (!written.Contains(LogTable.Name) && hasSegments)
        {
            lost.Add(LogTable.Name);
        }

        return lost.Distinct();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, clock);
        do
        {
            var count = _listed.Count;
            _listed.UnionWith(files.Written());
            if (_listed.Count > count && !await List(stoppingToken))
            {
                _listed.Clear(); // The next look tries again.
            }
        } while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        _listed.UnionWith(files.Written());
        await List(cancellationToken);
    }

    private async Task<bool> List(CancellationToken cancel)
    {
        try
        {
            // Another silo may have listed a table that this one has never opened.
            var list = JsonSerializer.SerializeToUtf8Bytes(_listed.Union(await Known(cancel)).Order(StringComparer.Ordinal));
            return await tables.Commit(DataFormat.Table, DataFormat.Partition, [RowChange.Put(Key, list)], cancel)
                is { Outcome: CommitOutcome.Committed };
        }
        catch (Exception failure)
        {
            LogNotListed(failure); // The list is a help for the next start, no condition of this one: the next look tries again.
            return false;
        }
    }

    private async Task<string[]> Known(CancellationToken cancel) =>
        await tables.Get(DataFormat.Table, DataFormat.Partition, Key, cancel) is { } row
            ? JsonSerializer.Deserialize<string[]>(row.Payload.Span) ?? []
            : [];

    private async Task<bool> HasSegments(CancellationToken cancel)
    {
        await foreach (var _ in blobs.List(SegmentName.Root, cancel))
        {
            return true;
        }

        return false;
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The list of tables was not written")]
    private partial void LogNotListed(Exception exception);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The table {Table} had rows when a silo ran last and is gone, with all that belong to it: it begins anew"
    )]
    private partial void LogBeginsAnew(string table);
}
