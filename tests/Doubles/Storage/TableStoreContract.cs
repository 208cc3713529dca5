using System.Globalization;
using System.Text;
using Grains.Storage;
using Xunit;

namespace Doubles.Storage;

/// <summary>
/// What every <see cref="ITableStore"/> keeps. Each case works in a partition of its own, so that one store may serve all.
/// </summary>
public abstract class TableStoreContract : IAsyncLifetime
{
    protected const string Table = "contract";

    /// <summary>Every character that a key may have, by byte.</summary>
    private const string InOrder = "-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";

    private readonly List<ITableStore> _opened = [];

    protected ITableStore Store { get; private set; } = null!;

    protected string Partition { get; } = "p-" + Guid.NewGuid().ToString("N");

    /// <summary>Opens the store; a second time, while the first is open, it opens the same rows as another process would.</summary>
    protected abstract Task<ITableStore> Open();

    public virtual async ValueTask InitializeAsync() => Store = await OpenAnother();

    public virtual async ValueTask DisposeAsync()
    {
        foreach (var store in _opened)
        {
            if (store is IAsyncDisposable disposable)
            {
                await disposable.DisposeAsync();
            }
        }

        GC.SuppressFinalize(this);
    }

    protected async Task<ITableStore> OpenAnother()
    {
        var store = await Open();
        _opened.Add(store);
        return store;
    }

    [Fact]
    public async Task ARowThatWasNeverWrittenIsNull()
    {
        Assert.Null(await Store.Get(Table, Partition, "nothing"));
        Assert.Empty(await Store.Scan(Table, Partition, KeyRange.All, 10));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(600)]
    [InlineData(70_000)]
    [InlineData(StoreLimits.MaxPayloadBytes)]
    public async Task ARowIsReadBackAsItWasWritten(int bytes)
    {
        var payload = new byte[bytes];
        new Random(bytes).NextBytes(payload);

        var etag = await Committed(RowChange.Insert("row", payload));

        var row = await Store.Get(Table, Partition, "row");
        Assert.Equal("row", row!.Key);
        Assert.Equal(etag, row.ETag);
        Assert.Equal(payload, row.Payload.ToArray());
        Assert.Equal(payload, Assert.Single(await Store.Scan(Table, Partition, KeyRange.All, 10)).Payload.ToArray());
    }

    [Fact]
    public async Task WhatWasReadStaysAsItWas()
    {
        var mine = Bytes("first");
        var etag = await Committed(RowChange.Insert("row", mine));
        var read = await Store.Get(Table, Partition, "row");

        mine[0] = (byte)'?';
        await Committed(RowChange.Replace("row", Bytes("other"), etag));

        Assert.Equal("first", Text(read));
        Assert.Equal("other", Text(await Store.Get(Table, Partition, "row")));
    }

    [Fact]
    public async Task KeysAreInOrderOfTheirBytes()
    {
        string[] expected = [.. InOrder.SelectMany(c => new[] { $"{c}", $"{c}-", $"{c}~" })];
        var shuffled = expected.ToArray();
        new Random(1).Shuffle(shuffled);
        foreach (var some in shuffled.Chunk(StoreLimits.MaxCommitRows))
        {
            await Committed([.. some.Select(key => RowChange.Insert(key, Bytes(key)))]);
        }

        var rows = await Store.Scan(Table, Partition, KeyRange.All, StoreLimits.MaxScan);

        Assert.Equal(expected, rows.Select(row => row.Key));
        Assert.Equal(expected, rows.Select(Text));
    }

    [Fact]
    public async Task KeysThatDifferInCaseOnlyAreTwoRows()
    {
        await Committed(RowChange.Insert("key", Bytes("small")), RowChange.Insert("KEY", Bytes("large")));

        Assert.Equal("small", Text(await Store.Get(Table, Partition, "key")));
        Assert.Equal("large", Text(await Store.Get(Table, Partition, "KEY")));
    }

    [Fact]
    public async Task ARangeHoldsItsStartAndNotItsEnd()
    {
        await Insert("a", "b", "c", "d");

        Assert.Equal(["b", "c"], await Keys(new KeyRange("b", "d")));
        Assert.Empty(await Keys(new KeyRange("b", "b")));
        Assert.Empty(await Keys(new KeyRange("d", "b")));
    }

