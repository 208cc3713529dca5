using Grains.Crawling.Frontier;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Unit.Crawling;

/// <summary>How much of one host a crawl takes.</summary>
public sealed class HostBudgetTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private static readonly CrawlSpec Spec = new()
    {
        Seeds = ["http://a.example/"],
        HostPages = 10,
        HostBytes = 1000,
        HostTime = Minute,
        HostErrors = 2,
    };

    [Theory]
    [InlineData(9, 999, 1, 59, null)]
    [InlineData(10, 0, 0, 0, "host-pages")]
    [InlineData(9, 1000, 0, 0, "host-bytes")]
    [InlineData(9, 1200, 0, 0, "host-bytes")]
    [InlineData(9, 999, 0, 60, "host-time")]
    [InlineData(9, 999, 2, 59, "host-errors")]
    [InlineData(10, 1000, 2, 60, "host-pages")]
    public void TheFirstBudgetThatIsUsedUpIsNamed(long pages, long bytes, long failed, int seconds, string? reason)
    {
        Assert.Equal(reason, HostBudget.Spent(Spec, pages, bytes, failed, TimeSpan.FromSeconds(seconds)));
        Assert.Equal(reason is null, HostBudget.Why(reason ?? "max-pages") is null);
    }

    [Fact]
    public void WithoutABudgetAHostMayBeAskedForEver() =>
        Assert.Null(HostBudget.Spent(new() { Seeds = [] }, long.MaxValue, long.MaxValue, long.MaxValue, TimeSpan.MaxValue));
}
