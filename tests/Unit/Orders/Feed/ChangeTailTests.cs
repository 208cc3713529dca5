using Grains.Interfaces.Orders;
using Grains.Orders.Feed;
using Xunit;

namespace Unit.Orders.Feed;

public sealed class ChangeTailTests
{
    [Fact]
    public void AnEmptyTailBeginsAfterWhatWasStored() => Assert.Equal(101, new ChangeTail(100).First);

    [Fact]
    public void TheLastChangesAreThere()
    {
        var tail = new ChangeTail(100);
        Add(tail, 101, ChangeTail.MaxChanges + 5, bytes: 10);

        Assert.Equal(106, tail.First);
        Assert.Equal([106, 107, 108], tail.Read(106, 3, 1000).Select(change => change.Revision));
        Assert.Equal(
            [101L + ChangeTail.MaxChanges + 4],
            tail.Read(101 + ChangeTail.MaxChanges + 4, 10, 1000).Select(change => change.Revision)
        );
    }

    [Fact]
    public void ItHoldsNoMoreBytesThanItsBound()
    {
        var tail = new ChangeTail(0);
        Add(tail, 1, 100, ChangeTail.MaxBytes / 10);
        Assert.Equal(91, tail.First);
        Add(tail, 101, 1, ChangeTail.MaxBytes * 2);
        Assert.Equal(101, tail.First);
    }

    [Fact]
    public void AnAnswerHasOneChangeHoweverLargeItIs()
    {
        var tail = new ChangeTail(0);
        Add(tail, 1, 5, bytes: 100);
        Assert.Equal([2L], tail.Read(2, 10, maxBytes: 50).Select(change => change.Revision));
        Assert.Equal([2L, 3L], tail.Read(2, 10, maxBytes: 250).Select(change => change.Revision));
    }

    private static void Add(ChangeTail tail, long from, int count, int bytes)
    {
        for (var revision = from; revision < from + count; revision++)
        {
            tail.Add(new OrderChange(revision, Given.Placed(), null, null), bytes);
        }
    }
}

public sealed class OrderCacheTests
{
    [Fact]
    public void TheLastOnesAreThereAndNoMoreThanTwiceAsMany()
    {
        var cache = new OrderCache(10);
        for (var i = 0; i < 100; i++)
        {
            cache.Keep(new(Given.Id($"{i}"), null));
            Assert.InRange(cache.Count, 1, 20);
        }

        Assert.All(Enumerable.Range(91, 9), i => Assert.NotNull(cache.Find(Given.Id($"{i}"))));
        Assert.Null(cache.Find(Given.Id("5")));
    }

    [Fact]
    public void WhatIsAskedForStays()
    {
        var cache = new OrderCache(10);
        var asked = new OrderEntry(Given.Id("asked"), null);
        cache.Keep(asked);
        for (var i = 0; i < 100; i++)
        {
            cache.Keep(new(Given.Id($"{i}"), null));
            Assert.Same(asked, cache.Find(asked.Id));
        }
    }

    [Fact]
    public void AnOrderOfWhichAStepWaitsStaysWhateverComes()
    {
        var cache = new OrderCache(2);
        var waits = new OrderEntry(Given.Id("waits"), null) { Waiting = 1 };
        cache.Keep(waits);
        for (var i = 0; i < 20; i++)
        {
            cache.Keep(new(Given.Id($"{i}"), null));
        }

        Assert.Same(waits, cache.Find(waits.Id));
        waits.Waiting = 0;
        cache.Keep(waits);
        Assert.InRange(cache.Count, 1, 4);
    }
}
