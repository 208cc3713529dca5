using System.Diagnostics;
using System.Globalization;
using Grains.Storage;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Silo.Storage;

/// <summary>
/// The one writer that this process has for a table's file: a thread that takes the commits that wait and writes them in one transaction,
/// so that many callers share one flush of the disk. Each caller has its own outcome: another's conflict does not touch it.
/// </summary>
/// <remarks>
/// <para>At most <see cref="MostWaiting"/> commits wait; further callers wait for a place, in the order they came.
/// A transaction takes at most <see cref="MostRows"/> rows and <see cref="MostBytes"/> bytes, so that other processes get their turn at the
/// file.</para>
/// <para>The hopeful path writes without looking first: an expectation that does not hold shows as a row that the statement did not change.
/// If that is the
/// commit's first row, nothing of it is written yet and its answer is the conflict. If not, the transaction is rolled back and done again,
/// and this time each commit is
/// looked at whole before its first row is written. Savepoints would do the same for more: each one copies the pages it touches.</para>
/// </remarks>
internal sealed partial class SqliteWriter : IDisposable
{
    public const int MostWaiting = 4096;

    private const int MostRows = 2000;
    private const int MostBytes = 8 * 1024 * 1024;

    /// <summary>Numbers of partitions kept in memory; when there are more, all are forgotten and read again.</summary>
    private const int MostPartitions = 20_000;

    /// <summary>
    /// The log is emptied into the file each time this many pages were written to it. Commits wait meanwhile, so it is little and often.
    /// </summary>
    /// <remarks>
    /// <c>Benchmarks -- orders</c>, two shared cores, 4 s a side, medians of three rounds. With 1000 pages (several runs) one emptying of
    /// the orders' log takes 9 ms (p95 19), and the p99 of placing
    /// an order at 70 % is 40 to 54 ms; with 2000 it is 14 (27) and 68 ms, with 4000 22 (38) and 64 ms, with 8000 31 (55) and 91 ms. It has
    /// its price: 8,430 orders/s where 8000 pages give 8,890.
    /// </remarks>
    private const int PagesBetweenCheckpoints = 1000;

    /// <summary>
    /// When the log has grown to this many pages because readers were in it, the writer waits until they have left. So a log has at most
    /// these and one transaction's.
    /// </summary>
    private const int MostPagesInLog = 16_000;

    private static readonly TimeSpan BetweenTries = TimeSpan.FromMilliseconds(1);

    /// <summary>
    /// After a transaction of a table for whose commits nobody waits (<see cref="TableGroups.IsUnhurried"/>): what comes meanwhile shares
    /// the next. So the disk and the processor are there for those who do wait.
    /// </summary>
    /// <remarks>
    /// <c>Benchmarks -- orders</c>, 4 s a side, medians of four turns on two cores that did nothing else. Without the pause an order is
    /// placed in 27 ms (p50; p99 at 70 % 105, at 90 % 99) and has reached its subscribers after 25 (p99 76); with it in 19 (77, 97) and
    /// after 56 (103), and the subscribers make half the transactions (5.4 orders to a commit instead of 3.0). With 10 ms on a busy machine
    /// it was placed as soon and had reached them after 35, with 30 ms after 70.
    /// </remarks>
    private static readonly TimeSpan UnhurriedPause = TimeSpan.FromMilliseconds(20);

    private readonly string _path;
    private readonly ILogger _logger;
    private readonly TimeSpan _busyTimeout;
    private readonly bool _isUnhurried;
    private readonly SqliteConnectionToFile _connection;
    private readonly SqliteStatement _begin;
    private readonly SqliteStatement _commit;
    private readonly SqliteStatement _rollback;
    private readonly SqliteStatement _readHead;
    private readonly SqliteStatement _writeHead;
    private readonly SqliteStatement _findPartition;
    private readonly SqliteStatement _addPartition;
    private readonly SqliteStatement _etag;
    private readonly SqliteStatement _insert;
    private readonly SqliteStatement _replace;
    private readonly SqliteStatement _put;
    private readonly SqliteStatement _delete;
    private readonly SqliteStatement _deleteMatching;
    private readonly SqliteStatement _checkpoint;
    private readonly SqliteStatement _checkpointAll;

