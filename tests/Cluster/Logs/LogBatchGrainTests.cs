using Doubles;
using Doubles.Logs;
using Doubles.Storage;
using Grains.Interfaces.Logs;
using Grains.Logs.Rows;
using Grains.Logs.Segments;
using Grains.Storage;
using Xunit;

namespace Cluster.Logs;

/// <summary>A shard's promise: what was acknowledged is in storage, once, and counted.</summary>
public sealed class LogBatchGrainTests(LogCluster cluster) : IClassFixture<LogCluster>
{
    [Fact]
    public async Task RequestsThatComeTogetherShareASegmentAndAreAnsweredWhenItIsStored()
    {
        var shard = cluster.NewShard();
        var grain = cluster.Shard(shard);
        await grain.Show();
        var writes = Enumerable
            .Range(1, 20)
            .Select(id => grain.Write(SomeLogs.Request((ulong)id, cluster.Soon, "shop", "a", "b")))
            .ToList();
        await VirtualClock.StandUntil("all requests to be gathered", async () => (await grain.Show()).WaitingRecords == 40);

        Assert.All(await cluster.Clock.PassUntil("the answers to all requests", Task.WhenAll(writes)), reply =>
            Assert.Equal(WriteReply.Stored, reply)
        );
        var segment = Assert.Single(await cluster.Segments(shard));
        Assert.Equal(40, segment.Records);
        Assert.Equal(["shop"], segment.Services);
        Assert.Equal([segment.Name], await cluster.Objects(shard));
        var state = await grain.Show();
        Assert.Equal((40, 40, 0), (state.Total.Received, state.Total.Stored, state.WaitingRecords));
        Assert.True(state.Total.Balances);
    }

    [Fact]
    public async Task ARequestThatComesAgainIsAcknowledgedAndNotStoredTwice()
    {
        var shard = cluster.NewShard();
        var request = SomeLogs.Request(1, cluster.Soon, "shop", "a", "b", "c");
        Assert.Equal(WriteReply.Stored, await cluster.Write(shard, request));

        Assert.Equal(WriteReply.Repeated, await cluster.Write(shard, request));
        await cluster.Deactivate(shard);

        Assert.Equal(WriteReply.Repeated, await cluster.Write(shard, request));
        await cluster.Deactivate(shard);
        var state = await cluster.Shard(shard).Show();
        Assert.Equal(3, state.Records);
        Assert.Equal((9, 3, 6), (state.Total.Received, state.Total.Stored, state.Total.Repeated));
    }

    [Fact]
    public async Task ARepeatThatComesWhileTheFirstWaitsIsAnsweredWithIt()
    {
        var shard = cluster.NewShard();
        await cluster.Shard(shard).Show();
        var request = SomeLogs.Request(1, cluster.Soon, "shop", "a");
        var both = Task.WhenAll(cluster.Shard(shard).Write(request), cluster.Shard(shard).Write(request));

        Assert.Equal([WriteReply.Stored, WriteReply.Repeated], (await cluster.Clock.PassUntil("the answers to both", both)).Order());
        Assert.Equal(1, (await cluster.Shard(shard).Show()).Records);
    }

    [Fact]
    public async Task EqualRequestsWithoutANameAreAllStoredTogetherOrAfterEachOther()
    {
        var shard = cluster.NewShard();
        await cluster.Shard(shard).Show();
        var together = Task.WhenAll(Enumerable.Range(1, 5).Select(attempt => cluster.Shard(shard).Write(Unnamed((ulong)attempt))));
        Assert.All(await cluster.Clock.PassUntil("the answers to all", together), reply => Assert.Equal(WriteReply.Stored, reply));
        Assert.Equal(WriteReply.Stored, await cluster.Write(shard, Unnamed(6)));

        var state = await cluster.Shard(shard).Show();
        Assert.Equal((6, 6, 0, 6), (state.Total.Received, state.Total.Stored, state.Total.Repeated, state.Records));
    }

    [Fact]
    public async Task AnAnswerThatIsLostMakesTheNextEqualRequestItsRepeatAndNoOther()
    {
        var shard = cluster.NewShard();
        Assert.Equal(WriteReply.Stored, await cluster.Write(shard, Unnamed(1)));
        await cluster.Shard(shard).AnswerLost(Unnamed(1).Id, isStored: true);

        Assert.Equal(WriteReply.Repeated, await cluster.Write(shard, Unnamed(2)));
        Assert.Equal(WriteReply.Stored, await cluster.Write(shard, Unnamed(3)));

        var state = await cluster.Shard(shard).Show();
        Assert.Equal((3, 2, 1, 2), (state.Total.Received, state.Total.Stored, state.Total.Repeated, state.Records));
        Assert.True(state.Total.Balances);
    }

