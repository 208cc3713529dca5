using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Grains.Orders.Rows;
using Grains.Storage;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;

namespace Grains.Orders;

/// <summary>Reads the indexes of all partitions side by side and puts the newest in front. It keeps nothing.</summary>
[StatelessWorker]
[GrainType("orderlist")]
public sealed class OrderListGrain(ITableStore store, IOptions<OrdersOptions> options) : Grain, IOrderListGrain
{
    /// <summary>Of orders whose status is looked for among one customer's, in one answer.</summary>
    private const int MaxLooks = 1000;

    private static readonly OrderStatus[] Statuses = Enum.GetValues<OrderStatus>();

    public Task<int> Partitions(CancellationToken cancel) => Task.FromResult(options.Value.Partitions);

    public async Task<OrderPage> List(OrderQuery query, CancellationToken cancel)
    {
        if (query.Take is < 1 or > IOrderListGrain.MaxTake)
        {
            return new([], null, $"\"take\" is 1 to {IOrderListGrain.MaxTake}; this is {query.Take}.");
        }

        if (query.After is { } after && !OrderTable.IsPlace(after))
        {
            return new(
                [],
                null,
                $"\"after\" is what an answer before gave; this is " + $"\"{(after.Length > 80 ? after[..80] + "…" : after)}\"."
            );
        }

        var prefixes = query switch
        {
            { Customer: { } customer } => [OrderTable.CustomerPrefix(customer)],
            { Status: { } status } => [OrderTable.StatusPrefix(status)],
            _ => Statuses.Select(OrderTable.StatusPrefix).ToArray(),
        };
        // An order that moves on while it is looked for may be missed in one index and met in the other: each once.
        var orders = ImmutableArray.CreateBuilder<Order>();
        var cursor = query.After;
        for (var looks = 0; looks < MaxLooks; )
        {
            // One more than is wanted says whether there are more.
            var places = await Places(prefixes, cursor, query.Take + 1, cancel);
            var read = await Task.WhenAll(places.Take(query.Take).Select(place => Read(OrderTable.IdIn(place), cancel)));
            for (var i = 0; i < read.Length; i++)
            {
                cursor = places[i];
                if (
                    read[i] is { } order
                    && (query.Status is null || order.Status == query.Status)
                    && (query.Customer is null || order.Customer == query.Customer)
                )
                {
                    orders.Add(order);
                    if (orders.Count == query.Take)
                    {
                        return new(orders.ToImmutable(), i + 1 < places.Count ? cursor : null, null);
                    }
                }
            }

            looks += read.Length;
            if (places.Count <= query.Take)
            {
                return new(orders.ToImmutable(), null, null);
            }
        }

        return new(orders.ToImmutable(), cursor, null);
    }

    /// <summary>The newest places after the cursor, each once.</summary>
    private async Task<List<string>> Places(string[] prefixes, string? after, int take, CancellationToken cancel)
    {
        var scans = await Task.WhenAll(
            from partition in Enumerable.Range(0, options.Value.Partitions)
            from prefix in prefixes
            select Scan(OrderTable.Partition(partition), prefix, after, take, cancel)
        );
        return [.. scans.SelectMany(places => places).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Take(take)];
    }

    private async Task<IEnumerable<string>> Scan(string partition, string prefix, string? after, int take, CancellationToken cancel)
    {
        var range = KeyRange.Prefix(prefix);
        var rows = await store.Scan(OrderTable.Name, partition, after is null ? range : range.After(prefix + after), take, cancel);
        return rows.Select(row => row.Key[prefix.Length..]);
    }

    private async Task<Order?> Read(OrderId id, CancellationToken cancel)
    {
        var row = await store.Get(OrderTable.Name, OrderTable.Partition(id.Partition), OrderTable.Order(id), cancel);
        return row is null ? null : OrderJson.Read<OrderRow>(row.Payload).Order;
    }
}
