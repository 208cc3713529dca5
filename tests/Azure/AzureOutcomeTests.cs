using System.Text;
using Azure;
using Doubles.Azurite;
using Grains.Storage;
using Silo.Storage;
using Xunit;

namespace AzureTests;

/// <summary>
/// What <see cref="AzureTableStore"/> answers when requests or answers are lost, late or turned away: a front before Azurite loses them.
/// </summary>
public sealed class AzureOutcomeTests(Azurite azurite) : IAsyncLifetime
{
    private const string Table = "outcomes";

    private readonly string _partition = "p-" + Guid.NewGuid().ToString("N");
    private FaultyFront _front = null!;
    private AzureTableStore _store = null!;
    private AzureTableStore _other = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var server = await azurite.Use();
        _front = await FaultyFront.Before(server.TablePort);
        _store = Azurite.Tables(AzuriteProcess.ConnectionStringOver(_front.Port, server.BlobPort));
        _other = Azurite.Tables(server.ConnectionString);
        await _other.Make(Table, Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        if (_front is not null)
        {
            await _front.DisposeAsync();
        }
    }

    [Fact]
    public async Task ACommitWhoseAnswerIsLostIsFoundToBeMade()
    {
        _front.FailTransactions(new Fault.CutAfter());

        var result = await Commit(RowChange.Insert("a", Bytes("1")), RowChange.Put("b", Bytes("2")));

        Assert.Equal(CommitOutcome.Committed, result.Outcome);
        Assert.Equal(1, Transactions);
        Assert.Equal([("a", "1", result.ETags[0]), ("b", "2", result.ETags[1])], await Rows());
    }

    [Fact]
    public async Task AReplacementWhoseAnswerIsLostIsNoConflict()
    {
        var etag = await Inserted("a");
        _front.FailTransactions(new Fault.CutAfter());

        var result = await Commit(RowChange.Replace("a", Bytes("2"), etag));

        Assert.Equal(CommitOutcome.Committed, result.Outcome);
        Assert.Equal([("a", "2", result.ETags[0])], await Rows());
        Assert.Equal(CommitOutcome.Committed, (await Commit(RowChange.Replace("a", Bytes("3"), result.ETags[0]!))).Outcome);
    }

    [Fact]
    public async Task ACommitThatNeverArrivedIsTriedAgain()
    {
        var etag = await Inserted("a");
        _front.FailTransactions(new Fault.CutBefore(), new Fault.CutBefore());

        var result = await Commit(
            RowChange.Replace("a", Bytes("2"), etag),
            RowChange.Insert("b", Bytes("x")),
            RowChange.Put("c", Bytes("y"))
        );

        Assert.Equal(CommitOutcome.Committed, result.Outcome);
        Assert.Equal(3, Transactions);
        Assert.Equal([("a", "2", result.ETags[0]), ("b", "x", result.ETags[1]), ("c", "y", result.ETags[2])], await Rows());
    }

    [Fact]
    public async Task AnErrorOfTheServerThatWroteIsFoundToBeMade()
    {
        _front.FailTransactions(new Fault.AnswerAfter(500, "OperationTimedOut"));

        Assert.Equal(CommitOutcome.Committed, (await Commit(RowChange.Insert("a", Bytes("1")))).Outcome);
        Assert.Equal(1, Transactions);
    }

    [Theory]
    [InlineData(500, "InternalError")]
    [InlineData(503, "OperationTimedOut")]
    [InlineData(502, null)]
    public async Task AnErrorOfTheServerThatDidNotWriteIsTriedAgain(int status, string? code)
    {
        _front.FailTransactions(new Fault.AnswerBefore(status, code));

        Assert.Equal(CommitOutcome.Committed, (await Commit(RowChange.Insert("a", Bytes("1")))).Outcome);
        Assert.Equal(2, Transactions);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("no JSON")]
    public async Task AnAnswerOfSomethingInBetweenIsNoAnswer(string body)
    {
        _front.When((_, n) => n == 1 ? new Fault.AnswerBefore(502, Body: body) : null);

        Assert.Equal(CommitOutcome.Committed, (await Commit(RowChange.Insert("a", Bytes("1")))).Outcome);
        Assert.Equal(2, Transactions);
    }

