using Grains.Interfaces.Orders;

namespace Grains.Orders.Consumers;

/// <summary>
/// Erases one customer's personal data in every partition, in this order, so that asking again after a crash finds the orders by the
/// customer still, and nothing
/// that was under way brings back what was erased: the feed's rows; every subscriber past what it had taken before; what subscribers keep;
/// at last the index.
/// </summary>
/// <param name="isPast">
/// True for a subscriber that has to be past what was committed. One with a channel may stand for days before a destination that does not
/// answer; what it has
/// taken, and what is on its way to it, it erases in memory.
/// </param>
/// <param name="clock">Between two looks at a subscriber.</param>
/// <param name="guards">For how long a subscriber is waited for.</param>
internal sealed class CustomerErasure(
    Func<int, IOrderFeedGrain> feedOf,
    Func<SubscriberKey, ISubscriberGrain> subscriberOf,
    Func<string, bool> isPast,
    TimeProvider clock,
    TimeProvider guards
)
{
    /// <summary>How long an erasure waits until a subscriber has taken what was committed before it.</summary>
    private static readonly TimeSpan WaitsFor = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    /// <summary>Durable when it answers; when it fails halfway, asking again finishes it.</summary>
    /// <param name="names">The subscribers there are, as of now.</param>
    public async Task<EraseReply> Run(
        string customer,
        IEnumerable<int> partitions,
        Func<Task<IReadOnlyCollection<string>>> names,
        CancellationToken cancel
    )
    {
        var (orders, changes) = (0, 0);
        foreach (var partition in partitions)
        {
            var feed = feedOf(partition);
            var erased = await feed.Erase(customer, cancel);
            changes += erased.Changes;
            if (erased.Orders.IsEmpty)
            {
                continue;
            }

            foreach (var name in await names())
            {
                var subscriber = subscriberOf(new(name, partition));
                if (isPast(name) && await Reaches(subscriber, erased.Head, cancel) is { } cursor)
                {
                    return new(
                        orders,
                        changes,
                        $"\"{name}\" in partition {partition} stands at revision {cursor}, and what was committed up to "
                            + $"{erased.Head} may be "
                            + "on its way to it. See to it, and erase again: what was erased so far stays so."
                    );
                }

                foreach (var some in erased.Orders.Chunk(ISubscriberGrain.MaxErase))
                {
                    await subscriber.Erase([.. some], cancel);
                }
            }

            await feed.ForgetCustomer(customer, erased.Orders, cancel);
            orders += erased.Orders.Length;
        }

        return new(orders, changes, null);
    }

    /// <summary>Null when it has taken everything up to there, else where it stands.</summary>
    private async Task<long?> Reaches(ISubscriberGrain subscriber, long revision, CancellationToken cancel)
    {
        await subscriber.Wake(cancel);
        for (var end = guards.GetUtcNow() + WaitsFor; ; )
        {
            var state = await subscriber.Show(cancel);
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
}
