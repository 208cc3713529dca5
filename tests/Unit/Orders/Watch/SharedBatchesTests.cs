using System.Text;
using Doubles.Orders;
using Grains.Orders.Watch;
using Xunit;

namespace Unit.Orders.Watch;

public sealed class SharedBatchesTests
{
    private readonly SharedBatches _shared = new();

    [Fact]
    public void ABatchIsFoundWhereItBeginsAndLeadsToItsEnd()
    {
        var batch = Add([1, 5], [3, 5]);
        long[] next = [1, 5];

        Assert.Same(batch, _shared.From(next, 10));
        Assert.Equal([3, 5], next);
    }

    [Fact]
    public void WhoStandsElsewhereFindsNoneAndStaysThere()
    {
        Add([1, 5], [3, 5]);
        long[] next = [1, 4];

        Assert.Null(_shared.From(next, 10));
        Assert.Equal([1, 4], next);
    }

    [Fact]
    public void TheOldestIsForgottenFirst()
    {
        for (var i = 0; i <= SharedBatches.MaxBatches; i++)
        {
            Add([i], [i + 1]);
        }

        Assert.Null(_shared.From(new long[] { 0 }, 10));
        Assert.NotNull(_shared.From(new long[] { 1 }, 10));
        Assert.NotNull(_shared.From(new long[] { SharedBatches.MaxBatches }, 10));
    }

    [Fact]
    public void LargeOnesLeaveRoomForOneOnly()
    {
        Add([0], [1], SharedBatches.MaxBytes);
        Add([1], [2], SharedBatches.MaxBytes + 1);

        Assert.Null(_shared.From(new long[] { 0 }, 10));
        Assert.NotNull(_shared.From(new long[] { 1 }, 10));
    }

    [Fact]
    public void ABatchIsWrittenOnceForEachFormOfIt()
    {
        var batch = Add([0], [1]);
        var written = 0;

        var plain = batch.Written(previous: false, Write);
        Assert.Same(plain, batch.Written(previous: false, Write));
        Assert.Equal("False1", Encoding.ASCII.GetString(plain));
        Assert.Equal("True2", Encoding.ASCII.GetString(batch.Written(previous: true, Write)));

        byte[] Write(WatchBatch whole, bool previous)
        {
            Assert.Same(batch, whole);
            return Encoding.ASCII.GetBytes($"{previous}{++written}");
        }
    }

    private WatchBatch Add(long[] from, long[] to, int bytes = 1)
    {
        var feed = new ChangesInMemory(1);
        var batch = new WatchBatch([new("cursor", new(feed.Commit(ChangesInMemory.Id(0, 1))))], "cursor") { IsShared = true };
        _shared.Add(from, to, batch, bytes);
        return batch;
    }
}
