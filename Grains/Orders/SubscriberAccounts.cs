using System.Collections.Immutable;
using System.Globalization;
using Grains.Books;
using Grains.Interfaces.Books;
using Grains.Interfaces.Orders;
using Grains.Orders.Subscribers;
using Microsoft.Extensions.Options;

namespace Grains.Orders;

/// <summary>An account for each subscriber, the sum over all partitions: changes in = done + dead + discarded + waiting.</summary>
public sealed class SubscriberAccounts(IGrainFactory grains, SubscriberCatalog catalog, IOptions<OrdersOptions> options) : IAccountSource
{
    public async Task<ImmutableArray<Account>> Read(CancellationToken cancel) => [.. await Task.WhenAll(catalog.Names.Order(StringComparer.Ordinal).Select(name => Read(name, cancel)))];

    private async Task<Account> Read(string name, CancellationToken cancel)
    {
        var partitions = options.Value.Partitions;
        var states = await Task.WhenAll(Enumerable.Range(0, partitions).Select(partition => grains.GetGrain<ISubscriberGrain>(new SubscriberKey(name, partition).ToString()).Show(cancel)));
        var refused = ImmutableSortedDictionary<string, long>.Empty;
        foreach (var (reason, count) in new[] { ("dead", states.Sum(state => state.Dead.Values.Sum())), ("discarded", states.Sum(state => state.Discarded)) })
        {
            refused = count > 0 ? refused.Add(reason, count) : refused;
        }

        return new(
            "orders", $"changes for {name}", states.Sum(state => state.In), states.Sum(state => state.Done), refused, states.Sum(state => state.Waiting), (long)ChangeDesk.MaxWaiting * partitions,
            string.Create(CultureInfo.InvariantCulture, $"with {ChangeDesk.MaxWaiting:N0} changes of one partition to be tried again, its cursor stands and the feed keeps the rest"));
    }
}
