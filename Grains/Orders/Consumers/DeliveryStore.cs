using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Grains.Interfaces.Orders;
using Grains.Orders.Rows;
using Grains.Storage;

namespace Grains.Orders.Consumers;

/// <summary>
/// What became of deliveries at a subscriber that has a channel, in one partition: shown, sent again, and forgotten after a while.
/// </summary>
internal sealed class DeliveryStore(SubscriberPartition partition)
{
    private const int RowsAtOnce = 100;

    /// <summary>Deliveries that are made once more by one commit.</summary>
    private const int ResentInCommit = 20;

    private DeliveryScheduler Scheduler => partition.Scheduler;

    /// <inheritdoc cref="ISubscriberGrain.Deliveries"/>
    public async Task<ImmutableArray<Delivery>> Of(OrderId order, CancellationToken cancel)
    {
        // Before and after: what goes into a commit in between is in one of them, or in the rows.
        var before = Scheduler.Of(order).ToList();
        var rows = await partition.Scan(SubscriberTable.DeliveriesOf(order), RowsAtOnce, cancel);
        var found = new SortedDictionary<long, Delivery>();
        foreach (var row in rows.Select(row => OrderJson.Read<DeliveryRow>(row.Payload)))
        {
            found[row.Version] = new(
                partition.Key.Name,
                row.Version,
                row.Type,
                row.Status,
                row.Reason,
                row.Attempts,
                row.At,
                null,
                row.History
            );
        }

        // What is under way is the later word: a dead letter that was replayed waits again.
        var under = Scheduler.Of(order).ToList();
        foreach (var item in before.Where(item => !found.ContainsKey(item.Change.Version)).Concat(under))
        {
            found[item.Change.Version] = new(
                partition.Key.Name,
                item.Change.Version,
                item.Change.Type,
                DeliveryStatus.Waiting,
                item.History is [.., var last] ? last.What.Split(':')[0] : null,
                item.Attempts,
                null,
                Scheduler.NextTry(item),
                item.History
            );
        }

        return [.. found.Values];
    }

    /// <summary>
    /// Makes deliveries once more that were made, as many as may wait: those of an order, or those since a time in the order of their
    /// times. What
    /// is under way, suppressed, dead or discarded is left out.
    /// </summary>
    /// <param name="change">Reads a change by its revision; null: it is not kept any more.</param>
    public Task<ResentPart> Resend(ResendPart what, string by, Func<long, Task<OrderChange?>> change, CancellationToken cancel) =>
        partition.Alone(() =>
            partition.Channel is null ? Task.FromResult(new ResentPart(0, 0, null)) : ResendAlone(what, by, change, cancel)
        );

    private async Task<ResentPart> ResendAlone(ResendPart what, string by, Func<long, Task<OrderChange?>> change, CancellationToken cancel)
    {
        var (count, gone) = (0, 0);
        await foreach (var (at, keys) in Made(what, cancel))
        {
            var found = new List<(OrderChange Change, DeliveryRow Row)>();
            foreach (var key in keys)
            {
                if (
                    await partition.Get(key, cancel) is { } row
                    && OrderJson.Read<DeliveryRow>(row.Payload) is var made
                    && IsMeant(made, what)
                )
                {
                    if (await change(made.Revision) is { } kept)
                    {
                        found.Add((kept, made));
                    }
                    else
                    {
                        gone++;
                    }
                }
            }

            if (found.Count > Scheduler.RoomToWait)
            {
                return new(count, gone, at);
            }

            foreach (var some in found.Chunk(ResentInCommit))
            {
                await partition.Commit(new ResendWork(partition, some, by));
            }

            count += found.Count;
        }

        return new(count, gone, null);
    }

    /// <summary>The keys of deliveries, as one commit was done with them, and when.</summary>
    private async IAsyncEnumerable<(DateTimeOffset At, IReadOnlyList<string> Keys)> Made(
        ResendPart what,
        [EnumeratorCancellation] CancellationToken cancel
    )
    {
        if (what.Order is { } order)
        {
            await foreach (var row in partition.ScanAll(SubscriberTable.DeliveriesOf(order), cancel))
            {
                yield return (default, [row.Key]);
            }

            yield break;
        }

        var range = SubscriberTable.ExpiredFrom(what.Since ?? default, what.Until ?? partition.Clock.GetUtcNow().AddTicks(1));
        await foreach (var row in partition.ScanAll(range, cancel))
        {
            yield return (SubscriberTable.ExpiryIn(row.Key), OrderJson.Read<IReadOnlyList<string>>(row.Payload));
        }
    }

    private bool IsMeant(DeliveryRow made, ResendPart what) =>
        made.Status == DeliveryStatus.Delivered
        && (what.Version is null || what.Version == made.Version)
        && (what.Since is null || made.At >= what.Since)
        && (what.Until is null || made.At < what.Until)
        && !Scheduler.Has(made.Revision);

    /// <summary>Forgets what became of deliveries that were done with before then, some of them; true when there may be more.</summary>
    public async Task<bool> Forget(DateTimeOffset before, CancellationToken cancel)
    {
        const int AtOnce = 10;
        var expired = await partition.Scan(SubscriberTable.ExpiredBy(before), AtOnce, cancel);
        foreach (var row in expired)
        {
            foreach (var keys in OrderJson.Read<IReadOnlyList<string>>(row.Payload).Chunk(DeliveryResult.MaxRows))
            {
                var old = await OlderThan(before, keys, cancel);
                await partition.Commit(old.Select(key => RowChange.Delete(key)));
            }
        }

        if (expired.Count > 0)
        {
            await partition.Commit(expired.Select(row => RowChange.Delete(row.Key)));
        }

        return expired.Count == AtOnce;
    }

    /// <summary>One that was replayed since is kept with its later outcome.</summary>
    private async Task<List<string>> OlderThan(DateTimeOffset before, string[] keys, CancellationToken cancel)
    {
        var old = new List<string>();
        foreach (var key in keys)
        {
            if (await partition.Get(key, cancel) is { } row && OrderJson.Read<DeliveryRow>(row.Payload).At < before)
            {
                old.Add(key);
            }
        }

        return old;
    }

    /// <summary>Changes that wait once more, in one commit with what the audit is to hear of it.</summary>
    private sealed class ResendWork(SubscriberPartition partition, (OrderChange Change, DeliveryRow Row)[] made, string by) : IPartitionWork
    {
        public bool Fill(CommitBuilder commit)
        {
            if (!partition.Scheduler.HasRoom(commit, made.Length * 2, made.Length * Order.MaxBytes * 4))
            {
                return false;
            }

            var now = partition.Clock.GetUtcNow();
            foreach (var (change, row) in made)
            {
                ImmutableArray<HandlingTry> history = [.. row.History.TakeLast(KeptChangeRow.MaxHistory - 1), new(now, $"resent: by {by}")];
                partition.Scheduler.Resend(change, history, commit);
                partition.Note(
                    new(
                        0,
                        (byte)AuditEntryKind.Replay,
                        change.OrderId,
                        change.Version,
                        $"{partition.Key.Name}.resent",
                        now,
                        $"by {by}; delivered before, {row.Reason}"
                    ),
                    commit
                );
            }

            return true;
        }
    }
}
