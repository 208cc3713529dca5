using Doubles.Storage;
using Grains.Interfaces.Orders;
using Grains.Orders.Feed;
using Grains.Orders.Lifecycle;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Unit.Orders.Feed;

public sealed class FeedPartitionTests
{
    [Fact]
    public async Task NothingIsKeptOfAnOrderForHavingBeenReadAtOnce()
    {
        var partition = await FeedPartition.Open(
            new TableStoreInMemory(),
            new FakeTimeProvider(Given.Start),
            number: 0,
            _ => { },
            _ => { }
        );
        foreach (var key in new[] { "a", "b", "c" })
        {
            var id = Given.Id(key);
            var placed = OrderLifecycle.Place(id, Given.Asked(), Given.Start);
            var reply = await partition.Keep(
                new(new(id.Value[3..]), OrderStep.Place, OrderHash.Of(placed), 0, placed, OrderRefusal.None, null)
            );
            Assert.Equal(FeedOutcome.Kept, reply.Outcome);
        }

        Assert.Equal(0, partition.BeingRead);
    }
}
