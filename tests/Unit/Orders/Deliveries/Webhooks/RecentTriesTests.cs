using Grains.Orders.Deliveries.Webhooks;
using Xunit;

namespace Unit.Orders.Deliveries.Webhooks;

public sealed class RecentTriesTests
{
    private readonly RecentTries _recent = new();

    [Fact]
    public void TheNewestTryIsShownFirstAndOnlyTheLastTenAreShown()
    {
        for (var second = 0; second < 15; second++)
        {
            Add(second, 204);
        }

        Assert.Equal(15, _recent.Count);
        Assert.Equal(
            Enumerable.Range(5, RecentTries.MaxShown).Reverse().Select(second => (long)second),
            _recent.Shown.Select(tried => tried.At.ToUnixTimeSeconds())
        );
    }

    [Fact]
    public void TheShareOfThoseThatWereTakenIsOfTheLastHundred()
    {
        for (var second = 0; second < RecentTries.MaxTries; second++)
        {
            Add(second, 500);
        }

        for (var second = 0; second < 30; second++)
        {
            Add(second, 204);
        }

        Assert.Equal((RecentTries.MaxTries, 30), (_recent.Count, _recent.Delivered));
    }

    private void Add(int second, int status)
    {
        var at = DateTimeOffset.UnixEpoch.AddSeconds(second);
        _recent.Add(at, WebhookOutcome.Answered(status, retryAfter: null, at));
    }
}
