using Doubles.Logs;
using Grains.Interfaces.Logs;
using Grains.Logs.Batching;
using Xunit;

namespace Unit.Logs;

public sealed class UnnamedRequestsTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Deadline = Start.AddSeconds(10);

    private readonly UnnamedRequests _requests = new(window: TimeSpan.FromMinutes(15));

    [Fact]
    public void EqualRequestsWhoseAnswersArriveAreDifferentRequests()
    {
        var batch = Waiting(attempt: 1);

        Assert.False(_requests.TryClaim(Id(2), Start, out _));
        _requests.Stored(batch);

        Assert.False(_requests.TryClaim(Id(3), Start, out _));
        Assert.Equal(0, _requests.Count);
    }

    [Fact]
    public void ALostAnswerExpectsOneRepeatAndNoSecondOne()
    {
        var batch = Waiting(attempt: 1);
        _requests.Stored(batch);
        _requests.AnswerLost(Id(1), isStored: true, Start);

        Assert.True(_requests.TryClaim(Id(2), Start, out var waiting));
        Assert.Null(waiting);
        Assert.False(_requests.TryClaim(Id(3), Start, out _));
    }

    [Fact]
    public void TheRepeatOfASenderThatWentWhileItsRequestWaitsWaitsForTheSameBatch()
    {
        var batch = Waiting(attempt: 1);
        _requests.AnswerLost(Id(1), isStored: false, Start);

        Assert.True(_requests.TryClaim(Id(2), Start, out var waiting));
        Assert.Same(batch, waiting);
        Assert.False(_requests.TryClaim(Id(3), Start, out _));
    }

    [Fact]
    public void ASenderThatWentWhileItsRequestWaitedIsExpectedAfterItWasStoredToo()
    {
        var batch = Waiting(attempt: 1);
        _requests.AnswerLost(Id(1), isStored: false, Start);
        _requests.Stored(batch);

        Assert.True(_requests.TryClaim(Id(2), Start, out var waiting));
        Assert.Null(waiting);
    }

    [Fact]
    public void TwoLostAnswersOfEqualRequestsExpectARepeatEach()
    {
        Waiting(attempt: 1);
        Waiting(attempt: 2);
        _requests.AnswerLost(Id(2), isStored: false, Start);
        _requests.AnswerLost(Id(2), isStored: false, Start);
        _requests.AnswerLost(Id(1), isStored: false, Start);

        Assert.True(_requests.TryClaim(Id(3), Start, out _));
        Assert.True(_requests.TryClaim(Id(4), Start, out _));
        Assert.False(_requests.TryClaim(Id(5), Start, out _));
    }

    [Fact]
    public void ARequestThatWaitsBeyondItsSendersDeadlineIsRepeated()
    {
        Waiting(attempt: 1);

        Assert.False(_requests.TryClaim(Id(2), Deadline.AddTicks(-1), out _));
        Assert.True(_requests.TryClaim(Id(2), Deadline, out _));
        Assert.False(_requests.TryClaim(Id(3), Deadline, out _));
    }

    [Fact]
    public void ARequestThatWasNotStoredIsNotRepeated()
    {
        var batch = Waiting(attempt: 1);
        _requests.AnswerLost(Id(1), isStored: false, Start);
        _requests.Failed(batch);

        Assert.False(_requests.TryClaim(Id(2), Start, out _));

        _requests.AnswerLost(Id(3), isStored: false, Start); // It is in work nowhere.
        Assert.False(_requests.TryClaim(Id(4), Start, out _));
    }

    [Fact]
    public void ARepeatIsExpectedForTheWindowAndNoLonger()
    {
        _requests.AnswerLost(Id(1), isStored: true, Start);
        _requests.AnswerLost(Id(2), isStored: true, Start);

        Assert.True(_requests.TryClaim(Id(3), Start.AddMinutes(15).AddTicks(-1), out _));
        Assert.False(_requests.TryClaim(Id(4), Start.AddMinutes(15), out _));
        Assert.Equal(0, _requests.Count);
    }

    [Fact]
    public void BeyondTheBoundARepeatIsARequestOfItsOwn()
    {
        for (ulong attempt = 1; attempt <= UnnamedRequests.MaxLost; attempt++)
        {
            _requests.AnswerLost(Id(attempt), isStored: true, Start);
        }

        var other = new LogRequestId(9, 9, 1);
        _requests.AnswerLost(other, isStored: true, Start);

        Assert.False(_requests.TryClaim(other with { Attempt = 2 }, Start, out _));
        Assert.Equal(UnnamedRequests.MaxLost, _requests.Count);
    }

    [Fact]
    public void ABatchsRowNamesOnlyRequestsThatHaveNames()
    {
        var batch = new Batch(Start);
        batch.Add(SomeLogs.Request(1, Start, "shop", "a"));
        batch.Add(SomeLogs.Request(2, Start, "shop", "b") with { Id = Id(1) });

        Assert.Equal(16, KnownRequests.Ids(batch).Length);
    }

    private Batch Waiting(ulong attempt)
    {
        var batch = new Batch(Start);
        batch.Add(SomeLogs.Request(1, Deadline, "shop", "a") with { Id = Id(attempt) });
        _requests.Waits(Id(attempt), batch, Deadline);
        return batch;
    }

    private static LogRequestId Id(ulong attempt) => new(7, 8, attempt);
}
