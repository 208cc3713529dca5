using Doubles.Storage;
using Grains.Storage;
using Microsoft.Data.Sqlite;
using Silo.Storage;
using Xunit;

namespace Unit.Storage;

public sealed class SqliteTableStoreTests : TableStoreContract
{
    private readonly TemporaryFolder _folder = new();

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task EachTableIsAFileOfItsOwn()
    {
        await Insert("row");
        await Store.Commit("cluster", "p", [RowChange.Insert("row", Bytes("x"))], Cancel);

        Assert.True(File.Exists(_folder["contract.db"]));
        Assert.True(File.Exists(_folder["cluster.db"]));
    }

    [Fact]
    public async Task EtagsGoOnAfterTheFileIsOpenedAgain()
    {
        var before = await Committed(RowChange.Insert("row", Bytes("1")));
        await Store.Commit(Table, Partition, [RowChange.Delete("row")], Cancel);
        await ((SqliteTableStore)Store).DisposeAsync();

        var again = await OpenAnother();
        var after = (await again.Commit(Table, Partition, [RowChange.Insert("row", Bytes("1"))], Cancel)).ETags[0];

        Assert.Equal(["1", "3"], [before, after]);
    }

    [Fact]
    public async Task CommitsThatWaitShareATransaction()
    {
        await Insert("row");
        var store = (SqliteTableStore)Store;
        var before = store.Transactions;
        Task<CommitResult>[] commits;
        using (Hold())
        {
            commits =
            [
                .. Enumerable.Range(0, 300).Select(n => store.Commit(Table, Partition, [RowChange.Insert($"r{n}", Bytes("x"))], Cancel)),
            ];
        }

        var results = await Task.WhenAll(commits);

        Assert.All(results, result => Assert.Equal(CommitOutcome.Committed, result.Outcome));
        Assert.Equal(300, results.Select(result => result.ETags[0]).Distinct(StringComparer.Ordinal).Count());

        // One for those that had come when the writer first looked, one for the rest.
        Assert.InRange(store.Transactions - before, 1, 2);
    }

    [Fact]
    public async Task MoreCallersThanTheQueueHoldsWaitForAPlace()
    {
        await Insert("row");
        Task<CommitResult>[] commits;
        using (Hold())
        {
            commits =
            [
                .. Enumerable
                    .Range(0, SqliteWriter.MostWaiting + 1000)
                    .Select(n => Store.Commit(Table, Partition, [RowChange.Insert($"r{n}", Bytes("x"))], Cancel)),
            ];
        }

        Assert.All(await Task.WhenAll(commits), result => Assert.Equal(CommitOutcome.Committed, result.Outcome));
    }

    [Fact]
    public async Task ATransactionHoldsNoMoreThanItsBytes()
    {
        await Insert("row");
        var store = (SqliteTableStore)Store;
        var before = store.Transactions;
        Task<CommitResult>[] commits;
        using (Hold())
        {
            commits =
            [
                .. Enumerable
                    .Range(0, 40)
                    .Select(n =>
                        store.Commit(Table, Partition, [RowChange.Insert($"r{n}", new byte[StoreLimits.MaxPayloadBytes])], Cancel)
                    ),
            ];
        }

        await Task.WhenAll(commits);

        // 20 MiB at 8 MiB each.
        Assert.InRange(store.Transactions - before, 3, 4);
    }

    [Fact]
    public async Task ReadsGoOnWhileAnotherHoldsTheFile()
    {
        await Insert("row");
        using (Hold())
        {
            Assert.Equal("row", Text(await Store.Get(Table, Partition, "row", Cancel)));
        }
    }

    [Fact]
    public async Task ACommitThatIsCancelledBeforeItsTurnIsWithdrawn()
    {
        await Insert("row");
        using var cancel = new CancellationTokenSource();
        Task<CommitResult> withdrawn;
        Task<CommitResult> beside;
        using (Hold())
        {
            withdrawn = Store.Commit(Table, Partition, [RowChange.Insert("withdrawn", Bytes("x"))], cancel.Token);
            beside = Store.Commit(Table, Partition, [RowChange.Insert("beside", Bytes("x"))], Cancel);
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => withdrawn);
        }

