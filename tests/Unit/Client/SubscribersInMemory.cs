using System.Collections.Immutable;
using Grains.Interfaces.Orders;

namespace Unit.Client;

/// <summary>Subscribers without a cluster: they show what a test put there, and write down what is asked of them.</summary>
internal sealed class SubscribersInMemory : ISubscriberListGrain
{
    public List<SubscriberState> States { get; } = [];

    public List<DeadLetter> Letters { get; } = [];

    public List<string> Asked { get; } = [];

    public Dictionary<OrderId, OrderTimeline> Timelines { get; } = [];

    public ResentReply Resent { get; set; } = new(0, 0, null);

    public EraseReply Erased { get; set; } = new(0, 0, null);

    /// <summary>A change of the order of this key that is dead at the subscriber.</summary>
    public DeadLetter Add(string subscriber, int partition, long revision, string reason, Order order)
    {
        var letter = new DeadLetter(
            subscriber,
            partition,
            new(revision, order, null, null),
            reason,
            "It said so.",
            ConsoleInMemory.Start,
            [new(ConsoleInMemory.Start, reason + ": It said so.")]
        );
        Letters.Add(letter);
        return letter;
    }

    public Task<ImmutableArray<SubscriberState>> List(CancellationToken cancel = default) => Task.FromResult(States.ToImmutableArray());

    public Task<string?> Remove(string name, CancellationToken cancel = default)
    {
        Asked.Add($"remove {name}");
        return Task.FromResult(States.RemoveAll(state => state.Name == name) > 0 ? null : $"There is no subscriber \"{name}\".");
    }

    public Task<DeadLetterPage> DeadLetters(DeadLetterQuery query, CancellationToken cancel = default)
    {
        var found = Matching(new(null, query.Subscriber, query.Reason))
            .SkipWhile(letter => query.After is not null && DeadLetterId.Of(letter) != query.After)
            .Skip(query.After is null ? 0 : 1)
            .ToList();
        return Task.FromResult(
            new DeadLetterPage([.. found.Take(query.Take)], found.Count >= query.Take ? DeadLetterId.Of(found[query.Take - 1]) : null)
        );
    }

    public Task<DeadLetter?> DeadLetter(DeadLetterId id, CancellationToken cancel = default) =>
        Task.FromResult(Matching(new(id)).FirstOrDefault());

    public Task<DeadLetterReply> Replay(DeadLetterFilter filter, string by, CancellationToken cancel = default) => Take("replay", filter);

    public Task<DeadLetterReply> Discard(DeadLetterFilter filter, string by, CancellationToken cancel = default) => Take("discard", filter);

    public Task<EraseReply> Erase(string customer, CancellationToken cancel = default)
    {
        Asked.Add($"erase {customer}");
        return Task.FromResult(Erased);
    }

    public Task<OrderDeliveries> Deliveries(OrderId order, CancellationToken cancel = default) =>
        Task.FromResult(new OrderDeliveries([], []));

    public Task<OrderTimeline?> Timeline(OrderId order, CancellationToken cancel = default) =>
        Task.FromResult(Timelines.GetValueOrDefault(order));

    public Task<ResentReply> Resend(ResendDeliveries what, string by, CancellationToken cancel = default)
    {
        Asked.Add($"resend {what.Order} {what.Version} {what.Subscriber} {what.Since:u} {what.After}".TrimEnd());
        return Task.FromResult(Resent);
    }

    public Task Wake(CancellationToken cancel = default) => Task.CompletedTask;

    private Task<DeadLetterReply> Take(string verb, DeadLetterFilter filter)
    {
        Asked.Add($"{verb} {filter.Id} {filter.Subscriber} {filter.Reason}".TrimEnd());
        return Task.FromResult(new DeadLetterReply(Letters.RemoveAll(letter => Matching(filter).Contains(letter)), 0));
    }

    private List<DeadLetter> Matching(DeadLetterFilter filter) =>
        [
            .. Letters.Where(letter =>
                (filter.Id is null || DeadLetterId.Of(letter) == filter.Id)
                && (filter.Subscriber is null || letter.Subscriber == filter.Subscriber)
                && (filter.Reason is null || letter.Reason == filter.Reason)
            ),
        ];
}