    [Fact]
    public async Task APrefixHoldsEveryKeyThatStartsWithIt()
    {
        await Insert("q", "q-", "q-1", "q-1~", "q-~", "q.", "q~", "p~", "r");

        Assert.Equal(["q-", "q-1", "q-1~", "q-~"], await Keys(KeyRange.Prefix("q-")));
        Assert.Equal(["q", "q-", "q-1", "q-1~", "q-~", "q.", "q~"], await Keys(KeyRange.Prefix("q")));
    }

    [Fact]
    public async Task AScanGoesOnAfterItsLastKey()
    {
        string[] keys = ["a", "a-", "a-a", "a.", "a0", "aa", "b"];
        await Insert(keys);

        var seen = new List<string>();
        var range = KeyRange.All;
        while (true)
        {
            var rows = await Store.Scan(Table, Partition, range, 2);
            seen.AddRange(rows.Select(row => row.Key));
            if (rows.Count < 2)
            {
                break;
            }

            range = range.After(rows[^1].Key);
        }

        Assert.Equal(keys, seen);
    }

    [Fact]
    public async Task AScanTakesAsManyAsItIsTold()
    {
        for (var first = 0; first < 1100; first += 100)
        {
            await Insert([.. Enumerable.Range(first, 100).Select(n => n.ToString("d5", CultureInfo.InvariantCulture))]);
        }

        Assert.Single(await Store.Scan(Table, Partition, KeyRange.All, 1));
        var rows = await Store.Scan(Table, Partition, KeyRange.All, 1000);
        Assert.Equal(1000, rows.Count);
        Assert.Equal("00999", rows[^1].Key);
        Assert.Equal(100, (await Store.Scan(Table, Partition, KeyRange.All.After("00999"), 1000)).Count);
    }

    [Fact]
    public async Task PartitionsAndTablesAreApart()
    {
        await Store.Commit(Table, Partition, [RowChange.Insert("row", Bytes("one"))]);
        await Store.Commit(Table, Partition + "2", [RowChange.Insert("row", Bytes("two"))]);
        await Store.Commit(Table + "2", Partition, [RowChange.Insert("row", Bytes("three"))]);

        Assert.Equal("one", Text(await Store.Get(Table, Partition, "row")));
        Assert.Equal("two", Text(await Store.Get(Table, Partition + "2", "row")));
        Assert.Equal("three", Text(await Store.Get(Table + "2", Partition, "row")));
        Assert.Equal("one", Text(Assert.Single(await Store.Scan(Table, Partition, KeyRange.All, 10))));
    }

    [Fact]
    public async Task APartitionAndAKeyDoNotRunTogether()
    {
        await Store.Commit(Table, Partition + "a", [RowChange.Insert("b", Bytes("one"))]);
        await Store.Commit(Table, Partition, [RowChange.Insert("ab", Bytes("two"))]);

        Assert.Equal("one", Text(await Store.Get(Table, Partition + "a", "b")));
        Assert.Equal("two", Text(await Store.Get(Table, Partition, "ab")));
    }

    [Fact]
    public async Task ACommitChangesManyRowsInOneStep()
    {
        var first = await Store.Commit(
            Table,
            Partition,
            [
                RowChange.Insert("inserted", Bytes("1")),
                RowChange.Put("put", Bytes("2")),
                RowChange.Insert("deleted", Bytes("3")),
                RowChange.Insert("replaced", Bytes("4")),
            ]
        );
        Assert.Equal(CommitOutcome.Committed, first.Outcome);
        Assert.Equal(4, first.ETags.Count);
        Assert.Null(first.ConflictKey);

        var second = await Store.Commit(
            Table,
            Partition,
            [
                RowChange.Replace("replaced", Bytes("5"), first.ETags[3]!),
                RowChange.Delete("deleted", first.ETags[2]),
                RowChange.Put("put", Bytes("6")),
                RowChange.Insert("new", Bytes("7")),
            ]
        );

        Assert.Equal(CommitOutcome.Committed, second.Outcome);
        Assert.Equal([false, true, false, false], second.ETags.Select(etag => etag is null));
        var rows = await Store.Scan(Table, Partition, KeyRange.All, 10);
        Assert.Equal(["inserted=1", "new=7", "put=6", "replaced=5"], rows.Select(row => $"{row.Key}={Text(row)}"));
        Assert.Equal([first.ETags[0], second.ETags[3], second.ETags[2], second.ETags[0]], rows.Select(row => row.ETag));
    }

