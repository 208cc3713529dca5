using Grains.Storage;

namespace Doubles.Storage;

/// <summary>What goes wrong with a commit.</summary>
public enum CommitFailure
{
    /// <summary>It is written, and the answer is lost: unknown.</summary>
    UnknownApplied,

    /// <summary>It is lost on its way: unknown, and nothing was written.</summary>
    UnknownNotApplied,

    /// <summary>A conflict on its first row; nothing was written.</summary>
    Conflict,

    /// <summary>An <see cref="IOException"/>; nothing was written.</summary>
    Throw,
}

/// <summary>A store that fails when told to, and holds commits until told to let them go.</summary>
public sealed class FlakyTableStore(ITableStore inner) : ITableStore
{
    private readonly Lock _gate = new();
    private readonly Queue<CommitFailure> _failures = new();
    private Func<string, string, IReadOnlyList<RowChange>, CommitFailure?> _rule = static (_, _, _) => null;
    private CommitGate? _hold;
    private int _readsToFail;
    private string? _scanToFail;
    private long _commits;

    public FlakyTableStore()
        : this(new TableStoreInMemory()) { }

    /// <summary>Commits asked for so far, failed ones included.</summary>
    public long Commits => Interlocked.Read(ref _commits);

    /// <summary>The next commits, to whatever table, fail in this way.</summary>
    public void FailNextCommits(int count, CommitFailure failure)
    {
        lock (_gate)
        {
            for (var left = count; left > 0; left--)
            {
                _failures.Enqueue(failure);
            }
        }
    }

    /// <summary>
    /// Each commit (table, partition, changes) is put to this rule; null lets it through. It is asked after <see cref="FailNextCommits"/>
    /// has run out.
    /// </summary>
    public void FailCommitsWhen(Func<string, string, IReadOnlyList<RowChange>, CommitFailure?> rule)
    {
        lock (_gate)
        {
            _rule = rule;
        }
    }

    /// <summary>The next reads throw an <see cref="IOException"/>.</summary>
    public void FailNextReads(int count)
    {
        lock (_gate)
        {
            _readsToFail = count;
        }
    }

    /// <summary>The next scan of keys that start with <paramref name="prefix"/> throws an <see cref="IOException"/>.</summary>
    public void FailNextScan(string prefix) => Interlocked.Exchange(ref _scanToFail, prefix);

    /// <summary>From now on commits wait in front of the store until the gate is opened.</summary>
    public CommitGate HoldCommits()
    {
        lock (_gate)
        {
            return _hold = new CommitGate();
        }
    }

    public async ValueTask<TableRow?> Get(string table, string partition, string key, CancellationToken cancel = default)
    {
        FailRead();
        return await inner.Get(table, partition, key, cancel);
    }

    public async ValueTask<IReadOnlyList<TableRow>> Scan(
        string table,
        string partition,
        KeyRange range,
        int take,
        CancellationToken cancel = default
    )
    {
        FailRead();
        if (
            _scanToFail is { } prefix
            && range.From.StartsWith(prefix, StringComparison.Ordinal)
            && Interlocked.CompareExchange(ref _scanToFail, null, prefix) == prefix
        )
        {
            throw new IOException("The store cannot be read.");
        }

        return await inner.Scan(table, partition, range, take, cancel);
    }

    public async Task<CommitResult> Commit(
        string table,
        string partition,
        IReadOnlyList<RowChange> changes,
        CancellationToken cancel = default
    )
    {
        Interlocked.Increment(ref _commits);
        CommitFailure? failure;
        CommitGate? hold;
        lock (_gate)
        {
            failure = _failures.TryDequeue(out var next) ? next : _rule(table, partition, changes);
            hold = _hold;
        }

        if (hold is not null)
        {
            await hold.Pass();
        }

        switch (failure)
        {
            case null:
                return await inner.Commit(table, partition, changes, cancel);
            case CommitFailure.UnknownApplied:
                var result = await inner.Commit(table, partition, changes, cancel);
                return result.Outcome == CommitOutcome.Committed
                    ? CommitResult.Unknown(new TimeoutException("The answer was lost."))
                    : result;
            case CommitFailure.UnknownNotApplied:
                return CommitResult.Unknown(new TimeoutException("The commit was lost."));
            case CommitFailure.Conflict:
                return CommitResult.Conflict(changes[0].Key);
            default:
                throw new IOException("The store failed.");
        }
    }

    private void FailRead()
    {
        lock (_gate)
        {
            if (_readsToFail > 0)
            {
                _readsToFail--;
                throw new IOException("The store cannot be read.");
            }
        }
    }
}

/// <summary>Where commits wait until <see cref="Open"/>; disposing opens it too.</summary>
public sealed class CommitGate : IDisposable
{
    private readonly TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Done when the first commit waits here.</summary>
    public Task Arrived => _arrived.Task;

    public void Open() => _open.TrySetResult();

    public void Dispose() => Open();

    internal Task Pass()
    {
        _arrived.TrySetResult();
        return _open.Task;
    }
}
