namespace Grains.Storage;

/// <summary>
/// The one commit loop of a partition's owner. Callers hand in work and wait for the commit that holds it, while the next commit fills:
/// so the cost of a durable write is shared by all who wait, and nobody waits for more than one commit before its own.
/// </summary>
/// <remarks>
/// <para>Every commit also replaces the partition's head row by its etag. So a second owner, which is possible for a moment when silos come
/// and go,
/// makes the first one's next commit fail. After a commit that failed or whose outcome is unknown the writer is lost for good: everything
/// that waits,
/// and whatever comes later, gets a <see cref="PartitionLostException"/>; the owner must end, and its successor starts from what is
/// stored.</para>
/// <para>Not thread-safe: it belongs to a grain and runs on its scheduler. At most <see cref="MaxWaiting"/> pieces of work wait; one more
/// is refused with an exception.</para>
/// </remarks>
public sealed class PartitionWriter
{
    /// <summary>The key of the head row.</summary>
    public const string HeadKey = "h";

    /// <summary>Pieces of work that may wait for a commit.</summary>
    public const int MaxWaiting = 10_000;

    private readonly ITableStore _store;
    private readonly string _table;
    private readonly string _partition;
    private readonly Func<byte[]> _head;
    private readonly Action _committed;
    private readonly Queue<WaitingWork> _waiting = new();
    private readonly List<WaitingWork> _filled = [];
    private string? _headETag;
    private Task _running = Task.CompletedTask;

    /// <param name="head">The head row's payload as it should be after the commit that is being filled.</param>
    /// <param name="headETag">The etag of the head row that was read; null when there is none yet.</param>
    /// <param name="committed">Called after each commit, before anybody who waits for it goes on.</param>
    public PartitionWriter(ITableStore store, string table, string partition, Func<byte[]> head, string? headETag, Action committed)
    {
        _store = store;
        _table = table;
        _partition = partition;
        _head = head;
        _headETag = headETag;
        _committed = committed;
    }

    /// <summary>Why it is lost; null while it is good.</summary>
    public PartitionLostException? Lost { get; private set; }

    /// <summary>Pieces of work that wait for a commit to begin, for measurements.</summary>
    public int Waiting => _waiting.Count;

    /// <summary>Commits that were made, for measurements.</summary>
    public long Commits { get; private set; }

    /// <summary>Completes when all of <paramref name="work"/> is durable. Work is filled in the order in which it was handed in.</summary>
    public Task Commit(IPartitionWork work)
    {
        if (Lost is not null)
        {
            return Task.FromException(Lost);
        }

        if (_waiting.Count >= MaxWaiting)
        {
            throw new InvalidOperationException($"{MaxWaiting} pieces of work wait for commits of {_table}/{_partition} already.");
        }

        var waiting = new WaitingWork(work);
        _waiting.Enqueue(waiting);
        if (_running.IsCompleted)
        {
            _running = Run();
        }

        return waiting.Done.Task;
    }

    /// <summary>
    /// Less than half of <see cref="MaxWaiting"/> waits. Whoever hands in work that nobody waits for asks first; the other half is for work
    /// that was
    /// decided already and must not be refused.
    /// </summary>
    public bool HasRoom => _waiting.Count < MaxWaiting / 2;

    /// <summary>Commits the head row alone.</summary>
    public Task CommitHead() => Commit(HeadOnly.Instance);

    private async Task Run()
    {
        // Whoever is about to call in this round of the scheduler gets into the first commit.
        await Task.Yield();
        try
        {
            while (_waiting.Count > 0)
            {
                var commit = Fill();
                var result = await _store.Commit(_table, _partition, commit.Changes);
                if (result.Outcome != CommitOutcome.Committed)
                {
                    Lose(new PartitionLostException(_table, _partition, result));
                    return;
                }

                Commits++;
                _headETag = result.ETags[^1];
                _committed();
                commit.Complete();
                foreach (var done in _filled)
                {
                    done.Done.SetResult();
                }

                _filled.Clear();
            }
        }
        catch (Exception e)
        {
            // The store broke a limit or itself: whoever waits is told, and the owner ends.
            Lose(new PartitionLostException(_table, _partition, e));
        }
    }

    private CommitBuilder Fill()
    {
        var commit = new CommitBuilder();
        while (_waiting.TryPeek(out var next) && next.Work.Fill(commit))
        {
            _filled.Add(_waiting.Dequeue());
        }

        if (_filled.Count == 0 && commit.Changes.Count == 0)
        {
            throw new InvalidOperationException(
                $"A piece of work of {_table}/{_partition} fits into no commit, not even into one of its own."
            );
        }

        var head = _head();
        commit.AddHead(_headETag is null ? RowChange.Insert(HeadKey, head) : RowChange.Replace(HeadKey, head, _headETag));
        return commit;
    }

    private void Lose(PartitionLostException lost)
    {
        Lost = lost;
        foreach (var waiting in _filled.Concat(_waiting))
        {
            waiting.Done.SetException(lost);
        }

        _filled.Clear();
        _waiting.Clear();
    }

    private sealed record WaitingWork(IPartitionWork Work)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class HeadOnly : IPartitionWork
    {
        public static readonly HeadOnly Instance = new();

        public bool Fill(CommitBuilder commit) => true;
    }
}

/// <summary>Something that changes rows, in one commit or in several.</summary>
public interface IPartitionWork
{
    /// <summary>
    /// Puts as much of itself as there is room for into <paramref name="commit"/> (see <see cref="CommitBuilder.HasRoom"/>), from where the
    /// last call ended.
    /// True when all of it is in; else it is called again for the next commit, before anybody else.
    /// It may change the owner's memory at once: if the commit fails, the owner ends.
    /// </summary>
    bool Fill(CommitBuilder commit);
}

/// <summary>A commit that is being filled: rows, and what is to be done in memory once they are durable.</summary>
public sealed class CommitBuilder
{
    private readonly List<RowChange> _changes = new(StoreLimits.MaxCommitRows);
    private readonly List<Action> _whenCommitted = [];
    private int _bytes;

    internal IReadOnlyList<RowChange> Changes => _changes;

    /// <summary>Room for so many rows more, with so many bytes in all, and for the head row.</summary>
    public bool HasRoom(int rows, int bytes) =>
        _changes.Count + rows < StoreLimits.MaxCommitRows && _bytes + bytes <= StoreLimits.MaxCommitBytes - StoreLimits.MaxPayloadBytes;

    /// <summary>The row is changed in this commit already: another change of it belongs into the next.</summary>
    public bool Has(string key) => _changes.Exists(change => change.Key == key);

    public void Add(RowChange change)
    {
        _bytes += change.Payload.Length;
        _changes.Add(change);
    }

    public void WhenCommitted(Action action) => _whenCommitted.Add(action);

    internal void AddHead(RowChange head) => _changes.Add(head);

    internal void Complete()
    {
        foreach (var action in _whenCommitted)
        {
            action();
        }
    }
}