    [Fact]
    public async Task ACommitThatConflictsInAnyRowChangesNone()
    {
        var etag = await Committed(RowChange.Insert("there", Bytes("old")));

        var result = await Store.Commit(
            Table,
            Partition,
            [
                RowChange.Replace("there", Bytes("new"), etag),
                RowChange.Put("put", Bytes("new")),
                RowChange.Insert("inserted", Bytes("new")),
                RowChange.Replace("absent", Bytes("new"), etag),
            ]
        );

        AssertConflict("absent", result);
        var row = Assert.Single(await Store.Scan(Table, Partition, KeyRange.All, 10));
        Assert.Equal("old", Text(row));
        Assert.Equal(etag, row.ETag);
    }

    [Fact]
    public async Task AnInsertWhereARowIsConflicts()
    {
        await Insert("row");

        AssertConflict("row", await Store.Commit(Table, Partition, [RowChange.Insert("row", Bytes("again"))]));
        AssertConflict(
            "row",
            await Store.Commit(Table, Partition, [RowChange.Insert("other", Bytes("again")), RowChange.Insert("row", Bytes("again"))])
        );
        Assert.Equal("row", Text(Assert.Single(await Store.Scan(Table, Partition, KeyRange.All, 10))));
    }

    [Fact]
    public async Task AReplacementOfAnOlderRowConflicts()
    {
        var old = await Committed(RowChange.Insert("row", Bytes("1")));
        var current = await Committed(RowChange.Replace("row", Bytes("2"), old));

        AssertConflict("row", await Store.Commit(Table, Partition, [RowChange.Replace("row", Bytes("3"), old)]));

        var row = await Store.Get(Table, Partition, "row");
        Assert.Equal("2", Text(row));
        Assert.Equal(current, row!.ETag);
    }

    [Fact]
    public async Task AReplacementOfAnAbsentRowConflicts()
    {
        var etag = await Committed(RowChange.Insert("row", Bytes("1")));
        await Store.Commit(Table, Partition, [RowChange.Delete("row")]);

        AssertConflict("row", await Store.Commit(Table, Partition, [RowChange.Replace("row", Bytes("2"), etag)]));
        Assert.Null(await Store.Get(Table, Partition, "row"));
    }

    [Fact]
    public async Task ADeleteOfAnOlderRowConflicts()
    {
        var old = await Committed(RowChange.Insert("row", Bytes("1")));
        var current = await Committed(RowChange.Put("row", Bytes("2")));

        AssertConflict("row", await Store.Commit(Table, Partition, [RowChange.Delete("row", old)]));
        Assert.Equal("2", Text(await Store.Get(Table, Partition, "row")));

        var result = await Store.Commit(Table, Partition, [RowChange.Delete("row", current)]);
        Assert.Equal(CommitOutcome.Committed, result.Outcome);
        Assert.Null(Assert.Single(result.ETags));
        Assert.Null(await Store.Get(Table, Partition, "row"));
    }

    [Fact]
    public async Task ADeleteOfAnAbsentRowSucceeds()
    {
        var etag = await Committed(RowChange.Insert("once", Bytes("1")));
        await Store.Commit(Table, Partition, [RowChange.Delete("once", etag)]);

        var result = await Store.Commit(
            Table,
            Partition,
            [RowChange.Delete("never"), RowChange.Delete("once", etag), RowChange.Insert("beside", Bytes("2"))]
        );

        Assert.Equal(CommitOutcome.Committed, result.Outcome);
        Assert.Equal([true, true, false], result.ETags.Select(tag => tag is null));
        Assert.Equal("beside", Assert.Single(await Keys(KeyRange.All)));
    }

    [Fact]
    public async Task APutTakesTheRowAsItIs()
    {
        var first = await Committed(RowChange.Put("row", Bytes("1")));
        var second = await Committed(RowChange.Put("row", Bytes("2")));

        Assert.NotEqual(first, second);
        Assert.Equal("2", Text(await Store.Get(Table, Partition, "row")));
    }