    [Fact]
    public async Task BytesAreNotRememberedAcrossACrash()
    {
        var shard = cluster.NewShard();
        Assert.Equal(WriteReply.Stored, await cluster.Write(shard, Unnamed(1)));
        await cluster.Shard(shard).AnswerLost(Unnamed(1).Id, isStored: true);
        await cluster.Deactivate(shard);

        Assert.Equal(WriteReply.Stored, await cluster.Write(shard, Unnamed(2)));
        Assert.Equal(2, (await cluster.Shard(shard).Show()).Records);
    }

    [Fact]
    public async Task ARequestIsForgottenAfterItsWindowAndItsCountsAreKept()
    {
        var shard = cluster.NewShard();
        var request = SomeLogs.Request(1, cluster.Soon, "shop", "a");
        await cluster.Write(shard, request);
        cluster.Clock.Pass(TimeSpan.FromMinutes(16));
        await cluster.Shard(shard).Tend();
        await VirtualClock.StandUntil("what no retry can mean any more to be folded", async () =>
            (await cluster.Store.Scan(LogTable.Name, LogTable.Partition(shard), KeyRange.Prefix(LogTable.FlushPrefix), 10)).Count == 0
        );

        var count = Assert.Single(await cluster.Shard(shard).Counts(DateTimeOffset.MinValue, DateTimeOffset.MaxValue));
        Assert.Equal(("shop", 1, 1), (count.Count.Service, count.Count.Received, count.Count.Stored));
        Assert.Equal(WriteReply.Stored, await cluster.Write(shard, request with { Deadline = cluster.Soon }));
    }

    [Fact]
    public async Task WhatStorageRefusesIsNotAcknowledgedAndTheNextRequestIsStored()
    {
        var shard = cluster.NewShard();
        await cluster.Shard(shard).Show();
        cluster.Blobs.FailNextPuts(1, PutFailure.Throw);
        var request = SomeLogs.Request(1, cluster.Soon, "shop", "a");

        Assert.Equal(WriteReply.Unavailable, await cluster.Write(shard, request));
        Assert.Empty(await cluster.Segments(shard));
        Assert.Equal(WriteReply.Stored, await cluster.Write(shard, request));
        var state = await cluster.Shard(shard).Show();
        Assert.Equal((1, 1, 0), (state.Total.Received, state.Total.Stored, state.Total.Repeated));
    }

    [Fact]
    public async Task ASegmentThatWasStoredAndNeverCommittedIsNoPartOfTheLogAndIsSwept()
    {
        var shard = cluster.NewShard();
        await cluster.Write(shard, SomeLogs.Request(1, cluster.Soon, "shop", "a"));
        cluster.Blobs.FailNextPuts(1, PutFailure.ThrowAfterwards);
        Assert.Equal(WriteReply.Unavailable, await cluster.Write(shard, SomeLogs.Request(2, cluster.Soon, "shop", "b")));
        Assert.Equal(2, (await cluster.Objects(shard)).Count);
        await cluster.Deactivate(shard);
        await cluster.Shard(shard).Tend();

        await VirtualClock.StandUntil("the object that no row names to be swept", async () => (await cluster.Objects(shard)).Count == 1);
        Assert.Equal((await cluster.Segments(shard)).Select(segment => segment.Name), await cluster.Objects(shard));
    }

    [Theory]
    [InlineData(CommitFailure.UnknownApplied, WriteReply.Repeated)]
    [InlineData(CommitFailure.UnknownNotApplied, WriteReply.Stored)]
    [InlineData(CommitFailure.Conflict, WriteReply.Stored)]
    public async Task ACommitWithoutAnAnswerEndsTheActivationAndTheSameRequestMaySettleIt(CommitFailure failure, WriteReply second)
    {
        var shard = cluster.NewShard();
        var partition = LogTable.Partition(shard);
        await cluster.Shard(shard).Show();
        var failures = 1;
        cluster.Store.FailCommitsWhen((_, place, _) => place == partition && Interlocked.Decrement(ref failures) >= 0 ? failure : null);
        var request = SomeLogs.Request(1, cluster.Soon, "shop", "a", "b");

        await Assert.ThrowsAnyAsync<Exception>(() => cluster.Write(shard, request));
        Assert.Equal(second, await cluster.Write(shard, request));
        Assert.Equal(2, (await cluster.Shard(shard).Show()).Records);
    }

