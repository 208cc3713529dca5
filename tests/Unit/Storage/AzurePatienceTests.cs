using Azure;
using Doubles;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Silo.Storage;
using Xunit;

namespace Unit.Storage;

public sealed class AzurePatienceTests
{
    private static readonly AzureBounds Bounds = new(
        Attempts: 3,
        AttemptTimeout: TimeSpan.FromSeconds(8),
        WholeTimeout: TimeSpan.FromSeconds(25),
        FirstPause: TimeSpan.FromMilliseconds(200),
        LongestPause: TimeSpan.FromSeconds(5)
    );

    private readonly FakeTimeProvider _clock = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, 0.0, 0, 100)]
    [InlineData(1, 1.0, 0, 200)]
    [InlineData(2, 0.5, 0, 300)]
    [InlineData(3, 1.0, 0, 800)]
    [InlineData(9, 1.0, 0, 5_000)]
    [InlineData(9, 0.0, 0, 2_500)]
    [InlineData(2_000, 1.0, 0, 5_000)]
    [InlineData(1, 0.0, 3_000, 3_000)]
    [InlineData(1, 0.0, 3_600_000, 5_000)]
    public void APauseDoublesIsSpreadAndHasABound(int attempt, double chance, int asked, int expected) =>
        Assert.Equal(TimeSpan.FromMilliseconds(expected), Patience(chance).PauseAfter(attempt, TimeSpan.FromMilliseconds(asked)));

    [Fact]
    public async Task ATryThatTakesTooLongIsATimeout()
    {
        var call = Patience()
            .Once(
                async cancel =>
                {
                    await new Gate().Pass(cancel);
                    return 0;
                },
                TimeSpan.FromSeconds(8),
                Cancel
            );

        _clock.Advance(TimeSpan.FromSeconds(8));

        Assert.Equal("Azure Storage did not answer within 8 s.", (await Assert.ThrowsAsync<TimeoutException>(() => call)).Message);
    }

    [Fact]
    public async Task ACallerWhoStopsIsNotATimeout()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var call = Patience()
            .Once(
                async cancel =>
                {
                    await new Gate().Pass(cancel);
                    return 0;
                },
                TimeSpan.FromSeconds(8),
                stop.Token
            );

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    [Theory]
    [InlineData(429, null, "NotTaken")]
    [InlineData(503, "ServerBusy", "NotTaken")]
    [InlineData(503, "OperationTimedOut", "Uncertain")]
    [InlineData(503, null, "Uncertain")]
    [InlineData(500, "InternalError", "Uncertain")]
    [InlineData(502, null, "Uncertain")]
    [InlineData(408, null, "Uncertain")]
    [InlineData(0, null, "Uncertain")]
    [InlineData(400, "InvalidInput", "Refused")]
    [InlineData(403, "AuthorizationFailure", "Refused")]
    [InlineData(409, "EntityAlreadyExists", "Refused")]
    [InlineData(412, "UpdateConditionNotSatisfied", "Refused")]
    public void WhatAnAnswerSaysOfARequest(int status, string? code, string kind) =>
        Assert.Equal(kind, AzureFailures.Kind(new RequestFailedException(status, "made by the test", code, null)).ToString());

    [Fact]
    public void WhatNeverLeftWasNotTaken()
    {
        var unreachable = new HttpRequestException(HttpRequestError.ConnectionError, "refused");
        var cut = new HttpRequestException(HttpRequestError.ResponseEnded, "cut");

        Assert.Equal(AzureFailure.NotTaken, AzureFailures.Kind(new RequestFailedException("no", unreachable)));
        Assert.Equal(AzureFailure.NotTaken, AzureFailures.Kind(unreachable));
        Assert.Equal(AzureFailure.Uncertain, AzureFailures.Kind(new RequestFailedException("no", cut)));
        Assert.Equal(AzureFailure.Uncertain, AzureFailures.Kind(new TimeoutException()));
    }

    [Fact]
    public void AMistakeOfOursIsNotTriedAgain() => Assert.Equal(AzureFailure.Refused, AzureFailures.Kind(new ArgumentException("odd")));

    private AzurePatience Patience(double chance = 0) => new(Bounds, _clock, () => chance, NullLogger.Instance);
}
