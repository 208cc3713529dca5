using System.Collections.Concurrent;
using Azure;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;
using Grains;
using Grains.Storage;

namespace Silo.Storage;

/// <summary>
/// Rows in Azure Tables: an Azure table per table, an entity per row, a transaction per commit. For silos on any number of machines.
/// </summary>
/// <remarks>
/// <para>Each row carries the id of the commit that wrote it. When an attempt has no certain outcome (time-out, lost connection, an error
/// of the server), the rows are read:
/// one with the commit's id means that it was made; rows that still are as the commit expects mean that it was not, and it is tried again
/// under the same id; a row that is
/// otherwise is a conflict only if another proves that the commit was not made. Everything else is <see cref="CommitOutcome.Unknown"/>. A
/// commit of nothing but
/// <see cref="RowChangeKind.Put"/> and deletes without etag is never sent a second time after an uncertain attempt: the first may still
/// come, after later commits.</para>
/// <para>A row to be inserted counts as not inserted while it is absent: a partition has one writer, which removes nothing while it
/// waits.</para>
/// <para>In an Azure transaction the delete of an absent row fails. It is sent again with an entity inserted in its place that marks the
/// absence, so that the whole remains one step,
/// and the mark is removed afterwards. A mark that could not be removed takes a hundred bytes, is seen by nobody, and goes with the next
/// write of its row.</para>
/// <para>A scan that takes more than one answer of the service (above 1,000 rows or 4 MiB) is not one moment's view.</para>
/// <para>Tables are made when first written to, if the account's rights allow. At most <see cref="AzureBounds.Attempts"/> attempts within
/// <see cref="AzureBounds.WholeTimeout"/>.</para>
/// </remarks>
public sealed partial class AzureTableStore : ITableStore
{
    /// <summary>The etag of a row that was written and changed by somebody else before it could be known. No row has it.</summary>
    private const string OvertakenETag = "overtaken";

    private readonly TableServiceClient _service;
    private readonly AzurePatience _patience;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<string, TableClient> _tables = new(StringComparer.Ordinal);

    /// <param name="service">With the SDK's retries off, as <see cref="AzureAccount"/> makes it.</param>
    /// <param name="chance">A number from 0 to 1, for the spread of pauses.</param>
    public AzureTableStore(
        TableServiceClient service,
        AzureBounds bounds,
        TimeProvider clock,
        Func<double> chance,
        ILogger<AzureTableStore> logger
    )
    {
        _service = service;
        _patience = new(bounds, clock, chance, logger);
        _logger = logger;
    }

    public async ValueTask<TableRow?> Get(string table, string partition, string key, CancellationToken cancel = default)
    {
        StoreLimits.CheckTable(table);
        StoreLimits.CheckKey(partition, "partition key");
        StoreLimits.CheckKey(key, "row key");
        var entity = await Find(Table(table), partition, key, select: null, cancel);
        return entity is null || AzureRow.IsMark(entity) ? null : AzureRow.Read(entity);
    }

    public async ValueTask<IReadOnlyList<TableRow>> Scan(
        string table,
        string partition,
        KeyRange range,
        int take,
        CancellationToken cancel = default
    )
    {
        StoreLimits.CheckTable(table);
        StoreLimits.CheckKey(partition, "partition key");
        StoreLimits.CheckRange(range, take);
        cancel.ThrowIfCancellationRequested();
        var rows = new List<TableRow>();
        if (AzureFilter.Of(partition, range) is not { } filter)
        {
            return rows;
        }

        string? more = null;
        do
        {
            var page = await Page(Table(table), filter, take, more, cancel);
            rows.AddRange((page?.Values ?? []).Where(entity => !AzureRow.IsMark(entity)).Take(take - rows.Count).Select(AzureRow.Read));
            more = page?.ContinuationToken;
        } while (rows.Count < take && more is not null);

        return rows;
    }

    public async Task<CommitResult> Commit(
        string table,
        string partition,
        IReadOnlyList<RowChange> changes,
        CancellationToken cancel = default
    )
    {
        StoreLimits.CheckCommit(table, partition, changes);
        cancel.ThrowIfCancellationRequested();
        var commit = Commit(new CommitInWork(Table(table), partition, [.. changes]));
        try
        {
            return await commit.WaitAsync(cancel);
        }
        catch (OperationCanceledException stopped) when (cancel.IsCancellationRequested)
        {
            Observe(commit);
            return CommitResult.Unknown(stopped);
        }
    }

