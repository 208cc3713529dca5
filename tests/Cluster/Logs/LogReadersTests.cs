using System.Text;
using Doubles;
using Doubles.Logs;
using Doubles.Storage;
using Grains.Interfaces.Logs;
using Grains.Logs.Queries;
using Grains.Logs.Reading;
using Grains.Logs.Rows;
using Grains.Logs.Rules;
using Grains.Logs.Shards;
using Grains.Logs.Tail;
using Grains.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cluster.Logs;

/// <summary>Those who follow the shards' manifests: they see every record once, also over activations and merges.</summary>
public sealed class LogReadersTests(LogCluster cluster) : IClassFixture<LogCluster>
{
    [Fact]
    public async Task OverReactivationsAReaderNeitherMissesASegmentNorHasItTwice()
    {
        var shard = cluster.NewShard();
        using var reader = new ShardManifest(cluster.Shard(shard));
        for (ulong id = 1; id <= 6; id++)
        {
            await Store(shard, id);
            var seen = await reader.Segments(TestContext.Current.CancellationToken);
            Assert.Equal(
                (await cluster.Segments(shard)).Select(segment => segment.Name).Order(),
                seen.Select(segment => segment.Name).Order()
            );
            Assert.Equal((int)id, seen.Sum(segment => segment.Records));
            if (id % 2 == 0)
            {
                await cluster.Deactivate(shard);
            }
        }
    }

    [Fact]
    public async Task AReaderFollowsAMergeThatItSawNothingOf()
    {
        var shard = cluster.NewShard();
        using var reader = new ShardManifest(cluster.Shard(shard));
        for (ulong id = 1; id <= 8; id++)
        {
            await Store(shard, id);
        }

        Assert.Equal(8, (await reader.Segments(TestContext.Current.CancellationToken)).Length);
        await Merge(shard);
        Assert.True(Assert.Single(await reader.Segments(TestContext.Current.CancellationToken)).IsMerged);
        await cluster.Deactivate(shard);
        Assert.Equal(8, Assert.Single(await reader.Segments(TestContext.Current.CancellationToken)).Records);
    }

    [Fact]
    public async Task AShardThatCannotBeOpenedHidesNoOthersFromReadersAndTheTail()
    {
        var (good, bad) = (cluster.NewShard(), cluster.NewShard());
        var head = RowChange.Put(PartitionWriter.HeadKey, "no head"u8.ToArray());
        await cluster.Store.Commit(LogTable.Name, LogTable.Partition(bad), [head], TestContext.Current.CancellationToken);
        var shards = new LogShardSet(2, number => cluster.Shard(number == 0 ? good : bad));
        using var reader = new LogManifest(shards, cluster.Guards, NullLogger<LogManifest>.Instance);
        using var tail = new TailShards(shards, cluster.Clock.GetUtcNow());
        await tail.Look();
        await Store(good, 1);

        var kept = await reader.Segments(TestContext.Current.CancellationToken);
        Assert.Single(kept.All);
        Assert.Equal([SegmentFault.Shard(1)], kept.Shards);
        var news = await tail.Look();
        Assert.Single(news.Segments);
        Assert.NotNull(news.Failure);

        // What it stores as soon as it can is what whoever watched all the time has not seen.
        var mended = RowChange.Delete(PartitionWriter.HeadKey);
        await cluster.Store.Commit(LogTable.Name, LogTable.Partition(bad), [mended], TestContext.Current.CancellationToken);
        cluster.Clock.Pass(TimeSpan.FromSeconds(1));
        await Store(bad, 2);
        Assert.Single((await tail.Look()).Segments);
    }

    [Fact]
    public async Task TheTailSeesWhatIsNewOnceAndOverReactivationsToo()
    {
        var shard = cluster.NewShard();
        using var tail = new TailShards(cluster.Shards(shard + 1), cluster.Clock.GetUtcNow());
        await tail.Look();
        for (ulong id = 1; id <= 8; id++)
        {
            await Store(shard, id);
            var news = await tail.Look();
            Assert.Equal((1, 0L), (Assert.Single(news.Segments).Records, news.Missed));
            await cluster.Deactivate(shard);
            Assert.Empty((await tail.Look()).Segments);
        }

        await Merge(shard);
        var merged = await tail.Look();
        Assert.Empty(merged.Segments);
        Assert.Equal(0, merged.Missed);
    }

