using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using System.Globalization;
using Doubles;
using Doubles.Storage;
using Grains.Crawling;
using Grains.Crawling.Fetching;
using Grains.Crawling.Robots;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Unit.Crawling;

/// <summary>What is reported of an answer: its record, where its links go, and how many go nowhere.</summary>
public sealed class PageVisitorTests : IDisposable
{
    private const string Url = "http://a.example/";
    private readonly SiteInMemory _web = new();
    private readonly FlakyBlobStore _blobs = new();
    private readonly FlakyTableStore _past = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    public void Dispose() => _services.Dispose();

    [Fact]
    public async Task LinksBeyondTheBoundOfAPageAreCountedInItsRecordAndForTheBooks()
    {
        _web.Add(Url, SiteAnswer.Links(Enumerable.Range(0, 12_000).Select(page => page.ToString(CultureInfo.InvariantCulture))));

        var outcome = (await Visit()).Outcome;

        Assert.Equal((10_000, 10_000), (outcome.Page!.Links, outcome.Links.Length));
        Assert.Equal([KeyValuePair.Create("too-many-links", 2_000L)], outcome.Page.LeftOut!);
        Assert.Equal(outcome.Page.LeftOut, outcome.LeftOut);
    }

    [Fact]
    public async Task LinksThatARuleOrALimitCutsOffAreCountedByReasonAndThoseOutOfScopeAreNot()
    {
        _web.Add(
            Url,
            SiteAnswer.Html(
                $"<a href=1><a href=2 rel=nofollow><a href=/{new string('x', 3000)}><a href=http://b.example/1><a "
                    + $"href=http://b.example/2 rel=nofollow><a href=http://out.example/ rel=nofollow>"
            )
        );
        var spec = new CrawlSpec { Seeds = [Url, "http://b.example/"], MaxDepth = 3 };

        var near = (await Visit(spec, depth: 2)).Outcome;
        var far = (await Visit(spec, depth: 3)).Outcome;

        Assert.Equal([Url + "1"], near.Links);
        Assert.Equal([new(Url + "2", "nofollow")], near.TurnedAway);
        Assert.Equal(Counts(("nofollow", 2), ("too-long-url", 1)), near.Page!.LeftOut);
        Assert.Equal(Counts(("nofollow", 1), ("too-long-url", 1)), near.LeftOut);
        Assert.Empty(far.Links);
        Assert.Equal([new(Url + "1", "max-depth"), new(Url + "2", "max-depth")], far.TurnedAway);
        Assert.Equal(Counts(("max-depth", 4), ("too-long-url", 1)), far.Page!.LeftOut);
        Assert.Equal(Counts(("max-depth", 2), ("too-long-url", 1)), far.LeftOut);
    }

