using System.Buffers.Binary;
using System.Collections.Concurrent;
using Grains.Storage;
using Silo.Keys;

namespace Silo.Page.Sessions;

/// <summary>
/// The sessions that somebody logged out of before their time was over: a row each in the table of keys, until it is over. A process knows
/// of its own at once, and of those of others
/// after <see cref="Staleness"/>.
/// </summary>
public sealed class EndedSessions(ITableStore store, TimeProvider clock) : IDisposable
{
    public const string Partition = "ended-sessions";

    /// <summary>So long a logout at another front may go unnoticed.</summary>
    public static readonly TimeSpan Staleness = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, DateTimeOffset> _ended = [];
    private readonly SemaphoreSlim _reading = new(1);
    private long _readAt;
    private bool _wasRead;

    /// <summary>Durable when it answers.</summary>
    /// <exception cref="InvalidOperationException">The store did not say that it is kept; the session is over at this process all the
    /// same.</exception>
    public async Task Add(PageSession session, CancellationToken cancel)
    {
        _ended[session.Id] = session.Until;
        var until = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(until, session.Until.UtcTicks);
        var now = clock.GetUtcNow();
        var over = _ended.Where(ended => ended.Value < now).Select(ended => ended.Key).Take(StoreLimits.MaxCommitRows - 1).ToArray();
        var commit = await store.Commit(
            KeyTable.Name,
            Partition,
            [RowChange.Put(session.Id, until), .. over.Select(id => RowChange.Delete(id))],
            cancel
        );
        if (commit.Outcome != CommitOutcome.Committed)
        {
            throw new InvalidOperationException("The store did not say whether the logout was kept. Log out again.");
        }

        foreach (var id in over)
        {
            _ended.TryRemove(id, out _);
        }
    }

    public async ValueTask<bool> Contains(string id, CancellationToken cancel)
    {
        if (!_ended.ContainsKey(id) && IsStale)
        {
            await _reading.WaitAsync(cancel);
            try
            {
                if (IsStale)
                {
                    await Read(cancel);
                }
            }
            finally
            {
                _reading.Release();
            }
        }

        return _ended.ContainsKey(id);
    }

    public void Dispose() => _reading.Dispose();

    private bool IsStale => !_wasRead || clock.GetElapsedTime(_readAt) >= Staleness;

    private async Task Read(CancellationToken cancel)
    {
        var at = clock.GetTimestamp();
        var range = KeyRange.All;
        IReadOnlyList<TableRow> rows;
        do
        {
            rows = await store.Scan(KeyTable.Name, Partition, range, StoreLimits.MaxScan, cancel);
            foreach (var row in rows)
            {
                _ended[row.Key] = new(BinaryPrimitives.ReadInt64LittleEndian(row.Payload.Span), TimeSpan.Zero);
            }

            range = rows.Count > 0 ? range.After(rows[^1].Key) : range;
        } while (rows.Count == StoreLimits.MaxScan);

        (_readAt, _wasRead) = (at, true);
    }
}