    [Fact]
    public async Task WhatIsBeyondTheBufferIsTurnedAwayAtOnce()
    {
        var shard = cluster.NewShard();
        await cluster.Shard(shard).Show();
        using var gate = cluster.Blobs.HoldPuts();
        var large = new string('x', 40 * 1024 * 1024);
        var first = cluster.Shard(shard).Write(SomeLogs.Request(1, cluster.Soon, "shop", large));
        await VirtualClock.StandUntil("the first request to be gathered", async () => (await cluster.Shard(shard).Show()).WaitingBytes > 0);

        Assert.Equal(WriteReply.Full, await cluster.Shard(shard).Write(SomeLogs.Request(2, cluster.Soon, "shop", large)));
        gate.Open();
        Assert.Equal(WriteReply.Stored, await cluster.Clock.PassUntil("the answer to the first request", first));
    }

    [Fact]
    public async Task ARequestAfterItsDeadlineIsNotBegun()
    {
        var shard = cluster.NewShard();
        await cluster.Shard(shard).Show();

        Assert.Equal(WriteReply.Late, await cluster.Shard(shard).Write(SomeLogs.Request(1, cluster.Guards.GetUtcNow(), "shop", "a")));
        Assert.Equal(0, (await cluster.Shard(shard).Show()).Total.Received);
    }

    [Fact]
    public async Task SegmentsLeaveTheLogWhenTheirClassSaysSoAndTheirObjectsFollow()
    {
        var shard = cluster.NewShard();
        await cluster.Write(shard, SomeLogs.Request(1, cluster.Soon, "shop", "a"));
        cluster.Clock.Pass(TimeSpan.FromDays(30) + TimeSpan.FromHours(2));
        await cluster.Shard(shard).Tend();
        await VirtualClock.StandUntil("the segment to leave the log", async () => (await cluster.Segments(shard)).Count == 0);
        Assert.Single(await cluster.Objects(shard));

        // However late it is by the schedule: a reader that began before may still be at it.
        cluster.Clock.Pass(LogPartition.ReadersNeed);
        await cluster.Shard(shard).Tend();
        Assert.Single(await cluster.Objects(shard));

        cluster.Guards.Pass(LogPartition.ReadersNeed);
        await VirtualClock.StandUntil("the segment's object to be removed", async () =>
        {
            await cluster.Shard(shard).Tend();
            return (await cluster.Objects(shard)).Count == 0;
        });
        Assert.Equal(1, (await cluster.Shard(shard).Show()).Total.Stored);
    }

    [Fact]
    public async Task AReaderThatFollowsLearnsOnlyWhatChanged()
    {
        var shard = cluster.NewShard();
        await cluster.Write(shard, SomeLogs.Request(1, cluster.Soon, "shop", "a"));
        var first = await cluster.Shard(shard).Manifest(default);
        Assert.True(first.IsWhole);
        await cluster.Write(shard, SomeLogs.Request(2, cluster.Soon, "shop", "b"));

        var second = await cluster.Shard(shard).Manifest(first.Now);
        Assert.False(second.IsWhole);
        Assert.DoesNotContain(Assert.Single(second.Added), first.Added);
        await cluster.Deactivate(shard);

        var third = await cluster.Shard(shard).Manifest(second.Now);
        Assert.True(third.IsWhole);
        Assert.Equal(2, third.Added.Length);
    }

    [Fact]
    public async Task SmallSegmentsBecomeOneInOneCommitAndNoRecordIsLostOrTwice()
    {
        var shard = cluster.NewShard();
        for (ulong id = 1; id <= 10; id++)
        {
            Assert.Equal(
                WriteReply.Stored,
                await cluster.Write(shard, SomeLogs.Request(id, cluster.Soon, id % 2 == 0 ? "shop" : "till", $"line {id}"))
            );
        }

        Assert.Equal(10, (await cluster.Segments(shard)).Count);
        cluster.Clock.Pass(TimeSpan.FromMinutes(2));
        await cluster.Shard(shard).Tend();
        await VirtualClock.StandUntil("the segments to be merged", async () => (await cluster.Segments(shard)).Count == 1);

        var merged = Assert.Single(await cluster.Segments(shard));
        Assert.True(merged.IsMerged);
        Assert.Equal(["shop", "till"], merged.Services);
        var content = await cluster.Blobs.Get(merged.Name);
        var bodies = SegmentReader.Read(content!.Value).SelectMany(Bodies).ToList();
        Assert.Equal(Enumerable.Range(1, 10).Select(id => $"line {id}").Order(), bodies.Order());
        Assert.Equal(10, (await cluster.Shard(shard).Show()).Records);
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("truncated")]
    [InlineData("garbage")]
    public async Task ASegmentThatCannotBeReadKeepsNoOtherFromBeingMergedAndIsNamed(string damage)
    {
        var shard = cluster.NewShard();
        for (ulong id = 1; id <= 10; id++)
        {
            Assert.Equal(WriteReply.Stored, await cluster.Write(shard, SomeLogs.Request(id, cluster.Soon, "shop", $"line {id}")));
        }

        var damaged = (await cluster.Segments(shard))[4];
        var content = (await cluster.Blobs.Get(damaged.Name))!.Value.ToArray();
        await cluster.Blobs.Delete(damaged.Name);
        if (damage != "missing")
        {
            await cluster.Blobs.Put(damaged.Name, damage == "truncated" ? content[..(content.Length / 2)] : new byte[content.Length]);
        }

        cluster.Clock.Pass(TimeSpan.FromMinutes(2));
        await cluster.Shard(shard).Tend();
        await VirtualClock.StandUntil("the segments to be merged", async () => (await cluster.Segments(shard)).Count == 2);

        var segments = await cluster.Segments(shard);
        Assert.Equal(9, Assert.Single(segments, segment => segment.IsMerged).Records);
        Assert.Contains(damaged.Name, segments.Select(segment => segment.Name));
        var state = await cluster.Shard(shard).Show();
        Assert.Equal((1, damaged.Name), (state.Unreadable, Assert.Single(state.UnreadableSegments)));
        Assert.Equal(10, state.Records);
    }