    /// <summary>All links of a page were lost that sent a Location beside a status that does not redirect.</summary>
    [Theory]
    [InlineData(200)]
    [InlineData(201)]
    [InlineData(202)]
    [InlineData(300)]
    [InlineData(305)]
    [InlineData(306)]
    public async Task OnlyARedirectStatusRedirects(int status)
    {
        _web.Add(Url, (SiteAnswer.Html("<title>A</title><a href=1>") with { Status = status }).With("Location", "/elsewhere"));

        var outcome = (await Visit()).Outcome;

        Assert.Equal([Url + "1"], outcome.Links);
        Assert.Equal((status, "A", null), (outcome.Page!.Status, outcome.Page.Title, outcome.Page.Location));
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task ARedirectLeadsWhereItsLocationSaysAndNowhereElse(int status)
    {
        _web.Add(Url, (SiteAnswer.Html("<a href=1>") with { Status = status }).With("Location", "/there"));
        _web.Add(Url + "bare", SiteAnswer.Html("<a href=1>") with { Status = status });

        var led = (await Visit()).Outcome;
        var bare = (await Visit(url: Url + "bare")).Outcome;

        Assert.Equal([Url + "there"], led.Links);
        Assert.Equal((Url + "there", null), (led.Page!.Location, led.Page.Error));
        Assert.Equal([Url + "1"], bare.Links);
        Assert.Equal($"The server answered {status} and does not say where to: it is read as a page.", bare.Page!.Error);
    }

    [Theory]
    [InlineData("mailto:a@b.example", "It redirects to \"mailto:a@b.example\", which cannot be crawled: mailto: is not http or https.")]
    [InlineData("http://a b/", "It redirects to \"http://a b/\", which cannot be crawled: its host is not a name that can be looked up.")]
    [InlineData("/", "It redirects to itself.")]
    public async Task ARedirectThatLeadsNowhereSaysSo(string location, string error)
    {
        _web.Add(Url, SiteAnswer.Redirect(location));

        var page = (await Visit()).Outcome.Page!;

        Assert.Equal((302, error), (page.Status, page.Error));
    }

    [Fact]
    public async Task ARedirectToAUrlThatIsTooLongIsCounted()
    {
        _web.Add(Url, SiteAnswer.Redirect("/" + new string('x', 3000)));

        Assert.Equal(Counts(("too-long-url", 1)), (await Visit()).Outcome.LeftOut);
    }

    /// <summary>A chain without an end went on for ever.</summary>
    [Fact]
    public async Task TwentyRedirectsInARowAreFollowedAndNoMore()
    {
        _web.Add(Url, SiteAnswer.Redirect("/next"));
        _web.Add("http://b.example/", SiteAnswer.Redirect("http://c.example/"));
        var any = new CrawlSpec { Seeds = [Url], Scope = CrawlScope.Any };

        var last = (await Visit(hops: 19)).Outcome;
        var over = (await Visit(hops: 20)).Outcome;
        var foreign = await Visit(any, "http://b.example/", hops: 7);

        Assert.Equal((FetchResult.Answered, 1), (last.Result, last.Links.Length));
        Assert.Equal((FetchResult.Permanent, "too-many-redirects", 0), (over.Result, over.Reason, over.Links.Length));
        Assert.Equal(
            (302, $"It redirects to {Url}next, after 20 redirects in a row: no further one is followed."),
            (over.Page!.Status, over.Page.Error)
        );
        Assert.Equal(new("http://c.example/", 0, "http://b.example/", Hops: 8), Assert.Single(foreign.Foreign[new("c.example")]));
    }

    [Fact]
    public async Task ABodyThatEndsEarlyKeepsItsStatusAndTheLinksThatCame()
    {
        _web.Add(
            Url,
            SiteAnswer.Html("<title>A</title><a href=1><a href=") with
            {
                BodyError = "The body ended early, after 33 bytes: Broken.",
            }
        );

        var outcome = (await Visit()).Outcome;

        Assert.Equal(FetchResult.Answered, outcome.Result);
        Assert.Equal([Url + "1"], outcome.Links);
        Assert.Equal(
            (200, true, "The body ended early, after 33 bytes: Broken."),
            (outcome.Page!.Status, outcome.Page.Truncated, outcome.Page.Error)
        );
    }

    /// <summary>Meta and header that spoke to us by name were passed over: nobody told the parser our name.</summary>
    [Theory]
    [InlineData("X-Robots-Tag", "OrleansCrawler: nofollow", "")]
    [InlineData("X-Robots-Tag", "orleanscrawler: none", "")]
    [InlineData("X-Robots-Tag", "unavailable_after: 25 Jun 2010 15:00:00 GMT", "")]
    [InlineData("X", "", "<meta name=orleanscrawler content=nofollow>")]
    [InlineData("X", "", "<meta name=OrleansCrawler content='noindex, nofollow'>")]
    public async Task WhatAPageAsksOfUsByNameIsDone(string header, string value, string meta)
    {
        _web.Add(Url, SiteAnswer.Html(meta + "<a href=1>").With(header, value));

        var outcome = (await Visit()).Outcome;

        Assert.Empty(outcome.Links);
        Assert.Equal(Counts(("nofollow", 1)), outcome.Page!.LeftOut);
    }

    [Fact]
    public async Task TheRecordNamesTheTypeThatWasFound()
    {
        _web.Add(Url, SiteAnswer.Html("<!DOCTYPE html><a href=1>") with { ContentType = null });

        Assert.Equal("text/html", (await Visit()).Outcome.Page!.ContentType);
    }

    /// <summary>Half a file says nothing of what the other half would.</summary>
    [Theory]
    [InlineData(200, null, true)]
    [InlineData(200, "The body is not what Content-Encoding \"gzip\" says: bad.", false)]
    [InlineData(200, "The body ended early, after 7 bytes: Broken.", false)]
    [InlineData(404, null, false)]
    public async Task OfARobotsTxtThatIsNotWholeNothingIsReported(int status, string? error, bool isThere)
    {
        _web.Add(Url + "robots.txt", SiteAnswer.Text("User-agent: *") with { Status = status, BodyError = error });

        var outcome = (await VisitRobots()).Outcome;

        Assert.Equal((isThere, error), (outcome.Robots is not null, outcome.Page!.Error));
    }

    [Fact]
    public async Task ARobotsTxtBeyondItsLimitIsReportedWithOneByteThatSaysSo()
    {
        _web.Add(Url + "robots.txt", SiteAnswer.Text("User-agent: *\nDisallow: /no\n" + new string('#', RobotsRules.MaxBytes)));

        var outcome = (await VisitRobots()).Outcome;

        Assert.Equal(RobotsRules.MaxBytes + 1, outcome.Robots!.Length);
        Assert.True(RobotsRules.Parse(outcome.Robots, "OrleansCrawler").IsCut);
    }

    [Theory]
    [InlineData(KeepPages.None, "text/html", 200, false)]
    [InlineData(KeepPages.Html, "text/html", 200, true)]
    [InlineData(KeepPages.Html, "application/xhtml+xml", 404, true)]
    [InlineData(KeepPages.Html, "application/pdf", 200, false)]
    [InlineData(KeepPages.All, "application/pdf", 200, true)]
    [InlineData(KeepPages.All, null, 302, true)]
    public async Task AnAnswerIsKeptAsTheCrawlAsks(KeepPages keep, string? type, int status, bool isKept)
    {
        _web.Add(Url, (SiteAnswer.Html("a") with { ContentType = type, Status = status }).With("Location", "/there"));

        var outcome = (await Visit(new() { Seeds = [Url], Keep = keep })).Outcome;

        Assert.Equal((isKept, false), (outcome.Page!.Kept is not null, outcome.NotKept));
    }

    [Fact]
    public async Task APageThatCannotBeStoredIsTriedAgain()
    {
        _web.Add(Url, "<a href=1>");
        _blobs.FailNextPuts(1, PutFailure.Throw);

        var visit = await Visit();

        Assert.Equal((FetchResult.Temporary, "page-store"), (visit.Outcome.Result, visit.Outcome.Reason));
        Assert.Empty(visit.Outcome.Links);
    }

    [Fact]
    public async Task OnceAsMuchIsKeptAsMayBeAPageHasItsRecordOnly()
    {
        _web.Add(Url, "<a href=1>");

        var outcome = (await Visit(isFull: true)).Outcome;

        Assert.Equal((FetchResult.Answered, true), (outcome.Result, outcome.NotKept));
        Assert.Null(outcome.Page!.Kept);
    }

    [Fact]
    public async Task ACrawlWithAProxyAsksThroughItOrNotAtAll()
    {
        _web.Add(Url, "here");
        var options = new CrawlingOptions { Proxies = "office=http://10.0.0.5:3128" };
        var through = await Visit(new() { Seeds = [Url], Proxy = "office" }, options: options);
        var gone = (await Visit(new() { Seeds = [Url], Proxy = "gone" }, options: options)).Outcome;

        Assert.Equal(FetchResult.Answered, through.Outcome.Result);
        Assert.Equal((FetchResult.Temporary, "proxy"), (gone.Result, gone.Reason));
        Assert.Equal("There is no proxy \"gone\": this silo names office (Crawling:Proxies).", gone.Page!.Error);
        Assert.Equal(["office"], _web.Ledger.Requests.Select(request => request.Headers["(proxy)"]));
    }

    [Theory]
    [InlineData("http://own.example/", true)]
    [InlineData("http://own.example:8443/", true)]
    [InlineData("http://a.test.example/", true)]
    [InlineData("http://test.example/", false)]
    [InlineData("http://other.example/", false)]
    public async Task CertificatesOfOwnHostsAreNotChecked(string url, bool isOwn)
    {
        _web.Add(url, "here");
        await Visit(new() { Seeds = [url] }, url, options: new() { OwnHosts = "own.example,*.test.example" });

        Assert.Equal(isOwn, Assert.Single(_web.Ledger.Requests).Headers.ContainsKey("(any certificate)"));
    }

    private Task<Visit> Visit(
        CrawlSpec? spec = null,
        string url = Url,
        int depth = 0,
        int hops = 0,
        bool isFull = false,
        CrawlingOptions? options = null
    )
    {
        spec ??= new() { Seeds = [url] };
        Assert.True(CrawlBoundary.TryCreate(spec, out var boundary, out _));
        return Visitor(options)
            .Visit(
                Order(spec) with
                {
                    KeptFull = isFull,
                },
                boundary,
                new(LeaseKind.Page, url, 1, TimeSpan.FromMinutes(1), depth, Attempt: 1, TellBegun: false, hops),
                TimeSpan.FromMinutes(1),
                TestContext.Current.CancellationToken
            );
    }

    private Task<Visit> VisitRobots() =>
        Visitor()
            .VisitRobots(
                Order(new() { Seeds = [Url] }),
                new(LeaseKind.Robots, Url + "robots.txt", 1, TimeSpan.FromMinutes(1), 0, 1, TellBegun: false),
                TimeSpan.FromMinutes(1),
                TestContext.Current.CancellationToken
            );

    private PageVisitor Visitor(CrawlingOptions? options = null) =>
        new(
            _web,
            (options ?? new()).OfFetches,
            TimeProvider.System,
            TimeProvider.System,
            new(_services.GetRequiredService<IMeterFactory>()),
            new(_blobs, TimeProvider.System),
            new(_past)
        );

    private static CrawlOrder Order(CrawlSpec spec) => new(new("abcdefghij"), 1, CrawlState.Running, spec);

    private static ImmutableSortedDictionary<string, long> Counts(params (string Reason, long Count)[] counts) =>
        counts.ToImmutableSortedDictionary(count => count.Reason, count => count.Count);
}
