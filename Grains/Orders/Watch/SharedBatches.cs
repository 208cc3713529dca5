namespace Grains.Orders.Watch;

/// <summary>
/// The last answers that watchers of all orders got, by where they begin: who stands at the same place gets the same one, and what is made
/// of it is made once, however many watch. Who follows such answers stands at the end of one, so watchers stay together and those that
/// were apart come together.
/// </summary>
/// <remarks>At most <see cref="MaxBatches"/>, and about <see cref="MaxBytes"/>. Who is further back makes answers of his own.</remarks>
public sealed class SharedBatches
{
    /// <summary>
    /// Changes that a door asks for at once. An answer that holds less than there is because somebody asked for fewer is that one's own.
    /// </summary>
    public const int Take = 200;

    /// <summary>More than come while one round of wake-ups passes through all watchers.</summary>
    public const int MaxBatches = 32;

    /// <summary>Of changes, about; as much again when they are written.</summary>
    public const int MaxBytes = 4 * 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly Queue<Shared> _batches = new(MaxBatches + 1);
    private int _bytes;

    /// <summary>The answer that begins where a watcher stands, who then stands at its end; null when there is none.</summary>
    /// <param name="next">By partition the first revision that the watcher has yet to see; moved.</param>
    /// <param name="take">Changes at most.</param>
    public WatchBatch? From(Span<long> next, int take)
    {
        lock (_gate)
        {
            foreach (var shared in _batches)
            {
                if (shared.Batch.Items.Length <= take && next.SequenceEqual(shared.From))
                {
                    shared.To.CopyTo(next);
                    return shared.Batch;
                }
            }
        }

        return null;
    }

    /// <summary>Others may have it too.</summary>
    /// <param name="from">By partition the first revision that is in it, or after it.</param>
    /// <param name="to">By partition the first revision after it.</param>
    /// <param name="bytes">Of its changes, about.</param>
    public void Add(long[] from, ReadOnlySpan<long> to, WatchBatch batch, int bytes)
    {
        var shared = new Shared(from, to.ToArray(), batch, bytes);
        lock (_gate)
        {
            _batches.Enqueue(shared);
            _bytes += bytes;
            while (_batches.Count > MaxBatches || (_bytes > MaxBytes && _batches.Count > 1))
            {
                _bytes -= _batches.Dequeue().Bytes;
            }
        }
    }

    private sealed record Shared(long[] From, long[] To, WatchBatch Batch, int Bytes);
}
