using System.Collections.Immutable;
using Doubles.Logs;
using Grains.Interfaces.Logs;
using Grains.Logs.Batching;
using Xunit;

namespace Unit.Logs;

public sealed class BatchingTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly BatchPolicy _policy = new(linger: TimeSpan.FromMilliseconds(150), bytes: 1000, records: 10);

    [Fact]
    public void ABatchWaitsForOthersAsLongAsItsLinger()
    {
        Assert.Equal(TimeSpan.FromMilliseconds(150), _policy.Wait(1, 1, Start, Start));
        Assert.Equal(TimeSpan.FromMilliseconds(50), _policy.Wait(1, 1, Start, Start.AddMilliseconds(100)));
        Assert.Equal(TimeSpan.Zero, _policy.Wait(1, 1, Start, Start.AddMilliseconds(150)));
    }

    [Fact]
    public void EnoughBytesOrRecordsWaitForNobody()
    {
        Assert.Equal(TimeSpan.Zero, _policy.Wait(1000, 1, Start, Start));
        Assert.Equal(TimeSpan.Zero, _policy.Wait(1, 10, Start, Start));
    }

    [Fact]
    public void AClockThatIsSetBackMakesNobodyWaitLongerThanTheLinger()
    {
        Assert.Equal(TimeSpan.FromMilliseconds(150), _policy.Wait(1, 1, Start, Start.AddHours(-1)));
        Assert.Equal(TimeSpan.Zero, _policy.Wait(1, 1, Start, Start.AddHours(1)));
    }

    [Fact]
    public void TheBlocksOfAClassStayInTheOrderInWhichTheyCame()
    {
        var batch = new Batch(Start);
        var first = SomeLogs.Block("shop", "a");
        var second = SomeLogs.Block("shop", "b");
        var other = SomeLogs.Block("shop", "c");
        batch.Add(new(new(0, 1), Start, [new("default", first), new("short", other)], []));
        batch.Add(new(new(0, 2), Start, [new("default", second), new("default", SomeLogs.Block("shop"))], []));

        Assert.Equal([("default", 2), ("short", 1)], batch.ByClass().Select(group => (group.Class, group.Blocks.Length)).Order());
        Assert.Equal([first, second], batch.ByClass().Single(group => group.Class == "default").Blocks);
        Assert.Equal(3, batch.Records);
    }

    [Fact]
    public void CountsOfOneServiceAreAddedUpAndStillBalance()
    {
        var tally = new Tally();
        tally.Add(new ServiceCount("shop", 10, 5, 2, 1, 0, Refused("too-large", 2)));
        tally.Add(new ServiceCount("shop", 3, 0, 0, 0, 2, Refused("too-large", 1)));

        var sum = Assert.Single(tally.Counts);
        Assert.Equal((13, 5, 2, 1, 2, 3), (sum.Received, sum.Stored, sum.Filtered, sum.Sampled, sum.Repeated, sum.Refused["too-large"]));
        Assert.True(sum.Balances);
    }

    [Fact]
    public void ServicesBeyondTheBoundShareALine()
    {
        var tally = new Tally();
        for (var number = 0; number < Tally.MaxServices + 5; number++)
        {
            tally.Add(Tally.None with { Service = $"service-{number}", Received = 1, Stored = 1 });
        }

        Assert.Equal(Tally.MaxServices + 1, tally.Counts.Length);
        Assert.Equal(5, tally.Counts.Single(count => count.Service == Tally.Others).Stored);
    }

    [Fact]
    public void ARepeatedRequestIsReceivedAndNothingElse()
    {
        var repeat = Tally.AsRepeat(new("shop", 10, 5, 2, 1, 0, Refused("too-large", 2)));

        Assert.Equal(
            (10, 0, 0, 0, 8, 2),
            (repeat.Received, repeat.Stored, repeat.Filtered, repeat.Sampled, repeat.Repeated, repeat.Refused["too-large"])
        );
        Assert.True(repeat.Balances);
    }

    [Fact]
    public void RequestsOfABatchThatFailedNeverCame()
    {
        var known = new KnownRequests();
        var batch = new Batch(Start);
        var request = SomeLogs.Request(1, Start, "shop", "a");
        batch.Add(request);
        known.Waits(request.Id, batch);
        Assert.True(known.Contains(request.Id, out var waiting));
        Assert.Same(batch, waiting);

        known.Failed(batch);
        Assert.False(known.Contains(request.Id, out _));
    }

    [Fact]
    public void RequestsAreKnownFromTheirRow()
    {
        var known = new KnownRequests();
        var batch = new Batch(Start);
        batch.Add(SomeLogs.Request(1, Start, "shop", "a"));
        batch.Add(SomeLogs.Request(2, Start, "shop", "b"));
        known.Restore(KnownRequests.Ids(batch));

        Assert.True(known.Contains(new(7, 2), out var waiting));
        Assert.Null(waiting);
        known.Forget(KnownRequests.Ids(batch));
        Assert.Equal(0, known.Count);
    }

    private static ImmutableSortedDictionary<string, long> Refused(string reason, long count) =>
        ImmutableSortedDictionary<string, long>.Empty.Add(reason, count);
}
