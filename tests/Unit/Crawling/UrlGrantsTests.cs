using Grains.Crawling;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Unit.Crawling;

public sealed class UrlGrantsTests
{
    private static readonly CrawlId Crawl = new("abcdefghij");
    private static readonly CrawlId Other = new("0000000000");
    private readonly UrlGrants _grants = new();

    [Fact]
    public void TheHighestLeaseIsGrantedAndAskedTwiceItIsAnsweredAlike()
    {
        Assert.Equal(UrlGrantAnswer.Granted, _grants.Grant(Crawl, 5, UrlState.Queued));
        Assert.Equal(UrlGrantAnswer.Granted, _grants.Grant(Crawl, 5, UrlState.Queued));
        Assert.Equal(UrlGrantAnswer.Granted, _grants.Grant(Crawl, 6, UrlState.Queued));
        Assert.Equal(UrlGrantAnswer.Superseded, _grants.Grant(Crawl, 5, UrlState.Queued));
    }

    [Fact]
    public void CrawlsDoNotStandInEachOthersWay()
    {
        _grants.Grant(Crawl, 5, UrlState.Queued);

        Assert.Equal(UrlGrantAnswer.Granted, _grants.Grant(Other, 1, UrlState.Queued));
    }

    [Theory]
    [InlineData(UrlState.Fetched)]
    [InlineData(UrlState.Failed)]
    [InlineData(UrlState.Skipped)]
    public void WhatTheHostHasFinishedIsGrantedToNoLease(UrlState state)
    {
        _grants.Grant(Crawl, 5, UrlState.Queued);

        Assert.Equal(UrlGrantAnswer.Done, _grants.Grant(Crawl, 5, state));
        Assert.Equal(UrlGrantAnswer.Done, _grants.Grant(Crawl, 9, state));
        Assert.Equal(UrlGrantAnswer.Granted, _grants.Grant(Other, 1, UrlState.Queued));
    }

    [Fact]
    public void WhatFailedIsGrantedOnceItIsQueuedAgain()
    {
        Assert.Equal(UrlGrantAnswer.Done, _grants.Grant(Crawl, 5, UrlState.Failed));
        Assert.Equal(UrlGrantAnswer.Granted, _grants.Grant(Crawl, 6, UrlState.Queued));
    }

    [Fact]
    public void AUrlOfWhichTheHostHasNoRowIsGranted() => Assert.Equal(UrlGrantAnswer.Granted, _grants.Grant(Crawl, 5, stored: null));

    [Fact]
    public void TheCrawlThatAskedFirstIsForgottenWhenTooManyAsk()
    {
        for (var crawl = 0; crawl <= UrlGrants.MaxCrawls; crawl++)
        {
            _grants.Grant(new($"{crawl:D10}"), 5, UrlState.Queued);
        }

        Assert.Equal(UrlGrantAnswer.Granted, _grants.Grant(Other, 1, UrlState.Queued));
        Assert.Equal(UrlGrantAnswer.Superseded, _grants.Grant(new($"{UrlGrants.MaxCrawls:D10}"), 1, UrlState.Queued));
    }
}