    [Theory]
    [InlineData(503, "ServerBusy")]
    [InlineData(429, "TooManyRequests")]
    [InlineData(429, null)]
    public async Task ABusyStoreIsAskedAgain(int status, string? code)
    {
        _front.FailTransactions(new Fault.AnswerBefore(status, code), new Fault.AnswerBefore(status, code, RetryAfter: 1));

        // Also a commit that is never sent twice when it is not certain what became of it.
        Assert.Equal(CommitOutcome.Committed, (await Commit(RowChange.Put("a", Bytes("1")))).Outcome);
        Assert.Equal(["POST $batch", "POST $batch", "POST $batch"], _front.Seen);
    }

    [Fact]
    public async Task AStoreThatStaysBusyIsGivenUpAfterFiveTries()
    {
        _front.When((request, _) => request == "POST $batch" ? new Fault.AnswerBefore(503, "ServerBusy") : null);

        var result = await Commit(RowChange.Insert("a", Bytes("1")));

        Assert.Equal(CommitOutcome.Unknown, result.Outcome);
        Assert.Equal(503, Assert.IsAssignableFrom<RequestFailedException>(result.Cause).Status);
        Assert.Equal(5, Transactions);
        Assert.Empty(await Rows());
    }

    [Fact]
    public async Task AConflictAfterALostRequestIsAConflictIfAnotherRowProvesIt()
    {
        var etag = await Inserted("head");
        _front.FailTransactions(new Fault.CutBefore());
        await Other(RowChange.Insert("taken", Bytes("other")));

        var result = await Commit(RowChange.Replace("head", Bytes("2"), etag), RowChange.Insert("taken", Bytes("mine")));

        Assert.Equal((CommitOutcome.Conflict, "taken"), (result.Outcome, result.ConflictKey));
        Assert.Equal(1, Transactions);
    }

    [Fact]
    public async Task ARowThatAnotherOvertookIsUnknownAndNeverAConflict()
    {
        var etag = await Inserted("head");
        _front.FailTransactions(new Fault.CutAfter(() => Other(RowChange.Put("head", Bytes("other")))));

        var result = await Commit(RowChange.Replace("head", Bytes("mine"), etag));

        Assert.Equal(CommitOutcome.Unknown, result.Outcome);
        Assert.NotNull(result.Cause);
    }

    [Fact]
    public async Task ARowThatAnotherOvertookDoesNotHideTheOthersOfItsCommit()
    {
        var etag = await Inserted("head");
        _front.FailTransactions(new Fault.CutAfter(() => Other(RowChange.Put("head", Bytes("other")))));

        var result = await Commit(RowChange.Replace("head", Bytes("mine"), etag), RowChange.Insert("row", Bytes("mine")));

        Assert.Equal(CommitOutcome.Committed, result.Outcome);
        Assert.Equal([("head", "other"), ("row", "mine")], (await Rows()).Select(row => (row.Key, row.Text)));
        Assert.Equal((CommitOutcome.Conflict, "head"), await Ended(RowChange.Replace("head", Bytes("late"), result.ETags[0]!)));
    }

    [Fact]
    public async Task APutThatMayStillComeIsNotSentASecondTime()
    {
        _front.FailTransactions(new Fault.CutBefore());

        Assert.Equal(CommitOutcome.Unknown, (await Commit(RowChange.Put("a", Bytes("1")), RowChange.Delete("b"))).Outcome);
        Assert.Equal(1, Transactions);
    }

    [Fact]
    public async Task ADeleteWhoseAnswerIsLostIsMade()
    {
        var etag = await Inserted("a");
        _front.FailTransactions(new Fault.CutAfter());

        var result = await Commit(RowChange.Delete("a", etag));

        Assert.Equal(CommitOutcome.Committed, result.Outcome);
        Assert.Null(Assert.Single(result.ETags));
        Assert.Empty(await Rows());
    }

    [Fact]
    public async Task AnAttemptThatComesLateChangesNothing()
    {
        var etag = await Inserted("a");
        var server = await azurite.Use();
        var hasty = Azurite.Tables(
            AzuriteProcess.ConnectionStringOver(_front.Port, server.BlobPort),
            Azurite.Bounds with
            {
                AttemptTimeout = TimeSpan.FromSeconds(3),
            }
        );
        var gate = new Gate();
        _front.FailTransactions(new Fault.Held(gate));

        var result = await hasty.Commit(
            Table,
            _partition,
            [RowChange.Replace("a", Bytes("2"), etag), RowChange.Put("b", Bytes("2"))],
            Cancel
        );
        Assert.Equal(CommitOutcome.Committed, result.Outcome);
        await Other(RowChange.Put("b", Bytes("3")));
        gate.Open();
        await _front.HeldArrived();

        Assert.Equal([("a", "2"), ("b", "3")], (await Rows()).Select(row => (row.Key, row.Text)));
    }