    /// <summary>Makes a table if there is none.</summary>
    /// <exception cref="RequestFailedException">The rights do not allow it.</exception>
    public Task Make(string table, CancellationToken cancel = default)
    {
        StoreLimits.CheckTable(table);
        return _patience.Read(bound => Table(table).CreateIfNotExistsAsync(bound), cancel);
    }

    private async Task<CommitResult> Commit(CommitInWork commit)
    {
        if (
            commit.Changes.FirstOrDefault(change => change.Kind == RowChangeKind.Replace && !AzureRow.IsETag(change.ETag!)) is
            { Key: { } odd }
        )
        {
            return CommitResult.Conflict(odd);
        }

        using var whole = new CancellationTokenSource(_patience.Bounds.WholeTimeout, _patience.Clock);
        var mustLook = commit.Changes.Any(change => change is { Kind: RowChangeKind.Delete, ETag: { } etag } && !AzureRow.IsETag(etag));
        try
        {
            for (var attempt = 1; attempt <= _patience.Bounds.Attempts; attempt++)
            {
                if (mustLook && await Look(commit, whole.Token) is { } settled)
                {
                    return settled;
                }

                mustLook = false;
                try
                {
                    var answers = await _patience.Once(
                        bound => commit.Table.SubmitTransactionAsync(commit.Plan, bound),
                        _patience.Bounds.AttemptTimeout,
                        whole.Token
                    );
                    await RemoveMarks(commit, answers.Value);
                    return CommitResult.Committed(commit.ETags(answers.Value));
                }
                catch (RequestFailedException missing) when (missing.ErrorCode == TableErrorCode.TableNotFound)
                {
                    commit.Last = missing;
                    await Make(commit.Table.Name, whole.Token);
                }
                catch (RequestFailedException failure) when (IsCondition(failure))
                {
                    if (commit.Uncertain is null && commit.CertainConflict(failure) is { } key)
                    {
                        return CommitResult.Conflict(key);
                    }

                    commit.Last = failure;
                    mustLook = true;
                }
                catch (Exception failure)
                    when (failure is not OperationCanceledException && AzureFailures.Kind(failure) != AzureFailure.Refused)
                {
                    commit.Last = failure;
                    if (AzureFailures.Kind(failure) == AzureFailure.Uncertain)
                    {
                        commit.Uncertain = failure;
                        mustLook = true;
                    }

                    if (attempt < _patience.Bounds.Attempts)
                    {
                        await _patience.Pause(attempt, failure, whole.Token);
                    }
                }
            }

            // The last attempt may be settled too.
            return mustLook && await Look(commit, whole.Token) is { } last ? last : GiveUp(commit, commit.Last!);
        }
        catch (OperationCanceledException late) when (whole.IsCancellationRequested)
        {
            return GiveUp(
                commit,
                commit.Last
                    ?? new TimeoutException(
                        $"Azure Storage did not answer within {_patience.Bounds.WholeTimeout.TotalSeconds:0.###} s.",
                        late
                    )
            );
        }
        catch (Exception unread) when (AzureFailures.Kind(unread) != AzureFailure.Refused)
        {
            // Its rows could not be read, or its table not be made.
            return GiveUp(commit, unread);
        }
    }

    /// <summary>
    /// Reads the rows of a commit: what became of it if that can be said; else null, and the plan is made anew for the rows as they are.
    /// </summary>
    private async Task<CommitResult?> Look(CommitInWork commit, CancellationToken cancel)
    {
        var rows = new ConcurrentDictionary<string, TableEntity?>(StringComparer.Ordinal);

        // Those that may prove that nothing was changed are read last: then all the others were read before any change too.
        foreach (var some in commit.Changes.ToLookup(change => change.ETag is not null).OrderBy(some => some.Key))
        {
            await Task.WhenAll(
                some.Select(async change =>
                    rows[change.Key] = await Find(commit.Table, commit.Partition, change.Key, AzureRow.WithoutPayload, cancel)
                )
            );
        }

        var settled = commit.Settle(rows);
        if (settled is null)
        {
            commit.PlanFor(rows);
        }

        return settled;
    }

