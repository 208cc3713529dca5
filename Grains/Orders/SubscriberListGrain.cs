using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Grains.Orders.Consumers;
using Grains.Orders.Deliveries.Mail;
using Grains.Orders.Deliveries.Webhooks;
using Grains.Orders.Rows;
using Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;

namespace Grains.Orders;

/// <summary>Asks the grains of all subscribers side by side.</summary>
[StatelessWorker]
[GrainType("subscriberlist")]
public sealed partial class SubscriberListGrain(
    SubscriberCatalog catalog,
    IOptions<OrdersOptions> options,
    ITableStore store,
    TimeProvider clock,
    [FromKeyedServices(Clocks.Guards)] TimeProvider guards,
    ILogger<SubscriberListGrain> logger,
    IFileRemains? files = null
) : Grain, ISubscriberListGrain
{
    /// <summary>How long an erasure waits until every subscriber has taken what was committed before it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>In the orders' table: one row while files are to be cleaned after an erasure.</summary>
    private const string ErasuresPartition = "erasures";

    private const string FilesKey = "files";

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    private IEnumerable<int> Partitions => Enumerable.Range(0, options.Value.Partitions);

    public async Task<ImmutableArray<SubscriberState>> List(CancellationToken cancel)
    {
        var names = (await Listed(cancel)).Union(catalog.Names).Order(StringComparer.Ordinal);
        var heads = await Task.WhenAll(Partitions.Select(partition => Feed(partition).Head(cancel)));
        var states = await Task.WhenAll(from name in names from partition in Partitions select Subscriber(name, partition).Show(cancel));
        return [.. states.Select(state => state with { Head = heads[state.Partition].Head })];
    }

    public async Task<string?> Remove(string name, CancellationToken cancel)
    {
        if (catalog.IsOfFamily(name))
        {
            return $"\"{name}\" is a webhook's endpoint: \"orders webhooks remove\" takes it away.";
        }

        if (catalog.Find(name) is not null)
        {
            return $"\"{name}\" belongs to this program, and would be listed again at once. Only a subscriber that no silo runs "
                + $"any more can be removed.";
        }

        if (!SubscriberKey.IsName(name) || (await List(cancel)).All(state => state.Name != name))
        {
            return $"There is no subscriber \"{(name.Length > SubscriberKey.MaxName ? name[..SubscriberKey.MaxName] + "…" : name)}\".";
        }

        await Task.WhenAll(Partitions.Select(partition => Subscriber(name, partition).Remove(cancel)));
        return null;
    }

    public async Task<DeadLetterPage> DeadLetters(DeadLetterQuery query, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Take, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(query.Take, ISubscriberGrain.MaxTake);
        var letters = ImmutableArray.CreateBuilder<DeadLetter>();
        foreach (var key in await Keys(query.Subscriber, cancel))
        {
            var from = 0L;
            if (query.After is { } after && Compare(key, new(after.Subscriber, after.Partition)) is var order and <= 0)
            {
                if (order < 0)
                {
                    continue;
                }

                from = after.Revision + 1;
            }

            letters.AddRange(await Grain(key).DeadLetters(from, query.Reason, query.Take - letters.Count, cancel));
            if (letters.Count == query.Take)
            {
                return new(letters.ToImmutable(), DeadLetterId.Of(letters[^1]));
            }
        }

        return new(letters.ToImmutable(), null);
    }

    public async Task<DeadLetter?> DeadLetter(DeadLetterId id, CancellationToken cancel) =>
        IsHere(id)
            ? (await Subscriber(id.Subscriber, id.Partition).DeadLetters(id.Revision, reason: null, 1, cancel)).FirstOrDefault(letter =>
                letter.Change.Revision == id.Revision
            )
            : null;

    public Task<DeadLetterReply> Replay(DeadLetterFilter filter, string by, CancellationToken cancel) =>
        Each(filter, (grain, revision) => grain.Replay(revision, filter.Reason, by, cancel), cancel);

    public Task<DeadLetterReply> Discard(DeadLetterFilter filter, string by, CancellationToken cancel) =>
        Each(filter, (grain, revision) => grain.Discard(revision, filter.Reason, by, cancel), cancel);

    public async Task<EraseReply> Erase(string customer, CancellationToken cancel)
    {
        // In this order, so that asking again after a crash finds the orders by the customer still, and nothing that was under way brings
        // back what was erased:
        // the feed's rows; every subscriber past what it had taken before; what subscribers keep; at last the index.
        var (orders, changes) = (0, 0);
        await Remember(cancel);
        foreach (var partition in Partitions)
        {
            var feed = Feed(partition);
            var erased = await feed.Erase(customer, cancel);
            changes += erased.Changes;
            if (erased.Orders.IsEmpty)
            {
                continue;
            }

            foreach (var name in await Names(cancel))
            {
                // One with a channel may stand for days before a destination that does not answer; what it has taken, and what is on its
                // way to it, it erases in memory.
                var grain = Subscriber(name, partition);
                if (catalog.Find(name)?.Rules.Channel is null && await Reaches(grain, erased.Head, cancel) is { } cursor)
                {
                    return new(
                        orders,
                        changes,
                        $"\"{name}\" in partition {partition} stands at revision {cursor}, and what was committed up to "
                            + $"{erased.Head} may be on its way to it. See to it, and erase again: what was erased so far stays so."
                    );
                }

                foreach (var some in erased.Orders.Chunk(ISubscriberGrain.MaxErase))
                {
                    await grain.Erase([.. some], cancel);
                }
            }

            await feed.ForgetCustomer(customer, erased.Orders, cancel);
            orders += erased.Orders.Length;
        }

        await GrainFactory.GetGrain<IOrderMailGrain>(0).Forget(customer, cancel);
        return new(orders, changes, null) { FilesCleaned = await CleanFiles(cancel) };
    }

    public async Task<OrderDeliveries> Deliveries(OrderId order, CancellationToken cancel)
    {
        if (order.Partition >= options.Value.Partitions)
        {
            return new([], []);
        }

        var names = (await Names(cancel)).Where(name => catalog.Find(name)?.Rules.Channel is not null).ToList();
        var found = await Task.WhenAll(names.Select(name => Subscriber(name, order.Partition).Deliveries(order, cancel)));
        var head = await Feed(order.Partition).Head(cancel);
        var states = await Task.WhenAll(names.Select(name => Subscriber(name, order.Partition).Show(cancel)));
        return new(
            [
                .. found
                    .SelectMany(some => some)
                    .OrderBy(delivery => delivery.Version)
                    .ThenBy(delivery => delivery.Subscriber, StringComparer.Ordinal),
            ],
            [.. states.Where(state => state.Cursor <= head.Head).Select(state => state.Name)]
        );
    }

    public async Task Wake(CancellationToken cancel)
    {
        await Task.WhenAll((await Keys(null, cancel)).Select(key => Grain(key).Wake(cancel)));
        if (await CleanFiles(cancel) == false)
        {
            LogNotCleaned();
        }
    }

    /// <summary>Files are to be cleaned: durable before the first row is erased, so that a crash does not leave them.</summary>
    private async Task Remember(CancellationToken cancel)
    {
        if (
            files is not null
            && await store.Commit(OrderTable.Name, ErasuresPartition, [RowChange.Put(FilesKey, ReadOnlyMemory<byte>.Empty)], cancel)
                is { Outcome: not CommitOutcome.Committed } failed
        )
        {
            throw new PartitionLostException(OrderTable.Name, ErasuresPartition, failed);
        }
    }

    /// <summary>
    /// Cleans the files if an erasure asked for it. True: they are clean; false: somebody reads them; null: the store has none.
    /// </summary>
    private async Task<bool?> CleanFiles(CancellationToken cancel)
    {
        if (files is null || await store.Get(OrderTable.Name, ErasuresPartition, FilesKey, cancel) is not { } asked)
        {
            return files is null ? null : true;
        }

        var cleaned = true;
        foreach (var table in new[] { OrderTable.Name, SubscriberTable.Name, MailTable.Name, EndpointTable.Name })
        {
            cleaned &= await files.Clean(table, cancel);
        }

        // An erasure that began meanwhile has written the row again, and has it cleaned itself.
        return cleaned
            && await store.Commit(OrderTable.Name, ErasuresPartition, [RowChange.Delete(FilesKey, asked.ETag)], cancel)
                is { Outcome: CommitOutcome.Committed };
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The files of the store still hold traces of what was erased, for somebody reads them; it is tried again"
    )]
    private partial void LogNotCleaned();

    /// <summary>Null when it has taken everything up to there, else where it stands.</summary>
    private async Task<long?> Reaches(ISubscriberGrain grain, long revision, CancellationToken cancel)
    {
        await grain.Wake(cancel);
        for (var end = guards.GetUtcNow() + Patience; ; )
        {
            var state = await grain.Show(cancel);
            if (state.Cursor > revision)
            {
                return null;
            }

            if (guards.GetUtcNow() >= end)
            {
                return state.Cursor;
            }

            await Task.Delay(LookEvery, clock, cancel);
        }
    }

    private async Task<DeadLetterReply> Each(
        DeadLetterFilter filter,
        Func<ISubscriberGrain, long?, Task<int>> act,
        CancellationToken cancel
    )
    {
        if (filter.Id is { } id)
        {
            return new(IsHere(id) ? await act(Subscriber(id.Subscriber, id.Partition), id.Revision) : 0, 0);
        }

        var keys = await Keys(filter.Subscriber, cancel);
        var counts = await Task.WhenAll(keys.Select(key => act(Grain(key), null)));
        var states = await Task.WhenAll(keys.Select(key => Grain(key).Show(cancel)));
        return new(
            counts.Sum(),
            states.Sum(state => filter.Reason is { } reason ? state.Dead.GetValueOrDefault(reason) : state.Dead.Values.Sum())
        );
    }

    private bool IsHere(DeadLetterId id) => catalog.Find(id.Subscriber) is not null && id.Partition < options.Value.Partitions;

    /// <summary>Of this program, in order.</summary>
    private async Task<List<SubscriberKey>> Keys(string? name, CancellationToken cancel) =>
        [
            .. from known in await Names(cancel)
            where name is null || name == known
            from partition in Partitions
            select new SubscriberKey(known, partition),
        ];

    /// <summary>Those that are always there, and those that come and go as the feeds list them.</summary>
    private async Task<List<string>> Names(CancellationToken cancel) =>
        [.. catalog.Names.Union((await Listed(cancel)).Where(catalog.IsOfFamily)).Order(StringComparer.Ordinal)];

    private async Task<IEnumerable<string>> Listed(CancellationToken cancel)
    {
        var listed = await Task.WhenAll(Partitions.Select(partition => Feed(partition).Subscribers(cancel)));
        return listed
            .SelectMany(some => some.Select(subscriber => subscriber.Name))
            .Where(SubscriberKey.IsName)
            .Distinct(StringComparer.Ordinal);
    }

    private static int Compare(SubscriberKey key, SubscriberKey other) =>
        string.CompareOrdinal(key.Name, other.Name) is not 0 and var order ? order : key.Partition.CompareTo(other.Partition);

    private ISubscriberGrain Subscriber(string name, int partition) => Grain(new(name, partition));

    private ISubscriberGrain Grain(SubscriberKey key) => GrainFactory.GetGrain<ISubscriberGrain>(key.ToString());

    private IOrderFeedGrain Feed(int partition) => GrainFactory.GetGrain<IOrderFeedGrain>(partition);
}
