using Grains.Interfaces.Logs;

namespace Grains.Logs.Batching;

/// <summary>
/// Requests without a name, which may have equal bytes and be different requests all the same. Equal bytes are a repeat only of a request
/// whose answer is known not to have reached its
/// sender: it was reported lost (<see cref="AnswerLost"/>), or the sender's deadline passed while the request waits. Each such request is
/// repeated once at most.
/// </summary>
/// <remarks>In memory only: after a crash every request is new. Told the time. Not thread-safe.</remarks>
/// <param name="window">How long the repeat of a request is expected after its answer was lost.</param>
public sealed class UnnamedRequests(TimeSpan window)
{
    /// <summary>Requests whose repeats are expected at once. Beyond it a repeat is stored as a request of its own.</summary>
    public const int MaxLost = 10_000;

    private readonly Dictionary<(ulong High, ulong Low), List<Attempt>> _attempts = [];
    private readonly Queue<(DateTimeOffset Until, LogRequestId Id)> _lost = [];

    /// <summary>Transmissions that wait, or whose repeats are expected.</summary>
    public int Count => _attempts.Values.Sum(attempts => attempts.Count);

    /// <summary>Whether this is the repeat of an earlier request, which from now on expects no other.</summary>
    /// <param name="waiting">The batch that the earlier one waits in; null when it is durable.</param>
    public bool TryClaim(LogRequestId id, DateTimeOffset now, out Batch? waiting)
    {
        Forget(now);
        waiting = null;
        if (
            !_attempts.TryGetValue(Bytes(id), out var attempts)
            || attempts.Find(attempt => attempt.IsLost || attempt.Deadline <= now) is not { } first
        )
        {
            return false;
        }

        waiting = first.Batch;
        Remove(id with { Attempt = first.Number });
        return true;
    }

    /// <summary>It waits in a batch, to be stored.</summary>
    /// <param name="deadline">When its sender gives up.</param>
    public void Waits(LogRequestId id, Batch batch, DateTimeOffset deadline) =>
        Add(
            id,
            new()
            {
                Number = id.Attempt,
                Batch = batch,
                Deadline = deadline,
            }
        );

    /// <summary>Its answer did not reach its sender: one repeat is expected.</summary>
    /// <param name="isStored">It is durable; otherwise it counts only while it waits here.</param>
    public void AnswerLost(LogRequestId id, bool isStored, DateTimeOffset now)
    {
        Forget(now);
        var attempt = _attempts.GetValueOrDefault(Bytes(id))?.Find(attempt => attempt.Number == id.Attempt);
        if ((attempt is null && !isStored) || attempt is { IsLost: true } || _lost.Count >= MaxLost)
        {
            return;
        }

        if (attempt is null)
        {
            Add(id, attempt = new() { Number = id.Attempt, Deadline = DateTimeOffset.MaxValue });
        }

        attempt.IsLost = true;
        _lost.Enqueue((now + window, id));
    }

    /// <summary>The batch is durable. Only requests whose answers were lost are remembered.</summary>
    public void Stored(Batch batch)
    {
        foreach (var request in batch.Requests.Where(request => request.Id.IsOfBytes))
        {
            if (
                _attempts.GetValueOrDefault(Bytes(request.Id))?.Find(attempt => attempt.Number == request.Id.Attempt) is
                { IsLost: true } lost
            )
            {
                lost.Batch = null;
            }
            else
            {
                Remove(request.Id);
            }
        }
    }

    /// <summary>The batch was not stored: its requests never came.</summary>
    public void Failed(Batch batch)
    {
        foreach (var request in batch.Requests.Where(request => request.Id.IsOfBytes))
        {
            Remove(request.Id);
        }
    }

    private static (ulong High, ulong Low) Bytes(LogRequestId id) => (id.High, id.Low);

    private void Add(LogRequestId id, Attempt attempt)
    {
        if (!_attempts.TryGetValue(Bytes(id), out var attempts))
        {
            _attempts.Add(Bytes(id), attempts = new(1));
        }

        attempts.Add(attempt);
    }

    private void Remove(LogRequestId id)
    {
        if (_attempts.TryGetValue(Bytes(id), out var attempts))
        {
            attempts.RemoveAll(attempt => attempt.Number == id.Attempt);
            if (attempts.Count == 0)
            {
                _attempts.Remove(Bytes(id));
            }
        }
    }

    private void Forget(DateTimeOffset now)
    {
        while (_lost.TryPeek(out var oldest) && oldest.Until <= now)
        {
            Remove(_lost.Dequeue().Id);
        }
    }

    /// <summary>One transmission.</summary>
    private sealed class Attempt
    {
        public required ulong Number { get; init; }

        /// <summary>Null when it is durable.</summary>
        public Batch? Batch { get; set; }

        public required DateTimeOffset Deadline { get; init; }

        public bool IsLost { get; set; }
    }
}
