using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Grains.Orders.Rows;
using Grains.Storage;

namespace Grains.Orders.Consumers;

/// <summary>The dead letters of a subscriber in one partition: listed, replayed, discarded.</summary>
internal sealed class DeadLetterStore(SubscriberPartition partition)
{
    /// <summary>Dead letters that are replayed or discarded in one commit.</summary>
    private const int LettersInCommit = 20;

    private DeliveryScheduler Scheduler => partition.Scheduler;

    /// <inheritdoc cref="ISubscriberGrain.DeadLetters"/>
    public async Task<ImmutableArray<DeadLetter>> List(long from, string? reason, int take, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfLessThan(take, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(take, ISubscriberGrain.MaxTake);
        var rows = await Rows(from, reason, take, cancel);
        return
        [
            .. rows.Select(row => new DeadLetter(
                partition.Key.Name,
                partition.Key.Partition,
                row.Change,
                row.Reason!,
                row.Detail ?? "",
                row.At ?? default,
                row.History
            )),
        ];
    }

    /// <inheritdoc cref="ISubscriberGrain.Replay"/>
    public Task<int> Replay(long? revision, string? reason, string by, CancellationToken cancel) =>
        Letters(revision, reason, by, isReplay: true, cancel);

    /// <inheritdoc cref="ISubscriberGrain.Discard"/>
    public Task<int> Discard(long? revision, string? reason, string by, CancellationToken cancel) =>
        Letters(revision, reason, by, isReplay: false, cancel);

    /// <summary>From a revision on, with this reason or any, as many as asked for.</summary>
    public async Task<List<KeptChangeRow>> Rows(long from, string? reason, int take, CancellationToken cancel)
    {
        var found = new List<KeptChangeRow>();
        await foreach (var row in partition.ScanAll(SubscriberTable.DeadFrom(from), cancel))
        {
            if (OrderJson.Read<KeptChangeRow>(row.Payload) is var letter && (reason is null || letter.Reason == reason))
            {
                found.Add(letter);
                if (found.Count == take)
                {
                    break;
                }
            }
        }

        return found;
    }

    private async Task<int> Letters(long? revision, string? reason, string by, bool isReplay, CancellationToken cancel)
    {
        var done = 0;
        for (var from = revision ?? 0; ; )
        {
            var rows = await partition.Alone(() => SomeLetters(from, revision, reason, by, isReplay, cancel));
            done += rows.Count;
            if (revision is not null || rows.Count < LettersInCommit)
            {
                return done;
            }

            from = rows[^1].Revision + 1;
        }
    }

    private async Task<List<KeptChangeRow>> SomeLetters(
        long from,
        long? revision,
        string? reason,
        string by,
        bool isReplay,
        CancellationToken cancel
    )
    {
        var rows = await Rows(from, reason, LettersInCommit, cancel);
        rows = revision is { } one ? [.. rows.Where(row => row.Revision == one)] : rows;
        if (isReplay && rows.Count > Scheduler.RoomToWait)
        {
            rows = rows[..Scheduler.RoomToWait];
        }

        if (rows.Count > 0)
        {
            await partition.Commit(new LettersWork(partition, rows, by, isReplay));
        }

        return rows;
    }

    /// <summary>Dead letters that go, in one commit with what the audit is to hear of it.</summary>
    private sealed class LettersWork(SubscriberPartition partition, List<KeptChangeRow> rows, string by, bool isReplay) : IPartitionWork
    {
        public bool Fill(CommitBuilder commit)
        {
            if (!partition.Scheduler.HasRoom(commit, rows.Count * 4, rows.Count * Order.MaxBytes * 4))
            {
                return false;
            }

            var now = partition.Clock.GetUtcNow();
            foreach (var row in rows)
            {
                commit.Add(RowChange.Delete(SubscriberTable.Dead(row.Revision)));
                var what = isReplay ? "replayed" : "discarded";
                if (isReplay)
                {
                    ImmutableArray<HandlingTry> history =
                    [
                        .. row.History.TakeLast(KeptChangeRow.MaxHistory - 1),
                        new(now, $"replayed: by {by}"),
                    ];
                    partition.Scheduler.Revive(row with { History = history, Attempts = 0 }, commit);
                }
                else
                {
                    partition.Scheduler.CountDiscarded(row);
                    if (partition.Channel is not null)
                    {
                        ImmutableArray<HandlingTry> history =
                        [
                            .. row.History.TakeLast(KeptChangeRow.MaxHistory - 1),
                            new(now, $"discarded: by {by}"),
                        ];
                        partition.Scheduler.Deliver(
                            new(
                                row.Revision,
                                row.Order.Version,
                                row.Change.Type,
                                DeliveryStatus.Discarded,
                                row.Reason!,
                                row.Detail ?? "",
                                row.Attempts,
                                now,
                                history
                            ),
                            row.Order.Id,
                            commit
                        );
                    }
                }

                partition.Note(
                    new(
                        0,
                        (byte)AuditEntryKind.Replay,
                        row.Order.Id,
                        row.Order.Version,
                        $"{partition.Key.Name}.{what}",
                        now,
                        $"by {by}; {row.Reason}"
                    ),
                    commit
                );
            }

            return true;
        }
    }
}
