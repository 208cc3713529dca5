using Doubles;
using Doubles.Orders;
using Grains.Interfaces.Orders;
using Grains.Orders.Watch;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Unit.Orders.Watch;

/// <summary>
/// The checker of recorded watches: nothing to say of what the hubs did, whatever befell them; and for each guarantee the record that
/// breaks it.
/// </summary>
public sealed class WatchHistoryTests
{
    private const int Partitions = 2;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<WatchGuarantee> Guarantees => [.. Enum.GetValues<WatchGuarantee>()];

    [Theory]
    [MemberData(nameof(Guarantees))]
    public void ARecordThatBreaksAGuaranteeIsFoundByItsName(WatchGuarantee guarantee)
    {
        var (committed, good) = Good();
        Assert.Empty(new WatchHistory(Partitions, committed, [good]).Violations());

        var broken = good.With(entries => Break(guarantee, [.. entries]));

        Assert.Contains(
            guarantee,
            new WatchHistory(Partitions, committed, [good, broken]).Violations().Select(violation => violation.Guarantee)
        );
        Assert.NotNull(new WatchHistory(Partitions, committed, [broken]).FirstViolation(guarantee));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task WhateverIsLostRepeatedOrFailsEachWatcherSeesAllOnce(int seed)
    {
        var chance = new Random(seed);
        var clock = new TestClock(Given.Start);
        var feed = new ChangesInMemory(Partitions);
        using var watches = new OrderWatches(feed, clock, NullLogger<OrderWatches>.Instance);
        var committed = new Dictionary<string, IReadOnlyList<string>>();
        var records = new List<WatchRecord>
        {
            new("all", null, previous: true),
            new("one", Id(0, 1).Value, previous: false),
            new("slow", null, previous: false),
        };
        var open = new Watcher?[records.Count];
        for (var step = 0; step < 6000; step++)
        {
            var id = Id(chance.Next(Partitions), chance.Next(5));
            if (chance.Next(10) > 0)
            {
                var change = chance.Next(3) == 0 ? feed.CommitInSilence(id) : feed.Commit(id);
                var steps =
                    (List<string>)(committed.TryGetValue(id.Value, out var known) ? known : committed[id.Value] = new List<string>());
                steps.Add(change.Type["order.".Length..]);
            }

            feed.Failure = chance.Next(20) == 0 ? new TimeoutException("It stands still.") : null;
            clock.Advance(TimeSpan.FromMilliseconds(chance.Next(100)));
            var one = chance.Next(records.Count);
            if (one == 2 && chance.Next(100) > 0)
            {
                continue;
            }

            try
            {
                open[one] ??= await Open(records[one]);
                var batch = open[one]!.Next(chance.Next(1, 40), TimeSpan.Zero, Cancel);
                Tell(records[one], await batch);
            }
            catch (TimeoutException)
            {
                // It could not be opened; it comes again.
            }

            if (chance.Next(30) == 0)
            {
                open[one]?.Dispose();
                open[one] = null;
            }
        }

        feed.Failure = null;
        var armed = clock.Armed(PartitionHub.Look, Cancel);
        for (var i = 0; i < records.Count; i++)
        {
            using var last = open[i] ?? await Open(records[i]);
            while (
                records[i].Changes < (records[i].Order is { } order ? committed[order].Count : committed.Values.Sum(steps => steps.Count))
            )
            {
                var next = last.Next(500, TimeSpan.FromDays(1), Cancel);
                while (!next.IsCompleted)
                {
                    // A hub that failed when time passed waits once more, and says so by its timer.
                    clock.Advance(TimeSpan.FromSeconds(1));
                    if (await Task.WhenAny(next, armed) == armed)
                    {
                        armed = clock.Armed(PartitionHub.Look, Cancel);
                    }
                }

                Tell(records[i], await next);
            }
        }

        Assert.Empty(new WatchHistory(Partitions, committed, records).Violations());

        async Task<Watcher> Open(WatchRecord record)
        {
            var from = record.Cursor ?? "start";
            var opening = await watches.Open(from, record.Order, Cancel);
            Assert.True(opening.Watcher is not null, opening.Detail);
            record.Opened(from);
            return opening.Watcher;
        }
    }

    private static OrderId Id(int partition, int number) => ChangesInMemory.Id(partition, number);

    private static void Tell(WatchRecord record, WatchBatch batch)
    {
        foreach (var item in batch.Items)
        {
            record.Told(Told(item.Cursor, item.Change.Change, record.Previous));
        }

        if (batch.Items.IsEmpty)
        {
            record.Progress(batch.Cursor);
        }
    }

    private static ToldChange Told(string cursor, OrderChange change, bool previous) =>
        new(
            cursor,
            change.OrderId.Value,
            change.Version,
            change.Type,
            change.Order.Version,
            change.Type["order.".Length..],
            previous ? change.Previous?.Version : null,
            previous ? change.Previous?.Status.ToString().ToLowerInvariant() : null
        );

    /// <summary>Two orders in two partitions, a break after the third change, and a notice at the end.</summary>
    private static (Dictionary<string, IReadOnlyList<string>> Committed, WatchRecord Record) Good()
    {
        var feed = new ChangesInMemory(Partitions);
        var record = new WatchRecord("a watcher", null, previous: true);
        record.Opened("start");
        long[] next = [WatchCursor.Oldest, WatchCursor.Oldest];
        foreach (var id in new[] { Id(0, 1), Id(0, 1), Id(1, 1), Id(0, 1), Id(1, 1), Id(0, 2) })
        {
            var change = feed.CommitInSilence(id);
            next[id.Partition] = change.Revision + 1;
            record.Told(Told(WatchCursor.Write(Partitions, null, next), change, previous: true));
            if (record.Changes == 3)
            {
                record.Opened(record.Cursor);
            }
        }

        record.Progress(record.Cursor!);
        return (
            new()
            {
                [Id(0, 1).Value] = ["placed", "paid", "shipped"],
                [Id(1, 1).Value] = ["placed", "paid"],
                [Id(0, 2).Value] = ["placed"],
            },
            record
        );
    }

    /// <summary>0: opened; 1 to 3: changes; 4: opened again; 5 to 7: changes; 8: the notice.</summary>
    private static List<object> Break(WatchGuarantee guarantee, List<object> entries)
    {
        switch (guarantee)
        {
            case WatchGuarantee.OrderedByOrder or WatchGuarantee.OrderedByPartition:
                (entries[1], entries[2]) = (entries[2], entries[1]);
                break;
            case WatchGuarantee.Unique:
                entries.Insert(2, entries[1]);
                break;
            case WatchGuarantee.Atomic:
                entries[5] = (ToldChange)entries[5] with { OrderVersion = 2, Status = "paid" };
                break;
            case WatchGuarantee.Reliable:
                entries.RemoveAt(2);
                break;
            case WatchGuarantee.Resumable:
                entries.RemoveAt(5);
                break;
            case WatchGuarantee.Bookmarkable:
                entries.RemoveAt(7);
                break;
            case WatchGuarantee.Previous:
                entries[5] = (ToldChange)entries[5] with { PreviousVersion = null, PreviousStatus = null };
                break;
            case WatchGuarantee.Compacted:
                entries.Insert(8, new WatchRecord.Gap("Gone.", "nowhere"));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(guarantee), guarantee, "No guarantee.");
        }

        return entries;
    }
}
