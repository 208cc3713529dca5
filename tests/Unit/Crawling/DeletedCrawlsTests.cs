using Grains.Crawling.Hosts;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Unit.Crawling;

/// <summary>What a host remembers of crawls that were deleted there.</summary>
public sealed class DeletedCrawlsTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch.AddYears(50);
    private static readonly CrawlId First = new("abcdefghij");
    private static readonly CrawlId Second = new("bcdefghijk");

    [Fact]
    public void ACrawlIsKnownToASuccessorByItsRow()
    {
        var before = new DeletedCrawls();
        before.Add(First, leases: null, Start);
        var row = Assert.Single(before.Rows(First, Start));
        var after = new DeletedCrawls();
        after.Restore(new(row.Key, row.Payload, "1"));

        Assert.True(after.Contains(First));
        Assert.Equal("x.abcdefghij", row.Key);
    }

    [Fact]
    public void ARowGoesWithTheFirstDeletionAfterAnHour()
    {
        var crawls = new DeletedCrawls();
        crawls.Add(First, leases: null, Start);
        var end = Start + DeletedCrawls.KnownFor;
        crawls.Add(Second, leases: null, end);

        Assert.Equal(["x.bcdefghijk"], crawls.Rows(Second, end - TimeSpan.FromTicks(1)).Select(row => row.Key));
        Assert.Equal(["x.bcdefghijk", "x.abcdefghij"], crawls.Rows(Second, end).Select(row => row.Key));
        Assert.False(crawls.Contains(First));
        Assert.True(crawls.Contains(Second));
    }

    [Fact]
    public void ACrawlWithALeaseThatIsOutIsKeptAfterItsHour()
    {
        var leases = new Grains.Crawling.Frontier.HostQueue();
        leases.Lease(new("q.1", "http://a/", 0, null, 0), number: 1, Start + (2 * DeletedCrawls.KnownFor));
        var crawls = new DeletedCrawls();
        crawls.Add(First, leases, Start);
        crawls.Add(Second, leases: null, Start);

        Assert.Single(crawls.Rows(Second, Start + DeletedCrawls.KnownFor));
        Assert.True(crawls.Contains(First));
    }
}
