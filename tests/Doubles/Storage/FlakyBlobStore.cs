using Grains.Storage;

namespace Doubles.Storage;

/// <summary>What goes wrong with a put.</summary>
public enum PutFailure
{
    /// <summary>An <see cref="IOException"/>; nothing was stored.</summary>
    Throw,

    /// <summary>It is stored, and the answer is an <see cref="IOException"/>.</summary>
    ThrowAfterwards,
}

/// <summary>A blob store that fails when told to, and holds puts and gets until told to let them go.</summary>
public sealed class FlakyBlobStore(IBlobStore inner) : IBlobStore
{
    private readonly Lock _lock = new();
    private readonly Queue<PutFailure> _failures = new();
    private CommitGate? _hold;
    private CommitGate? _holdGets;
    private int _failedGets;
    private long _puts;
    private long _gets;

    public FlakyBlobStore()
        : this(new BlobStoreInMemory()) { }

    /// <summary>Puts asked for so far, failed ones included.</summary>
    public long Puts => Interlocked.Read(ref _puts);

    /// <summary>Gets asked for so far, failed ones included.</summary>
    public long Gets => Interlocked.Read(ref _gets);

    /// <summary>The next gets answer with an <see cref="IOException"/>.</summary>
    public void FailNextGets(int count)
    {
        lock (_lock)
        {
            _failedGets += count;
        }
    }

    /// <summary>From now on gets wait in front of the store until the gate is opened.</summary>
    public CommitGate HoldGets()
    {
        lock (_lock)
        {
            return _holdGets = new CommitGate();
        }
    }

    public void FailNextPuts(int count, PutFailure failure)
    {
        lock (_lock)
        {
            for (var left = count; left > 0; left--)
            {
                _failures.Enqueue(failure);
            }
        }
    }

    /// <summary>From now on puts wait in front of the store until the gate is opened.</summary>
    public CommitGate HoldPuts()
    {
        lock (_lock)
        {
            return _hold = new CommitGate();
        }
    }

    public async Task<bool> Put(string name, ReadOnlyMemory<byte> content, CancellationToken cancel = default)
    {
        Interlocked.Increment(ref _puts);
        PutFailure? failure;
        CommitGate? hold;
        lock (_lock)
        {
            failure = _failures.TryDequeue(out var next) ? next : null;
            hold = _hold;
        }

        if (hold is not null)
        {
            await hold.Pass();
        }

        if (failure == PutFailure.Throw)
        {
            throw new IOException("The disk is full.");
        }

        var stored = await inner.Put(name, content, cancel);
        return failure == PutFailure.ThrowAfterwards ? throw new IOException("The answer was lost.") : stored;
    }

    public async Task<ReadOnlyMemory<byte>?> Get(string name, long offset = 0, int? length = null, CancellationToken cancel = default)
    {
        Interlocked.Increment(ref _gets);
        CommitGate? hold;
        lock (_lock)
        {
            hold = _holdGets;
        }

        if (hold is not null)
        {
            await hold.Pass();
        }

        lock (_lock)
        {
            if (_failedGets > 0)
            {
                _failedGets--;
                throw new IOException("The disk does not answer.");
            }
        }

        return await inner.Get(name, offset, length, cancel);
    }

    public IAsyncEnumerable<BlobEntry> List(string prefix, CancellationToken cancel = default) => inner.List(prefix, cancel);

    public Task Delete(string name, CancellationToken cancel = default) => inner.Delete(name, cancel);
}
