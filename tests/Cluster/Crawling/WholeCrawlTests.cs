using System.Collections.Immutable;
using System.Text;
using Doubles;
using Doubles.Storage;
using Grains.Crawling.Rows;
using Grains.Interfaces.Books;
using Grains.Interfaces.Crawling;
using Grains.Storage;
using Xunit;

namespace Cluster.Crawling;

public sealed class WholeCrawlTests(CrawlCluster cluster) : IClassFixture<CrawlCluster>
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task ASiteIsCrawledWholeAndEachUrlIsAskedOnce()
    {
        var root = Site(pages: 120);
        var crawl = await cluster.Start(Spec(root) with { Concurrency = 8 });
        var summary = await cluster.Ended(crawl);

        Assert.Equal((CrawlState.Done, 120L, 0L, 0L, 0L), (summary.State, summary.Pages, summary.Failed, summary.Skipped, summary.Queued));
        Assert.Equal(Enumerable.Range(0, 120).Select(page => Page(root, page)).Order(), (await cluster.Export(crawl)).Keys.Order());
        Assert.All(Asked(root).Where(url => !url.EndsWith("/robots.txt", StringComparison.Ordinal)).GroupBy(url => url), url =>
            Assert.Single(url)
        );
        Assert.Single(Asked(root), root + "robots.txt");
        await cluster.Balances(crawl);
    }

    [Fact]
    public async Task RedirectsMissingPagesRetriesAndRobotsAreAccountedForByName()
    {
        var root = NewRoot();
        cluster.Web.Add(root + "robots.txt", SiteAnswer.Text("User-agent: *\nDisallow: /secret"));
        cluster.Web.Add(root, SiteAnswer.Links("/moved", "/missing", "/busy", "/broken", "/secret/1"));
        cluster.Web.Add(root + "moved", SiteAnswer.Redirect("/here"));
        cluster.Web.Add(root + "here", "<title>Here</title>");
        cluster.Web.FailNext(root + "busy", Grains.Crawling.Pages.FetchFailure.Timeout).Add(root + "busy", "<title>Busy</title>");
        cluster.Web.Add(root + "broken", SiteAnswer.Empty(503).With("Retry-After", "7"));
        var crawl = await cluster.Start(Spec(root));
        var summary = await cluster.Ended(crawl);

        Assert.Equal((5L, 1L, 1L), (summary.Pages, summary.Failed, summary.Skipped));
        var records = await cluster.Export(crawl, ExportKind.All);
        Assert.Equal((302, root + "here"), (records[root + "moved"].Status, records[root + "moved"].Location));
        Assert.Equal(
            (200, 1, root + "moved"),
            (records[root + "here"].Status, records[root + "here"].Depth, records[root + "here"].Parent)
        );
        Assert.Equal(404, records[root + "missing"].Status);
        Assert.Equal((200, 2), (records[root + "busy"].Status, records[root + "busy"].Attempts));
        Assert.Equal((503, 3), (records[root + "broken"].Status, records[root + "broken"].Attempts));
        Assert.Equal("Not fetched: robots.", records[root + "secret/1"].Error);
        Assert.Equal(3, cluster.Web.Ledger.CountOf(root + "broken"));
        Assert.Equal(0, cluster.Web.Ledger.CountOf(root + "secret/1"));
        Assert.Equal("skipped", (await crawl.Explain(root + "secret/1")).State);
        await cluster.Balances(crawl);
    }

    [Fact]
    public async Task OfAPageWithTwelveThousandLinksEachIsInTheBooksAndExplainDoesNotDenyIt()
    {
        var root = NewRoot();
        cluster.Web.Add(
            root,
            SiteAnswer.Links(Enumerable.Range(0, 12_000).Select(page => $"/p/{page}").Prepend("/" + new string('x', 3000)))
        );
        var crawl = await cluster.Start(Spec(root) with { MaxPages = 1 });
        var summary = await cluster.Ended(crawl);

        Assert.Equal((12_002L, 1L, 12_001L), (summary.Added, summary.Pages, summary.Skipped));
        Assert.Equal(
            [
                KeyValuePair.Create("max-pages", 9_999L),
                KeyValuePair.Create("too-long-url", 1L),
                KeyValuePair.Create("too-many-links", 2_001L),
            ],
            summary.Reasons!
        );
        Assert.Equal(2_001L, (await cluster.Export(crawl))[root].LeftOut!["too-many-links"]);
        var explained = await crawl.Explain(root + "p/11999");
        Assert.Equal("not found", explained.State);
        Assert.Contains(explained.Lines, line =>
            line.Text.Contains("2,001 beyond the first 10,000 of their page (too-many-links)", StringComparison.Ordinal)
        );
        await cluster.Balances(crawl);
    }

    [Theory]
    [InlineData("host-pages", 3, 0)]
    [InlineData("host-bytes", 3, 0)]
    [InlineData("host-time", 3, 0)]
    [InlineData("host-errors", 1, 2)]
    public async Task WhatABudgetOfAHostLeavesIsInTheBooksByItsNameAndOtherHostsGoOn(string budget, int pages, int failed)
    {
        var (root, other) = (NewRoot(), NewRoot());
        var links = SiteAnswer.Links([.. Enumerable.Range(1, 9).Select(page => $"/{page}"), other]);
        cluster.Web.Add(root, links);
        for (var page = 1; page <= 9; page++)
        {
            cluster.Web.Add($"{root}{page}", budget == "host-errors" ? SiteAnswer.Empty(500) : SiteAnswer.Html(new string('a', 100)));
        }

        // The last page of the other host links back, behind all that waits.
        cluster.Web.Add(other, SiteAnswer.Links("/0")).Add(other + "0", SiteAnswer.Links("/1"));
        cluster.Web.Add(other + "1", SiteAnswer.Links(root + "late"));
        var spec = Spec(root) with { Seeds = [root, other], Delay = 10 * Second };
        var crawl = await cluster.Start(
            budget switch
            {
                "host-pages" => spec with { HostPages = 3 },
                "host-bytes" => spec with { HostBytes = links.Body.Length + 101 },
                "host-time" => spec with { HostTime = 25 * Second },
                _ => spec with { HostErrors = 2 },
            }
        );
        var summary = await cluster.Ended(crawl);

        var host = (await crawl.HostStates(after: null, take: 10)).Single(state => root == $"http://{state.Host.Value}/");
        if (budget == "host-time")
        {
            Assert.InRange(host.Pages, 1, pages); // Time may pass while a page is on its way.
        }
        else
        {
            Assert.Equal((pages, failed), (host.Pages, host.Failed));
        }

        Assert.Equal((host.Pages + 3, failed), (summary.Pages, summary.Failed));
        Assert.Equal(11 - host.Pages - failed, summary.Reasons![budget]);
        Assert.StartsWith($"The crawl has ended here: {budget}. ", host.Why, StringComparison.Ordinal);
        await cluster.Balances(crawl);
    }

    [Fact]
    public async Task AnEndlessCalendarIsSlowedNamedAndCountedAndTheOtherPagesAreFetched()
    {
        var root = NewRoot();
        cluster.Web.Add(root, SiteAnswer.Links("/day?1", "/about")).Add(root + "about", "About");
        for (var day = 1; day <= 600; day++)
        {
            cluster.Web.Add(
                $"{root}day?{day}",
                SiteAnswer.Html($"<title>Day {day}</title><a href=?{2 * day}>morning</a><a href=?{(2 * day) + 1}>evening</a>")
            );
        }

        var crawl = await cluster.Start(Spec(root) with { Delay = TimeSpan.Zero, Concurrency = 4, Keep = KeepPages.None, MaxPages = 250 });
        var summary = await cluster.Ended(crawl);

        var trap = Assert.Single(summary.Traps!.Value);
        Assert.Equal(root + "day?*", trap.Pattern);
        Assert.StartsWith(root + "day?", trap.Example, StringComparison.Ordinal);
        Assert.Equal(summary.Reasons!["trap"], trap.Refused);
        Assert.True(trap is { Slowed: >= 100, Refused: > 0 }, $"{trap}");
        Assert.Equal(200, (await cluster.Export(crawl))[root + "about"].Status);
        await cluster.Balances(crawl);
    }

    /// <summary>A shop whose listing links to itself with each further facet, in the order in which they were chosen.</summary>
    [Fact]
    public async Task FacetsInThePathAreSlowedAndTheItemsOfTheShopAreFetched()
    {
        var root = NewRoot();
        string[] names = ["color", "size", "brand", "width", "season"];
        cluster.Web.Add(root, SiteAnswer.Links("/shoes"));
        AddListing("shoes", []);
        var crawl = await cluster.Start(Spec(root) with { Delay = TimeSpan.Zero, Concurrency = 4, Keep = KeepPages.None, MaxPages = 400 });
        var summary = await cluster.Ended(crawl);

        var trap = Assert.Single(summary.Traps!.Value);
        Assert.Equal(root + "shoes/*/*/*/*", trap.Pattern);
        Assert.Equal(summary.Reasons!["trap"], trap.Refused);
        Assert.True(trap is { Slowed: >= 100, Refused: > 0 }, $"{trap}");
        var pages = await cluster.Export(crawl);
        Assert.All(Enumerable.Range(0, 10), item => Assert.Equal(200, pages[$"{root}shoes/item/{item}"].Status));
        Assert.All(names, name => Assert.Equal(200, pages[$"{root}shoes/{name}/0"].Status));
        await cluster.Balances(crawl);

        void AddListing(string path, ImmutableArray<string> chosen)
        {
            var next = names
                .Except(chosen)
                .SelectMany(name => Enumerable.Range(0, 3).Select(value => (Name: name, Path: $"{path}/{name}/{value}")));
            var items = Enumerable.Range(0, 10).Select(item => $"shoes/item/{item}");
            var links = next.Select(facet => facet.Path).Concat(items).Select(link => $"<a href=/{link}>.</a>");
            cluster.Web.Add(root + path, SiteAnswer.Html($"<title>Shoes</title>{string.Concat(links)}"));
            if (chosen.IsEmpty)
            {
                foreach (var item in items)
                {
                    cluster.Web.Add(root + item, SiteAnswer.Html($"<title>{item}</title>"));
                }
            }

            foreach (var facet in chosen.Length < 4 ? next : [])
            {
                AddListing(facet.Path, chosen.Add(facet.Name));
            }
        }
    }

    [Fact]
    public async Task LinksBehindTheLimitOfDepthAndThoseNotToBeFollowedAreInTheBooks()
    {
        var root = NewRoot();
        cluster.Web.Add(root, SiteAnswer.Html("<a href=/a><a href=/b rel=nofollow>"));
        cluster.Web.Add(root + "a", SiteAnswer.Links("/", "/a", "/c", "/c?2"));
        var crawl = await cluster.Start(Spec(root) with { MaxDepth = 1 });
        var summary = await cluster.Ended(crawl);

        Assert.Equal((5L, 2L, 3L), (summary.Added, summary.Pages, summary.Skipped));
        Assert.Equal([KeyValuePair.Create("max-depth", 2L), KeyValuePair.Create("nofollow", 1L)], summary.Reasons!);
        Assert.Contains((await crawl.Explain(root + "c")).Lines, line =>
            line.Text.Contains("2 more than 1 step(s) from a seed (max-depth)", StringComparison.Ordinal)
        );
        Assert.Equal(
            ["a link longer than 2,048 characters is refused (too-long-url); in this crawl 0 were"],
            (await crawl.Explain(root + new string('x', 3000))).Lines.Where(line => line.Label == "left out").Select(line => line.Text)
        );
        await cluster.Balances(crawl);
    }

    [Fact]
    public async Task AChainOfRedirectsWithoutAnEndEndsAfterTwentyAcrossHosts()
    {
        var (here, there) = (NewRoot(), NewRoot());
        for (var hop = 0; hop < 40; hop++)
        {
            cluster.Web.Add($"{(hop % 2 == 0 ? here : there)}{hop}", SiteAnswer.Redirect($"{(hop % 2 == 0 ? there : here)}{hop + 1}"));
        }

        var crawl = await cluster.Start(Spec(here + "0") with { Scope = CrawlScope.Any });
        var summary = await cluster.Ended(crawl);

        Assert.Equal((20L, 1L), (summary.Pages, summary.Failed));
        Assert.Equal(1, summary.Reasons!["too-many-redirects"]);
        Assert.Equal(
            $"It redirects to {there}21, after 20 redirects in a row: no further one is followed.",
            (await cluster.Export(crawl))[here + "20"].Error
        );
        Assert.Equal(0, cluster.Web.Ledger.CountOf(there + "21"));
        await cluster.Balances(crawl);
    }

    [Fact]
    public async Task ARedirectIsNoStepAndCostsNoPage()
    {
        var (root, www) = (NewRoot(), NewRoot());
        cluster.Web.Add(root, SiteAnswer.Redirect("/home")).Add(root + "home", SiteAnswer.Redirect(www));
        cluster.Web.Add(www, SiteAnswer.Links("/a")).Add(www + "a", SiteAnswer.Redirect("/b")).Add(www + "b", SiteAnswer.Links("/c"));
        var crawl = await cluster.Start(Spec(root) with { Scope = CrawlScope.Any, MaxDepth = 1, MaxPages = 2 });
        var summary = await cluster.Ended(crawl);

        Assert.Equal((5L, 3L), (summary.Pages, summary.Redirects));
        var depths = (await cluster.Export(crawl)).ToDictionary(page => page.Key, page => page.Value.Depth);
        Assert.Equivalent(
            new Dictionary<string, int>
            {
                [root] = 0,
                [root + "home"] = 0,
                [www] = 0,
                [www + "a"] = 1,
                [www + "b"] = 1,
            },
            depths,
            strict: true
        );
        await cluster.Balances(crawl);
    }

    [Fact]
    public async Task ASeedThatLeadsOutOfScopeOverSeveralRedirectsNamesTheFlag()
    {
        var (root, other) = (NewRoot(), NewRoot());
        cluster.Web.Add(root, SiteAnswer.Redirect("/home"));
        cluster.Web.Add(root + "home", SiteAnswer.Redirect(root.Replace("http://", "http://www.", StringComparison.Ordinal)));
        cluster.Web.Add(other, SiteAnswer.Redirect("/gone"));
        var summary = await cluster.Ended(await cluster.Start(Spec(root) with { Seeds = [root, other] }));

        Assert.Equal((2, 0), (summary.Seeds!.Fetched, summary.Seeds.NotFetched));
        Assert.Equal([(root, "redirect"), (other, "http-404")], summary.Seeds.Troubles.Select(trouble => (trouble.Url, trouble.Reason)));
        Assert.EndsWith(" --scope domain lets it in.", summary.Seeds.Troubles[0].Says, StringComparison.Ordinal);
        Assert.StartsWith($"It leads to {root}home. ", summary.Seeds.Troubles[0].Says, StringComparison.Ordinal);
        Assert.Equal($"It leads to {other}gone. The server answered 404.", summary.Seeds.Troubles[1].Says);
    }

    [Fact]
    public async Task AHostWhoseRobotsTxtFailsForAWhileIsCrawledWhenItAnswers()
    {
        var root = Site(pages: 5);
        cluster.Web.FailNext(root + "robots.txt", Grains.Crawling.Pages.FetchFailure.Unreachable, times: 4);
        var crawl = await cluster.Start(Spec(root));
        await cluster.Clock.PassUntil("the crawl to tell of robots.txt", async () =>
            (await crawl.Show())!.Note?.Contains("robots.txt: ", StringComparison.Ordinal) == true
        );
        var summary = await cluster.Ended(crawl);

        Assert.Equal((5L, 0L, 0L), (summary.Pages, summary.Failed, summary.Skipped));
        Assert.Equal(5, cluster.Web.Ledger.CountOf(root + "robots.txt"));
    }

    [Theory]
    [InlineData("503", "robots-unreachable", "The server answered 503.")]
    [InlineData("cut", "robots-unreachable", "The body ended early.")]
    [InlineData("timeout", "timeout", "robots.txt was told to fail: Timeout.")]
    [InlineData("unreachable", "unreachable", "robots.txt was told to fail: Unreachable.")]
    [InlineData("tls", "tls", "robots.txt was told to fail: Tls.")]
    [InlineData("private", "private-address", "robots.txt was told to fail: PrivateAddress.")]
    public async Task ASeedThatCannotBeReachedHasFailedAndIsToldWithItsCause(string fault, string reason, string cause)
    {
        var root = NewRoot();
        var robots = root + "robots.txt";
        _ = fault switch
        {
            "503" => cluster.Web.Add(robots, SiteAnswer.Empty(503)),
            "cut" => cluster.Web.Add(robots, SiteAnswer.Text("User-agent: *\n") with { BodyError = "The body ended early." }),
            "timeout" => cluster.Web.FailNext(robots, Grains.Crawling.Pages.FetchFailure.Timeout, times: 100),
            "unreachable" => cluster.Web.FailNext(robots, Grains.Crawling.Pages.FetchFailure.Unreachable, times: 100),
            "tls" => cluster.Web.FailNext(robots, Grains.Crawling.Pages.FetchFailure.Tls),
            _ => cluster.Web.FailNext(robots, Grains.Crawling.Pages.FetchFailure.PrivateAddress),
        };
        var crawl = await cluster.Start(Spec(root));
        var summary = await cluster.Ended(crawl);

        Assert.Equal((CrawlState.Done, 0L, 1L, 0L), (summary.State, summary.Pages, summary.Failed, summary.Skipped));
        Assert.Equal([KeyValuePair.Create(reason, 1L)], summary.Reasons!);
        Assert.True(summary.FetchedNoSeed);
        var trouble = Assert.Single(summary.Seeds!.Troubles);
        Assert.Equal((root, reason), (trouble.Url, trouble.Reason));
        Assert.EndsWith(cause, trouble.Says, StringComparison.Ordinal);
        var record = Assert.Single(await cluster.Export(crawl)).Value;
        Assert.Equal((null, trouble.Says), (record.Status, record.Error));
        await cluster.Balances(crawl);
    }

    [Fact]
    public async Task AHostAndTheSameHostWithAFinalDotAreOne()
    {
        var root = Site(pages: 2);
        var crawl = await cluster.Start(
            Spec(root) with
            {
                Seeds = [root, root.Replace(".example/", ".example./", StringComparison.Ordinal)],
            }
        );
        var summary = await cluster.Ended(crawl);

        Assert.Equal((2L, 1), (summary.Pages, summary.Hosts));
    }

    [Fact]
    public async Task LinksToAnotherHostAreFollowedWhenTheScopeTakesThem()
    {
        var (here, there) = (NewRoot(), NewRoot());
        cluster.Web.Add(here, SiteAnswer.Links("/a", there + "x", there + "y"));
        cluster.Web.Add(here + "a", SiteAnswer.Links(there + "x"));
        cluster.Web.Add(there + "x", SiteAnswer.Links(here, here + "a"));
        cluster.Web.Add(there + "y", "<title>End</title>");
        var crawl = await cluster.Start(Spec(here) with { Scope = CrawlScope.Any });
        var summary = await cluster.Ended(crawl);

        Assert.Equal((4L, 2), (summary.Pages, summary.Hosts));
        var records = await cluster.Export(crawl);
        Assert.Equal(1, records[there + "y"].Depth);
        Assert.All(records.Keys, url => Assert.Equal(1, cluster.Web.Ledger.CountOf(url)));
        await cluster.Balances(crawl);
    }

    [Fact]
    public async Task TheLimitOfPagesIsExactOverSeveralHosts()
    {
        var roots = Enumerable.Range(0, 3).Select(_ => Site(pages: 60)).ToList();
        var crawl = await cluster.Start(
            new()
            {
                Seeds = [.. roots],
                MaxPages = 77,
                Concurrency = 8,
                Delay = TimeSpan.Zero,
                Timeout = TimeSpan.FromMinutes(5),
            }
        );
        var summary = await cluster.Ended(crawl);

        Assert.Equal((CrawlState.Done, 77L), (summary.State, summary.Pages));
        Assert.Equal(77, (await cluster.Export(crawl)).Count);
        Assert.Equal(77, roots.Sum(root => Asked(root).Count(url => !url.EndsWith("/robots.txt", StringComparison.Ordinal))));
        Assert.Equal(0, summary.Queued);
        await cluster.Balances(crawl);
    }

    [Fact]
    public async Task RequestsToOneHostStartADelayApart()
    {
        var root = Site(pages: 12);
        var crawl = await cluster.Start(Spec(root) with { Delay = 2 * Second });
        await cluster.Ended(crawl);

        var starts = cluster
            .Web.Ledger.Requests.Where(request => request.Target.StartsWith(root, StringComparison.Ordinal))
            .Select(request => request.Start)
            .ToList();
        Assert.Equal(13, starts.Count);
        Assert.All(starts.Zip(starts.Skip(1)), pair => Assert.True(pair.Second - pair.First >= 2 * Second, $"{pair.Second - pair.First}"));
    }

    [Fact]
    public async Task ACrawlThatIsDoneDoesNotSlowDownTheNext()
    {
        var root = Site(pages: 2);
        var first = await cluster.Ended(await cluster.Start(Spec(root) with { Delay = 100 * Second }));
        cluster.Clock.Pass(100 * Second);
        var second = await cluster.Start(Spec(root) with { Delay = Second });
        await VirtualClock.StandUntil("the second crawl to have its first page", async () =>
            (await second.Explain(root)).State == "fetched"
        );

        // No time has passed since then, so it is known to the second when the host may be asked again.
        Assert.Contains(
            new ExplainLine("host", $"may be asked again at {cluster.Clock.GetUtcNow() + Second:u}"),
            (await second.Explain(Page(root, 1))).Lines
        );
        Assert.Equal(2, (await cluster.Ended(second)).Pages);
        Assert.Null(await cluster.Store.Get(CrawlTable.Name, CrawlTable.Host(new(new Uri(root).Host)), CrawlTable.CrawlPrefix + first.Id));
    }

    [Fact]
    public async Task WhatIsPausedStandsStillAndGoesOn()
    {
        var root = Site(pages: 20);
        var gate = new Gate();
        cluster.Web.Add(Page(root, 1), SiteAnswer.Html("<title>Held</title>").Behind(gate));
        var crawl = await cluster.Start(Spec(root));
        await cluster.Clock.PassUntil("the page that is held up to be asked for", gate.Reached);
        Assert.Null((await crawl.Pause()).Error);
        gate.Open();
        await cluster.Clock.PassUntil("what was in flight to be counted", async () => (await crawl.Show())!.Pages == 2);
        var asked = Asked(root).Count;
        for (var minute = 0; minute < 20; minute++)
        {
            cluster.Clock.Pass(60 * Second);
            Assert.Equal(CrawlState.Paused, (await crawl.Show())!.State);
        }

        Assert.Equal(asked, Asked(root).Count);
        Assert.Null((await crawl.Resume()).Error);
        Assert.Equal(20, (await cluster.Ended(crawl)).Pages);
    }

    [Fact]
    public async Task ACancelSkipsWhatWaitsAndTheBooksBalance()
    {
        var root = Site(pages: 20);
        var gate = new Gate();
        cluster.Web.Add(Page(root, 1), SiteAnswer.Html("<title>Held</title>").Behind(gate));
        var crawl = await cluster.Start(Spec(root));
        await cluster.Clock.PassUntil("the page that is held up to be asked for", gate.Reached);
        await crawl.Cancel();
        var summary = await cluster.Ended(crawl);
        gate.Open();

        Assert.Equal((CrawlState.Cancelled, 1L, 0L), (summary.State, summary.Pages, summary.Queued));
        Assert.Equal(summary.Added - 1, summary.Skipped);
        await cluster.Balances(crawl);
    }

    [Fact]
    public async Task ACrawlDeletedInFlightLeavesNothingAndItsHostIsFreeForTheNext()
    {
        var root = Site(pages: 3);
        var gate = new Gate();
        cluster.Web.Add(Page(root, 0), SiteAnswer.Links(Page(root, 1), Page(root, 2)).Behind(gate));
        var crawl = await cluster.Start(Spec(root) with { Name = "to-delete" });
        await cluster.Clock.PassUntil("the page that is held up to be asked for", gate.Reached);
        await crawl.Delete();
        await cluster.Clock.PassUntil("a crawl that is deleted to be gone", async () => await crawl.Show() is null);
        gate.Open();

        Assert.Null(await cluster.List.Find("to-delete"));
        Assert.Equal(3, (await cluster.Ended(await cluster.Start(Spec(root) with { Name = "to-delete" }))).Pages);
    }

    [Fact]
    public async Task ALinkThatComesLateDoesNotReviveADeletedCrawlAtANewActivation()
    {
        var root = Site(pages: 1);
        var host = new Uri(root).Host;
        var crawl = await cluster.Start(Spec(root));
        await cluster.Ended(crawl);
        var id = (await crawl.Show())!.Id;
        await crawl.Delete();
        await cluster.Clock.PassUntil("a crawl that is deleted to be gone", async () => await crawl.Show() is null);
        await cluster.Deactivate(host);

        var order = new CrawlOrder(id, Version: 1, CrawlState.Running, Spec(root));
        Assert.Equal(new(0, 0), await cluster.Host(host).Add(order, [new(root + "late", Depth: 1, root)]));
        Assert.Empty(await cluster.Store.Scan(CrawlTable.Name, CrawlTable.Urls(id, new HostKey(host)), KeyRange.All, take: 1));
    }

    [Fact]
    public async Task ADeleteWhileTheCrawlComesToItsEndIsNotForgotten()
    {
        var root = Site(pages: 2);
        CommitGate? gate = null;
        cluster.Store.FailCommitsWhen(
            (_, _, changes) =>
            {
                if (
                    gate is null
                    && changes.Any(change =>
                        change.Key == PartitionWriter.HeadKey
                        && Encoding.UTF8.GetString(change.Payload.Span) is var head
                        && head.Contains(new Uri(root).Host, StringComparison.Ordinal)
                        && head.Contains("\"ended\"", StringComparison.Ordinal)
                    )
                )
                {
                    gate = cluster.Store.HoldCommits();
                }

                return null;
            }
        );
        var crawl = await cluster.Start(Spec(root));
        await cluster.Clock.PassUntil("the commit that ends the crawl at its host", () => gate is not null);
        var commits = cluster.Store.Commits;
        var deleted = crawl.Delete();
        await cluster.Clock.PassUntil("the commit of the deletion", () => cluster.Store.Commits > commits);
        gate!.Open();
        await deleted;

        await cluster.Clock.PassUntil("a crawl that is deleted to be gone", async () => await crawl.Show() is null);
        cluster.Store.FailCommitsWhen((_, _, _) => null);
    }

    [Fact]
    public async Task ASecondStartWithTheSameNameIsRefusedAndNothingIsMade()
    {
        var root = Site(pages: 1);
        var crawl = await cluster.Start(Spec(root) with { Name = "once" });
        var second = await cluster.List.Start(Spec(root) with { Name = "once" });

        Assert.Equal(["There is a crawl named \"once\" already. Choose another name, or delete that one first."], second.Errors);
        Assert.Null(second.Id);
        await cluster.Ended(crawl);
        Assert.Single(await cluster.List.List(), summary => summary.Name == "once");
    }

    [Fact]
    public async Task AnEventThatIsLostCostsASecondAndNoWork()
    {
        var root = Site(pages: 5);
        cluster.Lost.Next(3);
        var crawl = await cluster.Start(Spec(root));

        Assert.Equal(5, (await cluster.Ended(crawl)).Pages);
        Assert.Equal(3, cluster.Lost.Count);
    }

    [Fact]
    public async Task TheLedgerBalancesAtEverySampling()
    {
        var root = Site(pages: 60);
        var crawl = await cluster.Start(Spec(root) with { Concurrency = 4, Delay = TimeSpan.Zero });
        await cluster.Clock.PassUntil("the end of a crawl that is sampled", async () =>
        {
            await cluster.Balances(crawl);
            Assert.All(await cluster.Grains.GetGrain<ILedgerGrain>(0).Read(), account => Assert.True(account.Balances, account.ToString()));
            return (await crawl.Show())!.Ended;
        });

        Assert.Equal(60, (await crawl.Account())!.Done);
    }

    [Fact]
    public async Task TheAnswerWhenFullNamesItsBoundWithSeparators()
    {
        var account = Assert.Single(await cluster.Grains.GetGrain<ILedgerGrain>(0).Read(), account => account.System == "crawling");

        Assert.Equal("a URL beyond 5,000,000 of one host is refused as host-full, and counted", account.WhenFull);
    }

    private static CrawlSpec Spec(string root) =>
        new()
        {
            Seeds = [root],
            Delay = Second,
            Timeout = TimeSpan.FromMinutes(5),
        };

    private string NewRoot() => $"http://{cluster.NewHost()}/";

    /// <summary>A site in which each page links to three others, and a walk from its root reaches all.</summary>
    private string Site(int pages)
    {
        var root = NewRoot();
        for (var page = 0; page < pages; page++)
        {
            var number = page;
            cluster.Web.Add(
                Page(root, page),
                SiteAnswer.Links(
                    Enumerable.Range((page * 3) + 1, 3).Where(child => child < pages).Append(number / 2).Select(child => Page(root, child))
                )
            );
        }

        return root;
    }

    private static string Page(string root, int page) => page == 0 ? root : $"{root}p/{page}";

    private List<string> Asked(string root) =>
        [
            .. cluster
                .Web.Ledger.Requests.Select(request => request.Target)
                .Where(target => target.StartsWith(root, StringComparison.Ordinal)),
        ];
}
