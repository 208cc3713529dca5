using Grains.Crawling.Frontier;
using Xunit;

namespace Unit.Crawling;

public sealed class RetryPolicyTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData(0.0, 1, 900)]
    [InlineData(0.5, 1, 1000)]
    [InlineData(0.5, 2, 2000)]
    [InlineData(0.5, 3, 4000)]
    [InlineData(0.5, 4, 5000)]
    public void TheWaitDoublesWithAFifthByChanceUpToTheLongest(double chance, int attempts, int milliseconds) =>
        Assert.Equal(
            TimeSpan.FromMilliseconds(milliseconds),
            new RetryPolicy(9, Second, 5 * Second, () => chance).Wait(attempts, retryAfter: null)
        );

    [Fact]
    public void WhatTheServerAsksForWinsUpToTheLongest()
    {
        var policy = new RetryPolicy(9, Second, 5 * Second, () => 0.5);

        Assert.Equal(TimeSpan.Zero, policy.Wait(1, TimeSpan.Zero));
        Assert.Equal(3 * Second, policy.Wait(1, 3 * Second));
        Assert.Equal(5 * Second, policy.Wait(1, 3600 * Second));
    }

    [Fact]
    public void TheLastTryIsTheLastWhateverTheServerAsksFor()
    {
        var policy = new RetryPolicy(3, Second, 5 * Second, () => 0.5);

        Assert.NotNull(policy.Wait(2, null));
        Assert.Null(policy.Wait(3, Second));
    }
}
