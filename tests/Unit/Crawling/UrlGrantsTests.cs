using Grains.Crawling;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Unit.Crawling;

public sealed class UrlGrantsTests
{
    private static readonly CrawlId Crawl = new("abcdefghij");
    private static readonly UrlFacts Facts = new(DateTimeOffset.UnixEpoch, 200, "\"e\"", null, null, null);
    private readonly UrlGrants _grants = new();

    [Fact]
    public void TheHighestLeaseIsGrantedAndAskedTwiceItIsAnsweredAlike()
    {
        Assert.Equal(UrlGrantAnswer.Granted, _grants.Grant(Crawl, 5));
        Assert.Equal(UrlGrantAnswer.Granted, _grants.Grant(Crawl, 5));
        Assert.Equal(UrlGrantAnswer.Granted, _grants.Grant(Crawl, 6));
        Assert.Equal(UrlGrantAnswer.Superseded, _grants.Grant(Crawl, 5));
    }

    [Fact]
    public void CrawlsDoNotStandInEachOthersWay()
    {
        _grants.Grant(Crawl, 5);

        Assert.Equal(UrlGrantAnswer.Granted, _grants.Grant(new("0000000000"), 1));
    }

    [Fact]
    public void WhatIsDoneInACrawlIsGrantedInAnotherOneOnly()
    {
        Assert.True(_grants.Learn(Crawl, Facts));
        Assert.False(_grants.Learn(Crawl, Facts with { Status = 404 }));

        Assert.Equal(UrlGrantAnswer.Done, _grants.Grant(Crawl, 9));
        Assert.Equal(UrlGrantAnswer.Granted, _grants.Grant(new("0000000000"), 1));
        Assert.Equal(Facts, _grants.Facts);
    }

    [Fact]
    public void NoMoreThanEightCrawlsAreRemembered()
    {
        for (var crawl = 0; crawl <= UrlGrants.MaxCrawls; crawl++)
        {
            _grants.Learn(new($"000000000{crawl}"), Facts);
        }

        Assert.Equal(UrlGrants.MaxCrawls, _grants.DoneIn.Count);
        Assert.Equal("0000000001", _grants.DoneIn[0]);
    }
}