    private readonly SemaphoreSlim _places = new(MostWaiting, MostWaiting);
    private readonly Lock _gate = new();
    private readonly ManualResetEvent _pause = new(initialState: false);
    private readonly AutoResetEvent _work = new(initialState: false);
    private readonly Queue<WaitingCommit> _waiting = new();
    private readonly List<WaitingCommit> _batch = [];
    private readonly Dictionary<string, long> _partitions = new(StringComparer.Ordinal);
    private readonly List<string> _addedPartitions = [];
    private readonly Thread _thread;
    private long _transactions;
    private bool _sleeping;
    private bool _ending;

    /// <param name="isUnhurried">Nobody waits for its commits: it pauses after each transaction.</param>
    public SqliteWriter(string path, SqliteConnectionToFile connection, TimeSpan busyTimeout, ILogger logger, bool isUnhurried)
    {
        _isUnhurried = isUnhurried;
        _path = path;
        _logger = logger;
        _busyTimeout = busyTimeout;
        _connection = connection;
        _begin = connection.Prepare("BEGIN IMMEDIATE");
        _commit = connection.Prepare("COMMIT");
        _rollback = connection.Prepare("ROLLBACK");
        _readHead = connection.Prepare("SELECT commits FROM head");
        _writeHead = connection.Prepare("UPDATE head SET commits = ?1");
        _findPartition = connection.Prepare("SELECT id FROM partitions WHERE name = ?1");
        _addPartition = connection.Prepare("INSERT INTO partitions (name) VALUES (?1) RETURNING id");
        _etag = connection.Prepare("SELECT etag FROM rows WHERE partition = ?1 AND key = ?2");
        _insert = connection.Prepare("INSERT INTO rows (partition, key, etag, payload) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING");
        _replace = connection.Prepare("UPDATE rows SET etag = ?3, payload = ?4 WHERE partition = ?1 AND key = ?2 AND etag = ?5");
        _put = connection.Prepare(
            "INSERT INTO rows (partition, key, etag, payload) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (partition, key) DO UPDATE "
                + "SET etag = ?3, payload = ?4"
        );
        _delete = connection.Prepare("DELETE FROM rows WHERE partition = ?1 AND key = ?2");
        _deleteMatching = connection.Prepare("DELETE FROM rows WHERE partition = ?1 AND key = ?2 AND etag = ?3");
        _checkpoint = connection.Prepare("PRAGMA wal_checkpoint(PASSIVE)");
        _checkpointAll = connection.Prepare("PRAGMA wal_checkpoint(RESTART)");
        raw.sqlite3_busy_timeout(connection.Database, 0);
        _thread = new Thread(Work) { IsBackground = true, Name = $"Writer of {Path.GetFileName(path)}" };
        _thread.Start();
    }

    /// <summary>Transactions so far, those included that were rolled back.</summary>
    public long Transactions => Interlocked.Read(ref _transactions);

    /// <summary>Whether anything was committed by this process.</summary>
    public bool HasCommitted { get; private set; }

    /// <summary>Puts a commit in the queue. Its payloads are read until it is answered, and must not change before.</summary>
    /// <remarks>
    /// Cancelled while it waits for its turn, it is withdrawn and the task is cancelled; cancelled later, its outcome is unknown.
    /// </remarks>
    public Task<CommitResult> Commit(string partition, IReadOnlyList<RowChange> changes, CancellationToken cancel)
    {
        if (cancel.IsCancellationRequested)
        {
            return Task.FromCanceled<CommitResult>(cancel);
        }

        // The usual way has no continuation of its own between the writer and the caller.
        var commit = new WaitingCommit(partition, changes);
        return _places.Wait(0, CancellationToken.None) ? Enqueue(commit, cancel) : EnqueueLater(commit, cancel);
    }

