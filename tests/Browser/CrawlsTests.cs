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

        await Visitor.Button("Start a crawl").First.ClickAsync();
        await Visitor.Page.GetByLabel("Seeds").FillAsync(site.UrlOf("/"));
        await Visitor.Page.GetByLabel("Delay").FillAsync("0");
        await Visitor.Page.GetByLabel("Private networks").FillAsync("127.0.0.0/8");
        await Visitor.Sees("crawl start " + site.UrlOf("/"));
        await Visitor.Page.Locator(".ask button.primary").ClickAsync();

        await Visitor.Page.Locator("fluent-badge").GetByText("done").WaitForAsync();
        await Visitor.Page.GetByText("with a problem").ClickAsync();
        await Expect(Visitor.Page.Locator("table").First).ToContainTextAsync(site.UrlOf("/gone"), new() { Timeout = 120_000 });
        await Visitor.Page.GetByText("all", new() { Exact = true }).ClickAsync();
        await Visitor.Sees("<script>document.body.id='hit'</script>\uFFFDright-to-left");
        Assert.Equal("", await Visitor.Page.EvaluateAsync<string>("document.body.id"));

        await Visitor.Page.GetByLabel("Why it was or was not fetched").FillAsync(site.UrlOf("/gone"));
        await Visitor.Page.GetByText("Explain", new() { Exact = true }).ClickAsync();
        await Visitor.Sees("crawl explain");

        await Visitor.Page.GetByLabel("Why it was or was not fetched").FillAsync(site.UrlOf("/"));
        await Visitor.Page.GetByText("Explain", new() { Exact = true }).ClickAsync();
        await Visitor.Page.GetByText("Show the page that was kept").ClickAsync();
        await Visitor.Page.FrameLocator("iframe.kept").GetByText("a stranger's page").WaitForAsync();
        Assert.Equal("", await Visitor.Page.EvaluateAsync<string>("document.body.id"));
    }

    [Fact]
    public async Task AReaderSeesCrawlsAndStartsNone()
    {
        await LogIn(Silo.Reader, "/crawls");

        await Expect(Visitor.Page.Locator("main button").First).ToBeDisabledAsync(new() { Timeout = 120_000 });
    }
}
