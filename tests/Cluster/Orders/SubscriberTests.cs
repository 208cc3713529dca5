using Grains.Interfaces.Orders;
using Grains.Orders.Subscribers;
using Grains.Storage;
using Xunit;

namespace Cluster.Orders;

public sealed class SubscriberTests(SubscriberCluster cluster) : IClassFixture<SubscriberCluster>
{
    [Fact]
    public async Task EveryChangeIsHandledOnceAndItsRowIsThere()
    {
        var order = await cluster.Placed();
        await cluster.Take(order.Id, OrderStep.Pay);
        await Through("counter", order.Id.Partition);

        Assert.Equal([$"seen.{order.Id}.1", $"seen.{order.Id}.2"], await Seen(order.Id));
    }

    private async Task<string[]> Seen(OrderId id)
    {
        var rows = await cluster.Store.Scan(SubscriberTable.Name, SubscriberTable.Partition(new("counter", id.Partition)), KeyRange.Prefix($"seen.{id}."), 100);
        return [.. rows.Select(row => row.Key)];
    }

    /// <summary>Lets time pass until it has taken all that is in the feed now.</summary>
    private async Task<SubscriberState> Through(string name, int partition)
    {
        var head = (await cluster.Feed(partition).Head()).Head;
        SubscriberState state = null!;
        await cluster.Until(async () => (state = await cluster.Subscriber(name, partition).Show()).Cursor > head);
        return state;
    }
}