    private async Task RemoveMarks(CommitInWork commit, IReadOnlyList<Response> answers)
    {
        var marks = commit.Marks(answers);
        if (marks.Count == 0)
        {
            return;
        }

        try
        {
            await _patience.Once(
                bound => commit.Table.SubmitTransactionAsync(marks, bound),
                _patience.Bounds.AttemptTimeout,
                CancellationToken.None
            );
        }
        catch (Exception failure) when (failure is RequestFailedException || AzureFailures.Kind(failure) != AzureFailure.Refused)
        {
            // The commit is made all the same.
            LogMarksStay(marks.Count, commit.Table.Name, commit.Partition, AzureFailures.Sentence(failure));
        }
    }

    private static CommitResult GiveUp(CommitInWork commit, Exception cause) => CommitResult.Unknown(commit.Uncertain ?? cause);

    private async Task<TableEntity?> Find(TableClient table, string partition, string key, string[]? select, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var found = await _patience.Read(bound => table.GetEntityIfExistsAsync<TableEntity>(partition, key, select, bound), cancel);
        return found.HasValue ? found.Value : null;
    }

    /// <summary>One answer of a query; null when there is no such table.</summary>
    private Task<Page<TableEntity>?> Page(TableClient table, string filter, int take, string? more, CancellationToken cancel) =>
        _patience.Read(
            async bound =>
            {
                try
                {
                    await using var pages = table
                        .QueryAsync<TableEntity>(filter, take, cancellationToken: bound)
                        .AsPages(more)
                        .GetAsyncEnumerator(bound);
                    return await pages.MoveNextAsync() ? pages.Current : null;
                }
                catch (RequestFailedException missing) when (missing.ErrorCode == TableErrorCode.TableNotFound)
                {
                    return null;
                }
            },
            cancel
        );

    private TableClient Table(string name) => _tables.GetOrAdd(name, static (name, service) => service.GetTableClient(name), _service);

    private static bool IsCondition(RequestFailedException failure) =>
        failure.ErrorCode is { } code
        && (
            code == TableErrorCode.EntityAlreadyExists
            || code == TableErrorCode.UpdateConditionNotSatisfied
            || code == TableErrorCode.ResourceNotFound
            || code == TableErrorCode.EntityNotFound
        );