    /// <summary>Finishes what waits, then closes.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _ending = true;
            _sleeping = false;
        }

        _work.Set();
        _thread.Join();
        _connection.Dispose();

        // The events are left to their finalizers: a caller whose commit was just finished may be about to set one.
    }

    private async Task<CommitResult> EnqueueLater(WaitingCommit commit, CancellationToken cancel)
    {
        await _places.WaitAsync(cancel);
        return await Enqueue(commit, cancel);
    }

    private Task<CommitResult> Enqueue(WaitingCommit commit, CancellationToken cancel)
    {
        commit.Watch(cancel);
        bool wake;
        lock (_gate)
        {
            if (_ending)
            {
                _places.Release();
                commit.Answer();
                return Task.FromException<CommitResult>(new ObjectDisposedException(_path));
            }

            _waiting.Enqueue(commit);
            wake = _sleeping;
            _sleeping = false;
        }

        if (wake)
        {
            _work.Set();
        }

        return commit.Task;
    }

    private void Work()
    {
        while (Take())
        {
            Write(careful: false);
            _places.Release(_batch.Count);
            foreach (var commit in _batch)
            {
                commit.Answer();
            }

            _batch.Clear();
            EmptyLog();
            if (_isUnhurried)
            {
                _pause.WaitOne(UnhurriedPause);
            }
        }
    }

    /// <summary>Fills the batch with what waits; waits if nothing does. False when the writer ends and nothing is left.</summary>
    private bool Take()
    {
        while (true)
        {
            lock (_gate)
            {
                var rows = 0;
                var bytes = 0;
                while (
                    _waiting.TryPeek(out var next)
                    && (_batch.Count == 0 || (rows + next.Changes.Count <= MostRows && bytes + next.Bytes <= MostBytes))
                )
                {
                    rows += next.Changes.Count;
                    bytes += next.Bytes;
                    _batch.Add(_waiting.Dequeue());
                }

                if (_batch.Count == 0)
                {
                    if (_ending)
                    {
                        return false;
                    }

                    _sleeping = true;
                }
            }

            if (_batch.Count > 0)
            {
                return true;
            }

            _work.WaitOne();
        }
    }

    private void Write(bool careful)
    {
        try
        {
            if (!Begin())
            {
                var cause = new TimeoutException(
                    $"Another process held \"{_path}\" for {_busyTimeout.TotalSeconds:0.#} s; nothing was written."
                );
                LogHeldByAnother(_path, _busyTimeout, _batch.Count);
                AnswerAll(CommitResult.Unknown(cause));
                return;
            }

            if (!WriteBatch(careful))
            {
                _rollback.Run();
                ForgetAddedPartitions();
                Write(careful: true);
            }
        }
        catch (Exception error)
        {
            // A full disk, a failing one: what the transaction held may be gone or, if the flush itself failed, may yet be there after a
            // restart.
            // Whatever else it is: its callers are told, and the writer goes on with the next.
            LogTransactionFailed(error, _path, _batch.Count);
            AnswerAll(CommitResult.Unknown(error));
            ForgetAddedPartitions();
            if (raw.sqlite3_get_autocommit(_connection.Database) == 0)
            {
                raw.sqlite3_exec(_connection.Database, "ROLLBACK");
            }
        }
    }

    /// <summary>Takes the file's write lock; false when another process had it for the whole of the busy time-out.</summary>
    /// <remarks>SQLite's own waiting grows to 100 ms between tries, and starves beside a busy process.</remarks>
    private bool Begin()
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                _begin.Run();
                Interlocked.Increment(ref _transactions);
                return true;
            }
            catch (SqliteException error) when (error.SqliteErrorCode == raw.SQLITE_BUSY)
            {
                if (Stopwatch.GetElapsedTime(began) >= _busyTimeout)
                {
                    return false;
                }

                _pause.WaitOne(BetweenTries);
            }
        }
    }

    private bool WriteBatch(bool careful)
    {
        _readHead.Step();
        var commits = _readHead.Number(0);
        _readHead.Reset();
        var before = commits;
        foreach (var commit in _batch)
        {
            if (!commit.Start())
            {
                continue;
            }

            var partition = PartitionNumber(commit.Partition);
            if (careful && Conflict(partition, commit.Changes) is { } found)
            {
                commit.Result = CommitResult.Conflict(found);
                continue;
            }

            var conflict = Apply(partition, commit.Changes, commits + 1);
            if (conflict < 0)
            {
                commits++;
                commit.Result = CommitResult.Committed(ETags(commit.Changes, commits));
            }
            else if (conflict == 0)
            {
                commit.Result = CommitResult.Conflict(commit.Changes[0].Key);
            }
            else
            {
                return false;
            }
        }

        if (commits == before)
        {
            _rollback.Run();
            ForgetAddedPartitions();
            return true;
        }

        _writeHead.Bind(1, commits).Run();
        _commit.Run();
        HasCommitted = true;
        _addedPartitions.Clear();
        return true;
    }

    /// <summary>
    /// A partition's number in this file; it gets one if it has none. Numbers are never given again or taken away, so what is remembered
    /// stays true.
    /// </summary>
    private long PartitionNumber(string name)
    {
        if (_partitions.TryGetValue(name, out var number))
        {
            return number;
        }

        var found = _findPartition.Bind(1, name).Step();
        number = found ? _findPartition.Number(0) : 0;
        _findPartition.Reset();
        if (!found)
        {
            _addPartition.Bind(1, name).Step();
            number = _addPartition.Number(0);
            _addPartition.Reset();
            _addedPartitions.Add(name);
        }

        if (_partitions.Count >= MostPartitions)
        {
            _partitions.Clear();
        }

        return _partitions[name] = number;
    }

    /// <summary>After a rollback: the numbers that it took back.</summary>
    private void ForgetAddedPartitions()
    {
        foreach (var name in _addedPartitions)
        {
            _partitions.Remove(name);
        }

        _addedPartitions.Clear();
    }

    /// <summary>Writes a commit's rows in order; stops at the first that is not as expected and returns its index, else -1.</summary>
    private int Apply(long partition, IReadOnlyList<RowChange> changes, long etag)
    {
        for (var index = 0; index < changes.Count; index++)
        {
            var change = changes[index];
            var asExpected = change.Kind switch
            {
                RowChangeKind.Insert => Bind(_insert, partition, change, etag).Run() == 1,
                RowChangeKind.Replace => Bind(_replace, partition, change, etag).Bind(5, Number(change.ETag)).Run() == 1,
                RowChangeKind.Put => Bind(_put, partition, change, etag).Run() == 1,
                RowChangeKind.Delete when change.ETag is null => _delete.Bind(1, partition).Bind(2, change.Key).Run() >= 0,
                RowChangeKind.Delete => _deleteMatching.Bind(1, partition).Bind(2, change.Key).Bind(3, Number(change.ETag)).Run() == 1
                    || Stored(partition, change) is null,
                _ => throw new InvalidOperationException($"A change cannot be {change.Kind}."),
            };
            if (!asExpected)
            {
                return index;
            }
        }

        return -1;
    }

    /// <summary>The key of the first row that is not as its change expects; null when all are.</summary>
    private string? Conflict(long partition, IReadOnlyList<RowChange> changes)
    {
        foreach (var change in changes)
        {
            var asExpected = change.Kind switch
            {
                RowChangeKind.Insert => Stored(partition, change) is null,
                RowChangeKind.Replace => Stored(partition, change) == Number(change.ETag),
                RowChangeKind.Delete when change.ETag is not null => Stored(partition, change) is not { } etag
                    || etag == Number(change.ETag),
                _ => true,
            };
            if (!asExpected)
            {
                return change.Key;
            }
        }

        return null;
    }

    private long? Stored(long partition, RowChange change)
    {
        long? etag = _etag.Bind(1, partition).Bind(2, change.Key).Step() ? _etag.Number(0) : null;
        _etag.Reset();
        return etag;
    }

    private static SqliteStatement Bind(SqliteStatement statement, long partition, RowChange change, long etag) =>
        statement.Bind(1, partition).Bind(2, change.Key).Bind(3, etag).Bind(4, change.Payload.Span);

    /// <summary>An etag's number; -1, which no row has, for what this store never gave.</summary>
    private static long Number(string? etag) =>
        etag is [>= '1' and <= '9', ..] && long.TryParse(etag, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : -1;

    private static string?[] ETags(IReadOnlyList<RowChange> changes, long commits)
    {
        var etag = commits.ToString(CultureInfo.InvariantCulture);
        var etags = new string?[changes.Count];
        for (var index = 0; index < etags.Length; index++)
        {
            etags[index] = changes[index].Kind == RowChangeKind.Delete ? null : etag;
        }

        return etags;
    }

    private void AnswerAll(CommitResult result)
    {
        foreach (var commit in _batch)
        {
            commit.Result = result;
        }
    }

    /// <summary>
    /// Keeps the log short. What fails here has lost nothing: the log is as durable as the file, and the next time comes.
    /// </summary>
    private void EmptyLog()
    {
        raw.sqlite3_db_status(_connection.Database, raw.SQLITE_DBSTATUS_CACHE_WRITE, out var written, out _, 0);
        if (written < PagesBetweenCheckpoints)
        {
            return;
        }

        raw.sqlite3_db_status(_connection.Database, raw.SQLITE_DBSTATUS_CACHE_WRITE, out _, out _, 1);
        try
        {
            if (PagesInLog(_checkpoint) > MostPagesInLog)
            {
                raw.sqlite3_busy_timeout(_connection.Database, (int)_busyTimeout.TotalMilliseconds);
                PagesInLog(_checkpointAll);
            }
        }
        catch (SqliteException error)
        {
            LogCheckpointFailed(error, _path);
        }
        finally
        {
            raw.sqlite3_busy_timeout(_connection.Database, 0);
        }
    }

    private static long PagesInLog(SqliteStatement checkpoint)
    {
        var pages = checkpoint.Step() ? checkpoint.Number(1) : 0;
        checkpoint.Reset();
        return pages;
    }

    private sealed class WaitingCommit(string partition, IReadOnlyList<RowChange> changes)
        : TaskCompletionSource<CommitResult>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        private const int Waiting = 0;
        private const int Started = 1;
        private const int Withdrawn = 2;

        private int _state = Waiting;
        private CancellationTokenRegistration _watch;

        public string Partition => partition;

        public IReadOnlyList<RowChange> Changes => changes;

        public int Bytes { get; } = Sum(changes);

        public CommitResult? Result { get; set; }

        /// <summary>False when it was withdrawn before its turn came.</summary>
        public bool Start() => Interlocked.CompareExchange(ref _state, Started, Waiting) != Withdrawn;

        /// <summary>Before it is put in the queue: heeds its caller's token.</summary>
        public void Watch(CancellationToken cancel)
        {
            if (cancel.CanBeCanceled)
            {
                _watch = cancel.UnsafeRegister(static (commit, cancel) => ((WaitingCommit)commit!).Cancel(cancel), this);
            }
        }

        /// <summary>Gives its caller the result, if it has one and was not withdrawn.</summary>
        public void Answer()
        {
            _watch.Unregister();
            if (Result is not null)
            {
                TrySetResult(Result);
            }
        }

        private void Cancel(CancellationToken cancel)
        {
            if (Interlocked.CompareExchange(ref _state, Withdrawn, Waiting) == Waiting)
            {
                TrySetCanceled(cancel);
            }
            else
            {
                TrySetResult(CommitResult.Unknown(new OperationCanceledException("The caller stopped waiting for its commit.", cancel)));
            }
        }

        private static int Sum(IReadOnlyList<RowChange> changes)
        {
            var bytes = 0;
            for (var index = 0; index < changes.Count; index++)
            {
                bytes += changes[index].Payload.Length;
            }

            return bytes;
        }
    }
}