    [Fact]
    public async Task WhatWasMergedBeforeTheTailLookedIsSaidToBeMissed()
    {
        var shard = cluster.NewShard();
        await Store(shard, 1);
        using var tail = new TailShards(cluster.Shards(shard + 1), cluster.Clock.GetUtcNow());
        await tail.Look();
        for (ulong id = 2; id <= 8; id++)
        {
            await Store(shard, id);
        }

        await Merge(shard);
        var news = await tail.Look();
        Assert.Empty(news.Segments);
        Assert.Equal(7, news.Missed);
    }

    [Fact]
    public async Task WhoeverWatchesIsShownWhatIsStoredFromThenOnAndWhatCannotBeReadIsMissed()
    {
        var shard = cluster.NewShard();
        await Store(shard, 1);
        var tail = new LogTail(cluster.Shards(shard + 1), cluster.Blobs, new(cluster.Clock), cluster.Clock, NullLogger<LogTail>.Instance);
        var all = Assert.IsType<TailViewer>(
            await tail.Watch(LogQuery.Parse($"service:shop{shard}"), TestContext.Current.CancellationToken)
        );
        var none = Assert.IsType<TailViewer>(await tail.Watch(LogQuery.Parse("service:other"), TestContext.Current.CancellationToken));

        await Store(shard, 2);
        Assert.Equal(("line 2", 0), await Next(all));
        cluster.Blobs.FailNextGets(1);
        await Store(shard, 3);
        Assert.Equal(("", 1), await Next(all));
        await Store(shard, 4);
        Assert.Equal(("line 4", 0), await Next(all));
        Assert.Equal(("", 1), await Next(none));

        tail.Leave(all);
        tail.Leave(none);
    }

    [Fact]
    public async Task TheRulesAreKeptOverReactivationsAndASilosViewOfThemFollows()
    {
        var rules = cluster.Grains.GetGrain<ILogRulesGrain>(0);
        var current = new CurrentRules(() => rules, cluster.Clock, cluster.Guards, () => 0.5);
        var before = await current.Now(TestContext.Current.CancellationToken);
        var added = await rules.Add("noise => drop", null);
        Assert.Null(added.Error);
        Assert.Same(before, await current.Now(TestContext.Current.CancellationToken));
        cluster.Clock.Pass(CurrentRules.Staleness);
        Assert.NotSame(before, await current.Now(TestContext.Current.CancellationToken));

        await cluster.DeactivateRules();
        Assert.Equal(["noise => drop"], (await rules.List()).Rules);
        Assert.Null(await rules.Since(added.Rules.Revision));
        Assert.Equal(RuleFaultKind.NotThere, (await rules.Remove(7, null)).Error!.Kind);
        Assert.Equal(RuleFaultKind.Conflict, (await rules.Remove(1, added.Rules.Revision - 1)).Error!.Kind);
        Assert.Equal(RuleFaultKind.Wrong, (await rules.Add("x => route nowhere", null)).Error!.Kind);

        // A change that storage refuses did not happen.
        var failures = 1;
        cluster.Store.FailCommitsWhen(
            (_, _, changes) =>
                changes.Any(change => Encoding.UTF8.GetString(change.Payload.Span).Contains("more => drop", StringComparison.Ordinal))
                && Interlocked.Decrement(ref failures) >= 0
                    ? CommitFailure.Conflict
                    : null
        );
        await Assert.ThrowsAnyAsync<Exception>(() => rules.Add("more => drop", null));
        Assert.Equal(["noise => drop"], (await rules.List()).Rules);
        Assert.Null((await rules.Remove(1, null)).Error);
        await cluster.DeactivateRules();
        Assert.Empty((await rules.List()).Rules);
    }

    private async Task Store(int shard, ulong id) =>
        Assert.Equal(WriteReply.Stored, await cluster.Write(shard, SomeLogs.Request(id, cluster.Soon, $"shop{shard}", $"line {id}")));

    private async Task Merge(int shard)
    {
        cluster.Clock.Pass(TimeSpan.FromMinutes(2));
        await cluster.Shard(shard).Tend();
        await VirtualClock.StandUntil("the segments to be merged", async () => (await cluster.Segments(shard)).Count == 1);
    }

    private async Task<(string Bodies, long Missed)> Next(TailViewer viewer)
    {
        Assert.True(
            await cluster.Clock.PassUntil(
                "what the viewer is shown next",
                viewer.Wait(TimeSpan.FromMinutes(1), cluster.Guards, TestContext.Current.CancellationToken)
            )
        );
        var page = viewer.Take();
        return (
            string.Join(' ', Enumerable.Range(0, page.Records.Count).Select(record => Encoding.UTF8.GetString(page.Records[record].Body))),
            page.Missed
        );
    }
}