    [Fact]
    public async Task ACommitThatNobodyCanReadBackIsUnknown()
    {
        _front.When((request, n) => request == "POST $batch" ? new Fault.CutAfter() : new Fault.CutBefore());

        Assert.Equal(CommitOutcome.Unknown, (await Commit(RowChange.Insert("a", Bytes("1")))).Outcome);
        Assert.Equal([("a", "1")], (await Rows()).Select(row => (row.Key, row.Text)));
    }

    [Fact]
    public async Task AConflictWhoseRowsNobodyCanReadIsUnknownAndNoException()
    {
        await Inserted("a");
        _front.When((request, _) => request == "POST $batch" ? null : new Fault.CutBefore());

        // An insert may have met a mark of absence, which only reading tells.
        Assert.Equal(CommitOutcome.Unknown, (await Commit(RowChange.Insert("a", Bytes("2")))).Outcome);
    }

    [Fact]
    public async Task ACommitTakesNoLongerThanItsWholeTimeAllows()
    {
        var server = await azurite.Use();
        var hasty = Azurite.Tables(
            AzuriteProcess.ConnectionStringOver(_front.Port, server.BlobPort),
            Azurite.Bounds with
            {
                WholeTimeout = TimeSpan.FromSeconds(3),
            }
        );
        var gate = new Gate();
        _front.When((_, _) => new Fault.Held(gate));

        var result = await hasty.Commit(Table, _partition, [RowChange.Insert("a", Bytes("1"))], Cancel);

        Assert.Equal(CommitOutcome.Unknown, result.Outcome);
        Assert.IsType<TimeoutException>(result.Cause);
        gate.Open();
        await _front.HeldArrived();
    }

    [Fact]
    public async Task AStoreThatIsNotThereIsUnknownForCommitsAndAnExceptionForReads()
    {
        var server = await azurite.Use();
        await _front.DisposeAsync();
        var nowhere = Azurite.Tables(AzuriteProcess.ConnectionStringOver(_front.Port, server.BlobPort));

        var result = await nowhere.Commit(Table, _partition, [RowChange.Put("a", Bytes("1"))], Cancel);

        Assert.Equal(CommitOutcome.Unknown, result.Outcome);
        await Assert.ThrowsAsync<RequestFailedException>(async () => await nowhere.Get(Table, _partition, "a", Cancel));
        await Assert.ThrowsAsync<RequestFailedException>(async () => await nowhere.Scan(Table, _partition, KeyRange.All, 1, Cancel));
    }

    [Fact]
    public async Task AReadIsTriedAgainAfterWhateverMayPass()
    {
        await Inserted("a");
        Fault?[] faults =
        [
            new Fault.CutBefore(),
            new Fault.AnswerBefore(503, "ServerBusy"),
            new Fault.AnswerBefore(500),
            new Fault.CutAfter(),
        ];
        _front.When((_, n) => n <= faults.Length ? faults[n - 1] : null);

        Assert.Equal("1", Text((await _store.Get(Table, _partition, "a", Cancel))!));
        Assert.Equal(5, _front.Seen.Count);
    }

    [Fact]
    public async Task AReadThatFailsFiveTimesIsAnExceptionAndNoAbsentRow()
    {
        await Inserted("a");
        _front.When((_, _) => new Fault.AnswerBefore(503, "ServerBusy"));

        Assert.Equal(
            503,
            (await Assert.ThrowsAsync<RequestFailedException>(async () => await _store.Get(Table, _partition, "a", Cancel))).Status
        );
        Assert.Equal(
            503,
            (
                await Assert.ThrowsAsync<RequestFailedException>(async () => await _store.Scan(Table, _partition, KeyRange.All, 10, Cancel))
            ).Status
        );
        Assert.Equal(10, _front.Seen.Count);
    }