        Assert.Equal(CommitOutcome.Committed, (await beside).Outcome);
        Assert.Equal(["beside", "row"], await Keys(KeyRange.All));
    }

    [Fact]
    public async Task AFullDiskMakesTheOutcomeUnknownAndTheWriterGoesOn()
    {
        await using var small = SqliteTableStore.Open(_folder["small"], busyTimeout: null, logger: null, mostPages: 100);
        var written = new List<string>();
        CommitResult result;
        for (var n = 0; ; n++)
        {
            result = await small.Commit(
                Table,
                Partition,
                [RowChange.Insert($"r{n:d3}", new byte[20_000]), RowChange.Insert($"s{n:d3}", new byte[20_000])],
                Cancel
            );
            if (result.Outcome != CommitOutcome.Committed)
            {
                break;
            }

            written.AddRange([$"r{n:d3}", $"s{n:d3}"]);
        }

        const int SqliteFull = 13;
        Assert.Equal(CommitOutcome.Unknown, result.Outcome);
        Assert.Equal(SqliteFull, Assert.IsType<SqliteException>(result.Cause).SqliteErrorCode);
        Assert.Equal(
            written.Order(StringComparer.Ordinal),
            (await small.Scan(Table, Partition, KeyRange.All, 1000, Cancel)).Select(row => row.Key)
        );

        Assert.Equal(CommitOutcome.Committed, (await small.Commit(Table, Partition, [RowChange.Delete("r000")], Cancel)).Outcome);
        Assert.Equal(
            CommitOutcome.Committed,
            (await small.Commit(Table, Partition, [RowChange.Insert("new", new byte[10_000])], Cancel)).Outcome
        );
    }

    [Fact]
    public async Task WhatWaitsWhenTheStoreIsClosedIsFinished()
    {
        await using var closing = SqliteTableStore.Open(_folder.Path);
        var commits = Enumerable
            .Range(0, 200)
            .Select(n => closing.Commit(Table, Partition, [RowChange.Insert($"r{n}", Bytes("x"))], Cancel))
            .ToArray();

        await closing.DisposeAsync();

        Assert.All(await Task.WhenAll(commits), result => Assert.Equal(CommitOutcome.Committed, result.Outcome));
        await Assert.ThrowsAsync<ObjectDisposedException>(() =>
            closing.Commit(Table, Partition, [RowChange.Insert("late", Bytes("x"))], Cancel)
        );
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await closing.Get(Table, Partition, "r0", Cancel));
        Assert.Equal(200, (await Keys(KeyRange.All)).Count);
    }

    [Fact]
    public async Task TheLogStaysShortWhileOthersRead()
    {
        using var done = new CancellationTokenSource();
        var reading = Task.Run(
            async () =>
            {
                while (!done.IsCancellationRequested)
                {
                    await Store.Scan(Table, Partition, KeyRange.All, 20, Cancel);
                }
            },
            Cancel
        );
        for (var n = 0; n < 60; n++)
        {
            await Committed([.. Enumerable.Range(0, 4).Select(row => RowChange.Put($"r{row}", new byte[StoreLimits.MaxPayloadBytes]))]);
        }

        await done.CancelAsync();
        await reading;

        // 120 MiB were written. The bound is 16,000 pages and a transaction.
        Assert.InRange(new FileInfo(_folder["contract.db-wal"]).Length, 1, 80_000_000);
    }

    [Fact]
    public async Task BytesAreCountedByTable()
    {
        await Committed(RowChange.Put("row", new byte[300_000]));
        await Store.Commit("small", Partition, [RowChange.Put("row", Bytes("x"))], Cancel);

        var shares = await ((SqliteTableStore)Store).Measure(Cancel);

        Assert.Equal(["contract", "small"], shares.Select(share => share.Name));
        Assert.InRange(shares[0].Bytes, 300_000, 1_000_000);
        Assert.InRange(shares[1].Bytes, 4096, 100_000);
    }

    [Fact]
    public async Task ANewerFileIsRefusedWithASentenceAndLeftAsItIs()
    {
        await using (var store = SqliteTableStore.Open(_folder["newer"]))
        {
            await store.Commit(Table, Partition, [RowChange.Insert("row", Bytes("x"))], Cancel);
        }

        Run(_folder["newer/contract.db"], "PRAGMA user_version = 2");
        var bytes = await File.ReadAllBytesAsync(_folder["newer/contract.db"], Cancel);

        var error = Assert.Throws<NewerDataException>(() => SqliteTableStore.Open(_folder["newer"]));

        Assert.Equal(
            $"\"{_folder["newer/contract.db"]}\" has data of version 2, and this program knows versions up to 1; start the "
                + $"newer program, or choose another folder with Storage:Path.",
            error.Message
        );
        Assert.Equal(bytes, await File.ReadAllBytesAsync(_folder["newer/contract.db"], Cancel));
    }

    [Fact]
    public void AFileThatIsNoDatabaseIsRefusedWithASentence()
    {
        Directory.CreateDirectory(_folder["odd"]);
        File.WriteAllText(
            _folder["odd/contract.db"],
            "This is a text that somebody saved under the name of a database. " + new string('x', 5000)
        );

        var error = Assert.Throws<StorageRefusedException>(() => SqliteTableStore.Open(_folder["odd"]));

        Assert.Equal(
            $"\"{_folder["odd/contract.db"]}\" is not a database of this program; restore it from a copy, or move it away to "
                + $"begin anew. Or choose another folder with Storage:Path.",
            error.Message
        );
    }

    [Fact]
    public void AnotherProgramsDatabaseIsRefusedWithASentence()
    {
        Directory.CreateDirectory(_folder["foreign"]);
        Run(_folder["foreign/contract.db"], "CREATE TABLE customers (name TEXT)");

        var error = Assert.Throws<StorageRefusedException>(() => SqliteTableStore.Open(_folder["foreign"]));

        Assert.Equal(
            $"\"{_folder["foreign/contract.db"]}\" is a database, but not one of this program; restore it from a copy, or move "
                + $"it away to begin anew. Or choose another folder with Storage:Path.",
            error.Message
        );
    }

    [Fact]
    public async Task AFileThatWasCutOffIsRefusedAndTheAdviceNamesWhatBelongsToIt()
    {
        var file = _folder["cut/orders.db"];
        await using (var store = SqliteTableStore.Open(_folder["cut"]))
        {
            for (var row = 0; row < 20; row++)
            {
                await store.Commit("orders", "p", [RowChange.Put($"r{row}", new byte[4000])], Cancel);
            }
        }

        var length = new FileInfo(file).Length;
        Assert.False(File.Exists(file + "-wal"));
        using (var cut = new FileStream(file, FileMode.Open))
        {
            cut.SetLength(4096 * 3);
        }

        var error = Assert.Throws<StorageRefusedException>(() => SqliteTableStore.Open(_folder["cut"]));

        Assert.Equal(
            $"\"{file}\" is damaged: it has {4096 * 3:N0} bytes of {length:N0}; restore it and ordersubscribers.db, "
                + $"ordermail.db, orderwebhooks.db from one copy, "
                + "or move all of them away together to begin anew, for they refer to each other.",
            error.Message
        );
    }

    [Fact]
    public void AFolderThatCannotBeMadeIsRefusedWithASentence()
    {
        File.WriteAllText(_folder["file"], "");

        var error = Assert.Throws<StorageRefusedException>(() => SqliteTableStore.Open(_folder["file"]));

        Assert.StartsWith($"The data folder \"{_folder["file"]}\" cannot be written", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFileThatCannotBeOpenedIsRefusedWithASentence()
    {
        Directory.CreateDirectory(_folder["odd/contract.db"]);

        using var nothing = new CancellationTokenSource();
        var store = SqliteTableStore.Open(_folder["odd"]);
        var error = Assert.Throws<StorageRefusedException>(() =>
        {
            _ = store.Commit(Table, Partition, [RowChange.Insert("row", Bytes("x"))], nothing.Token);
        });

        Assert.StartsWith($"\"{_folder["odd/contract.db"]}\" cannot be opened for writing", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TwoThatMakeOneFileAtOnceBothHaveIt()
    {
        for (var round = 0; round < 10; round++)
        {
            var folder = _folder[$"new-{round}"];
            var stores = await Task.WhenAll(
                Enumerable
                    .Range(0, 4)
                    .Select(n =>
                        Task.Run(
                            async () =>
                            {
                                var store = SqliteTableStore.Open(folder);
                                Assert.Equal(
                                    CommitOutcome.Committed,
                                    (await store.Commit(Table, Partition, [RowChange.Insert($"r{n}", Bytes("x"))], Cancel)).Outcome
                                );
                                return store;
                            },
                            Cancel
                        )
                    )
            );
            Assert.Equal(4, (await stores[0].Scan(Table, Partition, KeyRange.All, 10, Cancel)).Count);
            foreach (var store in stores)
            {
                await store.DisposeAsync();
            }
        }
    }

    protected override Task<ITableStore> Open() => Task.FromResult<ITableStore>(SqliteTableStore.Open(_folder.Path));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Takes the file's write lock as another process would, until it is disposed.</summary>
    private SqliteConnection Hold()
    {
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = _folder[Table + ".db"], Pooling = false }.ToString()
        );
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "BEGIN IMMEDIATE";
        command.ExecuteNonQuery();
        return connection;
    }

    private static void Run(string path, string sql)
    {
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
