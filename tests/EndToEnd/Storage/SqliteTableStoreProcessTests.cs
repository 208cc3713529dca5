using System.Globalization;
using System.Text;
using Grains.Storage;
using Silo.Storage;
using Xunit;

namespace EndToEnd.Storage;

public sealed class SqliteTableStoreProcessTests : IDisposable
{
    private const int Callers = 6;

    private readonly string _folder = Unique.Folder("store");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task WhatAKilledProcessWasToldIsCommittedIsThereWhole()
    {
        var acknowledged = new int[Callers];
        foreach (var acksBeforeTheKill in new[] { 1, 7, 60, 250, 1000 })
        {
            using var writer = StoreWriterProcess.Start("rows", _folder, $"{Callers}", "0");
            for (var acks = 0; await writer.ReadLine(Cancel) is { } line; acks++)
            {
                var (caller, number) = StoreWriterProcess.Ack(line);
                Assert.Equal(acknowledged[caller] + 1, number);
                acknowledged[caller] = number;
                if (acks + 1 == acksBeforeTheKill)
                {
                    writer.Kill();
                }
            }

            await writer.Exit(Cancel);
            await AssertWhole(acknowledged);
        }
    }

    [Fact]
    public async Task TwoProcessesOnOneFileLoseNothing()
    {
        using var one = StoreWriterProcess.Start("raise", _folder, "400");
        using var other = StoreWriterProcess.Start("raise", _folder, "400");

        Assert.Equal("done", await one.ReadLine(Cancel));
        Assert.Equal("done", await other.ReadLine(Cancel));
        Assert.Equal(0, await one.Exit(Cancel));
        Assert.Equal(0, await other.Exit(Cancel));

        await using var store = SqliteTableStore.Open(_folder);
        var counter = await store.Get("counters", "counters", "counter", Cancel);
        Assert.Equal("800", Encoding.UTF8.GetString(counter!.Payload.Span));
        Assert.Equal("800", counter.ETag);
    }

    [Fact]
    public async Task AProcessThatIsBusyLetsAnotherIn()
    {
        using var busy = StoreWriterProcess.Start("rows", _folder, "32", "0");
        await busy.ReadLine(Cancel);

        // It would be answered "unknown" after the busy time-out, were it kept out.
        await using (var store = SqliteTableStore.Open(_folder))
        {
            for (var n = 0; n < 50; n++)
            {
                var result = await store.Commit("ledger", "beside", [RowChange.Put("row", Encoding.UTF8.GetBytes($"{n}"))], Cancel);
                Assert.Equal(CommitOutcome.Committed, result.Outcome);
            }
        }

        busy.Kill();
        await busy.Exit(Cancel);
    }

    /// <summary>Every acknowledged commit is there with all its rows; one that was under way is there whole or not at all.</summary>
    private async Task AssertWhole(int[] acknowledged)
    {
        await using var store = SqliteTableStore.Open(_folder);
        for (var caller = 0; caller < Callers; caller++)
        {
            var head = await store.Get("ledger", $"caller-{caller}", "head", Cancel);
            var last = head is null ? 0 : int.Parse(Encoding.UTF8.GetString(head.Payload.Span), CultureInfo.InvariantCulture);
            Assert.InRange(last, acknowledged[caller], acknowledged[caller] + 1);
            foreach (var kind in "abc")
            {
                var numbers = new List<string>();
                for (var range = KeyRange.Prefix($"{kind}."); ; )
                {
                    var rows = await store.Scan("ledger", $"caller-{caller}", range, StoreLimits.MaxScan, Cancel);
                    numbers.AddRange(rows.Select(row => Encoding.UTF8.GetString(row.Payload.Span)));
                    if (rows.Count < StoreLimits.MaxScan)
                    {
                        break;
                    }

                    range = range.After(rows[^1].Key);
                }

                Assert.Equal(Enumerable.Range(1, last).Select(number => $"{number}"), numbers);
            }

            acknowledged[caller] = last;
        }
    }
}