    [Fact]
    public async Task WhatIsForbiddenIsNotTriedAgain()
    {
        _front.When((_, _) => new Fault.AnswerBefore(403, "AuthorizationFailure"));

        Assert.Equal(403, (await Assert.ThrowsAnyAsync<RequestFailedException>(() => Commit(RowChange.Insert("a", Bytes("1"))))).Status);
        Assert.Equal(
            403,
            (await Assert.ThrowsAsync<RequestFailedException>(async () => await _store.Get(Table, _partition, "a", Cancel))).Status
        );
        Assert.Equal(2, _front.Seen.Count);
    }

    [Fact]
    public async Task ARowThatComesBackBeforeItsAbsenceIsMarkedIsDeletedWithTheRest()
    {
        // The first attempt finds the row absent; before the second, which would mark that, another inserts it.
        _front.FailTransactions(null, new Fault.Before(() => Other(RowChange.Insert("gone", Bytes("again")))));

        Assert.Equal(CommitOutcome.Committed, (await Commit(RowChange.Delete("gone"), RowChange.Insert("a", Bytes("1")))).Outcome);

        Assert.Equal(["a"], (await Rows()).Select(row => row.Key));
        Assert.Equal(3, Transactions);
    }

    [Fact]
    public async Task AMarkOfAnAbsentRowThatStaysIsSeenByNobody()
    {
        _front.FailTransactions(null, null, new Fault.CutBefore());

        var result = await Commit(RowChange.Delete("gone"), RowChange.Insert("a", Bytes("1")));

        Assert.Equal(CommitOutcome.Committed, result.Outcome);
        Assert.Equal(3, Transactions);
        Assert.Null(await _other.Get(Table, _partition, "gone", Cancel));
        Assert.Equal(["a"], (await Rows()).Select(row => row.Key));
        Assert.Single(await _other.Scan(Table, _partition, KeyRange.All, 1, Cancel));
        Assert.Equal((CommitOutcome.Conflict, "gone"), await Ended(RowChange.Replace("gone", Bytes("x"), result.ETags[1]!)));
        Assert.Equal(CommitOutcome.Committed, (await Commit(RowChange.Delete("gone"))).Outcome);
    }

    [Fact]
    public async Task ARowIsInsertedOverTheMarkOfItsAbsence()
    {
        _front.FailTransactions(null, null, new Fault.CutBefore());
        await Commit(RowChange.Delete("gone"), RowChange.Insert("a", Bytes("1")));

        var result = await Commit(RowChange.Insert("gone", Bytes("here")));

        Assert.Equal(CommitOutcome.Committed, result.Outcome);
        Assert.Equal(("gone", "here", result.ETags[0]), (await Rows())[1]);
        Assert.Equal((CommitOutcome.Conflict, "gone"), await Ended(RowChange.Insert("gone", Bytes("twice"))));
    }

    private int Transactions => _front.Seen.Count(request => request == "POST $batch");

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(TableRow row) => Encoding.UTF8.GetString(row.Payload.Span);

    private Task<CommitResult> Commit(params RowChange[] changes) => _store.Commit(Table, _partition, changes, Cancel);

    private async Task<(CommitOutcome, string?)> Ended(params RowChange[] changes)
    {
        var result = await Commit(changes);
        return (result.Outcome, result.ConflictKey);
    }

    /// <summary>A commit of another writer, which meets no fault.</summary>
    private async Task Other(params RowChange[] changes) =>
        Assert.Equal(CommitOutcome.Committed, (await _other.Commit(Table, _partition, changes, Cancel)).Outcome);

    /// <summary>A row that is there before the test; its etag.</summary>
    private async Task<string> Inserted(string key) =>
        (await _other.Commit(Table, _partition, [RowChange.Insert(key, Bytes("1"))], Cancel)).ETags[0]!;

    private async Task<IReadOnlyList<(string Key, string Text, string? ETag)>> Rows() =>
        [.. (await _other.Scan(Table, _partition, KeyRange.All, 100, Cancel)).Select(row => (row.Key, Text(row), (string?)row.ETag))];
}

/// <summary>The same for <see cref="AzureBlobStore"/>.</summary>
public sealed class AzureBlobOutcomeTests(Azurite azurite) : IAsyncLifetime
{
    private readonly string _name = "r-" + Guid.NewGuid().ToString("N") + "/blob";
    private FaultyFront _front = null!;
    private AzureBlobStore _store = null!;
    private AzureBlobStore _other = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var server = await azurite.Use();
        _front = await FaultyFront.Before(server.BlobPort);
        _store = await Azurite.Blobs(AzuriteProcess.ConnectionStringOver(server.TablePort, _front.Port));
        _other = await Azurite.Blobs(server.ConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        if (_front is not null)
        {
            await _front.DisposeAsync();
        }
    }

