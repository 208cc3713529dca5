using System.Collections.Immutable;
using Grains.Crawling.Frontier;
using Grains.Crawling.Results;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Unit.Crawling;

public sealed class ExplanationsTests
{
    private const string Url = "http://a/x";
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch;
    private static readonly PageRecord Page = new(
        Url,
        503,
        1,
        null,
        "text/html",
        null,
        12,
        null,
        0,
        Now,
        1,
        1,
        null,
        Truncated: false,
        "The server answered 503."
    );

    [Fact]
    public void AUrlThatNobodyFoundIsNotFound() =>
        Assert.Equal(["state: not found", "found: no page of this crawl that was fetched links to it"], Lines(null));

    /// <summary>It said that no page links to it, when nobody could know.</summary>
    [Fact]
    public void AUrlThatMayHaveBeenCutOffIsNotSaidToBeLinkedByNobody()
    {
        var spec = new CrawlSpec { Seeds = [Url], MaxDepth = 2 };
        var none = ImmutableSortedDictionary<string, long>.Empty;

        Assert.Equal(
            "no page of this crawl that was fetched links to it",
            Explanations.NotFound(spec, none.Add("robots", 3).Add("too-long-url", 2), truncated: 0).Text
        );
        Assert.Equal(
            "no link to it was followed, but it may be among what was cut off: links that were not followed: 2,000 beyond the "
                + "first 10,000 of their page (too-many-links), "
                + "4 more than 2 step(s) from a seed (max-depth), 1 that their page asks not to follow (nofollow), 5 to hosts "
                + "beyond the first 100,000 (too-many-hosts), "
                + "6 to a host that keeps as many URLs as it may (host-full), 1 behind 20 redirects in a row "
                + "(too-many-redirects); and 7 page(s) read in part",
            Explanations
                .NotFound(
                    spec,
                    none.Add("too-many-links", 2000)
                        .Add("max-depth", 4)
                        .Add("nofollow", 1)
                        .Add("too-many-hosts", 5)
                        .Add("host-full", 6)
                        .Add("too-many-redirects", 1),
                    truncated: 7
                )
                .Text
        );
        Assert.Equal(
            "no link to it was followed, but it may be among what was cut off: 1 page(s) read in part",
            Explanations.NotFound(spec, none, truncated: 1).Text
        );
        Assert.Equal(
            "a link longer than 2,048 characters is refused (too-long-url); in this crawl 2 were",
            Explanations.TooLong(none.Add("too-long-url", 2)).Text
        );
    }

    [Fact]
    public void APageThatWasReadInPartAndLostLinksSaysSo() =>
        Assert.Equal(
            [
                "found: it is a seed",
                "attempts: 1",
                "state: fetched",
                "answer: 200 text/html, 12 bytes at 1970-01-01 00:00:00Z",
                "truncated: the body is not here whole, and links behind its end are not known",
                "note: The body ended early.",
                "left out: 3 link(s): max-depth, 2,000 link(s): too-many-links",
            ],
            Lines(
                new(
                    Url,
                    0,
                    Parent: null,
                    UrlState.Fetched,
                    1,
                    Page: Page with
                    {
                        Status = 200,
                        Truncated = true,
                        Error = "The body ended early.",
                        LeftOut = ImmutableSortedDictionary<string, long>.Empty.Add("too-many-links", 2000).Add("max-depth", 3),
                    }
                )
            )
        );

    [Fact]
    public void ASeedThatWasFetched() =>
        Assert.Equal(
            ["found: it is a seed", "attempts: 1", "state: fetched", "answer: 200 text/html, 12 bytes at 1970-01-01 00:00:00Z"],
            Lines(new(Url, 0, Parent: null, UrlState.Fetched, 1, Page: Page with { Status = 200, Error = null }))
        );

    [Fact]
    public void ALinkThatFailed() =>
        Assert.Equal(
            ["found: on http://a/, 1 step(s) from a seed", "attempts: 3", "state: failed", "why: The server answered 503."],
            Lines(new(Url, 1, "http://a/", UrlState.Failed, 3, "http-503", Page))
        );

    [Fact]
    public void ALinkThatWasSkipped() =>
        Assert.Equal(
            ["found: on http://a/, 1 step(s) from a seed", "attempts: 0", "state: skipped", "why: robots"],
            Lines(new(Url, 1, "http://a/", UrlState.Skipped, 0, "robots"))
        );

    [Fact]
    public void AUrlThatWaitsForAnotherTry() =>
        Assert.Equal(
            [
                "found: it is a seed",
                "attempts: 1",
                "state: queued",
                "last try: http-503: The server answered 503.",
                "host: may be asked again at 1970-01-01 00:00:05Z",
            ],
            Lines(new(Url, 0, null, UrlState.Queued, 1, "http-503", Page), wait: TimeSpan.FromSeconds(5))
        );

    [Fact]
    public void AUrlThatSomebodyFetches()
    {
        var crawl = Crawl();
        crawl.Queue.Lease(new(QueueEntry.Ready(1), Url, 0, null, 0), number: 17, Now);

        Assert.Equal(
            ["found: it is a seed", "attempts: 0", "state: in flight", "lease: 17"],
            Lines(new(Url, 0, null, UrlState.Queued, 0), crawl)
        );
    }

    [Fact]
    public void AUrlThatWaitedWhenTheCrawlEnded() =>
        Assert.Equal(
            ["found: it is a seed", "attempts: 0", "state: skipped", "why: the crawl ended while it waited (cancelled)"],
            Lines(new(Url, 0, null, UrlState.Queued, 0), Crawl(ended: "cancelled"))
        );

    private static HostCrawl Crawl(string? ended = null) =>
        new(
            new(new("abcdefghij"), 1, CrawlState.Running, new() { Seeds = [Url] }),
            new() { Host = "a", Ended = ended },
            10,
            new(3, TimeSpan.Zero, TimeSpan.Zero, () => 0)
        );

    private static IEnumerable<string> Lines(UrlRow? row, HostCrawl? crawl = null, TimeSpan wait = default)
    {
        var clock = new HostClock();
        clock.WaitUntil(Now + wait);
        return Explanations.Of(row, Url, crawl ?? Crawl(), Now, clock.Next).Select(line => $"{line.Label}: {line.Text}");
    }
}
