using Grains.Storage;

namespace Grains.Orders.Deliveries.Webhooks;

/// <summary>One endpoint's row and what it is in memory: read once, and changed by one caller after the other.</summary>
/// <remarks>
/// Of failures only the first is written at once, and the last number of them at most once a minute: a crash forgets a few. For one thread
/// at a time: each await
/// comes back to where it was begun.
/// </remarks>
/// <param name="known">Called whenever the state in memory is another.</param>
internal sealed class EndpointStore(ITableStore store, string id, TimeProvider clock, Action<EndpointState> known) : IDisposable
{
    /// <summary>A row that others changed, or of which nothing is known, is read again so often.</summary>
    private const int MaxTries = 3;

    private static readonly TimeSpan CountEvery = TimeSpan.FromMinutes(1);

    private readonly SemaphoreSlim _turn = new(1);
    private Kept? _kept;

    /// <summary>As it is in memory; null where nothing is.</summary>
    public EndpointState? Current => _kept?.State;

    public void Dispose() => _turn.Dispose();

    /// <summary>Null: there is no such endpoint.</summary>
    public async ValueTask<EndpointState?> Read(CancellationToken cancel)
    {
        if (_kept is { } kept)
        {
            return kept.State;
        }

        await _turn.WaitAsync(cancel);
        try
        {
            return (await ReadRow(cancel))?.State;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// Decides on what is stored, and replaces the row; then it counts. Where another activation was faster, or nothing is known of the
    /// commit, the row is read
    /// again and it is decided once more. Null: there is no such endpoint.
    /// </summary>
    /// <exception cref="IOException">It could not be stored.</exception>
    public async Task<EndpointState?> Change(Func<EndpointState, EndpointState> decide, CancellationToken cancel)
    {
        await _turn.WaitAsync(cancel);
        try
        {
            for (var tries = 1; ; tries++)
            {
                if (await ReadRow(cancel) is not { } kept)
                {
                    return null;
                }

                var next = decide(kept.State);
                if (!IsDue(kept, next))
                {
                    Keep(kept with { State = next });
                    return next;
                }

                var result = await store.Commit(
                    EndpointTable.Name,
                    EndpointTable.Partition,
                    [RowChange.Replace(id, EndpointTable.Write(next), kept.ETag)],
                    cancel
                );
                if (result.Outcome == CommitOutcome.Committed)
                {
                    Keep(new(next, next, result.ETags[0]!, clock.GetTimestamp()));
                    return next;
                }

                _kept = null;
                if (tries == MaxTries)
                {
                    var because =
                        result.Outcome == CommitOutcome.Conflict ? "others change it at the same time" : "nothing is known of the commit";
                    throw new IOException($"Endpoint {id} could not be stored: {because}; ask again.", result.Cause);
                }
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>False when there is none. Durable when it answers.</summary>
    /// <exception cref="IOException">Whether it is removed is not known.</exception>
    public async Task<bool> Remove(CancellationToken cancel)
    {
        await _turn.WaitAsync(cancel);
        try
        {
            if (await ReadRow(cancel) is null)
            {
                return false;
            }

            _kept = null;
            var result = await store.Commit(EndpointTable.Name, EndpointTable.Partition, [RowChange.Delete(id)], cancel);
            return result.Outcome == CommitOutcome.Committed
                ? true
                : throw new IOException($"Whether endpoint {id} is removed is not known; ask again.", result.Cause);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>The number of failures alone is written once in a while.</summary>
    private bool IsDue(Kept kept, EndpointState next) =>
        next != kept.Written
        && (next with { Failures = kept.Written.Failures } != kept.Written || clock.GetElapsedTime(kept.WrittenAt) >= CountEvery);

    /// <summary>Where nothing is in memory, what is stored. Whoever calls has the turn.</summary>
    private async ValueTask<Kept?> ReadRow(CancellationToken cancel)
    {
        if (_kept is null && await store.Get(EndpointTable.Name, EndpointTable.Partition, id, cancel) is { } row)
        {
            var state = EndpointTable.Read(row);
            Keep(new(state, state, row.ETag, clock.GetTimestamp()));
        }

        return _kept;
    }

    private void Keep(Kept kept)
    {
        _kept = kept;
        known(kept.State);
    }

    /// <param name="State">As it is now.</param>
    /// <param name="Written">As the row has it.</param>
    /// <param name="WrittenAt">A timestamp of the clock.</param>
    private sealed record Kept(EndpointState State, EndpointState Written, string ETag, long WrittenAt);
}
