using System.Text.RegularExpressions;
using Doubles.Net;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Browser;

public sealed class CrawlsTests(PageSilo silo, Chromium chromium) : PageTest(silo, chromium)
{
    /// <summary>A title that would be a script, and one that would turn the direction of what follows.</summary>
    private const string Hostile = "<script>document.body.id='hit'</script>\u202Eright-to-left";

    [Fact]
    public async Task ACrawlIsStartedByClicksAndSeenToEndAndItsPagesAreExplained()
    {
        await using var site = await WebSite.Start(LoopbackNetwork.Instance);
        site.Add(
            "/",
            $"<!DOCTYPE html><title>{Hostile.Replace("<", "&lt;", StringComparison.Ordinal)}</title><p>a stranger's page"
                + "<script>parent.document.body.id = 'kept'</script><a href=/gone>gone</a>"
        );
        await LogIn(Silo.Writer, "/crawls");

        await Visitor.Act("Start a crawl", async question =>
        {
            await question.GetByLabel("Seeds").FillAsync(site.UrlOf("/"));
            await question.GetByLabel("Delay").FillAsync("0");
            await question.GetByLabel("Private networks").FillAsync("127.0.0.0/8");
            await Expect(question).ToContainTextAsync("crawl start " + site.UrlOf("/"));
        });

        await Visitor.IsTold("goes on by itself");
        await Expect(Visitor.Page).ToHaveURLAsync(new Regex("/crawls/.+"));
        await Visitor.Page.Locator("fluent-badge").GetByText("done").First.WaitForAsync();
        await Visitor.Link("with a problem").ClickAsync();
        await Expect(Visitor.Page.Locator("table").First).ToContainTextAsync(site.UrlOf("/gone"));
        await Visitor.Page.Locator("nav.tabs").GetByText("all", new() { Exact = true }).ClickAsync();
        await Visitor.Sees("<script>document.body.id='hit'</script>\uFFFDright-to-left");
        Assert.Equal("", await Visitor.Page.EvaluateAsync<string>("document.body.id"));

        await Visitor.Page.GetByLabel("Why it was or was not fetched").FillAsync(site.UrlOf("/gone"));
        await Visitor.Button("Explain").ClickAsync();
        await Visitor.Sees("crawl explain");

        await Visitor.Page.GetByLabel("Why it was or was not fetched").FillAsync(site.UrlOf("/"));
        await Visitor.Button("Explain").ClickAsync();
        await Visitor.Button("Show the page that was kept").ClickAsync();
        await Visitor.Page.FrameLocator("iframe.kept").GetByText("a stranger's page").WaitForAsync();
        Assert.Equal("", await Visitor.Page.EvaluateAsync<string>("document.body.id"));
    }

    [Fact]
    public async Task WhatFailedIsSeenByItsReasonAndTriedAgainByAClick()
    {
        await using var site = await WebSite.Start(LoopbackNetwork.Instance);
        site.Add("/", SiteAnswer.Links("/busy"));
        site.Add("/busy", SiteAnswer.Empty(503));
        var name = $"failing-{Guid.NewGuid():N}";
        await Silo.Say("crawl", "start", site.UrlOf("/"), "--name", name, "--delay", "0", "--allow-private", "127.0.0.0/8");
        await LogIn(Silo.Writer, $"/crawls/{name}");
        await Visitor.Page.Locator("fluent-badge").GetByText("done").First.WaitForAsync();

        await Visitor.Page.Locator("a.chip").Filter(new() { HasTextString = "http-503" }).ClickAsync();
        await Expect(Visitor.Page.Locator("tbody a")).ToHaveTextAsync([site.UrlOf("/busy")]);

        var hosts = Visitor.Page.Locator("section").Filter(new() { HasTextString = "Next request" }).Locator("tbody tr");
        await Expect(hosts.First).ToContainTextAsync("ended");
        await Expect(hosts.First).ToContainTextAsync("http-503 1");

        site.Add("/busy", "<!DOCTYPE html><title>free again</title>");
        await Visitor.Act("Retry", question => question.GetByLabel("Reason").SelectOptionAsync("http-503"));
        await Visitor.IsTold("1 URL is tried again.");
        await Expect(Visitor.Tile("pages").First).ToHaveTextAsync("2");
        await Expect(Visitor.Tile("failed")).ToHaveTextAsync("0");
    }

    [Fact]
    public async Task AReaderSeesCrawlsAndStartsNone()
    {
        await LogIn(Silo.Reader, "/crawls");

        await Expect(Visitor.Page.Locator("main button").First).ToBeDisabledAsync();
    }
}
