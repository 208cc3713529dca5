using Doubles.Storage;
using Grains.Crawling.Cookies;
using Grains.Crawling.Rows;
using Grains.Crawling.Sessions;
using Grains.Interfaces.Crawling;
using Grains.Storage;
using Xunit;

namespace Unit.Crawling;

/// <summary>The jar that the hosts of a registrable domain share in a crawl: who writes it, and who is told.</summary>
public sealed class DomainCookiesTests
{
    private static readonly CrawlId Crawl = new("abcdefghij");
    private static readonly DateTimeOffset Now = new(2026, 11, 30, 9, 0, 0, TimeSpan.Zero);
    private static readonly HostKey Www = new("www.shop.example");
    private readonly FlakyTableStore _store = new();
    private readonly DomainCookies _cookies;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public DomainCookiesTests() => _cookies = new(_store);

    [Theory]
    [InlineData("www.shop.co.uk", "shop.co.uk")]
    [InlineData("shop.co.uk:8080", "shop.co.uk")]
    [InlineData("co.uk", null)]
    [InlineData("localhost:8080", null)]
    [InlineData("10.0.0.1", null)]
    [InlineData("10.0.0.1:80", null)]
    [InlineData("[::1]", null)]
    [InlineData("[::1]:8080", null)]
    public void AHostSharesTheJarOfItsRegistrableDomain(string host, string? domain) =>
        Assert.Equal(domain, DomainCookies.DomainOf(new(host)));

    [Fact]
    public async Task WhatIsSetIsReadByEachHostOfTheDomainAndByNoOtherCrawl()
    {
        await Set("a", "1");
        var jar = await Set("b", "2");

        Assert.Equal(2, jar.Version);
        Assert.Equal(jar.Cookies, (await _cookies.Read(Crawl, new("shop.example:8080"), Cancel)).Cookies);
        Assert.Equal(jar.Cookies, (await _cookies.Join(Crawl, Www, Cancel)).Cookies);
        Assert.Empty((await _cookies.Read(new("zzzzzzzzzz"), Www, Cancel)).Cookies);
        Assert.Empty((await _cookies.Read(Crawl, new("other.example"), Cancel)).Cookies);
    }

    [Fact]
    public async Task WhatIsThereAlreadyIsNotWrittenAgain()
    {
        await Set("a", "1");
        await Set("b", "2");
        var commits = _store.Commits;

        Assert.Equal(2, (await Set("a", "1")).Version);
        Assert.Equal(commits, _store.Commits);
    }

    [Fact]
    public async Task NoneIsLostOfThoseThatManyWorkersSetAtOnce()
    {
        await Task.WhenAll(Enumerable.Range(0, 10).Select(cookie => Set($"c{cookie}", "1")));

        var jar = await _cookies.Read(Crawl, Www, Cancel);
        Assert.Equal(Enumerable.Range(0, 10).Select(cookie => $"c{cookie}"), jar.Cookies.Select(cookie => cookie.Name).Order());
    }

    [Fact]
    public async Task AWriteThatAnotherOneOvertookIsMadeOnWhatThatOneLeft()
    {
        await Set("a", "1");
        _store.FailNextCommits(3, CommitFailure.Conflict);

        Assert.Equal(["a", "b"], (await Set("b", "2")).Cookies.Select(cookie => cookie.Name));
    }

    [Theory]
    [InlineData(CommitFailure.UnknownApplied, 1)]
    [InlineData(CommitFailure.UnknownNotApplied, 1)]
    [InlineData(CommitFailure.Conflict, 20)]
    public async Task AWriteThatIsNotCertainFailsAndMayBeMadeAgain(CommitFailure failure, int times)
    {
        _store.FailNextCommits(times, failure);

        await Assert.ThrowsAsync<PartitionLostException>(() => Set("a", "1"));
        Assert.Equal(1, (await Set("a", "1")).Version);
    }

    [Fact]
    public async Task AHostThatJoinedIsToldAndJoinsOnce()
    {
        await _cookies.Join(Crawl, Www, Cancel);
        var commits = _store.Commits;
        await _cookies.Join(Crawl, Www, Cancel);

        Assert.Equal(commits, _store.Commits);
        Assert.Equal([Www], await _cookies.Hosts(Crawl, "shop.example", Cancel));
        Assert.Empty(await _cookies.Hosts(Crawl, "other.example", Cancel));
    }

    [Fact]
    public async Task AHostWithoutARegistrableDomainSharesNothing()
    {
        Assert.Empty((await _cookies.Join(Crawl, new("localhost:8080"), Cancel)).Cookies);
        Assert.Equal(0, _store.Commits);
    }

    [Fact]
    public async Task WhatAFullJarPushesOutIsToldOnce()
    {
        var full = Enumerable.Range(0, CookieJar.MaxCookies).Select(cookie => Shared($"c{cookie}", "1"));
        Assert.Equal(0, (await _cookies.Set(Crawl, "shop.example", [.. full], Now, Cancel)).Cut);

        var (jar, cut) = await _cookies.Set(Crawl, "shop.example", [Shared("d0", "1"), Shared("d1", "1")], Now, Cancel);
        Assert.Equal((2, "c2"), (cut, jar.Cookies[0].Name));
        Assert.Equal(0, (await _cookies.Set(Crawl, "shop.example", [Shared("d0", "1"), Shared("d1", "1")], Now, Cancel)).Cut);
    }

    /// <summary>
    /// A silo dies between a worker's steps, and the page is fetched again: whatever step was the last, the second round leaves the jar
    /// with the cookie once, tells the hosts that joined, and a host that joins later reads it.
    /// </summary>
    [Theory]
    [InlineData("before the jar was written", CommitFailure.UnknownNotApplied)]
    [InlineData("after the jar was written and before anybody heard of it", CommitFailure.UnknownApplied)]
    [InlineData("after the answer and before the hosts were told", null)]
    public async Task ACookieIsSharedOnceByASecondRoundWhereverTheFirstOneDied(string died, CommitFailure? commit)
    {
        await _cookies.Join(Crawl, Www, Cancel);
        if (commit is { } failure)
        {
            _store.FailNextCommits(1, failure);
            await Assert.ThrowsAsync<PartitionLostException>(() => Set("login", "1"));
        }
        else
        {
            await Set("login", "1");
        }

        var successor = new DomainCookies(_store);
        var (jar, cut) = await successor.Set(Crawl, "shop.example", [Shared("login", "1")], Now, Cancel);

        Assert.True((jar.Version, jar.Cookies.Length, cut) == (1, 1, 0), $"The silo died {died}, and {jar.Cookies.Length} are there.");
        Assert.Equal([Www], await successor.Hosts(Crawl, "shop.example", Cancel));
        Assert.Equal(jar.Cookies, (await successor.Join(Crawl, new("api.shop.example"), Cancel)).Cookies);
    }

    private async Task<CookieJarRow> Set(string name, string value) =>
        (await _cookies.Set(Crawl, "shop.example", [Shared(name, value)], Now, Cancel)).Jar;

    private static StoredCookie Shared(string name, string value) =>
        new(name, value, "/", IsSecure: false, ExpiresAt: null, "shop.example");
}
