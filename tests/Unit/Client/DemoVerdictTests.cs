using System.Collections.Immutable;
using Client.Demo;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Unit.Client;

public sealed class DemoVerdictTests
{
    private static readonly Uri Url = new("http://127.0.0.1:4711/");
    private static readonly Bookshop Shop = new();

    [Fact]
    public void TheShopHas120PagesAndEachIsFoundByItsLinks()
    {
        var found = new HashSet<string>(StringComparer.Ordinal) { "/" };
        var toVisit = new Queue<string>(found);
        while (toVisit.TryDequeue(out var path))
        {
            var page = Shop.Open(path);
            var links = page is null
                ? []
                : page.Html.Split("href=\"").Skip(1).Select(rest => rest[..rest.IndexOf('"', StringComparison.Ordinal)]);
            foreach (var link in links.Where(found.Add))
            {
                toVisit.Enqueue(link);
            }
        }

        Assert.Equal(120, Shop.Paths.Count);
        Assert.Equal(Shop.Paths.Concat(Shop.Forbidden).Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void ACrawlThatMissedNothingAddsUp()
    {
        var verdict = DemoVerdict.Of(Evidence());

        Assert.Empty(verdict.Problems);
        Assert.Equal(
            (true, 120, 120, 2, 121, 0, 2),
            (verdict.Ok, verdict.Pages, verdict.PagesOnSite, verdict.Skipped, verdict.Requests, verdict.Repeated, verdict.RepeatedAtMost)
        );
        Assert.Equal([new("200", 118), new("301", 1), new("404", 1)], verdict.Statuses);
    }

    [Fact]
    public void WhatWasInFlightMayBeAskedForAgainAndNoMore()
    {
        Assert.Empty(DemoVerdict.Of(Evidence(repeated: 2)).Problems);
        Assert.Equal(
            ["The site was asked 3 times for what it had answered; at most 2 requests were in flight when the silo died."],
            DemoVerdict.Of(Evidence(repeated: 3)).Problems
        );
    }

    [Fact]
    public void APageThatIsMissingOrThereTwiceIsNamed()
    {
        var evidence = Evidence();
        var records = evidence.Records.Where(record => record.Url != "http://127.0.0.1:4711/about").ToList();
        records.Add(records.Single(record => record.Url == "http://127.0.0.1:4711/till"));

        Assert.Equal(
            ["The export lists http://127.0.0.1:4711/till 2 times.", "The export lacks http://127.0.0.1:4711/about."],
            DemoVerdict.Of(evidence with { Records = [.. records] }).Problems
        );
    }

    [Fact]
    public void BooksThatDoNotBalanceAreNamed()
    {
        var evidence = Evidence();

        Assert.Equal(
            ["The account crawling urls does not balance."],
            DemoVerdict.Of(evidence with { Accounts = [evidence.Accounts[0] with { Done = 119 }] }).Problems
        );
        Assert.Equal(["The books are empty."], DemoVerdict.Of(evidence with { Accounts = [] }).Problems);
    }

    [Fact]
    public void AForbiddenPageThatWasAskedForIsSaid()
    {
        var evidence = Evidence();

        Assert.Equal(
            ["The site was asked for pages that its robots.txt forbids."],
            DemoVerdict.Of(evidence with { Seen = evidence.Seen with { Requests = evidence.Seen.Requests.Add("/staff/keys", 1) } }).Problems
        );
    }

    [Fact]
    public void ASiteThatWasHurriedIsSaid()
    {
        var evidence = Evidence();
        var one = evidence with
        {
            Crawl = evidence.Crawl with { Spec = evidence.Crawl.Spec with { Concurrency = 1, Delay = TimeSpan.FromMilliseconds(81) } },
        };

        Assert.Equal(["Two requests arrived 80 ms apart; at least 81 ms were asked for."], DemoVerdict.Of(one).Problems);
    }

    [Fact]
    public void ASaleThatWasAcknowledgedAndIsMissingOrThereTwiceIsTold()
    {
        var evidence = Evidence();

        Assert.Equal(
            ["500 sales were acknowledged, and the log has 499 of them."],
            DemoVerdict.Of(evidence with { Sales = evidence.Sales with { Stored = 499, Different = 499 } }).Problems
        );
        Assert.Equal(
            ["500 sales were sent, and the log has 501, of which 500 are different."],
            DemoVerdict.Of(evidence with { Sales = evidence.Sales with { Stored = 501 } }).Problems
        );
    }

    [Fact]
    public void AMailThatIsMissingAWrongSignatureAndWhatWasNotDeliveredAreTold()
    {
        var good = Evidence();
        Assert.Equal(
            ["There should be a mail of each of the order's 4 changes; there are 3."],
            DemoVerdict.Of(good with { Order = good.Order with { Mails = 3 } }).Problems
        );
        Assert.Equal(
            ["The webhook should tell 4 changes with good signatures; it told 4, and 1 with wrong ones."],
            DemoVerdict.Of(good with { Order = good.Order with { Hook = good.Order.Hook! with { Wrong = 1 } } }).Problems
        );
        Assert.Equal(
            ["Not delivered: mail order.paid dead."],
            DemoVerdict.Of(good with { Order = good.Order with { Deliveries = ["mail order.paid dead"] } }).Problems
        );
        Assert.Empty(DemoVerdict.Of(good with { Order = good.Order with { Mails = null, Hook = null, Deliveries = [] } }).Problems);
    }

    [Fact]
    public void AChangeOfTheOrderThatWasMissedOrAnAuditThatDoesNotHoldIsTold()
    {
        var evidence = Evidence();

        Assert.Equal(
            [
                "The watch should tell 1 order.placed, 2 order.paid, 3 order.shipped, 4 order.completed; it told 1 "
                    + "order.placed, 3 order.shipped.",
            ],
            DemoVerdict.Of(evidence with { Order = evidence.Order with { Steps = ["1 order.placed", "3 order.shipped"] } }).Problems
        );
        Assert.Equal(
            ["The audit does not hold, and proves 4 of 4 entries of order 00-a."],
            DemoVerdict.Of(evidence with { Order = evidence.Order with { AuditHolds = false } }).Problems
        );
    }

    /// <summary>Of a crawl with concurrency 2 and one kill in which all went well.</summary>
    private static DemoEvidence Evidence(int repeated = 0)
    {
        var records = Shop
            .Paths.Select(path => Record(path, Shop.Open(path)!.Status))
            .Concat(Shop.Forbidden.Select(path => Record(path, null)));
        var seen = Shop.Paths.ToImmutableSortedDictionary(path => path, path => path == Bookshop.Till ? 2 : 1, StringComparer.Ordinal);
        var crawl = ConsoleInMemory.Crawl(state: CrawlState.Done);
        return new(
            Shop,
            Url,
            crawl with
            {
                Spec = crawl.Spec with { Concurrency = 2 },
                Pages = 120,
                Skipped = 2,
                Failed = 0,
                Queued = 0,
                Added = 122,
            },
            [.. records],
            [new("crawling", "urls", 122, 120, ImmutableSortedDictionary<string, long>.Empty.Add("robots", 2), 0, 1000, "Refused.")],
            new(seen.SetItem("/about", 1 + repeated), Strays: 0, TimeSpan.FromMilliseconds(80.04)),
            Kills: 1,
            TimeSpan.FromSeconds(24.04),
            new(Sent: 500, Acknowledged: 500, Again: 3, Stored: 500, Different: 500, OfPages: 120),
            new(
                "00-a",
                OrderEvidence.Expected,
                Proven: 4,
                AuditHolds: true,
                Mails: 4,
                new(["a", "b", "c", "d"], Again: 1, Wrong: 0),
                ["mail order.placed delivered", "webhook order.placed delivered"]
            )
        );
    }

    private static PageRecord Record(string path, int? status) =>
        new(
            new Uri(Url, path).AbsoluteUri,
            status,
            1,
            null,
            null,
            null,
            0,
            null,
            0,
            ConsoleInMemory.Start,
            1,
            1,
            null,
            false,
            status is null ? "robots.txt forbids it." : null
        );
}
