using System.Collections.Immutable;
using System.Globalization;
using Grains.Books;
using Grains.Interfaces.Books;
using Grains.Interfaces.Orders;
using Grains.Orders.Consumers;

namespace Grains.Orders;

/// <summary>
/// An account for each subscriber that tells nobody (changes in = done + dead + discarded + waiting), and one for each channel
/// (notifications in = delivered + suppressed + dead + discarded + waiting): sums
/// over all partitions, and over all destinations of the channel.
/// </summary>
/// <remarks>What was nothing for a destination is no notification. A destination that was removed is not in the sums any more.</remarks>
public sealed class SubscriberAccounts(IGrainFactory grains, SubscriberCatalog catalog) : IAccountSource
{
    public async Task<ImmutableArray<Account>> Read(CancellationToken cancel)
    {
        var states = await grains.GetGrain<ISubscriberListGrain>(0).List(cancel);
        return
        [
            .. states
                .Where(state => state.Channel is null && catalog.Find(state.Name) is not null)
                .GroupBy(state => state.Name, StringComparer.Ordinal)
                .Select(all =>
                    Of(
                        $"changes for {all.Key}",
                        [.. all],
                        "changes of one partition to be tried again, its cursor stands and the feed keeps the rest"
                    )
                ),
            .. catalog
                .Channels.Order(StringComparer.Ordinal)
                .Select(channel =>
                    Of(
                        $"notifications by {channel}",
                        [.. states.Where(state => state.Channel == channel)],
                        "to be tried again at one destination in one partition, its cursor stands and the feed keeps the rest"
                    )
                ),
        ];
    }

    private static Account Of(string name, IReadOnlyCollection<SubscriberState> states, string whenFull)
    {
        var unwanted = states.Sum(state => state.NotWanted);
        var suppressed = states.Sum(state => state.Suppressed.Values.Sum());
        var refused = ImmutableSortedDictionary<string, long>.Empty;
        foreach (
            var (reason, count) in new[]
            {
                ("suppressed", suppressed),
                ("dead", states.Sum(state => state.Dead.Values.Sum())),
                ("discarded", states.Sum(state => state.Discarded)),
            }
        )
        {
            refused = count > 0 ? refused.Add(reason, count) : refused;
        }

        return new(
            "orders",
            name,
            states.Sum(state => state.In) - unwanted,
            states.Sum(state => state.Done) - unwanted - suppressed,
            refused,
            states.Sum(state => state.Waiting),
            (long)DeliveryScheduler.MaxWaiting * states.Count,
            string.Create(CultureInfo.InvariantCulture, $"with {DeliveryScheduler.MaxWaiting:N0} {whenFull}")
        )
        {
            Doubt = states.FirstOrDefault(state => state.IsStopped) is { } stopped
                ? $"{stopped.Name} is halted in {states.Count(state => state.IsStopped)} partitions: {stopped.Halt}"
                : null,
        };
    }
}