    [Fact]
    public async Task AnEtagIsNeverUsedAgain()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var round = 0; round < 5; round++)
        {
            var etag = await Committed(RowChange.Insert("row", Bytes("same")));
            Assert.True(seen.Add(etag));
            etag = await Committed(RowChange.Replace("row", Bytes("same"), etag));
            Assert.True(seen.Add(etag));
            await Store.Commit(Table, Partition, [RowChange.Delete("row", etag)]);
        }

        await Committed(RowChange.Insert("row", Bytes("same")));
        foreach (var etag in seen)
        {
            AssertConflict("row", await Store.Commit(Table, Partition, [RowChange.Replace("row", Bytes("late"), etag)]));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("W/\"datetime'2026'\"")]
    [InlineData("no etag of this store")]
    public async Task AnEtagOfNowhereConflicts(string etag)
    {
        await Insert("row");

        AssertConflict("row", await Store.Commit(Table, Partition, [RowChange.Replace("row", Bytes("new"), etag)]));
        AssertConflict("row", await Store.Commit(Table, Partition, [RowChange.Delete("row", etag)]));
        Assert.Equal("row", Text(await Store.Get(Table, Partition, "row")));
    }

    [Fact]
    public async Task ACommitOfAHundredRowsIsTakenAndOneMoreIsRefused()
    {
        RowChange[] rows = [.. Enumerable.Range(0, 101).Select(n => RowChange.Put($"r{n}", Bytes("x")))];

        await Refused(() => Store.Commit(Table, Partition, rows));
        await Refused(() => Store.Commit(Table, Partition, []));
        Assert.Equal(100, (await Store.Commit(Table, Partition, rows[..100])).ETags.Count);
        Assert.Equal(100, (await Keys(KeyRange.All)).Count);
    }

    [Fact]
    public async Task APayloadOfHalfAMebibyteIsTakenAndAByteMoreIsRefused()
    {
        var payload = new byte[StoreLimits.MaxPayloadBytes + 1];

        await Refused(() => Store.Commit(Table, Partition, [RowChange.Put("row", payload)]));
        await Committed(RowChange.Put("row", payload.AsMemory(1)));
    }

    [Fact]
    public async Task ACommitOfTwoMebibytesIsTakenAndAByteMoreIsRefused()
    {
        RowChange[] rows = [.. Enumerable.Range(0, 4).Select(n => RowChange.Put($"r{n}", new byte[StoreLimits.MaxPayloadBytes]))];

        await Refused(() => Store.Commit(Table, Partition, [.. rows, RowChange.Put("r4", new byte[1])]));
        await Committed(rows);
        Assert.All(await Store.Scan(Table, Partition, KeyRange.All, 10), row =>
            Assert.Equal(StoreLimits.MaxPayloadBytes, row.Payload.Length)
        );
    }

    [Fact]
    public async Task ARowIsChangedOnceInACommit()
    {
        await Refused(() => Store.Commit(Table, Partition, [RowChange.Put("row", Bytes("1")), RowChange.Put("row", Bytes("2"))]));
        await Refused(() => Store.Commit(Table, Partition, [RowChange.Delete("row"), RowChange.Insert("row", Bytes("2"))]));
        Assert.Empty(await Keys(KeyRange.All));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("a b")]
    [InlineData("a#b")]
    [InlineData("a?b")]
    [InlineData("a\\b")]
    [InlineData("a'b")]
    [InlineData("ä")]
    [InlineData("a\n")]
    public async Task AnOddKeyIsRefusedBeforeAnythingIsSent(string key)
    {
        await Refused(() => Store.Commit(Table, Partition, [RowChange.Put(key, Bytes("x"))]));
        await Refused(() => Store.Commit(Table, key, [RowChange.Put("row", Bytes("x"))]));
        await Refused(async () => await Store.Get(Table, Partition, key));
        await Refused(async () => await Store.Get(Table, key, "row"));
        await Refused(async () => await Store.Scan(Table, key, KeyRange.All, 1));
    }

    [Fact]
    public async Task AKeyOfFiveHundredCharactersIsTakenAndOneMoreIsRefused()
    {
        var key = new string('~', StoreLimits.MaxKeyLength);

        await Committed(RowChange.Insert(key, Bytes("long")));
        Assert.Equal("long", Text(await Store.Get(Table, Partition, key)));
        Assert.Equal(key, Assert.Single(await Keys(KeyRange.All)));
        Assert.Empty(await Keys(KeyRange.All.After(key)));
        await Refused(() => Store.Commit(Table, Partition, [RowChange.Insert(key + "~", Bytes("x"))]));

        await Store.Commit(Table, key, [RowChange.Insert("row", Bytes("far"))]);
        Assert.Equal("far", Text(await Store.Get(Table, key, "row")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("ab")]
    [InlineData("Crawling")]
    [InlineData("1st")]
    [InlineData("a-b")]
    [InlineData("../up")]
    public async Task AnOddTableIsRefused(string table)
    {
        await Refused(() => Store.Commit(table, Partition, [RowChange.Put("row", Bytes("x"))]));
        await Refused(async () => await Store.Get(table, Partition, "row"));
        await Refused(async () => await Store.Scan(table, Partition, KeyRange.All, 1));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(StoreLimits.MaxScan + 1)]
    public async Task AScanOfNoneOrTooManyIsRefused(int take) =>
        await Refused(async () => await Store.Scan(Table, Partition, KeyRange.All, take));

    [Fact]
    public async Task TextsThatAreNoKeysHaveRowsOfTheirOwnByTheirHashes()
    {
        string[] texts =
        [
            "http://a.example/b/c",
            "http://a.example/b?c",
            "http://a.example/b#c",
            "http://a.example/b\\c",
            "http://a.example/b_c",
            "http://a.example/B/C",
            "http://ä.example/",
            "http://a.example/" + new string('x', 3000),
            "http://a.example/" + new string('x', 3001),
            "",
        ];

        foreach (var text in texts)
        {
            Assert.True(StoreLimits.IsKey(StoreLimits.HashKey(text)));
            await Committed(RowChange.Insert(StoreLimits.HashKey(text), Bytes(text)));
        }

        foreach (var text in texts)
        {
            Assert.Equal(text, Text(await Store.Get(Table, Partition, StoreLimits.HashKey(text))));
        }
    }

    [Fact]
    public async Task ACounterThatManyRaiseByItsEtagLosesNothing()
    {
        await Committed(RowChange.Insert("counter", Bytes("0")));

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Raise(Store, 25)));

        Assert.Equal("200", Text(await Store.Get(Table, Partition, "counter")));
    }

    [Fact]
    public async Task TwoStoresOnTheSameRowsLoseNothing()
    {
        var other = await OpenAnother();
        await Committed(RowChange.Insert("counter", Bytes("0")));

        await Task.WhenAll(Raise(Store, 50), Raise(other, 50), Raise(Store, 50), Raise(other, 50));

        Assert.Equal("200", Text(await Store.Get(Table, Partition, "counter")));
        Assert.Equal("200", Text(await other.Get(Table, Partition, "counter")));
    }

    [Fact]
    public async Task WhatOneStoreCommittedAnotherReadsAtOnce()
    {
        var other = await OpenAnother();
        for (var n = 0; n < 20; n++)
        {
            var (writer, reader) = n % 2 == 0 ? (Store, other) : (other, Store);
            await writer.Commit(Table, Partition, [RowChange.Put("row", Bytes($"{n}"))]);
            Assert.Equal($"{n}", Text(await reader.Get(Table, Partition, "row")));
        }
    }

    [Fact]
    public async Task ACallersConflictDoesNotTouchTheOthers()
    {
        await Insert("taken");

        // All are asked at once, so that a store that joins commits has joined good ones and bad ones; the bad row comes last, when others
        // are written already.
        var results = await Task.WhenAll(
            Enumerable
                .Range(0, 200)
                .Select(n =>
                    Store.Commit(
                        Table,
                        Partition,
                        [
                            RowChange.Insert($"a{n}", Bytes("x")),
                            RowChange.Put($"b{n}", Bytes("x")),
                            RowChange.Insert(n % 3 == 0 ? "taken" : $"c{n}", Bytes("x")),
                        ]
                    )
                )
        );

        for (var n = 0; n < results.Length; n++)
        {
            if (n % 3 == 0)
            {
                AssertConflict("taken", results[n]);
            }
            else
            {
                Assert.Equal(CommitOutcome.Committed, results[n].Outcome);
            }
        }

        var expected = Enumerable
            .Range(0, 200)
            .Where(n => n % 3 != 0)
            .SelectMany(n => new[] { $"a{n}", $"b{n}", $"c{n}" })
            .Append("taken")
            .Order(StringComparer.Ordinal);
        Assert.Equal(expected, await Keys(KeyRange.All));
    }

    [Fact]
    public async Task OfManyThatInsertOneRowOneSucceeds()
    {
        var results = await Task.WhenAll(
            Enumerable
                .Range(0, 50)
                .Select(n => Store.Commit(Table, Partition, [RowChange.Put($"n{n}", Bytes("x")), RowChange.Insert("one", Bytes($"{n}"))]))
        );

        var winner = Assert.Single(Enumerable.Range(0, 50), n => results[n].Outcome == CommitOutcome.Committed);
        Assert.All(results.Where((_, n) => n != winner), result => AssertConflict("one", result));
        Assert.Equal($"{winner}", Text(await Store.Get(Table, Partition, "one")));
        Assert.Equal([$"n{winner}", "one"], await Keys(KeyRange.All));
    }

    [Fact]
    public async Task EtagsOfDifferentCommitsDiffer()
    {
        var results = await Task.WhenAll(
            Enumerable.Range(0, 200).Select(n => Store.Commit(Table, Partition, [RowChange.Put($"n{n % 7}", Bytes($"{n}"))]))
        );

        Assert.Equal(200, results.Select(result => Assert.Single(result.ETags)).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task ACommitThatIsCancelledBeforeItIsSentWritesNothing()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            Store.Commit(Table, Partition, [RowChange.Insert("row", Bytes("x"))], cancelled.Token)
        );

        Assert.Null(await Store.Get(Table, Partition, "row"));
    }

    [Fact]
    public async Task ACommitThatIsCancelledWhileItRunsIsWrittenWholeOrNotAtAll()
    {
        var committed = new HashSet<int>();
        var unknown = new HashSet<int>();
        for (var n = 0; n < 100; n++)
        {
            using var cancel = new CancellationTokenSource();
            var commit = Store.Commit(
                Table,
                Partition,
                [RowChange.Insert($"a{n}", Bytes("x")), RowChange.Insert($"b{n}", Bytes("x"))],
                cancel.Token
            );
            await cancel.CancelAsync();
            try
            {
                var result = await commit;
                Assert.NotEqual(CommitOutcome.Conflict, result.Outcome);
                (result.Outcome == CommitOutcome.Committed ? committed : unknown).Add(n);
            }
            catch (OperationCanceledException)
            {
                // Nothing was sent; that nothing is there is seen below.
            }
        }

        await Insert("last");
        var keys = (await Keys(KeyRange.All)).ToHashSet(StringComparer.Ordinal);
        for (var n = 0; n < 100; n++)
        {
            Assert.Equal(keys.Contains($"a{n}"), keys.Contains($"b{n}"));
            Assert.True(!committed.Contains(n) || keys.Contains($"a{n}"));
            Assert.True(!keys.Contains($"a{n}") || committed.Contains(n) || unknown.Contains(n));
        }
    }

    protected static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    protected static string? Text(TableRow? row) => row is null ? null : Encoding.UTF8.GetString(row.Payload.Span);

    protected static void AssertConflict(string key, CommitResult result)
    {
        Assert.Equal(CommitOutcome.Conflict, result.Outcome);
        Assert.Equal(key, result.ConflictKey);
        Assert.Empty(result.ETags);
    }

    /// <summary>Commits, and returns the etag of the first row.</summary>
    protected async Task<string> Committed(params RowChange[] changes)
    {
        var result = await Store.Commit(Table, Partition, changes);
        Assert.Equal(CommitOutcome.Committed, result.Outcome);
        return result.ETags[0]!;
    }

    /// <summary>Inserts rows whose payloads are their keys.</summary>
    protected Task Insert(params string[] keys) => Committed([.. keys.Select(key => RowChange.Insert(key, Bytes(key)))]);

    protected async Task<IReadOnlyList<string>> Keys(KeyRange range) =>
        [.. (await Store.Scan(Table, Partition, range, StoreLimits.MaxScan)).Select(row => row.Key)];

    private static async Task Refused(Func<Task> call) => Assert.NotEmpty((await Assert.ThrowsAnyAsync<ArgumentException>(call)).Message);

    private async Task Raise(ITableStore store, int times)
    {
        while (times > 0)
        {
            var row = await store.Get(Table, Partition, "counter");
            var next = int.Parse(Text(row)!, CultureInfo.InvariantCulture) + 1;
            var result = await store.Commit(Table, Partition, [RowChange.Replace("counter", Bytes($"{next}"), row!.ETag)]);
            Assert.NotEqual(CommitOutcome.Unknown, result.Outcome);
            times -= result.Outcome == CommitOutcome.Committed ? 1 : 0;
        }
    }
}
