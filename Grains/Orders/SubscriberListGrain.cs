using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Grains.Orders.Audit;
using Grains.Orders.Consumers;
using Grains.Orders.Deliveries.Mail;
using Grains.Orders.Deliveries.Webhooks;
using Grains.Orders.Rows;
using Grains.Orders.Timelines;
using Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;

namespace Grains.Orders;

/// <summary>Asks the grains of all subscribers side by side.</summary>
/// <remarks>Over 150 lines, because each of its eleven verbs is asked of every subscriber, and put together, in its own way.</remarks>
[StatelessWorker]
[GrainType("subscriberlist")]
public sealed partial class SubscriberListGrain(
    SubscriberCatalog catalog,
    IOptions<OrdersOptions> options,
    ITableStore store,
    TimeProvider clock,
    [FromKeyedServices(Clocks.Guards)] TimeProvider guards,
    ILogger<SubscriberListGrain> logger,
    IFileRemains? remains = null
) : Grain, ISubscriberListGrain
{
    private readonly ErasedFiles _files = new(
        store,
        remains,
        OrderTable.Name,
        [OrderTable.Name, SubscriberTable.Name, MailTable.Name, EndpointTable.Name],
        clock
    );

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
        var files = await _files.Begin(cancel);
        var erasure = new CustomerErasure(Feed, Grain, name => catalog.Find(name)?.Rules.Channel is null, clock, guards);
        var reply = await erasure.Run(customer, Partitions, async () => await Names(cancel), cancel);
        if (reply.Error is not null)
        {
            return reply;
        }

        await GrainFactory.GetGrain<IOrderMailGrain>(0).Forget(customer, cancel);
        return reply with { FilesCleaned = await _files.End(files, cancel) };
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

    public async Task<OrderTimeline?> Timeline(OrderId order, CancellationToken cancel)
    {
        if (
            order.Partition >= options.Value.Partitions
            || await GrainFactory.GetGrain<IOrderGrain>(order.Value).Show(cancel) is not { } shown
        )
        {
            return null;
        }

        var deliveries = await Deliveries(order, cancel);
        var lines = await GrainFactory.GetGrain<IAuditGrain>(0).EntriesOf(order, cancel);
        return TimelineBuilder.Build(shown, deliveries, Read(lines), catalog.NoteTaker is not null, clock.GetUtcNow());
    }

    public async Task<ResentReply> Resend(ResendDeliveries what, string by, CancellationToken cancel)
    {
        if (what.Fault() is { } fault)
        {
            return new(0, 0, null, fault);
        }

        var names = (await Names(cancel))
            .Where(name => catalog.Find(name)?.Rules.Channel is not null && (what.Subscriber is null || what.Subscriber == name))
            .ToList();
        return await new Resending(options.Value.Partitions, Grain, clock).Run(what, names, by, cancel);
    }

    /// <summary>What cannot be read is left out: "orders audit verify" names it.</summary>
    private static List<AuditedEntry> Read(ImmutableArray<AuditLine> lines)
    {
        var read = new List<AuditedEntry>();
        foreach (var line in lines)
        {
            try
            {
                read.Add(new(line.Index, AuditEntry.Decode(line.Entry)));
            }
            catch (FormatException)
            {
                continue;
            }
        }

        return read;
    }

    public async Task Wake(CancellationToken cancel)
    {
        await Task.WhenAll((await Keys(null, cancel)).Select(key => Grain(key).Wake(cancel)));
        if (await _files.Clean(cancel) == false)
        {
            LogNotCleaned();
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The files of the store still hold traces of what was erased, for somebody reads them; it is tried again"
    )]
    private partial void LogNotCleaned();

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