    [Fact]
    public async Task APutWhoseAnswerIsLostIsFoundToBeMade()
    {
        FailPuts(new Fault.CutAfter());

        Assert.True(await Put("mine"));
        Assert.Equal("mine", await Text());
        Assert.Equal(1, Puts);
    }

    [Fact]
    public async Task APutThatNeverArrivedIsTriedAgain()
    {
        FailPuts(new Fault.CutBefore(), new Fault.AnswerBefore(500));

        Assert.True(await Put("mine"));
        Assert.Equal("mine", await Text());
        Assert.Equal(3, Puts);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("no JSON")]
    public async Task AnAnswerOfSomethingInBetweenIsNoAnswer(string body)
    {
        _front.When((_, n) => n == 1 ? new Fault.AnswerBefore(502, Body: body) : null);

        Assert.True(await Put("mine"));
        Assert.Equal("mine", await Text());
    }

    [Fact]
    public async Task APutThatIsOvertakenIsTaken()
    {
        FailPuts(
            new Fault.AnswerBefore(503, "ServerBusy"),
            new Fault.Before(async () => Assert.True(await _other.Put(_name, Bytes("other"))))
        );

        Assert.False(await Put("mine"));
        Assert.Equal("other", await Text());
    }

    [Fact]
    public async Task APutThatIsLostWhileAnotherTakesTheNameIsTaken()
    {
        Assert.True(await _other.Put(_name, Bytes("other"), Cancel));
        FailPuts(new Fault.CutBefore());

        Assert.False(await Put("other"));
        Assert.Equal(1, Puts);
    }

    [Fact]
    public async Task APutThatComesLateIsTheSamePut()
    {
        var server = await azurite.Use();
        var hasty = await Azurite.Blobs(
            AzuriteProcess.ConnectionStringOver(server.TablePort, _front.Port),
            Azurite.Bounds with
            {
                AttemptTimeout = TimeSpan.FromSeconds(3),
            }
        );
        var gate = new Gate();
        FailPuts(
            new Fault.Held(gate),
            new Fault.Before(async () =>
            {
                gate.Open();
                await _front.HeldArrived();
            })
        );

        Assert.True(await hasty.Put(_name, Bytes("mine"), Cancel));
        Assert.Equal("mine", await Text());
        Assert.Equal(2, Puts);
    }

    [Fact]
    public async Task APutThatNobodyCanReadBackIsUnknown()
    {
        _front.When((request, _) => request.StartsWith("PUT", StringComparison.Ordinal) ? new Fault.CutAfter() : new Fault.CutBefore());

        var unknown = await Assert.ThrowsAsync<OutcomeUnknownException>(() => Put("mine"));
        Assert.Contains($"\"{_name}\"", unknown.Message, StringComparison.Ordinal);
        Assert.Equal("mine", await Text());
    }

    [Fact]
    public async Task ReadsListsAndDeletesAreTriedAgain()
    {
        await _other.Put(_name, Bytes("0123456789"), Cancel);
        Fault?[] faults =
        [
            new Fault.CutBefore(),
            new Fault.AnswerBefore(503, "ServerBusy"),
            new Fault.AnswerBefore(429),
            new Fault.CutAfter(),
        ];
        _front.When((_, n) => n <= faults.Length ? faults[n - 1] : null);

        Assert.Equal("345", Encoding.UTF8.GetString((await _store.Get(_name, 3, 3, Cancel))!.Value.Span));
        await _store.Delete(_name, Cancel);
        Assert.Null(await _other.Get(_name, cancel: Cancel));
        Assert.Equal(10, _front.Seen.Count);
    }

    private int Puts => _front.Seen.Count(request => request.StartsWith("PUT", StringComparison.Ordinal));

    private void FailPuts(params Fault?[] faults) =>
        _front.When((request, n) => request.StartsWith("PUT", StringComparison.Ordinal) && n <= faults.Length ? faults[n - 1] : null);

    private Task<bool> Put(string text) => _store.Put(_name, Bytes(text), Cancel);

    private async Task<string> Text() => Encoding.UTF8.GetString((await _other.Get(_name, cancel: Cancel))!.Value.Span);

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
