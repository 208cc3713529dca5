using Grains.Crawling.Results;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Unit.Crawling;

/// <summary>A crawl whose seed could not be reached ended as if all were well.</summary>
public sealed class SeedOutcomesTests
{
    private const string Seed = "http://a.example/";
    private static readonly PageRecord Page = new(
        Seed,
        200,
        0,
        null,
        "text/html",
        null,
        12,
        null,
        0,
        DateTimeOffset.UnixEpoch,
        1,
        1,
        null,
        Truncated: false,
        null
    );

    public static TheoryData<string, string, string> Troubles() =>
        new()
        {
            { "a seed that failed", "unreachable", "The name a.example has no address." },
            { "a seed that lost its leases", "lease-expired", "Not fetched: lease-expired." },
            { "a seed that robots.txt forbids", "robots", "robots.txt does not allow it." },
            { "a seed on a private address", "private-address", "a.example is 10.0.0.1." },
            { "a seed that never came to its host", "not-asked", "The crawl ended before it was asked for." },
            { "a seed that waited", "not-asked", "The crawl ended before it was asked for." },
        };

    [Theory]
    [MemberData(nameof(Troubles))]
    public void ASeedThatWasNotFetchedIsNamedWithItsCause(string which, string reason, string says)
    {
        var report = Report((Seed, Row(which)));

        Assert.Equal((0, 1, 0), (report.Fetched, report.NotFetched, report.MoreTroubles));
        Assert.Equal([new(Seed, reason, says)], report.Troubles);
    }

    [Fact]
    public void ASeedThatAServerAnsweredIsFetched()
    {
        var report = Report((Seed, Fetched(Page)));

        Assert.Equal((1, 0), (report.Fetched, report.NotFetched));
        Assert.Empty(report.Troubles);
    }

    [Fact]
    public void ASeedWhoseAnswerLeadsNowhereIsFetchedAndToldOf()
    {
        Assert.Equal([new(Seed, "http-404", "The server answered 404.")], Report((Seed, Fetched(Page with { Status = 404 }))).Troubles);
        Assert.Equal(
            [
                new(
                    Seed,
                    "redirect",
                    "It redirects to http://www.a.example/, which is not crawled. It is not on a.example. --scope domain lets it in."
                ),
            ],
            Report((Seed, Fetched(Page with { Status = 301, Location = "http://www.a.example/" }))).Troubles
        );
        Assert.Empty(Report((Seed, Fetched(Page with { Status = 301, Location = "https://a.example/" }))).Troubles);
        Assert.Equal(1, Report((Seed, Fetched(Page with { Status = 404 }))).Fetched);
    }

    [Fact]
    public void ASeedThatLeadsFarAwaySaysWhatToStartWith() =>
        Assert.Equal(
            "It redirects to https://b.example/, which is not crawled. It is not on a.example. Start with https://b.example/ in place "
                + "of it, or with both; --scope any lets it in with everything else.",
            Assert.Single(Report((Seed, Fetched(Page with { Status = 302, Location = "https://b.example/" }))).Troubles).Says
        );

    [Fact]
    public void ATargetThatAPatternKeepsOutIsNotForAScope() =>
        Assert.Equal(
            "It redirects to http://a.example/login, which is not crawled. It matches the exclude pattern *login.",
            Assert
                .Single(
                    SeedOutcomes
                        .Report(
                            new() { Seeds = [Seed], Exclude = ["*login"] },
                            [new(Seed, Fetched(Page with { Status = 302, Location = "http://a.example/login" }))]
                        )
                        .Troubles
                )
                .Says
        );

    [Fact]
    public void WhatIsWrongAtTheEndOfASeedsRedirectsIsToldOfTheSeed()
    {
        var row = Fetched(Page with { Status = 301, Location = "https://a.example/" });
        var broken = new SeedOutcome(Seed, row) { Last = ("https://a.example/", Fetched(Page with { Status = 404 })) };
        var outside = new SeedOutcome(Seed, row)
        {
            Last = ("https://a.example/", Fetched(Page with { Status = 301, Location = "https://www.a.example/" })),
        };
        var report = SeedOutcomes.Report(new() { Seeds = [Seed] }, [broken, outside, new(Seed, row)]);

        Assert.Equal(
            [
                new(Seed, "http-404", "It leads to https://a.example/. The server answered 404."),
                new(
                    Seed,
                    "redirect",
                    "It leads to https://a.example/. It redirects to https://www.a.example/, which is not crawled. It is not on a.example. "
                        + "--scope domain lets it in."
                ),
            ],
            report.Troubles
        );
        Assert.Equal((3, 0), (report.Fetched, report.NotFetched));
    }

    [Fact]
    public void TenTroublesAreNamedAndTheOthersCounted()
    {
        var report = Report([.. Enumerable.Range(0, 1000).Select(i => ($"{Seed}{i}", (UrlRow?)null))]);

        Assert.Equal((0, 1000, 10, 990), (report.Fetched, report.NotFetched, report.Troubles.Length, report.MoreTroubles));
    }

    private static UrlRow? Row(string which) =>
        which switch
        {
            "a seed that failed" => new(
                Seed,
                0,
                null,
                UrlState.Failed,
                3,
                "unreachable",
                Page with
                {
                    Status = null,
                    Error = "The name a.example has no address.",
                }
            ),
            "a seed that lost its leases" => new(Seed, 0, null, UrlState.Failed, 1, "lease-expired"),
            "a seed that robots.txt forbids" => new(Seed, 0, null, UrlState.Skipped, 0, "robots"),
            "a seed on a private address" => new(
                Seed,
                0,
                null,
                UrlState.Failed,
                0,
                "private-address",
                Page with
                {
                    Status = null,
                    Error = "a.example is 10.0.0.1.",
                }
            ),
            "a seed that waited" => new(Seed, 0, null, UrlState.Queued, 0),
            _ => null,
        };

    private static UrlRow Fetched(PageRecord page) => new(Seed, 0, null, UrlState.Fetched, 1, Page: page);

    private static SeedReport Report(params (string Url, UrlRow? Row)[] outcomes) =>
        SeedOutcomes.Report(new() { Seeds = [Seed] }, [.. outcomes.Select(outcome => new SeedOutcome(outcome.Url, outcome.Row))]);
}