    [Fact]
    public async Task ARowThatCannotBeReadHidesNoOtherAndItsObjectIsNotSwept()
    {
        var shard = cluster.NewShard();
        for (ulong id = 1; id <= 3; id++)
        {
            await cluster.Write(shard, SomeLogs.Request(id, cluster.Soon, "shop", $"line {id}"));
        }

        var partition = LogTable.Partition(shard);
        var row = (await cluster.Store.Scan(LogTable.Name, partition, KeyRange.Prefix(LogTable.SegmentPrefix), 10))[1];
        var name = LogJson.Read<LogSegment>(row.Payload).Name;
        await cluster.Store.Commit(LogTable.Name, partition, [RowChange.Put(row.Key, "{\"name\":"u8.ToArray())]);
        await cluster.Deactivate(shard);

        Assert.Equal(2, (await cluster.Segments(shard)).Count);
        var state = await cluster.Shard(shard).Show();
        Assert.Equal((1, $"shard {shard}, row {row.Key}"), (state.Unreadable, Assert.Single(state.UnreadableSegments)));
        Assert.Equal(WriteReply.Stored, await cluster.Write(shard, SomeLogs.Request(4, cluster.Soon, "shop", "line 4")));

        cluster.Clock.Pass(TimeSpan.FromHours(2));
        await cluster.Shard(shard).Tend();
        // Merged; swept in the same round, which is over before the next one begins.
        await VirtualClock.StandUntil("the segments to be merged", async () => (await cluster.Segments(shard)).Count == 1);
        cluster.Guards.Pass(LogPartition.ReadersNeed);
        await VirtualClock.StandUntil("the merged objects to be swept", async () =>
        {
            await cluster.Shard(shard).Tend();
            return (await cluster.Objects(shard)).Count == 2;
        });
        Assert.Contains(name, await cluster.Objects(shard));
    }

    [Fact]
    public async Task AMergeWhoseCommitIsRefusedLeavesTheLogAsItWas()
    {
        var shard = cluster.NewShard();
        for (ulong id = 1; id <= 8; id++)
        {
            await cluster.Write(shard, SomeLogs.Request(id, cluster.Soon, "shop", $"line {id}"));
        }

        cluster.Clock.Pass(TimeSpan.FromMinutes(2));
        var partition = LogTable.Partition(shard);
        var failures = 1;
        cluster.Store.FailCommitsWhen(
            (_, place, changes) =>
                place == partition && changes.Any(change => change.Kind == RowChangeKind.Delete) && Interlocked.Decrement(ref failures) >= 0
                    ? CommitFailure.Conflict
                    : null
        );
        await cluster.Shard(shard).Tend();
        await VirtualClock.StandUntil("the commit of the merge to be refused", () => Volatile.Read(ref failures) < 1);
        await cluster.Deactivate(shard);

        Assert.Equal(8, (await cluster.Segments(shard)).Count);
        await cluster.Shard(shard).Tend();
        await VirtualClock.StandUntil("the segments to be merged", async () => (await cluster.Segments(shard)).Count == 1);
        Assert.Equal(8, Assert.Single(await cluster.Segments(shard)).Records);
    }

    private WriteLogs Unnamed(ulong attempt) => SomeLogs.Request(1, cluster.Soon, "shop", "a") with { Id = new(7, 1, attempt) };

    private static List<string> Bodies(LogBlock block) =>
        [.. Enumerable.Range(0, block.Count).Select(record => System.Text.Encoding.UTF8.GetString(block[record].Body))];
}