    /// <summary>Nobody waits for this commit any more; if it fails by a mistake, that is not lost.</summary>
    private void Observe(Task<CommitResult> commit) => Unawaited.Observe(commit, LogAbandoned);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} marks of absent rows stay in {Table}/{Partition}: {Reason}")]
    private partial void LogMarksStay(int count, string table, string partition, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A commit that nobody waited for any more failed")]
    private partial void LogAbandoned(Exception failure);

    /// <summary>One commit from its first attempt to its answer.</summary>
    private sealed class CommitInWork
    {
        private readonly string _id = Guid.NewGuid().ToString("N");

        public CommitInWork(TableClient table, string partition, RowChange[] changes)
        {
            Table = table;
            Partition = partition;
            Changes = changes;
            Plan = [.. changes.Select(change => Action(change))];
        }

        public TableClient Table { get; }

        public string Partition { get; }

        public RowChange[] Changes { get; }

        /// <summary>What is sent, an action per change in their order.</summary>
        public TableTransactionAction[] Plan { get; private set; }

        /// <summary>The last failure.</summary>
        public Exception? Last { get; set; }

        /// <summary>The last attempt of which it cannot be said what became of it.</summary>
        public Exception? Uncertain { get; set; }

        public IReadOnlyList<string?> ETags(IReadOnlyList<Response> answers) =>
            [.. Changes.Select((change, n) => change.Kind == RowChangeKind.Delete ? null : answers[n].Headers.ETag!.Value.ToString())];

        /// <summary>Deletes of the marks that the plan inserted.</summary>
        public List<TableTransactionAction> Marks(IReadOnlyList<Response> answers) =>
            [
                .. Changes
                    .Select((change, n) => (change, n))
                    .Where(pair => pair.change.Kind == RowChangeKind.Delete && Plan[pair.n].ActionType == TableTransactionActionType.Add)
                    .Select(pair => new TableTransactionAction(
                        TableTransactionActionType.Delete,
                        new TableEntity(Partition, pair.change.Key),
                        answers[pair.n].Headers.ETag!.Value
                    )),
            ];

        /// <summary>The row of a condition that did not hold, if that cannot be for a mark: only a replacement's.</summary>
        public string? CertainConflict(RequestFailedException failure) =>
            failure is TableTransactionFailedException { FailedTransactionActionIndex: { } index }
            && index >= 0
            && index < Changes.Length
            && Changes[index].Kind == RowChangeKind.Replace
                ? Changes[index].Key
                : null;

        /// <summary>What became of the commit, by its rows; null when nothing was changed yet and all of it may be tried.</summary>
        public CommitResult? Settle(ConcurrentDictionary<string, TableEntity?> rows)
        {
            if (
                Uncertain is not null
                && (
                    rows.Values.Any(IsMine)
                    || (Changes.All(change => change.Kind == RowChangeKind.Delete) && Changes.All(change => IsAbsent(rows[change.Key])))
                )
            )
            {
                return CommitResult.Committed([
                    .. Changes.Select(change =>
                        change.Kind == RowChangeKind.Delete ? null
                        : IsMine(rows[change.Key]) ? AzureRow.ETagOf(rows[change.Key]!)
                        : OvertakenETag
                    ),
                ]);
            }

            var untouched = Changes.Any(change =>
                change.ETag is not null && !IsAbsent(rows[change.Key]) && HasETag(rows[change.Key]!, change.ETag)
            );
            if (Changes.FirstOrDefault(change => !Holds(change, rows[change.Key])) is { Key: { } key })
            {
                return Uncertain is null || untouched ? CommitResult.Conflict(key) : CommitResult.Unknown(Uncertain);
            }

            return Uncertain is null || untouched || Changes.Any(change => change.Kind == RowChangeKind.Insert)
                ? null
                : CommitResult.Unknown(Uncertain);
        }

        public void PlanFor(ConcurrentDictionary<string, TableEntity?> rows) =>
            Plan = [
                .. Changes.Select(
                    (change, n) =>
                        (change.Kind, rows[change.Key]) switch
                        {
                            (RowChangeKind.Insert, { } mark) => new(TableTransactionActionType.UpdateReplace, Plan[n].Entity, mark.ETag),
                            (RowChangeKind.Insert, null) => new(TableTransactionActionType.Add, Plan[n].Entity),
                            (RowChangeKind.Delete, null) => new(TableTransactionActionType.Add, AzureRow.Mark(Partition, change.Key, _id)),
                            (RowChangeKind.Delete, { } row) when AzureRow.IsMark(row) => new(
                                TableTransactionActionType.Delete,
                                new TableEntity(Partition, change.Key),
                                row.ETag
                            ),
                            (RowChangeKind.Delete, _) => Action(change),
                            _ => Plan[n],
                        }
                ),
            ];

        private TableTransactionAction Action(RowChange change) =>
            change.Kind switch
            {
                RowChangeKind.Insert => new(TableTransactionActionType.Add, Entity(change)),
                RowChangeKind.Replace => new(TableTransactionActionType.UpdateReplace, Entity(change), new ETag(change.ETag!)),
                RowChangeKind.Put => new(TableTransactionActionType.UpsertReplace, Entity(change)),
                RowChangeKind.Delete => new(
                    TableTransactionActionType.Delete,
                    new TableEntity(Partition, change.Key),
                    change.ETag is null ? ETag.All : new ETag(change.ETag)
                ),
                _ => throw new ArgumentOutOfRangeException(nameof(change), change.Kind, "Not a change of a row."),
            };

        private TableEntity Entity(RowChange change) => AzureRow.Write(Partition, change.Key, change.Payload, _id);

        private static bool Holds(RowChange change, TableEntity? row) =>
            change.Kind switch
            {
                RowChangeKind.Insert => IsAbsent(row),
                RowChangeKind.Replace => !IsAbsent(row) && HasETag(row!, change.ETag!),
                RowChangeKind.Delete => IsAbsent(row) || change.ETag is null || HasETag(row!, change.ETag),
                _ => true,
            };

        private bool IsMine(TableEntity? row) => row is not null && AzureRow.CommitOf(row) == _id;

        private static bool IsAbsent(TableEntity? row) => row is null || AzureRow.IsMark(row);

        private static bool HasETag(TableEntity row, string etag) => AzureRow.ETagOf(row) == etag;
    }
}
